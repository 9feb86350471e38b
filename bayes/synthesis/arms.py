"""Tables with a line for each arm, as tables with a line for each comparison.

Of each trial, each arm but the comparator is compared with it. Where a trial has several such arms, its rows share the
comparator, whose people are counted once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bayes.errors import EvidenceError, UsageError, check_word
from bayes.sheets import Sheet

__all__ = ["COMPARED", "TRIAL", "paired"]

COMPARED = "{} of the comparator"
"""Name of a comparator's column."""

TRIAL = "trial of the comparator"
"""Column that names the comparator of each row."""

_PLAIN = re.compile(
    r"(placebo|control|controls|ctrl|comparator|usual care|standard( of)? care|soc|tau|no treatment|untreated|kontrolle"
    r"|témoin|0)",
    re.IGNORECASE,
)


def paired(sheet: Sheet, trial: str, arm: str, comparator: str | None, numbers: Sequence[str]) -> Sheet:
    """Return a sheet with a line for each arm that is compared, and its comparator beside it.

    Parameters
    ----------
    trial, arm
        Columns that name the trial and the arm of a line.
    comparator
        Name of the arm with which the others are compared; by default the one that every trial has and that is called
        placebo, control or the like.
    numbers
        Columns that are wanted of both: the comparator's are called by :data:`COMPARED`.

    Raises
    ------
    EvidenceError, UsageError
        If an arm has no name or stands twice in its trial, a trial has no comparator, or none can be told.
    """
    names, trials = sheet.column(arm), _filled(sheet, trial)
    by_trial: dict[str, dict[str, int]] = {}
    for i, (one, name) in enumerate(zip(trials, names, strict=True)):
        if not name or name in by_trial.get(one, {}):
            raise EvidenceError("an arm stands once in its trial, with its name", file=sheet.path, key=arm,
                                table=f"line {sheet.lines[i]}", found=name, fix="name each arm")  # fmt: skip
        by_trial.setdefault(one, {})[name] = i
    versus = _comparator(sheet, arm, comparator, list(by_trial.values()))
    pairs, labels, groups = [], [], []
    for one, arms in by_trial.items():
        if versus not in arms or len(arms) < 2:
            raise EvidenceError("each trial has the comparator and another arm", file=sheet.path, key=arm,
                                table=f"trial {one}", found=list(arms), allowed=versus,
                                fix="add the arm, or remove the trial")  # fmt: skip
        others = [name for name in arms if name != versus]
        pairs += [(arms[name], arms[versus]) for name in others]
        labels += [one if len(others) == 1 else f"{one}: {name}" for name in others]
        groups += [one] * len(others)
    columns: dict[str, tuple[str, ...]] = {
        name: tuple(texts[i] for i, _ in pairs) for name, texts in sheet.columns.items() if name not in (trial, arm)
    }
    columns |= {COMPARED.format(name): tuple(sheet.column(name)[j] for _, j in pairs) for name in numbers}
    columns = {trial: tuple(labels), arm: tuple(names[i] for i, _ in pairs), TRIAL: tuple(groups), **columns}
    note = f"arms are compared with {versus}"
    return replace(sheet, columns=columns, lines=tuple(sheet.lines[i] for i, _ in pairs), notes=(*sheet.notes, note))


def _filled(sheet: Sheet, trial: str) -> list[str]:
    """Names of trials, none of them empty."""
    texts = sheet.column(trial)
    for line, text in zip(sheet.lines, texts, strict=True):
        if not text:
            raise EvidenceError("an arm has no trial", file=sheet.path, key=trial, table=f"line {line}",
                                fix="write the trial on each of its lines")  # fmt: skip
    return list(texts)


def _comparator(sheet: Sheet, arm: str, asked: str | None, trials: Sequence[Mapping[str, int]]) -> str:
    """The arm with which the others are compared."""
    names = list(dict.fromkeys(name for arms in trials for name in arms))
    if asked is not None:
        check_word(asked, names, "there is no such arm", key="--comparator")
        return asked
    found = [name for name in names if _PLAIN.fullmatch(name) and all(name in arms for arms in trials)]
    if len(found) != 1:
        raise UsageError("it cannot be told which arm is the comparator", file=sheet.path, key=arm, found=names[:6],
                         allowed="--comparator NAME", fix="name it")  # fmt: skip
    return found[0]
