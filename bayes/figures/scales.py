"""Axes as people read them: 490k and 2.4M, units in every title, logarithms said to be such."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import (
    FixedLocator,
    Formatter,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,  # fmt: skip
)

from bayes.figures.canvas import NORMAL, Page
from bayes.numbers import formed, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = ["RATIOS", "axis_title", "broken", "cell", "counts", "far_apart", "fitted", "linear", "logarithmic",
           "percent", "ratios", "times", "told_apart", "unit_note"]  # fmt: skip

RATIOS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
"""Ratios that an axis names."""
_NO_UNIT = ("number", "shape", "probability")
"""Units that are not written on an axis."""


def axis_title(words: str, unit: str = "", note: str = "") -> str:
    """Compose the title of an axis from words, unit and a note on its scale.

    >>> axis_title("Averted in year 10", "cases", "log scale")
    'Averted in year 10 (cases, log scale)'
    """
    inside = unit_note(unit, note)
    return f"{words} ({inside})" if inside else words


def unit_note(unit: str, note: str = "") -> str:
    """Write unit and note as they stand in the brackets of a title."""
    return ", ".join(part for part in ("" if unit in _NO_UNIT else unit, note) if part)


def broken(title: str) -> str:
    """Write the brackets of a title on a line of their own."""
    head, bracket, rest = title.rpartition(" (")
    return f"{head}\n({rest}" if bracket else title


def fitted(sheet: Page, title: str, mm: float) -> str:
    """Break a title into lines no wider than so many millimetres, before its brackets if that is enough."""
    lines = [title] if sheet.text_mm(title, NORMAL) <= mm else broken(title).split("\n")
    return "\n".join(part for line in lines for part in _parts(sheet, line, mm))


def _parts(sheet: Page, line: str, mm: float) -> list[str]:
    letters = max(8, int(len(line) * mm / max(sheet.text_mm(line, NORMAL), mm)))
    return textwrap.wrap(line, letters + 1)


def told_apart(values: Sequence[float]) -> list[str]:
    """Write the values of an axis so that no two read the same: in full where few digits do not tell them apart.

    >>> told_apart([1e6, 1.5e6]), told_apart([1_000_000_000, 1_000_000_001])
    (['1M', '1.5M'], ['1,000,000,000', '1,000,000,001'])
    """
    short = [number(value) for value in values]
    if len(set(short)) == len(set(values)):
        return short
    step = min(b - a for a, b in pairwise(sorted(set(values))))
    return [formed(value, f",.{max(0, -math.floor(math.log10(step)))}f") for value in values]


class _Told(Formatter):
    """Writes the ticks of an axis so that no two read the same."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return told_apart([float(value) for value in values])


class _Few(MaxNLocator):
    """As many ticks as asked for, and two where they are long to write."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        found = super().tick_values(vmin, vmax)
        long = max(map(len, told_apart([float(value) for value in found])), default=0) > 9
        return MaxNLocator(2, integer=self._integer).tick_values(vmin, vmax) if long else found  # type: ignore[attr-defined]


def counts(axis: Axis, ticks: int = 5, whole: bool = False) -> None:
    """Write a linear axis in thousands and millions, with ticks at whole numbers alone if need be."""
    axis.set_major_locator(_Few(ticks, steps=[1, 2, 5, 10] if whole else [1, 2, 2.5, 5, 10], integer=whole))
    axis.set_major_formatter(_Told())


def times(axis: Axis) -> None:
    """Write an axis of years or other whole times as they are said: 2026, not 2,026."""
    counts(axis, 5, whole=True)
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}".replace("-", "−")))


def logarithmic(axes: Axes, which: str, ticks: int = 8) -> None:
    """Make an axis logarithmic with a label at each power of ten (fewer if many) and minor ticks between."""
    getattr(axes, f"set_{which}scale")("log")
    axis: Any = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(10, numticks=ticks))
    axis.set_minor_locator(LogLocator(10, subs=tuple(range(2, 10)), numticks=ticks * 10))
    axis.set_major_formatter(_Told())
    axis.set_minor_formatter(NullFormatter())
    low, high = sorted(getattr(axes, f"get_{which}lim")())
    if low > 0 and math.log10(high / low) < 1.5:
        _few(axis, low, high)


def _few(axis: Axis, low: float, high: float) -> None:
    """Label 1, 2, 5 of each decade where the axis spans little more than one."""
    shown = [m * 10.0**e for e in range(-12, 13) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    if len(shown) < 2:
        counts(axis, 3)
        axis.set_minor_locator(NullLocator())
        return
    axis.set_major_locator(FixedLocator(shown))


def ratios(axes: Axes, low: float, high: float, choice: Sequence[float] = RATIOS) -> None:
    """Make the x axis logarithmic for ratios, with a few plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator([t for t in choice if low <= t <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def linear(table: pd.DataFrame) -> bool:
    """Whether estimates of a table are differences; they are ratios where nothing is said."""
    return "axis" in table and str(table["axis"].iloc[0]) == "linear"


def far_apart(table: pd.DataFrame) -> bool:
    """Whether intervals are all above zero and span so much that their axis is logarithmic."""
    return bool((table["lower"] > 0).all() and float(table["upper"].max()) > 30 * float(table["lower"].min()))


def percent(axis: Axis) -> None:
    """Write shares as per cent."""
    axis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def cell(row: pd.Series[Any], value: str, error: str = "") -> str:
    """Write a number of a table with the digits that its Monte Carlo error supports."""
    return number(float(row[value]), row.get(error) if error else 0.0)
