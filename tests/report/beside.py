"""Numbers quoted beside a figure, and what its table holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from bayes.numbers import NOT_APART_WORDS
from bayes.report.contract import Bullets, FigureBlock, Prose, Report

__all__ = ["AIDS", "ELSEWHERE", "beside", "held", "quoted", "rounded", "told", "values_of"]

NUMBER = re.compile(r"(?<![\w.,(])-?\d[\d,]*(?:\.\d+)?(?![\w²/]|\.\d)")
AIDS = (
    NOT_APART_WORDS,
    "Below 1:",
    "below 100 %",
    "1/(s² + var(bias) + τ²)",
    "(1, dashed)",
    "(1 when everyone is served)",
    "(× 0.70)",
    "1 smaller one is",
    "below 1.01",
)
"""Words of captions with numbers that are no results: how an axis or a mark is read."""
ELSEWHERE: Mapping[str, str] = {
    "ratio.theta_new.no_less": "posterior", "settings.press_reduction": "",
    "outcome.demand_binds.chance": "headline.csv", "outcome.patient_years.median": "headline.csv",
    "outcome.patient_years.lower": "headline.csv", "outcome.patient_years.upper": "headline.csv",
    "moves.count": "tables/sensitivity",
}  # fmt: skip
"""Numbers in a paragraph with a figure that are not the figure's: where they stand."""
QUOTING = ("shapley", "specification", "budget")
"""Figures whose sentence stands before them without naming them."""


def beside(report: Report) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each template that refers to figures, or stands before one of :data:`QUOTING`, with the figures."""
    for section in report.sections:
        for block, after in zip(section.blocks, [*section.blocks[1:], None], strict=True):
            texts = [block.text] if isinstance(block, Prose) else block.items if isinstance(block, Bullets) else ()
            following = [key for key in after.keys if key in QUOTING] if isinstance(after, FigureBlock) else []
            for text in texts:
                named = [key for key in re.findall(r"\{@([^}]+)\}", text) if key in report.figures]
                if keys := tuple(dict.fromkeys([*named, *following])):
                    yield text, keys


def values_of(report: Report, text: str) -> dict[str, float]:
    """The numbers of the claims of a template: of an interval, its two ends."""
    found: dict[str, float] = {}
    for name in re.findall(r"\{([^@}]+)\}", text):
        stem, _, last = name.rpartition(".")
        ends = [f"{stem}.{end}" for end in ("lower", "upper")] if last in ("interval", "range") else [name]
        for one in ends:
            claim = report.claims[one]
            whole = re.fullmatch(r"(\d+)\s%", claim.text)  # a level of probability; other words are labels
            if claim.value is not None or whole or one in ELSEWHERE:
                found[one] = float(whole[1]) if claim.value is None and whole else float(claim.value or 0.0)
    return found


def held(name: str, table: pd.DataFrame) -> np.ndarray:
    """Every number of a figure's table, the widths and differences that its picture shows, and its counts of rows."""
    found = [table[column].dropna().to_numpy(float) for column in table.select_dtypes("number")]
    found += [table[column].value_counts().to_numpy(float) for column in ("layer", "kind") if column in table]
    if name == "budget":
        width = table["upper"] - table["lower"]
        found += [width.to_numpy(), width.diff().dropna().to_numpy()]
    if name == "specification":
        fitted = table.loc[table["variant"] == "as fitted", "estimate"].iloc[0]
        found.append((table["estimate"] - fitted).to_numpy())
    if name == "dots":
        outside = table.loc[table["layer"].isin(["beneath", "beyond"])].groupby("quantity")["y"].sum()
        found.append((table[table["layer"] == "dot"].groupby("quantity").size() + outside).to_numpy(float))
    if "prob" in table:
        found.append(100 * table["prob"].dropna().to_numpy(float))
    return np.concatenate(found)


def told(name: str, table: pd.DataFrame) -> np.ndarray:
    """What the first sentence of a caption rounds: numbers, complements and per cent of the table, and its counts."""
    own = held(name, table)
    more = [np.array([len(table)], dtype=float)]
    if name == "dots":
        outside = table.loc[table["layer"] == "beyond"].groupby("quantity")["y"].sum()
        above = table[(table["layer"] == "dot") & (table["x"] > 0)].groupby("quantity").size()
        more.append((above + outside).to_numpy(float))
    if name == "funnel":
        row = table[table["layer"] == "row"]
        more.append(np.array([len(row)], dtype=float))
        for layer in ("limit", "limit_tau"):
            limit = table[table["layer"] == layer]
            ends = [np.interp(row["se"], limit["se"], limit[end]) for end in ("lower", "upper")]
            more.append(np.array([((row["x"] < ends[0]) | (row["x"] > ends[1])).sum()], dtype=float))
    if name == "predictive":
        seen = table[table["layer"] == "observed"]
        more.append(np.array([seen["value"].between(seen["low"], seen["high"]).sum()], dtype=float))
    if name == "specification":
        more.append(np.array([(~table["estimand_changed"].astype(bool)).sum()], dtype=float))
    return np.concatenate([own, 1 - own, 100 * own, *more])


def rounded(caption: str, table: pd.DataFrame) -> list[tuple[float, float]]:
    """The numbers of a sentence, each with half a unit of its last digit."""
    found = NUMBER.findall(_bare(caption, table))
    return [(float(one.replace(",", "")), 0.5 * 10.0 ** -len(one.partition(".")[2])) for one in found]


def _bare(caption: str, table: pd.DataFrame) -> str:
    labels = {str(v) for c in table.select_dtypes(exclude="number") for v in table[c].dropna()}
    for words in [*AIDS, *sorted(labels, key=len, reverse=True)]:
        caption = caption.replace(words, "") if len(words) > 3 else caption
    return caption


def quoted(caption: str, table: pd.DataFrame) -> list[float]:
    """The numbers of a caption, but those of :data:`AIDS` and of labels of the table."""
    return [float(number.replace(",", "")) for number in NUMBER.findall(_bare(caption, table))]
