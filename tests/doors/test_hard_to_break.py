"""Inputs that once ended in a traceback, or passed and broke what was made of them: one message, or the right value."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bayes.errors import BayesError, InputError, StudyError, number_fix, syntax_fix
from bayes.families import FAMILIES
from bayes.priortext import prior_from_text
from bayes.references import bibtex_entries, read_references
from bayes.study import read_study

EXTREMES = ("0", "-1", "1", "5e-324", "1e-300", "1e-139", "1e139", "1e308", "-1e308")


@pytest.mark.parametrize("family", FAMILIES)
def test_any_numbers_are_a_prior_or_one_error(family: str) -> None:
    for a, b in itertools.product(EXTREMES, repeat=2):
        for text in (f"{family}(q05={a}, q95={b})", f"{family}(q05={a}, q50=2, q95={b})", f"{family}({a}, {b})",
                     f"{family}({a})", f"{family}({a}, 1, {b})"):  # fmt: skip
            for unit in ("log sd", "share", "anything"):
                with suppress(BayesError):
                    prior_from_text("x", text, unit)


DEEP = {"nesting": "a = " + "[" * 50_000, "digits": "a = " + "1" * 5_000, "tables": "a = " + "{a = " * 20_000}


@pytest.mark.parametrize("what", DEEP)
def test_nesting_and_digits_without_end_are_one_error(tmp_path: Path, what: str) -> None:
    for name in ("scenarios.toml", "priors.toml"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text(DEEP[what])
        with pytest.raises(InputError, match=name):
            read_study(folder)


CONTROLS = ("\x1b[31mred", "bell\x07", "nul\x00", "delete\x7f", "next line\x85")


@pytest.mark.parametrize("text", CONTROLS, ids=range(len(CONTROLS)))
def test_control_characters_are_refused_at_the_door(copy: Any, tmp_path: Path, text: str) -> None:
    escaped = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    files = {"scenarios.toml": f'[scenarios.a]\nlabel = "{escaped}"', "more.toml": f'[settings]\nkind = "{escaped}"',
             "evidence/a.csv": f'row,note,other\na,"{text}",b',
             "references.bib": f"@misc{{a, title = {{{text}}}}}"}  # fmt: skip
    for name, content in files.items():
        folder = tmp_path / name.replace("/", "_")
        path = folder / name.replace("more", "scenarios")
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="utf-8", newline="")
        with pytest.raises(InputError, match="control character"):
            read_study(folder)
    copy.replace("scenarios.toml", 'label       = "Today\'s few hundred"', f'label = "{escaped}"')
    with pytest.raises(InputError, match="control character"):
        copy.load()


def test_bibtex_as_people_write_it(tmp_path: Path) -> None:
    (one,) = bibtex_entries('@string{x = "Y"}\n@article{a, title = x # " " # 5, year = 2001, month = 10 # "~" # jan}')
    assert (one["title"], one["month"]) == ("Y 5", "10~January")
    (one,) = bibtex_entries('@article{a, title = {No 1 # 2, "3"}, month = sept}')
    assert (one["title"], one["month"]) == ('No 1 # 2, "3"', "September")
    path = tmp_path / "references.bib"
    path.write_text("@article{a, title = {T}, journal = nejm}")
    with pytest.raises(StudyError, match=r"references.bib, key 'nejm': this abbreviation"):
        read_references(path)


@pytest.mark.parametrize("text", ["1" * 20_000 + "x", "1" + " " * 20_000 + "x", " " * 20_000, "a = " + "1" * 20_000,
                                  "'" * 20_001, "1,2" * 7_000])  # fmt: skip
def test_hints_take_no_time(text: str) -> None:
    begun = time.perf_counter()
    number_fix(text)
    syntax_fix(text, ValueError("Expected (at line 1, column 2)"))
    assert time.perf_counter() - begun < 0.5
