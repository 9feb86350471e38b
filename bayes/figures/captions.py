"""Captions: a sentence on what is shown, then draws, chains, intervals and the verdict, from the table itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["caption", "interval_words", "verdict_words"]

_KINDS = {"eti": "equal-tailed credible", "hdi": "highest-density credible", "confidence": "confidence",
          "normal": "normal-approximation"}  # fmt: skip
_LIMITS = ("funnel", "simultaneous")
"""Kinds of limits that are no intervals of an estimate; the figure's own words explain them."""
_VERDICTS = {"passed": "Diagnostics: passed.",
             "failed": "DIAGNOSTICS FAILED: these numbers must not be relied on; the image is marked."}  # fmt: skip


def caption(table: pd.DataFrame, text: str) -> str:
    """Compose a caption.

    Parameters
    ----------
    table
        What is drawn: its columns ``draws, chains, prob, kind, verdict`` are stated.
    text
        A title, and what a reader must know to read the figure.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"draws": [4000], "chains": [4], "prob": [0.95], "kind": ["eti"], "verdict": ["passed"]})
    >>> caption(t, "Cases averted.")
    'Cases averted. Intervals: 95 % equal-tailed credible. 4,000 posterior draws from 4 chains. Diagnostics: passed.'
    """
    said = (_note, _bars, _chosen, interval_words, _draws, verdict_words)
    parts = [text, *(say(table) for say in said)]
    return " ".join(part.strip() for part in parts if part.strip())


def _note(table: pd.DataFrame) -> str:
    """What the question says of its naive sum, where it is drawn."""
    said = [] if "note" not in table or "naive" not in table else table["note"].dropna().tolist()
    return str(said[0]) if said else ""


def _bars(table: pd.DataFrame) -> str:
    bars = table[table["layer"] == "bar"] if "layer" in table else table[:0]
    if bars.empty:
        return ""
    return f"Whole numbers are drawn as bars{', neighbours in one' if (bars['width'] > 1).any() else ''}."


def _chosen(table: pd.DataFrame) -> str:
    if "of_scenarios" not in table:
        return ""
    return f"{table['scenario'].nunique()} of {int(table['of_scenarios'].iloc[0]):,} scenarios."


def interval_words(table: pd.DataFrame) -> str:
    """State kinds and probabilities of the intervals in a table."""
    if not {"prob", "kind"} <= set(table.columns):
        return ""
    found = table[~table["kind"].isin(_LIMITS)].dropna(subset=["prob", "kind"])
    parts = []
    for kind in dict.fromkeys(found["kind"]):
        probs = sorted(set(found.loc[found["kind"] == kind, "prob"]))
        parts.append(f"{_list([f'{100 * p:g}' for p in probs])} % {_KINDS.get(str(kind), str(kind))}")
    return f"Intervals: {'; '.join(parts)}." if parts else ""


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _draws(table: pd.DataFrame) -> str:
    if not {"draws", "chains"} <= set(table.columns) or table["draws"].isna().all():
        return ""
    draws, chains = int(table["draws"].max()), int(table["chains"].max())
    return f"{draws:,} posterior draws from {chains} chain{'s' if chains != 1 else ''}."


def verdict_words(table: pd.DataFrame) -> str:
    """State the verdict of the diagnostics."""
    if "verdict" not in table:
        return "Diagnostics: not stated."
    words = set(table["verdict"].dropna())
    word = "failed" if "failed" in words else str(next(iter(sorted(words)), "not stated"))
    return _VERDICTS.get(word, f"Diagnostics: {word}.")
