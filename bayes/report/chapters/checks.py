"""The checks: convergence, predictive checks, calibration, and the exact cross-check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.report.chapters.common import drawn, said, table
from bayes.report.contract import Block, Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import cell, count, word

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER"]


def _chapter(material: Material) -> Content:
    """The verdict, check by check, and pictures of how well the model predicts."""
    failed, unavailable = material.verdict.failures, material.verdict.unavailable
    claims: list[Claim] = [
        count("checks.count", len(material.verdict.checks) - len(unavailable), "checks.csv"),
        count("checks.failed", len(failed), "checks.csv"),
        word("checks.unavailable", ", ".join(c.name for c in unavailable), "checks.csv"),
    ]
    text = (
        "All {checks.count} checks of this computation passed ({@verdict})."
        if not failed
        else "**{checks.failed} of {checks.count} checks failed** ({@verdict})."
    )
    text += " Not available for these draws: {checks.unavailable}." if unavailable else ""
    text += (
        " A failed check says that the draws do not represent the model's posterior."
        if failed
        else " Passing says that the draws represent the model's posterior; it cannot say that the model or the "
        "evidence is right."
    )
    blocks: list[Block] = [Prose(text), *_exact(material, claims)]
    blocks += [drawn(material, "leave-one-out predictive probabilities (LOO-PIT)", "loo_pit")]
    blocks += _calibration(material, claims)
    more: list[Block] = [
        TableBlock("verdict"),
        drawn(material, "predictive checks row by row", "predictive"),
        drawn(material, "chains", "chains"),
    ]
    sections = (Section("checks", "Checks", 2, tuple(blocks)), Section("allchecks", "Every check", 3, tuple(more)))
    return Content(sections, tuple(claims), (_table(material), *_calibrated(material)))


def _table(material: Material) -> Table:
    rows = [
        [Cell(c.name), Cell(c.result), _four(c.value), _four(c.threshold), Cell(c.text)]
        for c in material.verdict.checks
    ]
    return table("verdict", "The verdict, check by check", ("Check", "Result", ">Value", ">Limit", "In words"), rows)


def _four(value: float) -> Cell:
    """Four digits: R-hat lies near one."""
    return Cell("–" if value != value else f"{value:,.4g}".replace("-", "−"), None if value != value else value)


def _exact(material: Material, claims: list[Claim]) -> list[Block]:
    """The comparison of what was sampled with an exact answer, where the question has one."""
    if "oracle" in material.words.sentences:
        found = said(material, claims, "oracle")
        claims += [word("checks.exact", "compared") for one in found if isinstance(one, Prose)]
        return found
    reason = "the question brings no exact answer to compare the draws with"
    return [material.lacks("the exact cross-check", reason, "name one as oracle= of the question")]


def _calibration(material: Material, claims: list[Claim]) -> list[Block]:
    found = material.tables.get("calibration")
    if found is None:
        reason = "nobody has simulated data from this model and fitted them yet"
        fix = material.command("calibrate", "pass sensitivity={'calibration': table}")
        return [material.lacks("calibration by simulation", reason, fix)]
    if "uniform" not in found:
        return [TableBlock("calibration")]
    claims += [
        count("calibration.all", len(found), "calibration.csv"),
        count("calibration.right", int(found["uniform"].astype(bool).sum()), "calibration.csv"),
    ]
    text = (
        "Calibration by simulation: for {calibration.right} of {calibration.all} quantities the ranks of the true "
        "values among posterior draws are uniform, as they must be if the posterior is computed right."
    )
    return [Prose(text), TableBlock("calibration")]


def _calibrated(material: Material) -> tuple[Table, ...]:
    frame: pd.DataFrame | None = material.tables.get("calibration")
    if frame is None:
        return ()
    rows = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return (table("calibration", "Calibration by simulation", [str(c) for c in frame.columns], rows),)


CHAPTER = Chapter("checks", "Checks", _chapter)
