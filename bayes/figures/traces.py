"""Traces and ranks of the chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.scales import counts, unit_text
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["chains"]

COLUMNS = ("layer", "variable", "unit", "chain", "draw", "y", "lower", "upper", "rhat", "ess_bulk", "ess_tail")


@checked
def chains(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the trace and the rank histogram of each chain, with R-hat and effective sample sizes.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.chains` makes, or any fit.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.chains(fit).savefig("chains.pdf")
    """
    table = finished(data, figuredata.chains, COLUMNS)
    names = list(dict.fromkeys(table["variable"]))
    with page(table, width, style, 6 + 25 * len(names)) as sheet:
        panels = sheet.figure.subplots(len(names), 2, squeeze=False, width_ratios=(3, 2), sharex="col")
        for i, name in enumerate(names):
            part = table[table["variable"] == name]
            _trace(sheet, panels[i, 0], part)
            _ranks(sheet, panels[i, 1], part)
        panels[-1, 0].set_xlabel("Draw")
        panels[-1, 1].set_xlabel("Rank in all draws (%)")
        sheet.figure.caption = caption(
            table,
            "Traces and ranks of the quantities with the smallest effective sample sizes.",
            "Left: draws by chain, evenly thinned. Right: ranks of each chain's draws among all draws, counted in "
            "bins and divided by the count "
            "expected (1, dashed) when chains agree.",
        )
    return sheet.figure


def _trace(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    part = table[table["layer"] == "trace"]
    for chain in sorted(set(part["chain"])):
        one = part[part["chain"] == chain]
        axes.plot(
            one["draw"],
            one["y"],
            color=_colour(sheet, int(chain)),
            linewidth=0.35,
            alpha=0.9,
            gid=f"chain {int(chain)}",
        )
    axes.set_xlim(0, float(part["draw"].max()))
    counts(axes.yaxis, 3)
    row = table[table["layer"] == "summary"].iloc[0]
    gap = "\n" if sheet.narrow else "   "
    name = str(row.get("label", row["variable"])).replace("_", " ")
    axes.set_title(
        f"{name}{gap}R-hat {row['rhat']:.3f}, ESS {row['ess_bulk']:,.0f} bulk, {row['ess_tail']:,.0f} tail",
        fontsize=SMALL,
        weight="normal",
    )
    axes.set_ylabel(unit_text(str(row["unit"])), fontsize=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _ranks(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    part = table[table["layer"] == "rank"]
    axes.axhline(1, color=sheet.palette.muted, linewidth=0.7, linestyle=(0, (4, 2)))
    for chain in sorted(set(part["chain"])):
        one = part[part["chain"] == chain].sort_values("lower")
        axes.stairs(
            one["y"].to_numpy(),
            [*(100 * one["lower"]), 100.0],
            color=_colour(sheet, int(chain)),
            linewidth=0.7,
            baseline=None,
            gid=f"ranks {int(chain)}",
        )
    axes.set_ylim(0, max(2.0, 1.05 * float(part["y"].max())))
    axes.set_xlim(0, 100)
    axes.yaxis.set_major_locator(MaxNLocator(2))
    axes.set_ylabel("Relative count", fontsize=SMALL)


def _colour(sheet: Page, chain: int) -> str:
    return sheet.palette.series[chain % len(sheet.palette.series)]
