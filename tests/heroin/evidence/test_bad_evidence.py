"""One mistake in the evidence: one message that says file, row, column, found, allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bayes.errors import EvidenceError, InputError, StudyError

Refused = Callable[..., InputError]

CELLS: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    # name: (table, row, changed cells, what the message says)
    "not a number": ("trials", "geneva", {"y": "nan"}, {"key": "y", "found": "nan", "says": "not finite"}),
    "infinite": ("trials", "geneva", {"se": "inf"}, {"key": "se", "found": "inf", "says": "not finite"}),
    "overflow": ("trials", "geneva", {"y": "1e999"}, {"key": "y", "found": "1e999", "says": "not finite"}),
    "a word": ("trials", "geneva", {"y": "large"}, {"key": "y", "found": "large", "says": "not a number"}),
    "a thousands separator": ("offending", "riott_baseline", {"value": "1,731"}, {"key": "value", "found": "1,731"}),
    "an underscore": (
        "offending", "riott_baseline", {"value": "1_731"}, {"key": "value", "says": "thousands separator"}
    ),
    "a negative count": (
        "retention", "riott_26w", {"retained": "-1"}, {"key": "retained", "found": "-1", "allowed": "0 or more"}
    ),
    "half a person": ("retention", "riott_26w", {"entered": "43.5"}, {"key": "entered", "says": "whole number"}),
    "half an offence": ("offending", "riott_baseline", {"value": "1731.5"}, {"key": "value", "says": "whole number"}),
    "retained above entered": (
        "retention", "riott_26w", {"retained": "44"}, {"key": "retained", "found": "44", "allowed": "0 to 43"}
    ),
    "offenders above heads": (
        "offending", "dtors_any", {"value": "1381"}, {"key": "value", "found": "1381", "allowed": "0 to 1380"}
    ),
    "patients above clients": (
        "coverage", "denmark_cov", {"patients": "7001"}, {"key": "patients", "allowed": "0 to 7000"}
    ),
    "nobody": ("retention", "riott_26w", {"retained": "0", "entered": "0"}, {"key": "entered", "allowed": "1 or more"}),
    "nobody offended in total": (
        "offending", "riott_baseline", {"persons": "0"}, {"key": "persons", "allowed": "1 or more"}
    ),
    "a standard error of zero": ("trials", "geneva", {"se": "0"}, {"key": "se", "allowed": "greater than 0"}),
    "a negative standard error": ("trials", "geneva", {"se": "-0.5"}, {"key": "se", "allowed": "greater than 0"}),
    "a window of no days": ("offending", "riott_baseline", {"days": "0"}, {"key": "days", "allowed": "greater than 0"}),
    "a missing number": (
        "trials", "geneva", {"se": ""}, {"key": "se", "allowed": "a number", "says": "needs this number"}
    ),
    "a number the measure does not use": (
        "offending", "riott_baseline", {"se": "0.05"}, {"key": "se", "found": "0.05", "says": "does not use"}
    ),
    "a mean of zero": ("offending", "arrestees_200", {"value": "0"}, {"key": "value", "allowed": "greater than 0"}),
    "a share in per cent": ("offending", "arrestees_any_year", {"value": "81"}, {"key": "value", "found": "81"}),
    "a % sign": (
        "offending", "arrestees_any_year", {"value": "81%"},
        {"key": "value", "found": "81%", "says": "write 0.81, without the % sign"},
    ),
    "a decimal comma": ("trials", "geneva", {"se": "0,40"}, {"key": "se", "says": "write 0.40, with a decimal point"}),
    "thousands or decimals": (
        "coverage", "denmark_cov", {"clients": "7,000"}, {"key": "clients", "says": "write 7000 without a thousands"}
    ),
    "a range the wrong way": (
        "ceiling", "drug_related_total", {"lower": "1e7"}, {"key": "lower", "allowed": "less than"}
    ),
    "a range from zero": ("ceiling", "drug_related_total", {"lower": "0"}, {"key": "lower", "says": "above zero"}),
    "a certain range": ("ceiling", "drug_related_total", {"prob": "1"}, {"key": "prob", "allowed": "0.01 to 0.999"}),
    "an unknown use": (
        "trials", "geneva", {"use": "likelyhood"}, {"key": "use", "allowed": "likelihood", "says": "'likelihood'?"}
    ),
    "an unknown status": ("trials", "geneva", {"status": "known"}, {"key": "status", "allowed": "primary"}),
    "an unknown outcome": ("trials", "geneva", {"outcome": "counts"}, {"key": "outcome", "says": "'count'?"}),
    "an unknown population": ("offending", "dtors_any", {"population": "entrant"}, {"key": "population"}),
    "an unverified figure": (
        "trials", "geneva", {"status": "recalled"}, {"key": "status", "found": "recalled", "says": "never enters"}
    ),
    "no reason": ("trials", "geneva_any", {"why": ""}, {"key": "why", "says": "empty"}),
    "no source": ("trials", "geneva_any", {"source": ""}, {"key": "source", "says": "empty"}),
    "no locator": ("trials", "geneva_any", {"locator": ""}, {"key": "locator", "says": "empty"}),
    "no data set": ("trials", "geneva_any", {"data_set": ""}, {"key": "data_set", "says": "empty"}),
    "an unknown source": (
        "trials", "geneva", {"source": "perneger1999"},
        {"key": "source", "found": "perneger1999", "says": "'perneger1998'?"},
    ),
    "an error of no kind": ("trials", "naomi", {"se_kind": "none"}, {"key": "se_kind", "allowed": "derived"}),
    "a shared error without its arm": (
        "trials", "naomi", {"shared_se": "0.1"}, {"key": "shared_se", "allowed": "both"}
    ),
    "a share of the total as likelihood": (
        "ceiling", "related_share", {"use": "likelihood", "prob": "0.9"}, {"key": "use", "found": "drug_related_share"}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("table", "row", "cells", "message"), CELLS.values(), ids=CELLS)
def test_a_mistake_in_a_cell(
    copy: Any, refused: Refused, table: str, row: str, cells: dict[str, str], message: dict[str, str]
) -> None:
    copy.edit_row(table, row, **cells)
    refused(EvidenceError, f"{table}.csv", table=row, **message)


def test_a_row_twice_in_one_table(copy: Any, refused: Refused) -> None:
    copy.add_row("trials", "geneva_any")
    refused(EvidenceError, "trials.csv", table="geneva_any", key="row", says="stands twice")


def test_a_row_twice_in_two_tables(copy: Any, refused: Refused) -> None:
    copy.add_row("retention", "germany_1y", row="geneva")
    refused(EvidenceError, "retention.csv", table="geneva", key="row", found="also in trials.csv")


@pytest.mark.parametrize("table", ["offending", "trials", "prepost", "retention", "coverage", "ceiling"])
def test_a_missing_table(copy: Any, refused: Refused, table: str) -> None:
    (copy.folder / "evidence" / f"{table}.csv").unlink()
    refused(StudyError, f"{table}.csv", says="this file is missing")


@pytest.mark.parametrize("table", ["offending", "trials", "prepost", "retention", "coverage"])
def test_a_table_without_likelihood_rows(copy: Any, refused: Refused, table: str) -> None:
    copy.write_rows(table, [{**row, "use": "excluded"} for row in copy.rows(table)])
    refused(EvidenceError, f"{table}.csv", key="use", found="0", allowed="or more")


def test_the_ceiling_may_be_without_likelihood_rows(copy: Any) -> None:
    copy.edit_row("ceiling", "drug_related_total", use="provenance")
    assert copy.load().rows("ceiling") == []


FILES: dict[str, tuple[str, str, dict[str, str]]] = {
    # name: (old text, new text, what the message says); all in retention.csv
    "unknown column": ("years,retained", "year,retained", {"key": "year", "allowed": "years", "says": "'years'?"}),
    "missing column": (",entered\n", "\n", {"line": "2", "says": "one cell fewer than every line"}),
    "column twice": ("years,retained,entered", "years,retained,years", {"key": "years", "says": "stands twice"}),
    "too many cells": ("0.5,38,43", "0.5,38,43,9", {"line": "2", "found": "13 cells", "allowed": "12 cells"}),
    "too few cells": ("0.5,38,43", "0.5,38", {"line": "2", "found": "11 cells", "allowed": "12 cells"}),
    "an open quote": ("retained at 26 weeks", '"retained at 26 weeks', {"found": "line", "says": "not valid CSV"}),
    "a stray quote": (
        "retained at 26 weeks", '"retained" at 26 weeks', {"found": "line 2", "says": "not valid CSV"}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), FILES.values(), ids=FILES)
def test_a_mistake_in_a_table(copy: Any, refused: Refused, old: str, new: str, message: dict[str, str]) -> None:
    copy.replace("evidence/retention.csv", old, new)
    refused(EvidenceError, "retention.csv", **message)


def test_the_line_of_a_ragged_row_counts_blank_lines_and_line_breaks(copy: Any, refused: Refused) -> None:
    copy.replace("evidence/retention.csv", "retained at 26 weeks", '"retained\nat 26 weeks"')
    copy.replace("evidence/retention.csv", "switzerland_1y", "\nswitzerland_1y")
    copy.replace("evidence/retention.csv", "1,1378,1969", "1,1378")
    refused(EvidenceError, "retention.csv", line="5")


def test_an_empty_table(copy: Any, refused: Refused) -> None:
    (copy.folder / "evidence" / "trials.csv").write_text("", encoding="utf-8")
    refused(EvidenceError, "trials.csv", says="this file is empty")


def test_a_table_that_is_not_utf8(copy: Any, refused: Refused) -> None:
    path = copy.folder / "evidence" / "trials.csv"
    path.write_bytes(path.read_bytes().replace(b"Geneva", "Genève".encode("latin-1"), 1))
    refused(StudyError, "trials.csv", line="2", found="Genève", allowed="UTF-8", says="cp1252")


def test_a_table_that_is_a_folder(copy: Any, refused: Refused) -> None:
    path = copy.folder / "evidence" / "trials.csv"
    path.unlink()
    path.mkdir()
    refused(StudyError, "trials.csv", says="cannot be read")


BIB: dict[str, tuple[str, str, str, str]] = {
    "an entry left open": (
        "title  = {Europe: British Top Cop Calls for Prescription Heroin}",
        "title  = {Europe: British Top Cop Calls for Prescription Heroin", "dwc2007", "braces"),
    "a missing comma": ("author = {Drug War Chronicle},", "author = {Drug War Chronicle}", "dwc2007", "commas"),
    "an entry twice": ("@misc{hansard2002sep,", "@misc{hansard2004jun,", "hansard2004jun", "stands twice"),
    "an entry without a title": (
        "  title  = {Europe: British Top Cop Calls for Prescription Heroin},\n", "", "dwc2007", "no title"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "says"), BIB.values(), ids=BIB)
def test_a_mistake_in_the_references(copy: Any, refused: Refused, old: str, new: str, key: str, says: str) -> None:
    copy.replace("references.bib", old, new)
    refused(StudyError, "references.bib", key=key, says=says)


def test_a_kind_of_source_that_is_not_known(copy: Any, refused: Refused) -> None:
    copy.replace("references.bib", "kind   = {press}", "kind   = {pres}")
    refused(StudyError, "references.bib", table="dwc2007", key="kind", found="pres", allowed="press")


def test_a_reference_may_leave_its_kind_out(copy: Any) -> None:
    copy.replace("references.bib", "  kind   = {press},\n", "")
    assert copy.load().references["dwc2007"].kind == ""


def test_missing_references(copy: Any, refused: Refused) -> None:
    (copy.folder / "references.bib").unlink()
    refused(StudyError, "references.bib", says="this file is missing")
