"""What rows may be that they do not say they are: found in names and numbers, asked about, and confirmed by a word.

A doubt is no proof. Whoever knows better says so with the word that the message names; nothing is taken silently.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bayes.errors import EvidenceError, check_word
from bayes.sheets import is_total

__all__ = [
    "CONFIRMED",
    "Doubt",
    "ask",
    "doubts_of_arms",
    "doubts_of_counts",
    "doubts_of_labels",
    "doubts_of_ratios",
    "half_digit",
]

CONFIRMED = {"logs": "the estimates are logarithms or differences as they stand",
             "percent": "the numbers are no percentages",
             "se": "the column holds standard errors, whatever its name", "total": "no row pools the others",
             "copies": "rows with the same numbers are different trials",
             "arms": "no comparator arm stands in two rows",
             "sizes": "both arms are of the one size in that column",
             "uneven": "the intervals are what they are, and half their width is taken"}  # fmt: skip
"""Words that confirm, and what each says."""

_LOG = re.compile(r"log|(^|[\W_\d])ln|diff|smd|md\b|hedges|cohen|beta|coef|mean", re.IGNORECASE)
_PERCENT = re.compile(r"(?<!\d)(?<!\d )%|\bpct\b|per ?cent|prozent|pour ?cent|por ?ciento", re.IGNORECASE)
_NO_ERRORS = {
    "a variance": r"v|vi|var|varianz|varianza|se2|se\^2|se²|sei2|s2|.*_var|var_.*|.*variance.*",
    "a standard deviation between people": r"sd|sds|sdi|stdev|std|st\.? ?dev\.?|.*standard deviation.*",
    "a weight or precision": r"w|wt|weights?|gewicht|poids|peso|precision|1/se\^?2?|1/vi?",
    "an end of an interval": r"(ci[._ ]?)?(l|u|lo|hi|low|lower|upper|lcl|ucl|lb|ub|ll|ul)([._ ]?(ci|limit|bound|95))?",
    "a p-value": r"p|p[._ -]?val(ue)?s?",
    "a number of people": r"n|ni|ntotal|n_total|sample ?size",
}
_DOSE = re.compile(
    r"[\s,;(_-]*(\d+([.,]\d+)?\s*(mg|mcg|µg|ug|g|iu|ie|ml|mmol|%)(/\w+)?"
    r"|(low|mid|medium|high)([- ]dose)?|(arm|group|dose)\s*\w)\)?\s*$",
    re.IGNORECASE,
)
_LARGE_SE = 5.0
"""A log ratio whose standard error is larger says nothing: its interval spans nine orders of magnitude."""

_ENOUGH = 20
"""Arms of fewer people have equal counts by chance too often to ask."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to ask: the word that confirms, what seems wrong, where, and what to do otherwise."""

    word: str
    problem: str
    key: str
    found: object
    fix: str


def ask(doubts: Sequence[Doubt], confirmed: Collection[str], path: Path) -> None:
    """Raise the first doubt that nobody has confirmed away.

    Raises
    ------
    EvidenceError, UsageError
        With the word that confirms; or if a confirming word is not known.
    """
    for word in (words := {confirmed} if isinstance(confirmed, str) else set(confirmed)):
        check_word(word, CONFIRMED, "nothing is confirmed by this word", key="confirm")
    for one in doubts:
        if one.word not in words:
            raise EvidenceError(one.problem, file=path, key=one.key, found=one.found,
                                fix=f"{one.fix}; or, if {CONFIRMED[one.word]}, add --confirm {one.word}")  # fmt: skip


def doubts_of_ratios(
    labels: Sequence[str], y: np.ndarray, se: np.ndarray, names: tuple[str, str], texts: Sequence[Sequence[str]],
    grouped: bool = False,
) -> list[Doubt]:  # fmt: skip
    """Return what is doubtful about estimates, their standard errors, the names of both columns and their texts.

    Rows that are ``grouped`` say themselves which of them belong together.
    """
    found = [one for one in doubts_of_labels(labels) if one.word != "arms" or not grouped]
    y_name, se_name = names
    if (y > 0).all() and not _LOG.search(y_name):
        one = float(y[0])
        found.append(Doubt("logs", "every estimate is positive: these may be ratios, and their logarithms are wanted",
                           y_name, y.tolist()[:4], f"write logarithms (log {one:g} = {np.log(one):.3f})"))  # fmt: skip
    for what, pattern in _NO_ERRORS.items():
        if re.fullmatch(pattern, se_name.strip(), re.IGNORECASE):
            fix = "name it with --var" if what == "a variance" else "name the column of standard errors"
            found.append(Doubt("se", f"this column seems to hold {what}, not a standard error", se_name, None, fix))
    for name in names:
        if _PERCENT.search(name):
            found.append(Doubt("percent", "this column seems to hold percentages", name, None,
                               "write log ratios and their standard errors"))  # fmt: skip
    wide = se > max(_LARGE_SE, _LARGE_SE * float(np.abs(y).max()))
    if wide.any():
        found.append(Doubt("percent", "a standard error is so large that it may be a percentage", se_name,
                           se[wide].tolist()[:4], "write it on the scale of the estimate (25 % is 0.25)"))  # fmt: skip
    pairs = [tuple(pair) for pair in np.stack([y, se], axis=1).tolist()]
    found += _copies(labels, pairs)
    return found + _pooled(labels, y, se, texts)


def doubts_of_counts(
    labels: Sequence[str], events: np.ndarray, total: np.ndarray, total_names: Sequence[str], grouped: bool = False
) -> list[Doubt]:
    """Return what is doubtful about counts in two arms; ``grouped`` rows say themselves which belong together."""
    found = [one for one in doubts_of_labels(labels) if one.word != "arms" or not grouped]
    if len(set(total_names)) == 1:
        found.append(Doubt("sizes", "one column is given as the people of both arms", "--total", list(total_names),
                           "name a column for each arm: people of both together would be counted twice"))  # fmt: skip
    rows = np.hstack([events, total])
    for label, row in zip(labels, rows, strict=True):
        if len(rows) > 2 and (2 * row == rows.sum(axis=0)).all():
            found.append(Doubt("total", "each count of this row is the sum of the others'", "label", label,
                               "remove the row"))  # fmt: skip
    found += _copies(labels, [tuple(row) for row in rows.tolist()])
    arms = [*zip(events[:, 1].tolist(), total[:, 1].tolist(), strict=True)]
    told = [n >= _ENOUGH and e > 1 for e, n in arms]
    return found if grouped else found + doubts_of_arms(labels, arms, told)


def doubts_of_arms(
    labels: Sequence[str], arms: Sequence[tuple[float, ...]], told: Sequence[bool] | None = None
) -> list[Doubt]:
    """Return comparator arms that stand twice by their numbers, where those tell arms apart."""
    found, seen = [], dict[tuple[float, ...], str]()
    for label, arm, tells in zip(labels, arms, told or [True] * len(arms), strict=True):
        other = seen.setdefault(arm, label)
        if other != label and (tells or _stem(label) == _stem(other)):
            found.append(Doubt("arms", "two rows have the same comparator arm: its people would be counted twice",
                               "label", [other, label, "/".join(f"{one:g}" for one in arm)],
                               "name the comparator of each row with --shared COL, or keep one row"))  # fmt: skip
    return found


def _stem(label: str) -> str:
    """A label without a dose or arm at its end."""
    return _DOSE.sub("", label).casefold().strip()


def doubts_of_labels(labels: Sequence[str]) -> list[Doubt]:
    """Return what is doubtful about names of rows."""
    found = [Doubt("total", "this row seems to pool the others", "label", label, "remove the row") for label in labels
             if is_total(label)]  # fmt: skip
    stems: dict[str, str] = {}
    for label in labels:
        other = stems.setdefault(_stem(label), label)
        if other != label and _DOSE.search(label) and _DOSE.search(other):
            found.append(Doubt("arms", "two rows seem to be arms of one trial: their comparator would be counted twice",
                               "label", [other, label], "name it with --shared COL, or keep one row"))  # fmt: skip
    return found


def _copies(labels: Sequence[str], rows: Sequence[tuple[float, ...]]) -> list[Doubt]:
    """Rows with the same numbers; but two camps of equal rows, as in an example, hold more of one than a copy would."""
    seen: dict[tuple[float, ...], list[str]] = {}
    for label, row in zip(labels, rows, strict=True):
        seen.setdefault(row, []).append(label)
    twice = [same for same in seen.values() if len(same) > 1]
    if not twice or len(twice) == len(seen):
        return []
    return [Doubt("copies", "these rows have the same numbers: one trial may stand twice", "label", twice[0],
                  "remove one")]  # fmt: skip


def _pooled(labels: Sequence[str], y: np.ndarray, se: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Doubt]:
    """A row that is the inverse-variance mean of the others, or their mean under the moment estimate of tau."""
    if len(y) < 3:
        return []
    for i, label in enumerate(labels):
        others, errors = np.delete(y, i), np.delete(se, i)
        half = [half_digit(text[i]) for text in texts]
        for tau2 in (0.0, _moment(others, errors)):
            weight = 1 / (errors**2 + tau2)
            gap = abs(y[i] - weight @ others / weight.sum()), abs(se[i] - weight.sum() ** -0.5)
            if gap[0] <= half[0] + 0.02 * se[i] and gap[1] <= half[1] + 0.01 * se[i] and half[1] < 0.1 * se[i]:
                return [Doubt("total", "this row is the weighted mean of the others, with its standard error", "label",
                              label, "remove the row")]  # fmt: skip
    return []


def _moment(y: np.ndarray, se: np.ndarray) -> float:
    """Between-trial variance after DerSimonian and Laird (1986), Control. Clin. Trials 7:177."""
    weight = se**-2
    mean = weight @ y / weight.sum()
    spread = weight.sum() - (weight**2).sum() / weight.sum()
    return max(0.0, float((weight @ (y - mean) ** 2 - (len(y) - 1)) / spread))


def half_digit(text: str) -> float:
    """Half of what the last digit written stands for.

    >>> half_digit("0.60"), half_digit("1e-3")
    (0.005, 0.0005)
    """
    match = re.match(r"[-+]?\d*\.?(\d*)(?:[eE]([-+]?\d+))?", text)
    return 0.5 * 10.0 ** (int(match[2] or 0) - len(match[1])) if match else 0.5
