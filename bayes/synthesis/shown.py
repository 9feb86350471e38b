"""A synthesis in a terminal: one line for each trial, pooled lines below, a forest of characters beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.families import quantile
from bayes.numbers import chance, formed, ranged
from bayes.priortext import prior_text
from bayes.synthesis.answer import Synthesis
from bayes.synthesis.classical import Classical
from bayes.synthesis.rows import BASELINE_OF, Counts, LogRatios, Rates
from bayes.synthesis.tables import interval
from bayes.words import capital

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["bar", "notes", "synthesis_table"]

WIDTH = 22
"""Characters of the forest."""

WHOLE = 100
"""Columns of a terminal that take the whole table."""

LEAST_LABEL = 14
"""Characters of a label for which columns are left out."""

POOLED = {"mu": "pooled mean, mu", "theta_new": "new one, theta_new", "tau": "sd between them, tau"}


def synthesis_table(found: Synthesis, width: int = WHOLE) -> Table:
    """Return the table, as wide as a terminal; below :data:`WHOLE` columns without its forest, then without others.

    What has no room is named below the table: first the median without a row, then what was observed.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    found = _ranged(found)
    mark = "" if found.verdict.passed else "  [DIAGNOSTICS FAILED: do not use]"
    low, high = _axis(found)
    lines = [*_trial_lines(found), *_pooled_lines(found)]
    counted = f"events/{'time' if isinstance(found.rows, Rates) else 'people'}"
    observed = "observed (se)" if isinstance(found.rows, LogRatios) else counted
    titles = ("", observed, "median", f"{100 * found.ranges[0]:g}% range", "probability below zero",
              "median without it")  # fmt: skip
    widths = _widths([cells for cells, _ in lines], width)
    left = "; ".join(title for i, title in enumerate(titles)
                     if i not in widths and any(cells[i] for cells, _ in lines))  # fmt: skip
    table = Table(title=f"{capital(what_is_pooled(found))}{mark}", box=box.SIMPLE_HEAD,
                  padding=0, caption=f"In a wider terminal: {left}." if left else None)  # fmt: skip
    for i, letters in widths.items():
        table.add_column(titles[i], justify="right" if i else "left", width=letters)
    wide = width >= WHOLE
    if wide:
        start, end = (ranged(end, high - low) for end in (low, high))
        table.add_column(f"{start}{end:>{WIDTH - len(start)}}", width=WIDTH, no_wrap=True)
    for number, (cells, one) in enumerate(lines, 1):
        mine = "●" if number <= len(found.rows.labels) else "◆"
        forest = [bar(one, low, high, mine) if one else ""] if wide else []
        table.add_row(*(Text(cells[i]) for i in widths), *forest, end_section=number == len(found.rows.labels))
    return table


def _widths(lines: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Widths of the columns for which a terminal has room, by their place; the label takes what is left."""
    widths = {i: max(least, *(len(part) for cells in lines for part in cells[i].split("\n")))
              for i, least in ((1, 13), (2, 6), (3, 15), (4, 11), (5, 7))
              if any(cells[i] for cells in lines)}  # fmt: skip
    for i in (5, 1, 4):
        if i in widths and LEAST_LABEL + sum(widths.values()) + len(widths) + 2 > width:
            del widths[i]
    label = 68 - sum(widths.values()) if width >= WHOLE else min(22, width - 2 - sum(widths.values()) - len(widths))
    return {0: max(label, 8), **widths}


def _ranged(found: Synthesis) -> Synthesis:
    """The same with intervals of the kind and probability that are shown."""
    prob, kind = found.ranges
    if (prob, kind) == (0.95, "eti"):
        return found
    numbers = {}
    for name, one in found.numbers.items():
        kept = name == "omega" and found.exact is not None
        ends = [one["q2.5"], one["q97.5"]] if kept else interval(found, name, prob, kind)
        low, high = (np.reshape(end, np.shape(one["q50"])) for end in ends)
        numbers[name] = {**one, "q2.5": low, "q97.5": high}
    if found.exact is None:
        return replace(found, chains=numbers)
    return replace(found, exact=replace(found.exact, numbers=numbers))


type Line = tuple[list[str], Mapping[str, float]]
"""Cells of a line, and the numbers of its bar."""


def _trial_lines(found: Synthesis) -> list[Line]:
    lines: list[Line] = []
    for i, label in enumerate(found.rows.labels):
        one, less = found.one("theta", i), found.left_out.get(label)
        without = "" if less is None else ranged(float(less["mu"]["q50"]), _width(less["mu"]))
        lines.append(([label, _observed(found, i), *_cells(one), without], one))
    return lines


def _pooled_lines(found: Synthesis) -> list[Line]:
    """What is pooled, the spread within studies, slopes, and predictions at named places."""
    lines = [_line(words, found.one(name), name != "tau", name != "tau") for name, words in POOLED.items()]
    if "omega" in found.numbers:
        lines.append(_line("sd within them, omega", found.one("omega"), signed=False))
    if found.regression is not None:
        lines += [_line(f"slope of {name}", found.one("slope", i)) for i, name in enumerate(found.rows.moderators)]
        lines += [_line(f"{words} at {name}", found.one(key, i), drawn=True)
                  for i, name in enumerate(found.regression.at)
                  for words, key in (("mean", "at"), ("new one", "at_new"))]  # fmt: skip
    return lines


def _line(words: str, one: Mapping[str, float], signed: bool = True, drawn: bool = False) -> Line:
    return [words, "", *_cells(one, signed), ""], one if drawn else {}


def what_is_pooled(found: Synthesis) -> str:
    """Return what rows hold and how their effects differ: ``log ratios, random effects``."""
    scale = found.rows.scale
    return f"{scale if scale.endswith('s') else f'{scale}s'}, {found.effects} effects"


def _width(one: Mapping[str, Any]) -> float:
    return float(one["q97.5"]) - float(one["q2.5"])


WITHOUT = "'Median without it' is that of mu without the row."
"""What a reader must know of a column of the table."""


def notes(found: Synthesis) -> list[str]:
    """Return what a reader must know to read the table."""
    priors = found.priors
    tau = "tau = 0 (common effects)" if found.tau is None else f"tau ~ {priors['tau']}"
    lines = [f"Rows: {found.rows.source}."] if found.rows.source else []
    omega = "" if found.omega is None else f", omega ~ {priors['omega']}"
    slope = "" if found.regression is None else f", each slope ~ {priors['slope']}"
    lines += [f"Priors: mu ~ {priors['mu']}, {tau}{omega}{slope}.",
             f"Medians and ranges are of each trial's own effect, shrunken; ranges are {_kind(found)} credible "
             "intervals."]  # fmt: skip
    lines += [WITHOUT] if found.left_out else []
    lines += [_baseline(found.rows)] if isinstance(found.rows, Counts) and found.rows.arms == 2 else []
    lines += _computed(found)
    for name, prior in (("mu", found.mu), ("tau", found.tau)):
        if prior is not None and prior.note:
            lines.append(f"{name}: {prior.note}.")
    lines += _moderated(found)
    if found.classical is not None:
        lines += ["", *classical_lines(found.classical)]
        lines += ["Classical numbers take the rows of one study as independent."] if found.rows.study else []
    return [*_remedy(found), *lines]


def _moderated(found: Synthesis) -> list[str]:
    """What mu is where there are moderators, and how much a few rows can tell of them."""
    if found.regression is None:
        return []
    centres = zip(found.rows.moderators, found.regression.centre.tolist(), strict=True)
    numeric = [f"{name} = {formed(centre, '.4g')}" for name, centre in centres
               if " = " not in name]  # fmt: skip
    at = [*numeric, *(f"{name} = {levels[0]}" for name, levels in found.rows.levels.items())]
    few = len(found.rows.labels) / len(found.rows.moderators)
    told = f"; {few:.0f} rows for each moderator tell little of it." if few < 10 else "."
    slope = {key: np.asarray(values).tolist() for key, values in found.numbers["slope"].items()}
    width = [(high - low) / 40 for low, high in zip(slope["q2.5"], slope["q97.5"], strict=True)]
    slopes = zip(found.rows.moderators, slope["mean"], slope["sd"], width, strict=True)
    means = [f"{name} {ranged(mean, fine)} ({ranged(sd, fine)})" for name, mean, sd, fine in slopes]
    return [f"Posterior mean (sd) of each slope: {'; '.join(means)}.",
            f"mu and theta_new are those at {', '.join(at)}. Differences between trials were not randomised: a slope "
            f"is an association{told}"]  # fmt: skip


def classical_lines(one: Classical) -> list[str]:
    """Return the classical numbers as lines, headed as such.

    Examples
    --------
    >>> from bayes.synthesis import LogRatios
    >>> from bayes.synthesis.classical import classical
    >>> rows = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> classical_lines(classical(rows))[1]
    'Q = 1.98 on 2 df, p = 0.371; I2 = 0.0%, H2 = 1.00 (REML). tau2: REML 0, DL 0, PM 0.'
    """
    width = one.interval[1] - one.interval[0]

    def ends(pair: tuple[float, float]) -> str:
        return " to ".join(ranged(end, width) for end in pair)

    p = "p < 0.001" if one.p < 0.001 else f"p = {one.p:.3f}"
    tau2 = ", ".join(
        f"{name} {value:.2g}" if value < 0.1 else f"{name} {value:.3f}" for name, value in one.tau2.items()
    )
    return ["Classical (no prior; confidence intervals, not credible ones):",
            f"Q = {one.q:.2f} on {one.df} df, {p}; I2 = {one.i2:.1%}, H2 = {one.h2:.2f} (REML). tau2: {tau2}.",
            f"Random effects: mean {ranged(one.mean, width)} ({one.prob:.0%}: {ends(one.interval)}; Knapp-Hartung "
            f"{ends(one.knapp_hartung)}), prediction interval {ends(one.prediction)}. Common effect: "
            f"{ranged(one.common, width)} ({ends(one.common_interval)})."]  # fmt: skip


def _kind(found: Synthesis) -> str:
    prob, kind = found.ranges
    return f"{100 * prob:g}% {'highest-density' if kind == 'hdi' else 'equal-tailed'}"


def _remedy(found: Synthesis) -> list[str]:
    """What to do where the verdict is that the numbers are not to be used."""
    if found.verdict.passed:
        return []
    if found.exact is not None:
        return ["Do not use these numbers: the quadrature has not settled, or sound draws contradict it."]
    draws = 4 * int(0 if found.fit is None else found.fit["posterior"].sizes["draw"])
    return [f"Do not use these numbers. Try --draws {draws}; where draws still diverge, they miss a part of the "
            "posterior, and no numbers can be quoted."]  # fmt: skip


def _baseline(rows: Counts) -> str:
    """What the prior of a trial's baseline is and assumes."""
    prior = rows.baseline_prior
    ends = [1 / (1 + math.exp(-quantile(prior.family, prior.parameters, p))) for p in (0.025, 0.975)]
    return (f"Baseline: the log odds of {BASELINE_OF[rows.baseline_of]} ~ {prior_text(prior)}, for each trial by "
            f"itself (95% of it: risks from {ends[0]:.2g} to {1 - float(f'{1 - ends[1]:.2g}'):.6g}). Where events are "
            "few it weighs on mu: see how much with another --baseline, or with --baseline-of.")  # fmt: skip


def _computed(found: Synthesis) -> list[str]:
    """How the numbers came about, and how far they can be trusted."""
    if found.exact is None:
        reason = "heavy-tailed effects" if found.effects == "t" else "counts with moderators, studies or a comparator"
        more = "" if found.effects == "t" else " in common"
        return [f"Computed by MCMC: {reason}{more} leave no one-dimensional integral."]
    exact = ("exact to the digits shown: doubling its nodes changes none of them" if found.exact.converged
             else found.verdict.checks[0].text)  # fmt: skip
    if found.cross_check is None:
        return [f"Computed by quadrature, {exact}."]
    *trouble, agreement = found.cross_check.checks
    failed = [f"{one.name}: {one.text}" for one in trouble if not one.passed]
    if not failed:
        return [f"Computed by quadrature, {exact}. By MCMC too: {agreement.text}."]
    return [f"Computed by quadrature, {exact}.", "The sampler that was to cross-check it had trouble, which the "
            f"numbers above do not rest on ({'; '.join(failed)})."]  # fmt: skip


def bar(numbers: Mapping[str, float], low: float, high: float, mark: str = "●") -> str:
    """Draw an interval with its median on a line of :data:`WIDTH` characters, and zero where it stands.

    >>> bar({"q2.5": -1.0, "q50": 0.0, "q97.5": 1.0}, -2.0, 2.0)
    '     ─────●──────     '
    """

    def at(value: float) -> int:
        return int(np.clip(round((value - low) / (high - low) * (WIDTH - 1)), 0, WIDTH - 1))

    line = [" "] * WIDTH
    if low <= 0 <= high:
        line[at(0.0)] = "┆"
    left, right = at(numbers["q2.5"]), at(numbers["q97.5"])
    line[left : right + 1] = "─" * (right - left + 1)
    line[at(numbers["q50"])] = mark
    return "".join(line)


def _axis(found: Synthesis) -> tuple[float, float]:
    ends = [np.concatenate([np.atleast_1d(found.numbers[name][key]) for name in ("theta", "mu", "theta_new")])
            for key in ("q2.5", "q97.5")]  # fmt: skip
    low, high = min(float(ends[0].min()), 0.0), max(float(ends[1].max()), 0.0)
    return low, high if high > low else low + 1.0


def _observed(found: Synthesis, i: int) -> str:
    rows = found.rows
    if isinstance(rows, LogRatios):
        y, se = float(rows.y[i]), float(rows.se[i])
        return f"{ranged(y, 4 * se)} ({ranged(se, 4 * se)})"
    whole = rows.time if isinstance(rows, Rates) else rows.total
    return "\n".join(f"{rows.events[i, arm]}/{whole[i, arm]:.12g}" for arm in range(rows.arms))


def _cells(one: Mapping[str, float], signed: bool = True) -> tuple[str, str, str]:
    """Median, range, and the probability of a negative value, never rounded to certainty."""
    shown = chance(one["p_lt_0"]) if signed else ""
    low, middle, high = (ranged(one[key], _width(one)) for key in ("q2.5", "q50", "q97.5"))
    return middle, f"{low} to {high}", shown
