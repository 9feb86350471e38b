"""What rows may be that they do not say they are: found in names and numbers, asked about, and confirmed by a word.

A doubt is no proof. Whoever knows better says so with the word that the message names; nothing is taken silently.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from bayes.errors import check_word
from bayes.sheets import Sheet, is_total, same
from bayes.synthesis.classical import tau2_by

__all__ = [
    "CONFIRMED",
    "DEVIATION",
    "Doubt",
    "ask",
    "doubts_of_arms",
    "doubts_of_counts",
    "doubts_of_estimates",
    "doubts_of_labels",
    "doubts_of_level",
    "doubts_of_ratios",
    "doubts_of_spreads",
    "half_digit",
]

CONFIRMED = {"logs": "the estimates are logarithms or differences as they stand",
             "percent": "the numbers are no percentages",
             "se": "the column holds standard errors, whatever its name",
             "names": "the columns hold what they are given as, whatever their names",
             "total": "no row pools the others",
             "copies": "rows with the same numbers are different trials",
             "arms": "no comparator arm stands in two rows",
             "sizes": "both arms are of the one size in that column",
             "uneven": "the intervals are what they are, and half their width is taken"}  # fmt: skip
"""Words that confirm, and what each says."""

_LOG = re.compile(r"log|(^|[\W_\d])ln|diff|smd|md\b|hedges|cohen|beta|coef|mean", re.IGNORECASE)
_PERCENT = re.compile(r"(?<!\d)(?<!\d )%|\bpct\b|per ?cent|prozent|pour ?cent|por ?ciento", re.IGNORECASE)
_ANOTHER_BASE = re.compile(r"log(?:_| (?=10))?(10|2|₁₀|₂)(?!\d)|\blg\b", re.IGNORECASE)
_LOG_OF_RATIO = re.compile(r"(^|[\W_])(log|ln)(?!istic)", re.IGNORECASE)
DEVIATION = "a standard deviation between people"
_SPREADS = {
    "a variance": r"v|v[._ ]?i|var|varianz|varianza|se2|se\^2|se²|sei2|s2|var\d|.*_var|var_.*|.*variance.*",
    "a standard error": r"sei?\d?|s\.e\.?|se[ ._(\[].*|.*[ ._]sei?|std\.? ?err(or)?s?|sem|.*standard error.*",
    DEVIATION: r"sd|sds|sdi|stdev|std|st\.? ?dev\.?|.*standard deviation.*",
    "a weight or precision": r"w|wt|weights?|gewicht|poids|peso|precision|1/se\^?2?|1/vi?",
    "an end of an interval": r"(ci[._ ]?)?(l|u|lo|hi|low|lower|upper|lcl|ucl|lb|ub|ll|ul)([._ ]?(ci|limit|bound|95))?",
    "a p-value": r"p|p[._ -]?val(ue)?s?",
    "a number of people": r"n|ni|ntotal|n_total|sample ?size",
}
"""What columns of such names hold, of all that tells a spread or is mistaken for it."""
_DOSE = re.compile(
    r"[\s,;(_-]*(\d+([.,]\d+)?\s*(mg|mcg|µg|ug|g|iu|ie|ml|mmol|%)(/\w+)?"
    r"|(low|mid|medium|high)([- ]dose)?|(arm|group|dose)\s*\w)\)?\s*$",
    re.IGNORECASE,
)
_LEVELS = {80.0, 90.0, 94.0, 95.0, 98.0, 99.0, 99.9}
"""Levels of intervals, in per cent, where a header has the number."""
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


def ask(doubts: Sequence[Doubt], confirmed: Collection[str], sheet: Sheet, labels: Sequence[str]) -> None:
    """Raise the first doubt that nobody has confirmed away, with the lines of the rows of ``labels`` that it names.

    Raises
    ------
    EvidenceError, UsageError
        With the word that confirms; or if a confirming word is not known.
    """
    for word in (words := {confirmed} if isinstance(confirmed, str) else set(confirmed)):
        check_word(word, CONFIRMED, "nothing is confirmed by this word", key="confirm")
    for one in doubts:
        if one.word not in words:
            named = one.found if isinstance(one.found, list) else [one.found]
            named = named if one.key == "label" else []
            lines = [line for line, label in zip(sheet.lines, labels, strict=True) if label in named]
            raise sheet.wrong_rows(one.problem, one.key, lines, one.found,
                                   f"{one.fix}; or, if {CONFIRMED[one.word]}, add --confirm {one.word}")  # fmt: skip


def doubts_of_ratios(
    labels: Sequence[str], y: np.ndarray, se: np.ndarray, names: tuple[str, str], texts: Sequence[Sequence[str]],
    grouped: bool = False,
) -> list[Doubt]:  # fmt: skip
    """Return what is doubtful about estimates, their standard errors, the names of both columns and their texts.

    Rows that are ``grouped`` say themselves which of them belong together.
    """
    found = doubts_of_labels(labels, grouped)
    y_name, se_name = names
    if (y > 0).all() and not _LOG.search(y_name):
        one = float(y[0])
        found.append(Doubt("logs", "every estimate is positive: these may be ratios, and their logarithms are wanted",
                           y_name, y.tolist()[:4], f"write logarithms (log {one:g} = {np.log(one):.3f})"))  # fmt: skip
    found += doubts_of_spreads("a standard error", [se_name])
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


def doubts_of_spreads(wanted: str, names: Sequence[str]) -> list[Doubt]:
    """Return columns that are given as one measure of spread and are named like another."""
    found = []
    options = {} if wanted == DEVIATION else {"a variance": "--var", "a standard error": "--se"}
    plain = wanted.removesuffix(" between people")[2:]
    for name in names:
        if wanted == DEVIATION and re.fullmatch(r"s\d", name):
            continue  # of the arms, rather than squared
        what = next((one for one, like in _SPREADS.items() if re.fullmatch(like, name.strip(), re.IGNORECASE)), wanted)
        if what != wanted:
            fix = f"name it with {options[what]}" if what in options else f"name the column of {plain}s"
            word = "se" if wanted == "a standard error" else "names"
            found.append(Doubt(word, f"this column seems to hold {what}, not {wanted}", name, None, fix))
    return found


def doubts_of_estimates(name: str, ratios: np.ndarray | None) -> list[Doubt]:
    """Return what is doubtful about a column of ``ratios``, or of estimates as they stand: its scale."""
    if ratios is None:
        wrong = _ANOTHER_BASE.search(name)
        times = "0.6931" if wrong and wrong[1] in ("2", "₂") else "2.3026"
        return [Doubt("names", "this column seems to hold logarithms to another base, and natural ones are wanted",
                      name, None, f"multiply estimates and standard errors by {times}")] if wrong else []  # fmt: skip
    if _LOG_OF_RATIO.search(name):
        return [Doubt("names", "this column seems to hold logarithms, not ratios", name, None, "name it with --y")]
    if (ratios >= 10).all():
        return [Doubt("percent", "every ratio is 10 or more: these may be percentages", name, ratios.tolist()[:4],
                      "write ratios and their intervals as shares of 1 (75 % is 0.75)")]  # fmt: skip
    return []


def doubts_of_level(lower: str, upper: str, level: float) -> list[Doubt]:
    """Return whether headers of an interval name another level: ``99% CI low``, or ``q5`` and ``q95``."""
    ends = [{float(one.replace(",", ".")) for one in re.findall(r"\d+(?:[.,]\d+)?", name)} for name in (lower, upper)]
    said = ends[0] & ends[1] & _LEVELS
    said |= {high - low for low in ends[0] for high in ends[1] if low + high == 100 and low < high}
    if not said or any(abs(one - 100 * level) < 1e-6 for one in said):
        return []
    return [Doubt("names", f"these columns seem to hold the ends of {max(said):g}% intervals, not {100 * level:g}%",
                  f"{lower}, {upper}", None, f"add --level {max(said) / 100:g}")]  # fmt: skip


def doubts_of_counts(
    labels: Sequence[str], events: np.ndarray, total: np.ndarray, total_names: Sequence[str], grouped: bool = False
) -> list[Doubt]:
    """Return what is doubtful about counts in two arms; ``grouped`` rows say themselves which belong together."""
    found = doubts_of_labels(labels, grouped)
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
    return same(_DOSE.sub("", label))


def doubts_of_labels(labels: Sequence[str], grouped: bool = False) -> list[Doubt]:
    """Return what is doubtful about names of rows; ``grouped`` rows say themselves which belong together."""
    found = [Doubt("total", "this row seems to pool the others", "label", label, "remove the row") for label in labels
             if is_total(label)]  # fmt: skip
    stems: dict[str, str] = {}
    for label in labels:
        other = stems.setdefault(_stem(label), label)
        if not grouped and other != label and _DOSE.search(label) and _DOSE.search(other):
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
        for tau2 in (0.0, tau2_by("DL", others, errors**2, np.ones((len(others), 1)))):
            weight = 1 / (errors**2 + tau2)
            gap = abs(y[i] - weight @ others / weight.sum()), abs(se[i] - weight.sum() ** -0.5)
            if gap[0] <= half[0] + 0.02 * se[i] and gap[1] <= half[1] + 0.01 * se[i] and half[1] < 0.1 * se[i]:
                return [Doubt("total", "this row is the weighted mean of the others, with its standard error", "label",
                              label, "remove the row")]  # fmt: skip
    return []


def half_digit(text: str) -> float:
    """Half of what the last digit written stands for.

    >>> half_digit("0.60"), half_digit("1e-3")
    (0.005, 0.0005)
    """
    match = re.match(r"[-+]?\d*\.?(\d*)(?:[eE]([-+]?\d+))?", text)
    return 0.5 * 10.0 ** (int(match[2] or 0) - len(match[1])) if match else 0.5
