"""What the terminal says of finished tables: what moves the target, shares of its variance, tipping points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayes.numbers import compact, error_text, mark_words, per_cent, signed
from bayes.ranking import LAST_WORDS, extra_digits, ranked
from bayes.sensitivity._variance import quoted
from bayes.words import Words

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["diff_text", "note_on_potentials", "print_summary", "ranked_moves"]

_TOP = 12
_LEAST_SHARE = 0.005
"""Shares below it would be printed as 0 %."""


SAME = "No input differs, and the answer is the same."


def print_summary(
    console: Console, tables: Mapping[str, pd.DataFrame], words: Words, target: str, folder: Path
) -> None:
    """Print what moves the target, ranked by the change of its median, then shares of variance and tipping points."""
    from rich.text import Text

    moves = ranked_moves(tables, target)
    if len(moves):
        named = (str(one["scenario"].iloc[0]) for one in tables.values() if "scenario" in one and len(one))
        _print_moves(console, moves, words, target, next(named, ""))
    if apart := note_on_potentials(tables):
        console.print(Text(f"With care: {apart}."))
    if "variance" in tables:
        console.print(Text(_variance_line(tables["variance"], words)))
    if "tipping" in tables:
        none = tables["tipping"]["method"] == "no root"
        sentences = [str(one) for one in tables["tipping"].loc[~none, "sentence"]]
        for line in _listed(sentences):
            console.print(Text(line))
        for line in [] if len(moves) else mark_words(sentences):  # the words beside the moves define the mark
            console.print(Text(line, style="dim"))
        if none.any():
            have = "question has" if none.sum() == 1 else "questions have"
            console.print(Text(f"· {none.sum()} {have} no answer in the range tried: see tipping.csv"))
    console.print(Text(f"Files: {folder}"))


def note_on_potentials(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return what the tables say of a model's potentials, or nothing."""
    table = tables.get("powerscale")
    return str(table["note"].iloc[0]) if table is not None and "note" in table and len(table) else ""


def _listed(sentences: Sequence[str]) -> list[str]:
    """Sentences as a list; what several begin with, up to a colon, is said once above them.

    >>> _listed(["It halves: at 3.", "It halves: at 5.", "It doubles: at 9."])
    ['It halves:', '· at 3.', '· at 5.', '· It doubles: at 9.']
    """
    lines: list[str] = []
    for what, same in groupby(sentences, key=lambda one: one.partition(": ")[0]):
        told = list(same)
        several = len(told) > 1
        lines += [f"{what}:"] * several
        lines += [f"· {one.partition(': ')[2] if several else one}" for one in told]
    return lines


def _print_moves(console: Console, moves: pd.DataFrame, words: Words, target: str, scenario: str) -> None:
    from rich.table import Table
    from rich.text import Text

    unit = words.unit(target)
    where = f" ({words.label(scenario)})" if scenario else ""
    title = f"What moves {words.label(target)}{where}: change of the median{f', {unit}' if unit else ''}"
    view = Table(title=Text(title), title_justify="left")
    for name in ("change", "kind", "by", "± error", "how"):
        view.add_column(name, justify="right" if name in ("by", "± error") else "left")
    for row in moves.head(_TOP).itertuples():
        error = float(str(row.mcse))
        by = signed(float(str(row.by)), error, int(str(row.extra)))
        name = str(row.change)
        text = words.labels.get(name, name) if row.kind == "without" else words.label(name)  # rows as their files say
        view.add_row(Text(text), str(row.kind), by, error_text(error), str(row.method))
    console.print(view)
    console.print(Text(LAST_WORDS, style="dim"))


def ranked_moves(tables: Mapping[str, pd.DataFrame], quantity: str) -> pd.DataFrame:
    """Rank every change of the median over all tables (:func:`bayes.ranking.rank_key`).

    Returns
    -------
    DataFrame
        ``change, kind, by, mcse, method, extra``; ``extra`` digits of ``by`` make the order visible.
    """
    parts = []
    for name, kind in (("alternatives", "prior"), ("leave_one_out", "without"), ("structure", "structure")):
        if name in tables:
            table = tables[name]
            keep = (table["quantity"] == quantity) & (table["method"] != "as fitted") & ~table["estimand_changed"]
            parts.append(table[keep].assign(kind=kind).rename(columns={"d_median": "by", "mcse_d_median": "mcse"}))
    if "powerscale" in tables:
        table = tables["powerscale"].rename(columns={"component": "change", "d_median": "by", "mcse_d_median": "mcse"})
        parts.append(table.assign(kind="doubled " + table["role"], method="power-scaled"))
    columns = ["change", "kind", "by", "mcse", "method"]
    if not parts:
        return pd.DataFrame(columns=[*columns, "extra"])
    return ranked(pd.concat([part[columns] for part in parts], ignore_index=True), "by", "mcse")


def _variance_line(table: pd.DataFrame, words: Words) -> str:
    shares = quoted(table)
    most = shares[shares["estimate"] >= _LEAST_SHARE].head(5)
    names = [words.label(str(row.input)) for row in most.itertuples()]
    told = [f"{name} {per_cent(share, blank='')}" for name, share in zip(names, most["estimate"], strict=True)]
    line = f"Shapley shares of the variance of the {shares['scale'].iloc[0]}: {', '.join(told) or 'none'}."
    return f"{line}{_with_care(names, most['flag'].fillna(''))}"


def _with_care(names: Sequence[str], flags: Iterable[str]) -> str:
    """What is beyond the method in some numbers, each reason once, with the names it is not said of all of."""
    doubted: dict[str, list[str]] = {}
    for name, flag in zip(names, flags, strict=True):
        for reason in filter(None, flag.split("; ")):
            doubted.setdefault(reason, []).append(name)
    told = [reason if len(of) == len(names) else f"for {', '.join(of)}, {reason}" for reason, of in doubted.items()]
    return f" With care: {'; '.join(told)}." if told else ""


def _extra(table: pd.DataFrame) -> list[int]:
    """Extra digits of a table of changes: those of single inputs stand in order, between the headline and the rest."""
    single = ~table["kind"].isin(["headline", "rest"]) & table["d_median"].notna()
    rows = [i for i, one in enumerate(single) if one]
    part = table.iloc[rows]
    found = dict(zip(rows, extra_digits(part["d_median"].tolist(), part["mcse_d_median"].tolist()), strict=True))
    return [found.get(i, 0) for i in range(len(table))]


def diff_text(table: pd.DataFrame) -> str:
    """Write the table of :func:`bayes.sensitivity.diff` for a terminal."""
    lines = []
    by_error = [[float(str(v)) for v in table[column]] for column in ("d_median", "mcse_d_median")]
    for row, value, error, extra in zip(table.itertuples(), *by_error, _extra(table), strict=True):
        by = "–" if math.isnan(value) else compact(value, error, extra)
        lines.append(f"{row.input:44} {by:>10}  {row.detail}".rstrip())
    same = table["kind"].isin(["headline", "rest"]).all() and (table["d_median"] == 0).all()
    return "\n".join([*lines, *[SAME] * bool(same), *mark_words(lines)])
