"""Captions: a sentence on what is shown, then draws, chains, intervals and the verdict, from the table itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["caption", "interval_words", "verdict_words"]

_KINDS = {
    "eti": "equal-tailed credible",
    "hdi": "highest-density credible",
    "confidence": "confidence",
    "normal": "normal-approximation",
}
_VERDICTS = {
    "passed": "Diagnostics: passed.",
    "failed": "DIAGNOSTICS FAILED: these numbers must not be relied on; the image is marked.",
}


def caption(table: pd.DataFrame, title: str, text: str = "") -> str:
    """Compose a caption.

    Parameters
    ----------
    table
        What is drawn: its columns ``draws, chains, prob, kind, verdict`` are stated.
    title, text
        The first sentence, and what a reader must know to read the figure.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"draws": [4000], "chains": [4], "prob": [0.95], "kind": ["eti"], "verdict": ["passed"]})
    >>> caption(t, "Offences avoided.")
    'Offences avoided. Intervals: 95 % equal-tailed credible. 4,000 posterior draws from 4 chains. Diagnostics: passed.'
    """
    parts = [title, text, _bars(table), _chosen(table), interval_words(table), _draws(table), verdict_words(table)]
    return " ".join(part.strip() for part in parts if part.strip())


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
    found = table.dropna(subset=["prob", "kind"])
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
