"""The evidence: what is on file, how it was read and used, and what rests on the weakest of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes.evidence import USES
from bayes.numbers import NONE, per_cent, signed
from bayes.provenance import STATUSES
from bayes.report.chapters.common import said, source_cell, table
from bayes.report.contract import Block, Card, Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import beside, cell, count, interval_cell, word
from bayes.words import spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER"]

WEAK = "kind of source"


def _chapter(material: Material) -> Content:
    """Evidence in brief, what the question says of one figure, and the ledger of every row."""
    frame = material.tables.get("evidence")
    if frame is None or material.study is None:
        alone = material.question is not None and material.question.study is None
        reason = "what this question observed stands in its script" if alone else "the report was given no study"
        way = "name a folder of tables as its study=" if alone else "pass study= to bayes.write_report"
        gap = material.lacks("evidence", reason, material.command("run", way) if not alone else way)
        return Content((Section("evidence", CHAPTER.title, 2, (gap,)),))
    uses = frame["use"].value_counts()
    claims = [count(f"evidence.{use}", int(uses.get(use, 0)), "evidence.csv, use") for use in USES]
    claims.append(count("evidence.rows", len(frame), "evidence.csv"))
    weak, weak_blocks = _weak(material, claims)
    ledger = [_ledger(material, name, part) for name, part in frame.groupby("table", sort=False)]
    read = _statuses(frame)
    counted = [TableBlock(one.key) for one in read]
    blocks: tuple[Block, ...] = Prose(_IN_BRIEF), *counted, *weak_blocks, *_card(material, claims)
    listed: tuple[Block, ...] = Prose(_IN_FULL), *(TableBlock(t.key) for t in ledger)
    sections = (Section("evidence", CHAPTER.title, 2, blocks), Section("ledger", "Every row of evidence", 3, listed))
    return Content(sections, tuple(claims), (*read, *weak, *ledger))


_IN_BRIEF = (
    "{evidence.rows} published figures are on file. {evidence.likelihood} of them enter the likelihood; "
    "{evidence.provenance} are kept because they tell where another number comes from, and "
    "{evidence.excluded} are excluded, each with its reason. No data set enters twice: the program refuses "
    "a row whose data already stand behind another row or a prior. {@ledger} lists every figure with its "
    "source, a link, how it was read and how it was used."
)
_IN_FULL = (
    "Observed and fitted values are on the scale named in each row; the interval is that of the fitted "
    "value. The last column is the two-sided probability, from all other rows, of a value as far out as "
    "the observed one: small means conflict."
)


def _statuses(frame: pd.DataFrame) -> list[Table]:
    """How figures were read, against how they are used; nothing where no row says how it was read."""
    if not frame["status"].isin([*STATUSES]).any():
        return []
    rows = []
    for status, meaning in STATUSES.items():
        part = frame[frame["status"] == status]
        rows.append([Cell(status), Cell(meaning), *(Cell(str(int((part["use"] == use).sum()))) for use in USES)])
    headings = ("Status", "What it means", ">In the likelihood", ">For its story", ">Excluded")
    return [table("statuses", "How the figures on file were read, and how many of each enter", headings, rows)]


def _weak(material: Material, claims: list[Claim]) -> tuple[list[Table], list[Block]]:
    """How much of the posterior's precision rests on doubtful kinds of row."""
    found = None if material.withheld else material.sensitivity("leave_one_out")
    if found is None:
        held = material.withheld
        reason = "they are withheld because a check failed" if held else "no analysis left rows out"
        fix = material.command("report --force" if held else "sensitivity", "pass sensitivity= to bayes.write_report")
        return [], [material.lacks("what rests on weak rows", reason, fix)]
    if not (found["group"] == WEAK).any():  # single rows were left out, and no kind of row
        return [], []
    target, words = material.target.quantity, material.words
    others = [str(name) for name in found["quantity"].unique() if name != target]
    rows, kinds = _weak_rows(found, [*others, target])
    headings = ("Kind of row", ">Rows", *(f">Precision of the {words.label(q)}" for q in others),
                ">Precision of the answer", ">Change of the median", ">Interval without them")  # fmt: skip
    made = table("weak", "What rests on doubtful rows: each kind left out in turn", headings, rows, _PRECISION)
    return [made], [Prose(_owed(kinds, words.label(others[0]) if others else "answer", words.labels, claims)),
                    TableBlock("weak")]  # fmt: skip


_PRECISION = (
    "Precision is one over the squared width of the interval (probability and kind as in {@scenarios}). The share "
    "is the part of it that is lost without the rows; it is negative where the rows widen the interval because "
    "they disagree with others. A dash: its Monte Carlo error is too large. Kinds overlap, so that shares do not "
    "add up."
)


def _weak_rows(found: pd.DataFrame, quantities: Sequence[str]) -> tuple[list[list[Cell]], dict[str, tuple[str, int]]]:
    """A line for each doubtful kind of row; and the first share and the number of rows of each."""
    full = {q: found[(found["method"] == "as fitted") & (found["quantity"] == q)] for q in quantities}
    rows, kinds = [], {}
    for name, part in found[found["group"] == WEAK].groupby("change", sort=False):
        by = {str(r["quantity"]): r for _, r in part.iterrows()}
        shares = [_told(*_share(full[q], by.get(q))) for q in full]
        answer = by.get(quantities[-1])
        used = [] if answer is None or "none enters" in str(answer["note"]) else str(answer["note"]).split(", ")
        change = Cell("–") if answer is None else Cell(signed(answer["d_median"], answer["mcse_d_median"]))
        rows.append([Cell(str(name)), Cell(str(len(used))), *map(Cell, shares), change,
                     Cell("–") if answer is None else interval_cell(answer)])  # fmt: skip
        kinds[str(name)] = (shares[0], len(used))
    return rows, kinds


def _owed(kinds: Mapping[str, tuple[str, int]], what: str, labels: Mapping[str, str], claims: list[Claim]) -> str:
    """What the mean effect, or the answer, owes to doubtful rows, where its Monte Carlo error lets that be told."""
    owed, lost, none = [], [], []
    told = {name: name.replace(" ", "_") for name in kinds}
    chosen = {name: slug for name, slug in told.items() if slug in labels} or told  # those the question has words for
    for name, slug in chosen.items():
        share, count_of = kinds[name]
        claims += [
            word(f"weak.{slug}.share", share, "leave_one_out.csv"),
            count(f"weak.{slug}.rows", count_of, "leave_one_out.csv"),
            word(f"weak.{slug}.words", labels.get(slug, spaced(name)), "leave_one_out.csv"),
        ]
        rows = f"the {{weak.{slug}.rows}} {{weak.{slug}.words}}"
        if not count_of:
            none.append(f"None of the {{weak.{slug}.words}} enters.")
        elif share == NONE:
            lost.append(rows)
        else:
            owed.append(f"{{weak.{slug}.share}} of its precision to {rows}")
    claims.append(word("weak.what", what, "leave_one_out.csv"))
    sentences = [f"The {{weak.what}} owes {' and '.join(owed)}."] if owed else []
    if lost:
        sentences.append(f"How much it owes to {' and to '.join(lost)} is lost in Monte Carlo error.")
    text = " ".join(["Not all of it is strong.", *sentences, *none])
    return f"{text} {{@weak}} gives what the answer would be without them."


TELLS = 0.15
"""Largest Monte Carlo error of a share that is printed."""


def _share(full: pd.DataFrame, without: pd.Series[Any] | None) -> tuple[float, float]:
    r"""Share of the precision that is lost without some rows, and its Monte Carlo error.

    :math:`1 - (w_0/w_1)^2` of interval widths with and without them; the error is that of the change of the width, to
    first order, the errors of its two ends added as if independent.
    """
    if full.empty or without is None:
        return (math.nan, 0.0) if full.empty else (0.0, 0.0)
    before = float(full["upper"].iloc[0] - full["lower"].iloc[0])
    after = float(without["upper"] - without["lower"])
    if not after > 0:
        return math.nan, 0.0
    ratio = (before / after) ** 2
    return 1 - ratio, 2 * ratio * math.hypot(without["mcse_d_lower"], without["mcse_d_upper"]) / after


def _told(share: float, error: float) -> str:
    """Write a share in per cent, in tens at the coarsest, or a dash where its error is too large for that."""
    return NONE if error > TELLS else per_cent(share, min(error, 0.1))


def _card(material: Material, claims: list[Claim]) -> list[Block]:
    """What the question says of one of its figures, as a card: a title, and lines of a label and a text."""
    blocks = [] if material.withheld else said(material, claims, "card")
    if not blocks or not isinstance(blocks[0], Prose):
        return blocks
    title, *lines = blocks[0].text.split("\n")
    return [Card(title, tuple((label, text) for label, _, text in (line.partition(": ") for line in lines)))]


def _ledger(material: Material, name: object, part: pd.DataFrame) -> Table:
    """One table of evidence, row by row."""
    conflict = material.sensitivity("conflict")
    p = {} if conflict is None else dict(zip(conflict["source"], conflict["p"], strict=True))
    rows = []
    for _, row in part.iterrows():
        used, shown = str(row["use"]), not material.withheld
        reasons = ". ".join(text for text in (row["why"], row["note"]) if isinstance(text, str) and text)
        fitted = shown and used == "likelihood" and row["fitted"] == row["fitted"]
        rows.append([
            Cell(str(row["data_set"]) if isinstance(row["data_set"], str) else spaced(str(row["row"]))),
            source_cell(material, str(row["source"]), str(row["locator"])),
            Cell(str(row["status"])), Cell(f"{used}: {reasons}"),
            replace(cell(row["observed"]), below=str(row["scale"])) if used == "likelihood" else Cell("–"),
            beside(row["fitted"], 0.0, row) if fitted else Cell("–"),
            Cell(f"{p[row['row']]:.2f}") if row["row"] in p and shown else Cell("–"),
        ])  # fmt: skip
    headings = ("Row", "Source", "Status", "Use and reason", ">Observed", ">Fitted", ">p")
    title = material.words.sentences.get(f"evidence.{name}", str(name))
    return table(f"evidence-{name}", f"Evidence: {title}", headings, rows)


CHAPTER = Chapter("evidence", "Evidence", _chapter)
