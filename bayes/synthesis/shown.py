"""A synthesis in a terminal: one line for each trial, pooled lines below, a forest of characters beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayes.priortext import prior_text
from bayes.synthesis.answer import Synthesis
from bayes.synthesis.rows import LogRatios

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["bar", "notes", "synthesis_table"]

WIDTH = 22
"""Characters of the forest."""

_LARGE = 20.0
"""Effects that reach so far are shown with one decimal instead of two: they are no log ratios."""

POOLED = {"mu": "pooled mean, mu", "theta_new": "new one, theta_new", "tau": "sd between them, tau"}


def synthesis_table(found: Synthesis, wide: bool = True) -> Table:
    """Return the table, at most 100 columns wide; without its forest, at most 80."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    mark = "" if found.verdict.passed else "  [DIAGNOSTICS FAILED: do not use]"
    table = Table(title=f"{found.rows.scale.capitalize()}s, {found.effects} effects{mark}", box=box.SIMPLE_HEAD,
                  padding=0)  # fmt: skip
    table.add_column("", width=22)
    titles = {_observed_title(found): 13, "median": 6, "95% range": 15, "P(<0)": 5, "less it": 7}
    for title, width in titles.items():
        table.add_column(title, justify="right", width=width)
    low, high = _axis(found)
    digits = 1 if max(-low, high) >= _LARGE else 2
    if wide:
        table.add_column(
            f"{low:.{digits}f}{high:>{WIDTH - len(f'{low:.{digits}f}')}.{digits}f}", width=WIDTH, no_wrap=True
        )
    for i, label in enumerate(found.rows.labels):
        one = {key: float(np.asarray(values)[i]) for key, values in found.numbers["theta"].items()}
        less = found.left_out.get(label)
        without = "" if less is None else f"{float(less['mu']['q50']):.{digits}f}"
        forest = [bar(one, low, high)] if wide else []
        table.add_row(Text(label), _observed(found, i, digits), *_cells(one, digits), without, *forest,
                      end_section=i + 1 == len(found.rows.labels))  # fmt: skip
    for name, words in POOLED.items():
        one = {key: float(value) for key, value in found.numbers[name].items()}
        pooled = "" if name == "tau" else bar(one, low, high, "◆")
        table.add_row(words, "", *_cells(one, digits, name != "tau"), "", *([pooled] if wide else []))
    return table


def _remedy(found: Synthesis) -> str:
    """What to try where the diagnostics failed."""
    draws = 4 * int(found.fit["posterior"].sizes["draw"])
    tighter = "" if found.tau is None else ", or a tighter --tau 'HalfNormal(0.3)'"
    return f"Do not use these numbers. Try --draws {draws}{tighter}."


def notes(found: Synthesis) -> list[str]:
    """Return what a reader must know to read the table."""
    tau = "tau = 0 (common effects)" if found.tau is None else f"tau ~ {prior_text(found.tau)}"
    lines = [] if found.verdict.passed else [_remedy(found)]
    lines += [f"Priors: mu ~ {prior_text(found.mu)}, {tau}.",
             "Medians and ranges are of each trial's own effect, shrunken; ranges are 95% equal-tailed credible "
             "intervals. 'less it' is the median of mu without that row."]  # fmt: skip
    if found.exact is None:
        reason = "binomial counts leave" if not isinstance(found.rows, LogRatios) else "heavy-tailed effects leave"
        lines.append(f"Computed by MCMC: {reason} no one-dimensional integral.")
    else:
        last = found.verdict.checks[-1]
        lines.append(f"Computed by quadrature, exact to the digits shown; by MCMC too: {last.text}.")
    for prior in (found.mu, found.tau):
        if prior is not None and prior.note:
            lines.append(f"{prior.name}: {prior.note}.")
    return lines


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


def _observed_title(found: Synthesis) -> str:
    return "observed (se)" if isinstance(found.rows, LogRatios) else "events/people"


def _observed(found: Synthesis, i: int, digits: int) -> str:
    rows = found.rows
    if isinstance(rows, LogRatios):
        return f"{rows.y[i]:.{digits}f} ({rows.se[i]:.{digits}f})"
    return "\n".join(f"{rows.events[i, arm]}/{rows.total[i, arm]}" for arm in (0, 1))


def _cells(one: Mapping[str, float], digits: int, signed: bool = True) -> tuple[str, str, str]:
    """Median, range, and the probability of a negative value, never rounded to certainty."""
    p = one["p_lt_0"]
    shown = "" if not signed else ">0.99" if p > 0.99 else "<0.01" if p < 0.01 else f"{p:.2f}"
    return f"{one['q50']:.{digits}f}", f"{one['q2.5']:.{digits}f} to {one['q97.5']:.{digits}f}", shown
