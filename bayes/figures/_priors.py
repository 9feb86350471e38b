"""``priors``: prior against posterior of each quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.figures.canvas import NARROW, SMALL, Page
from bayes.figures.marks import LINE, bare, filled, reach, shape, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import cell, counts, logarithmic, unit_note
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
    log_density,
    outline,
    precision,
    sampled,
    stamped,
    whole,
    whole_ends,
    wide,  # fmt: skip
)
from bayes.numbers import natural
from bayes.summaries import element_names, holds_draws, interval
from bayes.words import spaced

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from xarray import DataArray, Dataset, DataTree

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE"]

MUCH = 0.9
"""Standard deviation of a posterior over that of its prior below which the evidence narrows it."""
LETTERS = 24
"""Letters on a line of a title."""
MOST = 12
"""Elements of arrays that are shown where a fit has no scalar."""


@checked
def priors_table(
    fit: Fit, *, variables: Sequence[str] | None = None, labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None, exact: Mapping[str, Any] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate prior and posterior density of each scalar quantity.

    Parameters
    ----------
    fit
        Any fitted ``DataTree`` with groups ``prior`` and ``posterior``.
    variables
        By default the scalars that were sampled, or all that both groups share; of a fit without any, elements of its
        arrays.
    labels, units
        Words and units by variable; the name, and the variable's attribute ``unit``, otherwise.
    exact
        Distributions that are known by variable, as SciPy freezes them: their densities are drawn, where the prior
        draws are theirs, rather than smoothed draws.

    Returns
    -------
    DataFrame
        By variable and group: ``density`` (x, y, scaled so that the higher of the two peaks is 1; of whole numbers
        ``bar``, with ``width``); of the posterior ``interval`` and ``median``; ``scale`` says whether the axis is
        logarithmic.

    Raises
    ------
    UsageError
        If a group or variable does not exist.
    """
    fit = fit_from(fit)
    prior, post = group(fit, "prior"), group(fit, "posterior")
    names = list(variables) if variables is not None else _shared(fit, prior, post)
    available(post, names)
    available(prior, names)
    rows: Rows = []
    for name in names:
        unit = (units or {}).get(name, post[name].attrs.get("unit", ""))
        for element, before, after in _elements(prior[name], post[name]):
            same = {"variable": element, "label": (labels or {}).get(element, element), "unit": unit}
            pair = _pair(draws_of(before), draws_of(after), precision(after), (exact or {}).get(element))
            rows += [{**row, **same} for row in pair]
    if not rows:
        raise UsageError("no variable has draws in both groups", key="variables",
                         found=[str(v) for v in post.data_vars])  # fmt: skip
    return stamped(rows, fit, ("variable", "label", "unit", "group", "scale"))


def _shared(fit: DataTree, prior: Dataset, post: Dataset) -> list[str]:
    known = sampled(fit)
    both = [str(n) for n, a in post.data_vars.items() if n in prior and holds_draws(a) and holds_draws(prior[n])]
    scalars = [n for n in both if set(post[n].dims) == {"chain", "draw"} and (known is None or n in known)]
    return scalars or [n for n in both if post[n].size <= MOST * post.sizes["chain"] * post.sizes["draw"]][:MOST]


def _elements(prior: DataArray, post: DataArray) -> Iterator[tuple[str, DataArray, DataArray]]:
    """The elements of a variable, each by its name."""
    dims = [d for d in post.dims if d not in ("chain", "draw")]
    for name, index in zip(element_names(post), np.ndindex(*(post.sizes[d] for d in dims)), strict=True):
        at = dict(zip(dims, map(int, index), strict=True))
        yield name, prior.isel(at), post.isel(at)


def _pair(before: Floats, after: Floats, errors: Mapping[str, float], law: Any = None) -> Rows:
    log = wide(before) and after.min() > 0
    ends = np.array([interval(before, 0.98, KIND), interval(after, 0.99, KIND)])
    low, high = whole_ends(float(ends[:, 0].min()), float(ends[:, 1].max()), before, after)
    curve, counted = log_density if log else density, whole(before, after)
    groups = {"prior": before, "posterior": after}
    shapes = {name: outline(values, low, high, curve, counted) for name, values in groups.items()}
    if law is not None and not counted:
        shapes["prior"] = exactly(shapes["prior"], before, law, bool(log))
    peak = max(row["y"] for rows in shapes.values() for row in rows)
    rows = [{**row, "y": row["y"] / peak, "group": name} for name in groups for row in shapes[name]]
    rows += [{**row, "group": "posterior", **errors} for row in intervals(after, (0.95,))]
    return [{**row, "scale": "log" if log else "linear"} for row in rows]


def _of_run(run: Gallery) -> pd.DataFrame:
    """The quantities in the words of the question, with the densities of declared priors."""
    words = run.words
    return priors_table(run.fit, labels=words.labels, units={**words.units, **run.units}, exact=run.laws)


def _grid(table: pd.DataFrame, width: float) -> tuple[int, int]:
    names = table["variable"].nunique()
    across = min(names, max(1, round(width / 36)))
    return -(-names // across), across


def _height(table: pd.DataFrame, width: float) -> float:
    third = 3.0 if any(natural(0.0, str(unit)) for unit in table["unit"].unique()) else 0.0
    lines = max(wrapped(str(label), LETTERS).count("\n") for label in table["label"].unique())
    return 9.0 + ((20 if width < NARROW else 24) + third + LINE * max(0, lines - 1)) * _grid(table, width)[0]


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["variable"]))
    panels = np.ravel(sheet.figure.subplots(*_grid(table, sheet.width), squeeze=False))
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, names, strict=False):
        _panel(sheet, axes, table[table["variable"] == name])
    marks = {str(mark.get_gid()): mark for mark in (*panels[0].lines, *panels[0].collections, *panels[0].patches)}
    shown = [marks[name] for name in ("prior", "posterior", "bar") if name in marks]
    sheet.figure.legend(shown, ["prior", "posterior"], loc="outside upper left", ncols=2, borderaxespad=0.0)


def _says(table: pd.DataFrame) -> str:
    return (
        f"{_message(table)} Prior (dashed) and posterior (filled) of each quantity. Each panel is scaled to the higher "
        "of its two densities and states the posterior median and interval; axes marked log are logarithmic, with "
        "density per factor of ten. Logarithms of ratios are also written as factors (× 0.70), and log odds as per "
        "cent. Where the two curves coincide, no evidence speaks to the quantity."
    )


def _message(table: pd.DataFrame) -> str:
    """Whose posterior is narrowest beside its prior."""
    ratios = {}
    for label, part in shape(table).groupby("label", sort=False):
        after, before = (_spread(part[part["group"] == name]) for name in ("posterior", "prior"))
        ratios[spaced(str(label))] = after / before if before > 0 else 1.0
    first = min(ratios, key=ratios.__getitem__)
    return (
        f"The evidence narrows {first} most." if ratios[first] < MUCH else "The evidence narrows none of these by much."
    )


def _spread(curve: pd.DataFrame) -> float:
    """Standard deviation of a drawn distribution, on the scale of its axis."""
    x = np.log(curve["x"]) if str(curve["scale"].iloc[0]) == "log" else curve["x"]
    weights = curve["y"] * (curve["width"] if (curve["layer"] == "bar").any() else 1.0)
    return float(np.sqrt(np.cov(x, aweights=weights, ddof=0)))


def _outline(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """The dashed line of a prior's density, or the outline of its bars from edge to edge."""
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    if (rows["layer"] == "bar").any():
        half = rows["width"].to_numpy() / 2
        x, y = np.column_stack([x - half, x + half]).ravel(), np.repeat(y, 2)
    axes.plot(x, y, color=colour, linewidth=0.9, linestyle=(0, (4, 1.5)), gid="prior")


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    curves = shape(table)
    _outline(axes, curves[curves["group"] == "prior"], sheet.palette.prior)
    after = curves[curves["group"] == "posterior"]
    filled(axes, after, sheet.palette.bands[0], sheet.palette.main, thick=0.9, gid="posterior")
    axes.set_ylim(0, 1.05)
    axes.set_xlim(*reach(curves))
    bare(axes)
    log = str(table["scale"].iloc[0]) == "log"
    if log:
        logarithmic(axes, "x", ticks=4)
    else:
        counts(axes.xaxis, 3, whole=bool((curves["layer"] == "bar").any()))
    row, median = (table[(table["layer"] == name) & (table["group"] == "posterior")].iloc[0]
                   for name in ("interval", "median"))  # fmt: skip
    ends = f"{cell(row, 'lower', 'mcse_lower')} to {cell(row, 'upper', 'mcse_upper')}"
    label = wrapped(spaced(str(table["label"].iloc[0])), LETTERS)
    unit = str(table["unit"].iloc[0])
    read = [natural(float(value), unit) for value in (median["x"], row["lower"], row["upper"])]
    title = f"{label}\n{cell(median, 'x', 'mcse')} ({ends})" + (
        f"\n{read[0]} ({read[1]} to {read[2]})" if read[0] else ""
    )
    axes.set_title(title, fontsize=SMALL, weight="normal", linespacing=1.15)
    axes.set_xlabel(unit_note(unit, "log scale" if log else ""), fontsize=SMALL, labelpad=1.5)


FIGURE = Figure(
    name="priors",
    title="Prior against posterior of each quantity.",
    needs=("fit",),
    columns=("layer", "variable", "label", "unit", "group", "scale", "x", "y", "lower", "upper", "prob", "kind"),
    table=priors_table,
    of_run=_of_run,
    draw=_draw,
    says=_says,
    height=_height,
)
