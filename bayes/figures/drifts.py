"""How effects and drift differ between settings, and how much the between-setting sd was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import letter
from bayes.figures.scales import ratios
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["heterogeneity"]

COLUMNS = ("layer", "panel", "label", "estimate", "lower", "upper", "prob", "kind", "group", "x", "y")
_WORDS = {"effect": "Effect", "drift": "Change of comparators (drift)"}


@checked
def heterogeneity(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the effects by setting, the drift by setting, and prior and posterior of both between-setting sds.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.heterogeneity` makes, or the fit of the joint model.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.heterogeneity(fit).savefig("heterogeneity.pdf")
    """
    table = finished(data, figuredata.heterogeneity, COLUMNS)
    names = list(dict.fromkeys(table["panel"]))
    most = max(_lines(table[table["panel"] == name]) for name in names)
    tall, short = 4.6 * most + 10, 30.0
    narrow_height = (tall + short) * len(names) + 4
    narrow = width_mm(width) < NARROW
    with page(table, width, style, narrow_height if narrow else tall + short + 4) as sheet:
        ratio = [tall, short] * len(names) if narrow else [tall, short]
        grid = sheet.figure.add_gridspec(len(ratio), 1 if narrow else len(names), height_ratios=ratio)
        for i, name in enumerate(names):
            part = table[table["panel"] == name]
            upper = sheet.figure.add_subplot(grid[2 * i, 0] if narrow else grid[0, i])
            lower = sheet.figure.add_subplot(grid[2 * i + 1, 0] if narrow else grid[1, i])
            _settings(sheet, upper, part, "ac"[i], _limits(table))
            _sd(sheet, lower, part, "bd"[i])
        sheet.figure.caption = caption(
            table,
            "Between-setting variation of the effect and of the drift.",
            "a, c: ratio in each setting (posterior), the mean over settings and a new setting; logarithmic axes. "
            "b, d: prior (grey) and posterior (blue) of the between-setting standard deviation of log ratios.",
        )
    return sheet.figure


def _lines(table: pd.DataFrame) -> int:
    return len(table.loc[table["layer"].isin(["setting", "mean", "new"]), ["layer", "label"]].drop_duplicates()) + 1


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    return max(0.05, 0.9 * float(table["lower"].where(table["layer"] != "interval").min())), min(
        20.0, 1.1 * float(table["upper"].where(table["layer"] != "interval").max())
    )


def _settings(sheet: Page, axes: Axes, table: pd.DataFrame, mark: str, limits: tuple[float, float]) -> None:
    ratios(axes, *limits)
    axes.axvline(1, color=sheet.palette.muted, linewidth=0.6)
    settings = list(dict.fromkeys(table.loc[table["layer"] == "setting", "label"]))
    heights: dict[tuple[str, str], float] = {("setting", str(name)): -float(i) for i, name in enumerate(settings)}
    for layer in ("mean", "new"):
        for label in dict.fromkeys(table.loc[table["layer"] == layer, "label"]):
            heights[layer, str(label)] = -float(len(heights)) - 0.4
    shown = table[table["layer"].isin(["setting", "mean", "new"])]
    for row in shown.sort_values("prob", ascending=False).itertuples():
        _bar(sheet, axes, row, heights[str(row.layer), str(row.label)], float(shown["prob"].max()))
    axes.set_yticks(list(heights.values()), [label for _, label in heights])
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    axes.set_ylim(min(heights.values()) - 0.6, 0.6)
    axes.axhline(-len(settings) + 0.3, color=sheet.palette.rule, linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Rate ratio (log scale)")
    letter(axes, mark, _WORDS.get(str(table["panel"].iloc[0]), str(table["panel"].iloc[0])))


def _bar(sheet: Page, axes: Axes, row: Any, y: float, widest: float) -> None:
    colour = sheet.palette.main if row.layer == "setting" else sheet.palette.accent
    axes.plot(
        [row.lower, row.upper],
        [y, y],
        color=colour,
        linewidth=0.9 if row.prob == widest else 2.6,
        solid_capstyle="butt",
        gid=f"interval {row.layer}",
    )
    if row.prob != widest:
        axes.plot(
            [row.estimate],
            [y],
            marker="o",
            markersize=3.4,
            color="white",
            markeredgecolor=colour,
            markeredgewidth=0.9,
            zorder=5,
            gid=f"estimate {row.layer}",
        )


def _clear(curves: pd.DataFrame, group: str) -> int:
    """Where a density stands highest above the other, away from the ends of the axis: words above it cross nothing."""
    heights = {str(name): part["y"].to_numpy() for name, part in curves.groupby("group")}
    own = heights.pop(group)
    free = own - next(iter(heights.values()), 0.0)
    first, last = int(0.05 * len(own)), int(0.7 * len(own))
    return first + int(free[first:last].argmax())


def _sd(sheet: Page, axes: Axes, table: pd.DataFrame, mark: str) -> None:
    curves = table[table["layer"] == "density"]
    for group, colour in (("prior", sheet.palette.prior), ("posterior", sheet.palette.main)):
        part = curves[curves["group"] == group]
        if part.empty:
            continue
        axes.plot(
            part["x"], part["y"], color=colour, linestyle="-" if group == "posterior" else (0, (4, 1.5)), gid=group
        )
        if group == "posterior":
            axes.fill_between(part["x"], part["y"], color=sheet.palette.bands[0], linewidth=0)
        at = part.iloc[_clear(curves, group)]
        axes.annotate(
            group,
            (float(at["x"]), float(at["y"])),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=SMALL,
            color=colour if group == "posterior" else sheet.palette.muted,
        )
    axes.set_xlim(0, float(curves["x"].max()))
    axes.set_ylim(0, 1.1 * float(curves["y"].max()))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("Density")
    axes.set_xlabel("sd between settings (log ratio)", fontsize=NORMAL)
    letter(axes, mark)
