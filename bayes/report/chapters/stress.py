"""Worlds that the model does not contain: how often its ranges hold the truth there, and how far its median is off."""

from __future__ import annotations

import pandas as pd

from bayes.calibration.worlds import PROBS, off_by, share
from bayes.numbers import per_cent
from bayes.report.chapters.common import on_file, table
from bayes.report.contract import Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import count, word

__all__ = ["CHAPTER", "ROBUST"]

ROBUST = (
    "An answer may hardly move when its inputs change and still be wrong: a wide range can hold the truth where its "
    "median misses it."
)
"""What stability does not show, for report and terminal."""


def _chapter(material: Material) -> Content:
    """The table of ``stress``; nothing where a question declares no such worlds."""
    found = material.kept("stress")
    if found is None:
        if material.question is None or not material.question.own_distortions(material.study):
            return Content(())
        reason = "nobody has simulated the worlds that this question declares, for this fit"
        gap = material.lacks("coverage in worlds that the model does not contain", reason, material.command("stress"))
        return Content((Section(CHAPTER.name, CHAPTER.title, 2, (gap,)),))
    claims = [*_claims(found)]
    source = on_file("stress", found, claims)
    text = (
        f"{ROBUST} In each of {{stress.worlds}} worlds that the model does "
        "not contain, {stress.count} truths were drawn from the fitted posterior, data were simulated and distorted, "
        "and the model, which knows of none of this, was fitted to them ({@stress.table}). Where nothing is wrong the "
        "{stress.prob} range holds the truth in {stress.before} of the simulations; in the worst of these worlds "
        "({stress.where}) in {stress.least}."
    )
    section = Section(CHAPTER.name, CHAPTER.title, 2, (Prose(text), *source, TableBlock("stress.table")))
    return Content((section,), tuple(claims), (_table(found),))


def _claims(found: pd.DataFrame) -> tuple[Claim, ...]:
    worlds, prob = found.iloc[1:], PROBS[-1]
    least = worlds.loc[worlds[f"coverage_{100 * prob:.0f}"].idxmin()]
    return (
        count("stress.worlds", len(worlds), "stress.csv"),
        count("stress.count", int(found["simulations"].max()), "stress.csv"),
        word("stress.prob", per_cent(prob), "stress.csv"),
        *(word(f"stress.prob.{i}", per_cent(one), "stress.csv") for i, one in enumerate(PROBS)),
        word("stress.before", share(found.iloc[0], prob), "stress.csv"),
        word("stress.least", share(least, prob), "stress.csv"),
        word("stress.where", least["label"], "stress.csv"),
        word("stress.stuck", f"{found['stuck'].sum():,}", "stress.csv"),
        word("stress.divergent", f"{found['divergent'].sum():,}", "stress.csv"),
    )


def _table(found: pd.DataFrame) -> Table:
    rows = [
        [Cell(str(row["label"])), *(Cell(share(row, prob)) for prob in PROBS), Cell(off_by(row))]
        for _, row in found.iterrows()
    ]
    ranges = (f">{{stress.prob.{i}}} range holds the truth" for i in range(len(PROBS)))
    headings = ("World", *ranges, ">Median over truth")
    note = (
        "Shares of equal-tailed credible intervals that hold the truth, and the median over simulations of posterior "
        "median over truth (a difference where truths are of both signs), with Monte Carlo errors after ±. Truths of "
        "the posterior are no draws of the prior, so that even where nothing is wrong ranges need not hold "
        "them as often as their probability says: compare with the first line. Fits with divergences: "
        "{stress.divergent}; fits of no "
        "use, which are not counted: {stress.stuck}."
    )
    return table("stress.table", "Worlds that the model does not contain", headings, rows, note)


CHAPTER = Chapter("stress", "When the model is wrong", _chapter, ("numbers", "projection"))
