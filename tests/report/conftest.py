"""A run that failed, and a report made by hand."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from bayes.cli import main
from bayes.diagnostics import Check
from bayes.report.contract import (
    Banner,
    Bullets,
    Card,
    Cell,
    Claim,
    Column,
    Drawing,
    FigureBlock,
    Missing,
    Prose,
    Report,
    Section,
    Table,
    TableBlock,
    WhatIf,
)
from tests.browser.conftest import browser, open_page
from tests.conftest import SHORT

__all__ = ["browser", "open_page"]

EVIL = '<script>alert(1)</script> & "x" $\\input{/etc/passwd}$ #eval(1) *b* _i_ @a |c| `d` 50% ~ ^ {e}'
"""A label that would be markup or code in one language or another."""

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5"><rect width="10" height="5" fill="#14507d"/></svg>'


@pytest.fixture(scope="session")
def failed_run(tmp_path_factory):
    """The shipped study with far too few draws."""
    folder = tmp_path_factory.mktemp("runs") / "failed"
    assert main(["run", *SHORT, "--out", str(folder)]) == 1
    return folder


def small_report(label: str = "a label", passed: bool = True, forced: bool = False) -> Report:
    """One block of every kind, with a label where labels of files go."""
    claims = (
        Claim("n", "12k", 12_345.0, 900.0, "offences", "a.csv"),
        Claim("label", label),
        Claim("link", label, href="https://example.org/a?b=1&c=2"),
        Claim("trap", label, href="javascript:alert(1)"),
        Claim("sub", label),
    )
    table = Table(
        "things", "Things of {label}", (Column("Name"), Column("Value", "right")),
        ((Cell(label), Cell("12k", 12_345.0, 900.0)),
         (Cell("other", href="https://example.org/x_y#z"), Cell("–")),
         (Cell("third", refs=("start",)), Cell("5", 5.0, below="1 to 9"))), "Note on {label}.",
    )  # fmt: skip
    blocks = (
        Banner("Verdict {@start}", "good"),
        Prose("{n} of **{label}**, {link}, {trap}; {@things} and {@picture}.", "lead"),
        Bullets(("{label}", "{n}")), Card("Card {label}", (("{label}", "{n}"),)), TableBlock("things"),
        FigureBlock(("picture",)), Missing(label, label, label, ("gone",)), Prose("{@gone}"), WhatIf("no study"),
    )  # fmt: skip
    figure = Drawing("picture", f"First sentence of {label}. Second.", SVG, 89.0, 40.0)
    checks = (Check("R-hat", passed, 1.2, 1.01, label),)
    return Report("Title", "{sub}", checks, False, forced, (Section("start", "Start", 1, blocks),),
                  MappingProxyType({c.name: c for c in claims}), MappingProxyType({"things": table}),
                  MappingProxyType({"picture": figure}))  # fmt: skip
