"""Facts not fitted: published figures that no likelihood uses, beside what the model predicts for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.numbers import chance, per_cent
from bayes.report.chapters.common import source_cell, table
from bayes.report.contract import Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import beside, cell, count, word

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER", "line"]

KEPT = "{facts.all} published figures were kept out of the fit and are set beside what it predicts for them"


def line(material: Material) -> str:
    """Return the sentence of page one: whether the model predicts what it was not fitted to; empty without facts."""
    frame = _frame(material)
    if frame is None:
        return ""
    if frame["found"].str.startswith("within").all():
        return (
            f"**It predicts** what it was not fitted to: {KEPT}; all lie within its {{facts.whole}} range ({{@facts}})."
        )
    return "**It misses** {facts.out} of {facts.all} published figures kept out of the fit ({@facts}): {facts.short}."


def _frame(material: Material) -> pd.DataFrame | None:
    found = material.tables.get("facts")
    return None if found is None or material.withheld or found.empty else found


def _chapter(material: Material) -> Content:
    """How many figures lie where the model expects them, which do not, and each of them."""
    frame = _frame(material)
    if frame is None:
        return Content(())
    outside = frame[~frame["found"].str.startswith("within")]
    names = [f"{row['data_set'] or row['row']} ({row['found']})" for _, row in outside.iterrows()]
    claims: list[Claim] = [
        count("facts.all", len(frame), "facts.csv"),
        count("facts.middle", int((frame["found"] == "within 50 %").sum()), "facts.csv, found"),
        count("facts.within", len(frame) - len(outside), "facts.csv, found"),
        count("facts.out", len(outside), "facts.csv, found"),
        word("facts.half", per_cent(0.5), "facts.csv"),
        word("facts.whole", per_cent(float(frame["prob"].iloc[0])), "facts.csv"),
        word("facts.names", "; ".join(names), "facts.csv, found"),
        word("facts.short", "; ".join(dict.fromkeys(name.partition(",")[0] for name in names)), "facts.csv, found"),
    ]
    text = f"{KEPT}. {{facts.middle}} lie within the {{facts.half}} range of the posterior predictive distribution and "
    text += "{facts.within} within the {facts.whole} range. "
    text += "Outside it, above or below: {facts.names}. " if names else ""
    text += "A figure outside says that the model lacks something; one inside does not say that it is right. Several "
    text += "figures speak of people whom rows of the likelihood also count, so that they are no independent test."
    text += " A figure that is called recalled was not verified." if (frame["status"] == "recalled").any() else ""
    sections = (
        Section("facts", CHAPTER.title, 2, (Prose(text),)),
        Section("every-fact", "Every figure that was not fitted", 3, (TableBlock("facts"),)),
    )
    return Content(sections, tuple(claims), (_table(material, frame),))


def _table(material: Material, frame: pd.DataFrame) -> Table:
    rows = [
        [Cell(str(row["data_set"] or row["row"]), below=str(row["meaning"])),
         source_cell(material, str(row["source"]), str(row["locator"])),
         Cell("recalled, not verified" if row["status"] == "recalled" else str(row["status"])),
         replace(cell(row["published"]), below=str(row["unit"])), beside(row["median"], row["mcse"], row),
         Cell(str(row["found"]).replace(" %", "\u202f%")), Cell(chance(float(row["p"])), float(row["p"]))]
        for _, row in frame.fillna("").iterrows()
    ]  # fmt: skip
    headings = ("Figure", "Source", "Status", ">Published", ">Predicted", "Lies", ">p")
    return table("facts", "Published figures that were not fitted, and their posterior predictions", headings, rows,
                 "Predicted: median, and below it the {facts.whole} equal-tailed posterior predictive range. p is the "
                 "two-sided tail of the published figure in that distribution.")  # fmt: skip


CHAPTER = Chapter("facts", "Figures not fitted", _chapter)
