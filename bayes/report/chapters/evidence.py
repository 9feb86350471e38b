"""The evidence: what is on file, how it was read and used, and what rests on the weakest of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes.numbers import NONE, level, per_cent, signed
from bayes.provenance import STATUSES
from bayes.report.chapters.common import source_cell, table, titled
from bayes.report.contract import Block, Card, Cell, Chapter, Claim, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import beside, cell, claim, count, interval_cell, interval_claims, word
from bayes.report.prose import safe_address

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chapter"]

WEAK = "kind of source"
RATE = "offences_per_user_year"


def chapter(material: Material) -> Chapter:
    """Evidence in brief, the story of the disputed figure, and the ledger of every row."""
    frame = material.tables.get("evidence")
    if frame is None or material.study is None:
        reason = "the report was given no study" if frame is None else "this run carries no study"
        gap = material.lacks(
            "evidence", reason, "bayes run" if material.folder else "pass study= to bayes.write_report"
        )
        return Chapter((Section("evidence", "Evidence", 2, (gap,)),))
    uses = frame["use"].value_counts()
    claims = [
        count(f"evidence.{use}", int(uses.get(use, 0)), "evidence.csv, use")
        for use in ("likelihood", "provenance", "excluded")
    ]
    claims.append(count("evidence.rows", len(frame), "evidence.csv"))
    weak, weak_blocks, weak_claims = _weak(material, frame)
    story, story_claims = _story(material)
    ledger = [_ledger(material, name, part) for name, part in frame.groupby("table", sort=False)]
    blocks: list[Block] = [
        Prose(
            "{evidence.rows} published figures are on file. {evidence.likelihood} of them enter the likelihood; "
            "{evidence.provenance} are kept because they tell where another number comes from, and "
            "{evidence.excluded} are excluded, each with its reason. No data set enters twice: the program refuses "
            "a row whose data already stand behind another row or a prior. {@ledger} lists every figure with its "
            "source, a link, how it was read and how it was used."
        ),
        TableBlock("statuses"),
        *weak_blocks,
        *story,
    ]
    listed: list[Block] = [
        Prose(
            "Observed and fitted values are on the scale named in each row; the interval is that of the fitted "
            "value. The last column is the two-sided probability, from all other rows, of a value as far out as "
            "the observed one: small means conflict."
        ),
        *(TableBlock(t.key) for t in ledger),
    ]
    sections = (
        Section("evidence", "Evidence", 2, tuple(blocks)),
        Section("ledger", "Every row of evidence", 3, tuple(listed)),
    )
    return Chapter(sections, (*claims, *weak_claims, *story_claims), (_statuses(frame), *weak, *ledger))


def _statuses(frame: pd.DataFrame) -> Table:
    """How figures were read, against how they are used."""
    rows = []
    for status, meaning in STATUSES.items():
        part = frame[frame["status"] == status]
        rows.append(
            [
                Cell(status),
                Cell(meaning),
                *(Cell(str(int((part["use"] == use).sum()))) for use in ("likelihood", "provenance", "excluded")),
            ]
        )
    return table(
        "statuses",
        "How the figures on file were read, and how many of each enter",
        ("Status", "What it means", ">In the likelihood", ">For its story", ">Excluded"),
        rows,
    )


def _weak(material: Material, frame: pd.DataFrame) -> tuple[list[Table], list[Block], list[Claim]]:
    """How much of the posterior's precision rests on doubtful kinds of row."""
    found = None if material.withheld else material.sensitivity("leave_one_out")
    if found is None:
        held = material.withheld
        gap = material.lacks(
            "what rests on weak rows",
            "withheld because a check failed" if held else "no analysis left rows out",
            "bayes report RUN --force" if held else "bayes sensitivity RUN",
        )
        return [], [gap], []
    if not (found["group"] == WEAK).any():  # single rows were left out, and no kind of row
        return [], [], []
    target = material.target.quantity
    full = {q: found[(found["method"] == "as fitted") & (found["quantity"] == q)] for q in ("mu_theta", target)}
    rows, claims = [], []
    for name, part in found[found["group"] == WEAK].groupby("change", sort=False):
        by = {str(r["quantity"]): r for _, r in part.iterrows()}
        shares = {q: _share(full[q], by.get(q)) for q in full}
        answer = by.get(target)
        used = [] if answer is None or "none enters" in str(answer["note"]) else str(answer["note"]).split(", ")
        rows.append(
            [
                Cell(str(name)),
                Cell(str(len(used))),
                Cell(_told(*shares["mu_theta"])),
                Cell(_told(*shares[target])),
                Cell("–") if answer is None else Cell(signed(answer["d_median"], answer["mcse_d_median"])),
                Cell("–") if answer is None else interval_cell(answer),
            ]
        )
        slug = str(name).replace(" ", "_")
        claims += [
            word(f"weak.{slug}.share", _told(*shares["mu_theta"]), "leave_one_out.csv"),
            count(f"weak.{slug}.rows", len(used), "leave_one_out.csv"),
        ]
    made = table(
        "weak",
        "What rests on doubtful rows: each kind left out in turn",
        (
            "Kind of row",
            ">Rows",
            ">Precision of the mean effect",
            ">Precision of the answer",
            ">Change of the median",
            ">Interval without them",
        ),
        rows,
        "Precision is one over the squared width of the interval (probability and kind as in {@scenarios}). The share "
        "is the part of it that is lost without the rows; it is negative where the rows widen the interval because "
        "they disagree with others. A dash: its Monte Carlo error is too large. Kinds overlap, so that shares do not "
        "add up.",
    )
    known = {c.name: c.text for c in claims}
    complete = all(f"weak.{k}.rows" in known for k in ("judgements", "press_figures", "unverified"))
    return [made], [*([Prose(_owed(known))] if complete else []), TableBlock("weak")], claims


_DOUBTFUL = {
    "judgements": "rows whose value or standard error is our judgement",
    "press_figures": "rows read in the press or on news sites",
}


def _owed(known: Mapping[str, str]) -> str:
    """What the mean effect owes to doubtful rows, where its Monte Carlo error lets that be told."""
    told = [kind for kind in _DOUBTFUL if known[f"weak.{kind}.share"] != NONE]
    parts = [f"{{weak.{kind}.share}} of its precision to the {{weak.{kind}.rows}} {_DOUBTFUL[kind]}" for kind in told]
    sentences = [f"The mean effect owes {' and '.join(parts)}."] if parts else []
    rest = [f"the {{weak.{kind}.rows}} {words}" for kind, words in _DOUBTFUL.items() if kind not in told]
    if rest:
        sentences.append(f"How much it owes to {' and to '.join(rest)} is lost in Monte Carlo error.")
    loose = "No unverified row enters." if known["weak.unverified.rows"] == "0" else "Unverified rows that enter: {n}."
    sentences.append(loose.format(n="{weak.unverified.rows}"))
    return f"Not all of it is strong. {' '.join(sentences)} {{@weak}} gives what the answer would be without them."


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


def _story(material: Material) -> tuple[list[Block], list[Claim]]:
    """The card of the disputed press figure."""
    study = material.study
    if study is None or RATE not in study.priors:
        return [], []
    prior, settings = study.priors[RATE], study.settings
    reference = study.references.get(settings.press_source)
    claims = [
        claim("press.offences", settings.press_offences, 0.0, prior.unit, "scenarios.toml, press_offences"),
        word("press.reduction", per_cent(settings.press_reduction), "scenarios.toml, press_reduction"),
        word(
            "press.source",
            reference.short if reference else settings.press_source,
            "references.bib",
            safe_address(reference.url) if reference else "",
        ),
        word("rate.note", prior.note or prior.why, f"{prior.name}, note"),
        word("rate.why", prior.why, f"{prior.name}, why"),
        word("rate.declared", _declared(prior), f"{prior.name}, quantiles"),
        word("rate.status", prior.source.status, f"{prior.name}, source"),
    ]
    lines = [
        ("What is printed", "{rate.note} ({press.source})"),
        ("How it enters", "As a prior of {rate.status} status, never as data: {rate.declared}. {rate.why}"),
    ]
    after = _posterior_of(material, RATE)
    if after is not None and not material.withheld:
        claims += interval_claims("rate", after, f"posterior of {RATE}")
        lines.append(
            (
                "After the evidence",
                "{rate.median} offences a year of an eligible person; {rate.interval}. "
                "These are self-reported offences of refractory patients, not crimes that a survey of victims "
                "would count.",
            )
        )
    return [Card("The story of the {press.offences}", tuple(lines))], claims


def _declared(prior: Any) -> str:
    from bayes.priortext import prior_text

    if prior.quantiles:
        return f"{prior.family} with " + ", ".join(f"{level(p)} below {v:g}" for p, v in prior.quantiles.items())
    return prior_text(prior)


def _posterior_of(material: Material, name: str) -> dict[str, Any] | None:
    from bayes.summaries import summarise

    posterior = material.fit["posterior"].to_dataset()
    return summarise(posterior, variables=[name]).iloc[0].to_dict() if name in posterior else None


def _ledger(material: Material, name: object, part: pd.DataFrame) -> Table:
    """One table of evidence, row by row."""
    conflict = material.sensitivity("conflict")
    p = {} if conflict is None else dict(zip(conflict["source"], conflict["p"], strict=True))
    rows = []
    for _, row in part.iterrows():
        used = str(row["use"])
        note = str(row["note"]) if isinstance(row["note"], str) else ""
        why = str(row["why"]) if isinstance(row["why"], str) else ""
        rows.append(
            [
                Cell(titled(str(row["row"]))),
                source_cell(material, str(row["source"]), str(row["locator"])),
                Cell(str(row["status"])),
                Cell(f"{used}: {'. '.join(x for x in (why, note) if x)}"),
                replace(cell(row["observed"]), below=str(row["scale"])) if used == "likelihood" else Cell("–"),
                _fitted(row) if used == "likelihood" and not material.withheld else Cell("–"),
                Cell(f"{p[row['row']]:.2f}") if row["row"] in p and not material.withheld else Cell("–"),
            ]
        )
    return table(
        f"evidence-{name}",
        f"Evidence: {name}",
        ("Row", "Source", "Status", "Use and reason", ">Observed", ">Fitted", ">p"),
        rows,
    )


def _fitted(row: pd.Series[Any]) -> Cell:
    if row["fitted"] != row["fitted"]:
        return Cell("–")
    return beside(row["fitted"], 0.0, row)
