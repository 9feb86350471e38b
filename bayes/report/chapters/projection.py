"""The projection: scenarios side by side and over time, what they are, and what exceeds a threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.numbers import ABOVE_ZERO, chance, money
from bayes.records import values_of
from bayes.report.chapters.common import drawn, said, table
from bayes.report.contract import Block, Cell, Chapter, Claim, Content, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import beside, cell, claim, word
from bayes.words import capital

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER", "scenario_table"]


def _chapter(material: Material) -> Content:
    """Scenarios over time, what each is, what exceeds a threshold, and the outcomes behind the answer."""
    futures, words = material.futures, material.words
    assert futures is not None
    claims = _claims(material)
    timed, several = futures.sizes["year"] > 1, futures.sizes["scenario"] > 1
    own_text = words.sentences.get("projection", "")
    over_time = "{@fan} follows each scenario from {projection.times}. " if timed else ""
    plain = f"{over_time}{{@exceed}} gives the probability of exceeding a threshold of the reader's choice."
    tables = [_exceed(material), *_meant(material), *_behind(material)]
    made = {one.key for one in tables}
    blocks: list[Block] = [
        *said(material, claims, "projection", plain),
        *([TableBlock("meant")] if "meant" in made else []),
        *([drawn(material, "the projection over time", "fan")] if timed or "{@fan}" in own_text else []),
        TableBlock("exceed"),
        *said(material, claims, "projection.after"),
    ]
    own = tuple(words.sentences.get("projection.figures", "").split())
    blocks += [drawn(material, "what the question draws of its projection", *own)] if own else []
    more: list[Block] = [
        *([drawn(material, "scenarios side by side", "ridge")] if several else []),
        *([TableBlock("programme")] if "programme" in made else []),
    ]
    sections = [Section("projection", CHAPTER.title, 2, tuple(blocks))]
    sections += [Section("allscenarios", "Scenarios side by side", 3, tuple(more))] if more else []
    return Content(tuple(sections), tuple(claims), tuple(tables))


def _claims(material: Material) -> list[Claim]:
    futures, time = material.futures, material.words.time
    assert futures is not None
    years = futures["year"].values
    limits = _round_limits(_draws(material, material.target.scenario))
    return [
        word("projection.times", f"{time} {years[0]} to {time} {years[-1]}", "futures.nc"),
        claim("projection.years", futures.sizes["year"], 0.0, time, "futures.nc"),
        *(claim(f"exceed.{i}", limit, 0.0, material.target.unit, "thresholds") for i, limit in enumerate(limits)),
    ]


def _draws(material: Material, scenario: str) -> np.ndarray:
    """Draws of the answer in a scenario."""
    assert material.futures is not None
    found = material.futures[material.target.quantity].sel(scenario=scenario, year=material.target.year)
    return np.asarray(found.values, dtype=float)


def _scenarios(material: Material) -> list[tuple[str, str]]:
    futures = material.futures
    assert futures is not None
    names = [str(n) for n in futures["scenario"].values]
    labels = futures["label"].values.tolist() if "label" in futures.coords else names
    return list(zip(names, [str(label) for label in labels], strict=True))


def scenario_table(material: Material) -> Table:
    """What each scenario does: its size, the answer, what stands beside it, and the naive sum."""
    words, target, last = material.words, material.target.quantity, str(material.target.year)
    assert material.futures is not None
    whole = words.over_all(target, material.futures["year"].values.tolist())
    shown = [
        *((words.heading(name), name, last) for name in (words.size, target) if name),
        (whole, target, "total"),
        *((words.heading(name), name, last) for name in words.beside),
    ]
    known = [one for one in shown if material.answer(one[1], year=one[2]) is not None]
    naive = words.reference[1:] if words.reference and material.answer(words.reference[1]) is not None else ()
    rows = []
    for name, label in _scenarios(material):
        answer = material.answer(target, name)
        rows.append([
            Cell(label), *(_shown(material, quantity, name, year) for _, quantity, year in known),
            Cell("–" if answer is None else chance(float(answer["p_positive"]))),
            *(_shown(material, one, name, last) for one in naive),
        ])  # fmt: skip
    headings = [
        capital(words.scenario) or "Answer",
        *(f">{title}" for title, *_ in known),
        f">{capital(ABOVE_ZERO)}",
        *(f">{words.sentences.get(f'heading.{one}', capital(words.reference[0]))}" for one in naive),
    ]
    note = words.sentences.get("scenarios.note", "") + (" {@meant} says what each is." if _meant(material) else "")
    caption = words.sentences.get("scenarios", "What each scenario does{answer.when}")
    return table(
        "scenarios", caption, headings, rows, f"Median, and {{answer.kind}} beside or below it. {note}".strip()
    )


def _exceed(material: Material) -> Table:
    """How probable it is that the answer is above round thresholds, by scenario."""
    limits = _round_limits(_draws(material, material.target.scenario))
    rows = [
        [Cell(label), *(Cell(chance(float((_draws(material, name) > limit).mean()))) for limit in limits)]
        for name, label in _scenarios(material)
    ]
    headings = (
        capital(material.words.scenario) or "Answer",
        *(f">Above {{exceed.{i}}}" for i in range(len(limits))),
    )
    return table("exceed", "The probability that {answer.target}{answer.when} is above a threshold", headings, rows)


def _round_limits(values: np.ndarray) -> list[float]:
    """Five round numbers around a quantity: 1, 3, 10 times powers of ten."""
    middle = float(np.median(np.abs(values))) or 1.0
    start = math.floor(2 * math.log10(middle)) - 2
    return [(10.0, 3.0)[k % 2] * 10.0 ** (math.floor(k / 2) - (k % 2 == 0)) for k in range(start, start + 5)]


def _meant(material: Material) -> list[Table]:
    """What each scenario is, as its study declares it."""
    study, words = material.study, material.words
    if study is None:
        return []
    left = ("name", "label", "stress")
    held = {name: values_of(one) for name, one in study.scenarios.items()}
    rows = {
        name: {k: v for k, v in held[name].items() if k not in left} for name, _ in _scenarios(material) if name in held
    }
    keys = [key for key in dict.fromkeys(k for row in rows.values() for k in row)
            if any(row.get(key) not in (None, "") for row in rows.values())]  # fmt: skip
    if not keys:
        return []
    labels = dict(_scenarios(material))
    cells = [
        [Cell(labels[name]), *(_setting(row.get(key), words.unit(key)) for key in keys)] for name, row in rows.items()
    ]
    headings = ("Scenario", *(f">{words.heading(key)}" for key in keys))
    return [table("meant", "What each scenario is", headings, cells, words.sentences.get("meant.note", ""))]


def _setting(value: object, unit: str) -> Cell:
    """A setting of a scenario: a number, a word, or yes and no."""
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return Cell(f"{value:,g}" if abs(value) < 1e6 else cell(float(value)).text, float(value))
    return cell(value)


def _behind(material: Material) -> list[Table]:
    """Other outcomes with words of their own, by scenario."""
    words, futures = material.words, material.futures
    assert futures is not None
    first = {words.target, words.size, *words.beside, *words.reference[1:]}
    names = [
        name
        for name in map(str, futures.data_vars)
        if name not in first and (name in words.labels or f"heading.{name}" in words.sentences)
        if material.answer(name) is not None
    ]
    if not names:
        return []
    last = str(material.target.year)
    rows = [
        [Cell(label), *(_shown(material, one, name, last) for one in names)] for name, label in _scenarios(material)
    ]
    note = words.sentences.get("programme.note", "")
    return [table("programme", "What stands behind the answer{answer.when}",
                  ("Scenario", *(f">{words.heading(one)}" for one in names)), rows,
                  f"Median, and {{answer.kind}} below it; for an event, its probability. {note}".strip())]  # fmt: skip


def _shown(material: Material, quantity: str, scenario: str, year: str) -> Cell:
    """An outcome of a scenario: median and interval, the probability of an event, a sum of money."""
    row = material.answer(quantity, scenario, year)
    if row is None:
        return Cell("–")
    if row["kind"] == "event":
        return Cell(chance(float(row["mean"])), float(row["mean"]))
    if row["kind"] == "constant":
        return cell(row["median"], row["mcse_median"])
    if str(row["unit"]).startswith("GBP") and "/" not in str(row["unit"]) and row["median"] == row["median"]:
        return _pounds(row)
    return beside(row["median"], row["mcse_median"], row)


def _pounds(row: pd.Series[Any]) -> Cell:
    ends = [money(row[end], row[f"mcse_{end}"]) for end in ("lower", "upper")]
    middle = money(row["median"], row["mcse_median"])
    return Cell(middle, float(row["median"]), float(row["mcse_median"]), below=f"{ends[0]} to {ends[1]}")


CHAPTER = Chapter("projection", "Projection", _chapter, ("projection", "numbers"))
