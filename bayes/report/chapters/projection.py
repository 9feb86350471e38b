"""The projection: scenarios over the years, places against patients, and what exceeds a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.numbers import chance, money
from bayes.report.chapters.common import drawn, table
from bayes.report.contract import Block, Cell, Chapter, Claim, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import beside, cell, claim, word

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chapter", "scenario_table"]


def chapter(material: Material) -> Chapter:
    """Fan, places, diminishing returns and exceedance."""
    futures = material.futures
    if futures is None or not material.target.scenario:
        gap = material.lacks(
            "a projection",
            "this fit was not projected over scenarios",
            "bayes project RUN" if material.folder else "pass futures= to bayes.write_report",
        )
        return Chapter((Section("projection", "Projection", 2, (gap,)),))
    if material.withheld:
        gap = material.lacks("the projection", "withheld because a check failed", "bayes report RUN --force")
        return Chapter((Section("projection", "Projection", 2, (gap,)),))
    claims = _claims(material)
    names = {c.name for c in claims}
    blocks: list[Block] = [
        Prose(
            "{@fan} follows each scenario over the {projection.years} years of the horizon. What a programme avoids "
            "is bounded by the people who would come: {@exceed} gives the probability of exceeding a threshold of "
            "the reader's choice."
        ),
        drawn(material, "the projection over the years", "fan"),
        TableBlock("exceed"),
    ]
    if "projection.binds" in names:
        blocks.append(Prose(_limit(material)))
    blocks.append(drawn(material, "places against benefit", "places", "returns"))
    sections = (
        Section("projection", "Projection", 2, tuple(blocks)),
        Section(
            "allscenarios",
            "Scenarios side by side",
            3,
            (drawn(material, "scenarios side by side", "ridge"), TableBlock("programme")),
        ),
    )
    return Chapter(sections, claims, (_exceed(material), _programme(material)))


def _limit(material: Material) -> str:
    """Whether places or demand are the likelier limit, and how benefit for each place goes with size."""
    binds = material.answer("demand_binds")
    assert binds is not None
    likely = float(binds["mean"]) > 0.5
    limit = "demand and not places is the likelier limit" if likely else "places and not demand are the likelier limit"
    return (
        f"In the scenario {{answer.scenario}}, {limit}: demand binds with probability {{projection.binds}} in the "
        "last year, and {answer.patients.median} people are treated ({answer.patients.range}). Benefit for each place "
        "rises at first, because patients treated already are subtracted; beyond that it falls as the programme "
        "grows, because those who offend most are reached first and places above demand stay empty ({@returns})."
    )


def _claims(material: Material) -> tuple[Claim, ...]:
    futures = material.futures
    assert futures is not None
    found = [claim("projection.years", futures.sizes["year"], 0.0, "years", "futures.nc")]
    binds = material.answer("demand_binds")
    if binds is not None:
        found.append(word("projection.binds", chance(float(binds["mean"])), "headline.csv, demand_binds"))
    return (*found, *_exceed_claims(material))


def _scenarios(material: Material) -> list[tuple[str, str]]:
    futures = material.futures
    assert futures is not None
    names = [str(n) for n in futures["scenario"].values]
    labels = futures["label"].values.tolist() if "label" in futures.coords else names
    return list(zip(names, [str(label) for label in labels], strict=True))


def scenario_table(material: Material) -> Table:
    """What each scenario avoids, in both units, beside the press arithmetic."""
    last, unit = str(material.target.year), "Self-reported offences"
    shown = (
        ("patient_years", last, "Patient-years a year"),
        ("offences_avoided", last, f"{unit} avoided a year"),
        ("offences_avoided", "total", f"{unit} avoided, all years"),
        ("victim_crimes_avoided", last, "Victim-counted crimes a year"),
    )
    known = [s for s in shown if material.answer(s[0], year=s[1]) is not None]
    rows = []
    for name, label in _scenarios(material):
        found = [material.answer(quantity, name, year) for quantity, year, _ in known]
        answer, press = (material.answer(q, name) for q in (material.target.quantity, "press_arithmetic"))
        rows.append(
            [
                Cell(label),
                *(_both(row) for row in found),
                Cell("–" if answer is None else chance(float(answer["p_positive"]))),
                *([] if press is None else [cell(press["median"], press["mcse_median"])]),
            ]
        )
    headings = ["Scenario", *(f">{title}" for *_, title in known), ">P(>\u00a0zero)"]
    if material.answer("press_arithmetic") is not None:
        headings.append(">Press sum a year")
    return table(
        "scenarios",
        "What each scenario avoids in the last year of the horizon, at full scale",
        headings,
        rows,
        "Median, and {answer.kind} beside or below it. Self-reported offences and crimes as victims count them are "
        "different units and are never added. Press sum: places × offences × reduction, as in the "
        "newspaper.",
    )


def _both(row: pd.Series[Any] | None) -> Cell:
    """The median, and its interval below."""
    return Cell("–") if row is None else beside(row["median"], row["mcse_median"], row)


def _exceed(material: Material) -> Table:
    """P(answer > threshold) at round thresholds, by scenario."""
    futures, quantity = material.futures, material.target.quantity
    assert futures is not None
    draws = {
        name: np.asarray(futures[quantity].sel(scenario=name, year=material.target.year).values, dtype=float)
        for name, _ in _scenarios(material)
    }
    limits = _round_limits(draws[material.target.scenario])
    rows = [
        [Cell(label), *(Cell(chance(float((draws[name] > limit).mean()))) for limit in limits)]
        for name, label in _scenarios(material)
    ]
    return table(
        "exceed",
        "Probability of avoiding more than a threshold in the last year",
        ("Scenario", *(f">{{exceed.unit}} > {{exceed.{i}}}" for i in range(len(limits)))),
        rows,
    )


def _round_limits(values: np.ndarray) -> list[float]:
    """Five round numbers around a quantity: 1, 3, 10 times powers of ten."""
    middle = float(np.median(np.abs(values))) or 1.0
    start = math.floor(2 * math.log10(middle)) - 2
    return [(10.0, 3.0)[k % 2] * 10.0 ** (math.floor(k / 2) - (k % 2 == 0)) for k in range(start, start + 5)]


def _exceed_claims(material: Material) -> Sequence[Claim]:
    """The thresholds of the table, as claims of its headings."""
    futures = material.futures
    assert futures is not None
    values = np.asarray(
        futures[material.target.quantity].sel(scenario=material.target.scenario, year=material.target.year).values,
        dtype=float,
    )
    unit = word("exceed.unit", "P", "thresholds")
    return (
        unit,
        *(
            claim(f"exceed.{i}", v, 0.0, material.target.unit, "thresholds")
            for i, v in enumerate(_round_limits(values))
        ),
    )


def _programme(material: Material) -> Table:
    """What decides the benefit, by scenario."""
    shown = (
        ("offences_avoided_per_patient_year", "Offences a patient-year", "number"),
        ("demand_binds", "P(demand is the limit)", "event"),
        ("harm", "P(more crime)", "event"),
        ("programme_cost", "Cost a year", "money"),
        ("net_benefit", "Net benefit a year", "money"),
    )
    known = [s for s in shown if material.answer(s[0]) is not None]
    rows = []
    for name, label in _scenarios(material):
        cells = [Cell(label)]
        for quantity, _, kind in known:
            row = material.answer(quantity, name)
            cells.append(Cell("–") if row is None else _shown(row, kind))
        rows.append(cells)
    return table(
        "programme",
        "What stands behind the benefit, in the last year of the horizon",
        ("Scenario", *(f">{title}" for _, title, _ in known)),
        rows,
        "Median, and {answer.kind} below it; events have their probability. Money is discounted.",
    )


def _shown(row: pd.Series[Any], kind: str) -> Cell:
    if kind == "event":
        return Cell(chance(float(row["mean"])), float(row["mean"]))
    if kind == "money" and row["median"] == row["median"]:
        ends = [money(row[end], row[f"mcse_{end}"]) for end in ("lower", "upper")]
        return Cell(
            money(row["median"], row["mcse_median"]),
            float(row["median"]),
            float(row["mcse_median"]),
            below=f"{ends[0]} to {ends[1]}",
        )
    return _both(row)
