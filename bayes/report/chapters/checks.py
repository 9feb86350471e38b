"""The checks: convergence, predictive checks, calibration, and the exact cross-check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.numbers import formed
from bayes.report.chapters.common import drawn, on_file, said, table
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
    calibration, tables = _calibration(material, claims)
    blocks += calibration
    more: list[Block] = [
        TableBlock("verdict"),
        drawn(material, "predictive checks row by row", "predictive"),
        drawn(material, "chains", "chains"),
    ]
    sections = (Section("checks", "Checks", 2, tuple(blocks)), Section("allchecks", "Every check", 3, tuple(more)))
    return Content(sections, tuple(claims), (_table(material), *tables))


def _table(material: Material) -> Table:
    rows = [
        [
            Cell(c.name),
            Cell(c.result),
            _digits(c.value, 4),
            _digits(c.threshold, 4),
            Cell(material.words.worded(c.text)),
        ]
        for c in material.verdict.checks
    ]
    return table("verdict", "The verdict, check by check", ("Check", "Result", ">Value", ">Limit", "In words"), rows)


def _digits(value: float, digits: int) -> Cell:
    """A number in so many digits; R-hat, which lies near one, takes four."""
    known = value == value
    return Cell(formed(value, f",.{digits}g") if known else "–", value if known else None)


def _exact(material: Material, claims: list[Claim]) -> list[Block]:
    """The comparison of what was sampled with an exact answer, where the question has one."""
    if "oracle" in material.words.sentences:
        found = said(material, claims, "oracle")
        claims += [word("checks.exact", "compared") for one in found if isinstance(one, Prose)]
        return found
    reason = "the question brings no exact answer to compare the draws with"
    return [material.lacks("the exact cross-check", reason, "name one as oracle= of the question")]


_CALIBRATIONS = {"calibration": "prior", "calibration_posterior": "posterior"}
"""Tables of calibration, and where their truths come from."""
_OF_ALL = ("divergent", "stuck", "computed_by")
"""Columns of such a table that say the same of each quantity."""


def _calibration(material: Material, claims: list[Claim]) -> tuple[list[Block], list[Table]]:
    found = {name: frame for name in _CALIBRATIONS if (frame := material.kept(name)) is not None}
    if "calibration" not in found:
        reason = "nobody has simulated data from this model and fitted them yet, for this fit"
        fix = material.command("calibrate", "pass sensitivity={'calibration': table}")
        return [material.lacks("calibration by simulation", reason, fix)], []
    blocks = [block for name, frame in found.items() for block in _said_of(name, frame, claims)]
    return blocks, [_calibration_table(material, name, frame) for name, frame in found.items()]


def _said_of(name: str, found: pd.DataFrame, claims: list[Claim]) -> list[Block]:
    """What a calibration found, and its table."""
    if "uniform" not in found:
        return [TableBlock(name)]
    claims += [
        count(f"{name}.all", len(found), f"{name}.csv"),
        count(f"{name}.right", int(found["uniform"].astype(bool).sum()), f"{name}.csv"),
        word(f"{name}.truths", _CALIBRATIONS[name], f"{name}.csv"),
    ]
    text = (
        "Calibration by simulation, with truths from the {NAME.truths}: for {NAME.right} of {NAME.all} quantities "
        "the ranks of the true values among posterior draws are uniform as far as these simulations tell; they must be "
        "if the posterior is computed right."
    )
    if len(least := _least_uniform(found)) < len(found):
        claims += [count(f"{name}.least", len(least), f"{name}.csv")]
    if "stuck" in found:
        claims += [count(f"{name}.{key}", int(found[key].iloc[0]), f"{name}.csv") for key in ("divergent", "stuck")]
        text += " Fits with divergences: {NAME.divergent}; fits of no use, which have no ranks: {NAME.stuck}."
    return [Prose(text.replace("NAME", name)), *on_file(name, found, claims), TableBlock(name)]


_RANKS = frozenset({"p_value", "z_location", "z_spread", "uniform", "says"})
"""Columns of a table of calibration as the toolkit makes it; another is shown as it is."""
_LEAST_UNIFORM = 6
"""Rows of a table of calibration in the report: those that speak most against the computation."""


def _least_uniform(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that speak most against the computation: those that fail, and more up to :data:`_LEAST_UNIFORM`."""
    if not {*frame} >= _RANKS:
        return frame
    wrong = ~frame["uniform"].astype(bool)
    order = frame.assign(wrong=wrong).sort_values(["wrong", "p_value"], ascending=[False, True]).index
    return frame.loc[order[: max(_LEAST_UNIFORM, int(wrong.sum()))]]


def _calibration_table(material: Material, name: str, frame: pd.DataFrame) -> Table:
    """The quantities whose ranks look least uniform; a table of somebody's own as it is."""
    caption = f"Calibration by simulation, truths from the {_CALIBRATIONS[name]}"
    if not {*frame} >= _RANKS:
        frame = frame.drop(columns=[column for column in _OF_ALL if column in frame])
        rows = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
        return table(name, caption, [str(c) for c in frame.columns], rows)
    shown = _least_uniform(frame)
    wrong = ~shown["uniform"].astype(bool)
    rows = [
        [cell(material.words.label(str(row["quantity"]))),
         *(_digits(row[key], 2) for key in ("p_value", "z_location", "z_spread")),
         *([cell("" if row["uniform"] else row["says"])] if wrong.any() else [])]
        for row in shown.to_dict(orient="records")
    ]  # fmt: skip
    headings = ("Quantity", ">p", ">Location", ">Spread", *(["What speaks against it"] if wrong.any() else []))
    few = "The {NAME.least} least uniform of {NAME.all}; all are in NAME.csv. " if len(rows) < len(frame) else ""
    note = ("p: Kolmogorov and Smirnov's, against uniform ranks. Location and spread are in standard errors: above "
            "zero, posteriors lie too low, or are too narrow.")  # fmt: skip
    return table(name, caption, headings, rows, few.replace("NAME", name) + note)


CHAPTER = Chapter("checks", "Checks", _chapter)
