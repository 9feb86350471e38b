"""``heterogeneity``: how effects and drift differ between settings, and how much that spread was learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page
from bayes.figures.marks import LINE, bare, circle, letter, segment, spaced, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import ratios
from bayes.figures.tabulation import (
    KIND,
    Floats,
    Rows,
    available,
    density,
    draws_of,
    exactly,
    group,
    intervals,
    outline,
    stamped,  # fmt: skip
)
from bayes.heroin.figures._forest import RATIO
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from xarray import Dataset

__all__ = ["FIGURE"]

_WORDS = {"effect": "Effect", "drift": "Change of comparators (drift)"}
LETTERS = 30
"""Letters on a line of the name of a setting."""
SHORT = 30.0
"""Height of a panel of spreads in mm."""


@checked
def heterogeneity_table(fit: Fit, *, exact: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Tabulate how effects and drift differ between settings.

    Parameters
    ----------
    fit
        The fit of the joint model.
    exact
        Distributions of priors that are known, by name, as SciPy freezes them; smoothed draws are drawn otherwise.

    Returns
    -------
    DataFrame
        ``panel`` effect or drift. Layers ``setting`` (one row and prob each: estimate, lower, upper), ``mean`` and
        ``new`` for the mean and a new setting, all as ratios; ``density`` (x, y) of the between-setting sd (log scale),
        ``group`` prior or posterior.
    """
    fit = fit_from(fit)
    post, prior = group(fit, "posterior"), group(fit, "prior")
    available(post, ("effect", "mu_theta", "tau_theta", "theta_new"))
    rows: Rows = []
    for panel, sign in (("effect", "theta"), ("drift", "gamma")):
        if f"mu_{sign}" not in post:
            continue
        found = _settings(post, sign)
        for layer, label, name in (("mean", "Mean over settings", f"mu_{sign}"), ("new", "New setting", f"{sign}_new")):
            found += [{"layer": layer, "label": label, **row} for row in _bars(draws_of(post[name]))]
        rows += [{"panel": panel, **row} for row in [*found, *_tau(prior, post, f"tau_{sign}", exact or {})]]
    return stamped(rows, fit, ("panel", "label", "unit", "estimate", "lower", "upper", "prob", "kind"))


def _settings(post: Dataset, sign: str) -> Rows:
    labels = [str(v) for v in post["group_effect"].values if str(v).startswith(f"{sign}: ")]
    series = {name.split(": ", 1)[1]: draws_of(post["effect"].sel(group_effect=name)) for name in labels}
    ordered = sorted(series, key=lambda n: float(np.median(series[n])))
    return [{"layer": "setting", "label": name, **row} for name in ordered for row in _bars(series[name])]


def _bars(log: Floats) -> Rows:
    middle = float(np.exp(np.median(log)))
    return [{"estimate": middle, "lower": float(np.exp(row["lower"])), "upper": float(np.exp(row["upper"])),
             "prob": row["prob"], "kind": KIND, "unit": RATIO}
            for row in intervals(log, (0.5, 0.95)) if row["layer"] == "interval"]  # fmt: skip


def _tau(prior: Dataset, post: Dataset, name: str, exact: Mapping[str, Any]) -> Rows:
    groups = {"prior": draws_of(prior[name])} if name in prior else {}
    groups["posterior"] = draws_of(post[name])
    high = max(interval(values, 0.98, KIND)[1] for values in groups.values())
    rows: Rows = []
    for which, values in groups.items():
        curve = outline(values, 0.0, high, density, bars=False)
        known = which == "prior" and name in exact
        rows += [{"group": which, **row} for row in (exactly(curve, values, exact[name], False) if known else curve)]
    return [{**row, "label": name, "unit": "log sd"} for row in rows]


def _tall(table: pd.DataFrame) -> float:
    """Height of a panel of settings in mm."""
    shown = table[table["layer"].isin(["setting", "mean", "new"])]
    lines = shown[["panel", "layer", "label"]].drop_duplicates().groupby("panel").size()
    panels = (part["label"].drop_duplicates() for _, part in shown.groupby("panel"))
    each = max(spaced([wrapped(str(label), LETTERS) for label in labels]) for labels in panels)
    return max(4.6, LINE * each + 0.6) * (int(lines.max()) + 1) + 10


def _height(table: pd.DataFrame, width: float) -> float:
    return (_tall(table) + SHORT) * (table["panel"].nunique() if width < NARROW else 1) + 4


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["panel"]))
    heights = [_tall(table), SHORT] * (len(names) if sheet.narrow else 1)
    grid = sheet.figure.add_gridspec(len(heights), 1 if sheet.narrow else len(names), height_ratios=heights)
    limits = max(0.05, 0.9 * float(table["lower"].min())), min(20.0, 1.1 * float(table["upper"].max()))
    for i, name in enumerate(names):
        part = table[table["panel"] == name]
        row, column = (2 * i, 0) if sheet.narrow else (0, i)
        upper, lower = (sheet.figure.add_subplot(grid[row + k, column]) for k in (0, 1))
        _draw_settings(sheet, upper, part, "ac"[i], limits)
        _draw_spread(sheet, lower, part, "bd"[i])


def _says(table: pd.DataFrame) -> str:
    new = table[(table["layer"] == "new") & (table["prob"] == table["prob"].max())]
    words = [_WORDS.get(str(row.panel), str(row.panel)) for row in new.itertuples()]
    told = [f"{word[0].lower()}{word[1:]} is {row.estimate:.2f} ({row.lower:.2f} to {row.upper:.2f})"
            for word, row in zip(words, new.itertuples(), strict=True)]  # fmt: skip
    return (
        f"In a new setting the {' and the '.join(told)}. "
        "Between-setting variation of the effect and of the drift. a, c: ratio "
        "in each setting (posterior), the mean over settings and a new setting; logarithmic axes. b, d: prior "
        "(dashed) and posterior (filled) of the between-setting standard deviation of log ratios."
    )


def _draw_settings(sheet: Page, axes: Axes, table: pd.DataFrame, mark: str, limits: tuple[float, float]) -> None:
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
    axes.set_yticks(list(heights.values()), [wrapped(label, LETTERS) for _, label in heights])
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    axes.set_ylim(min(heights.values()) - 0.6, 0.6)
    axes.axhline(-len(settings) + 0.3, color=sheet.palette.rule, linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Rate ratio (log scale)")
    letter(axes, mark, _WORDS.get(str(table["panel"].iloc[0]), str(table["panel"].iloc[0])))


def _bar(sheet: Page, axes: Axes, row: Any, y: float, widest: float) -> None:
    colour = sheet.palette.main if row.layer == "setting" else sheet.palette.series[0]
    segment(axes, row.lower, row.upper, y, colour, 0.9 if row.prob == widest else 2.6, f"interval {row.layer}")
    if row.prob != widest:
        circle(axes, (row.estimate, y), colour, size=3.4, gid=f"estimate {row.layer}")


def _clear(curves: pd.DataFrame, name: str) -> int:
    """Where a density stands highest above the other, away from the ends of the axis: words above it cross nothing."""
    heights = {str(key): part["y"].to_numpy() for key, part in curves.groupby("group")}
    own = heights.pop(name)
    free = own - next(iter(heights.values()), 0.0)
    first, last = int(0.05 * len(own)), int(0.7 * len(own))
    return first + int(free[first:last].argmax())


def _draw_spread(sheet: Page, axes: Axes, table: pd.DataFrame, mark: str) -> None:
    curves, colours = table[table["layer"] == "density"], sheet.palette
    look = {"prior": (colours.prior, (0, (4, 1.5)), colours.muted), "posterior": (colours.main, "-", colours.main)}
    for name, (colour, dash, ink) in look.items():
        part = curves[curves["group"] == name]
        if part.empty:
            continue
        axes.plot(part["x"], part["y"], color=colour, linestyle=dash, gid=name)
        if name == "posterior":
            axes.fill_between(part["x"], part["y"], color=colours.bands[0], linewidth=0)
        at = part.iloc[_clear(curves, name)]
        axes.annotate(name, (float(at["x"]), float(at["y"])), xytext=(3, 3), textcoords="offset points", fontsize=SMALL,
                      color=ink)  # fmt: skip
    axes.set_xlim(0, float(curves["x"].max()))
    axes.set_ylim(0, 1.2 * float(curves["y"].max()))
    bare(axes)
    axes.set_ylabel("Density")
    axes.set_xlabel("sd between settings (log ratio)", fontsize=NORMAL)
    letter(axes, mark, "Spread of it")


FIGURE = Figure(name="heterogeneity",
                title="How effects and drift differ between settings, and prior and posterior of both spreads.",
                needs=("fit",),
                columns=("layer", "panel", "label", "estimate", "lower", "upper", "prob", "kind", "group", "x", "y"),
                table=heterogeneity_table,
                of_run=lambda run: heterogeneity_table(run.fit, exact=run.laws),
                draw=_draw, says=_says, height=_height)  # fmt: skip
