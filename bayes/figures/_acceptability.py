"""``acceptability``: what to choose, by willingness to pay, and what it is worth to know more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import check_columns, checked
from bayes.draws import Futures, futures_from
from bayes.errors import UsageError
from bayes.figures.canvas import NARROW, NARROWEST, SMALL, Page
from bayes.figures.marks import BELOW, beside_mm, in_margin, letter, named, segment, tall, words_at, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import counts, fitted, percent
from bayes.figures.series import label, shown
from bayes.figures.tabulation import available, draws_of, pick, stamp
from bayes.numbers import number
from bayes.ranking import ranked
from bayes.scenarios import AS_TODAY
from bayes.words import spaced, words_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from xarray import Dataset

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE", "acceptability_of_run", "acceptability_table"]

MOST = 10
"""Inputs whose value of information is shown."""
LETTERS = 18
"""Letters on a line of the name of an option."""
MORE = 8.0
"""Height in mm that the letter of a panel, and a title of more than one line, take."""
VALUE = ("value", "voi")
"""Tables of the value of information that serve, by preference."""
_SIGNS = {"GBP": "£", "USD": "$", "EUR": "€", "units of cost": ""}


@checked
def acceptability_table(
    data: Futures | pd.DataFrame, *, scenarios: Sequence[str] = (), willingness_to_pay: Sequence[float] | None = None,
    baseline: str = AS_TODAY, cost: str | None = None, effect: str | None = None, voi: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate how often each scenario has the highest net benefit over the horizon, by willingness to pay.

    Parameters
    ----------
    data
        A projection, whose costs and effects are discounted at its ``discount_rate``; or the curve that
        :func:`bayes.sensitivity.acceptability_curve` returned.
    scenarios
        The options; they must have one baseline in common, which is an option too, with no costs and no effects. All
        that are no stress cases unless named.
    willingness_to_pay
        For one unit of the effect; by default up to about twice the price at which the last option pays.
    baseline
        Name of the option to change nothing.
    cost, effect
        What is paid, and what is avoided; by default what the projection says they are.
    voi
        Rows of :func:`bayes.sensitivity.evpi` and :func:`bayes.sensitivity.evppi`: ``quantity, input, estimate, mcse``.

    Returns
    -------
    DataFrame
        Layer ``curve`` as :func:`bayes.sensitivity.acceptability_curve`, stamped; ``option`` is what is printed and
        ``scenario`` the name, empty for the baseline; ``best_up_to`` is the price up to which it is the best on
        average, where another is above. Layer ``value``: what is worth knowing, ranked, at most :data:`MOST`.

    Raises
    ------
    UsageError
        If a scenario or a quantity does not exist.
    """
    if isinstance(data, pd.DataFrame):
        curve = data
    else:
        futures = futures_from(data)
        names = [cost or words_of(futures).cost or "cost", effect or shown(futures, None)[0]]
        available(futures, names, "quantity")
        stress = {
            str(n) for n in futures["scenario"].values if "stress" in futures and futures["stress"].sel(scenario=n)
        }
        options = scenarios or [str(n) for n in futures["scenario"].values if str(n) not in stress]
        curve = _curve(futures, options, willingness_to_pay, baseline, names)
    check_columns(curve, FIGURE.columns)
    best = _best(curve)
    ends = {one: _crossing(curve, one, other) for one, other in pairwise(best)}
    curve = curve.assign(layer="curve", best_up_to=curve["option"].map(ends).astype(float))
    return curve if voi is None or voi.empty else pd.concat([curve, _worth(voi)], ignore_index=True)


def _curve(
    futures: Dataset, scenarios: Sequence[str], prices: Sequence[float] | None, baseline: str, names: list[str]
) -> pd.DataFrame:
    """How often each option is the best, with what is paid and what for."""
    from bayes.sensitivity import acceptability_curve
    from bayes.sensitivity._acceptability import does_nothing, prices_of

    if baseline in scenarios:
        raise UsageError("the baseline has the name of a scenario", key="baseline", found=baseline,
                         fix="give it another name")  # fmt: skip
    years = futures["year"].astype(float)
    weight = (1 + float(futures.attrs.get("discount_rate", 0.0))) ** (float(years[0]) - years)
    for name in scenarios:
        pick(futures["scenario"], "scenario", name)
    named_ = {name: label(futures, name) for name in scenarios}
    totals, words = [], words_of(futures)
    for quantity in names:
        now = words.over_times(futures[quantity], weight)
        draws = {name: draws_of(pick(now, "scenario", name)) for name in named_}
        totals.append(pd.DataFrame(draws))
    if does_nothing(totals) is None:
        totals = [table.assign(**{baseline: 0.0}) for table in totals]
    asked = prices_of(*totals) if prices is None else prices
    curve = acceptability_curve(totals[0], totals[1], willingness_to_pay=asked)
    unit = words.unit_over_times(names[0]) or str(futures[names[0]].attrs.get("unit", ""))
    places = {str(name): i for i, name in enumerate(futures["scenario"].values)}
    return curve.assign(scenario=curve["option"].map({name: name for name in named_} | {baseline: ""}),
                        place=curve["option"].map({**places, baseline: len(places)}),
                        option=curve["option"].map({**named_, baseline: baseline}), effect=words.label(names[1]),
                        currency=unit, times=words.summed(names[1], years.values.astype(int).tolist()),
                        **stamp(futures))  # fmt: skip


def _worth(voi: pd.DataFrame) -> pd.DataFrame:
    """The most valuable rows, ranked; errors are 0 where the table does not know them."""
    check_columns(voi, ("quantity", "input", "estimate"))
    found = voi[voi["estimate"] > 0]
    known = found.assign(mcse=found["mcse"].fillna(0.0) if "mcse" in found else 0.0)
    return ranked(known, "estimate", "mcse").head(MOST).assign(layer="value")


def acceptability_of_run(run: Gallery, scenarios: Sequence[str] = ()) -> pd.DataFrame:
    """Tabulate the curve of a run, and the value of information where the run has it."""
    from bayes.figures.gallery import Absent

    if not run.words.cost:
        raise Absent("this question names no cost", fix="name the outcome that counts money spent: cost=, and "
                     "net_benefit=")  # fmt: skip
    voi, curve = run.known(VALUE), run.known(("acceptability",))
    prices = None if curve is None else curve["willingness_to_pay"].unique().tolist()
    return acceptability_table(run.futures, scenarios=scenarios, willingness_to_pay=prices,
                               voi=None if voi is None else run.worded(voi))  # fmt: skip


def _value(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["layer"] == "value"] if "layer" in table else table[:0]


def _height(table: pd.DataFrame, width: float) -> float:
    parts = _parts(table)
    return sum(parts) if width < NARROW else max(parts)


def _parts(table: pd.DataFrame) -> tuple[float, float]:
    """Height in mm of the curves and of the bars."""
    value = _value(table)
    options = list(dict.fromkeys(table.drop(value.index)["option"]))
    bars = tall([_words(row) for row in value.itertuples()], NARROWEST, 7.2)
    return max(58.0, beside_mm(options, 0.0, LETTERS) + MORE), BELOW + bars if len(value) else 0.0


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    value = _value(table)
    curve = table.drop(value.index)
    currency = _currency(curve)
    if value.empty:
        first = sheet.figure.add_subplot()
    else:
        first, second = _panels(sheet, table)
        letter(first, "a")
        letter(second, "b")
        _values(sheet, second, value, currency)
    _curves(sheet, first, curve, currency)


def _panels(sheet: Page, table: pd.DataFrame) -> tuple[Axes, Axes]:
    """Axes side by side; on a narrow page above each other, where neither takes room for the names of the other."""
    if not sheet.narrow:
        first, second = sheet.figure.subplots(1, 2)
        return first, second
    upper, lower = sheet.figure.subfigures(2, 1, squeeze=False, height_ratios=_parts(table))[:, 0]
    return upper.add_subplot(), lower.add_subplot()


def _currency(table: pd.DataFrame) -> str:
    """Sign or code of the currency of the curves."""
    money = str(table["currency"].dropna().iloc[0]) if "currency" in table else ""
    return _SIGNS.get(money, money)


def _effect(table: pd.DataFrame) -> str:
    return str(table["effect"].dropna().iloc[0]) if "effect" in table else "the effect"


def _says(table: pd.DataFrame) -> str:
    times = next(iter(table["times"].dropna()), "") if "times" in table else ""
    return (
        f"{_message(table)} Acceptability, and the value of knowing more. Probability that each option has the highest "
        f"net benefit{f' over {times}' if times else ''}, by willingness to pay for {_effect(table)}; thick where it "
        "is the best choice on average. Bars: expected value of perfect information, of all inputs (EVPI) and of some "
        "(EVPPI), with two Monte Carlo standard errors where they are known."
    )


def _message(table: pd.DataFrame) -> str:
    """Which option is the best on average, where."""
    names, money = _best(table), _currency(table)
    if not names:
        return ""
    until = table.groupby("option")["best_up_to"].first()
    told = [f"{name} up to {_money(money, float(until[name]))}" for name in names[:-1]]
    more = f"{names[-1]} above that" if told else f"{names[-1]} throughout"
    return f"The best choice on average, by willingness to pay: {', '.join([*told, more])}."


def _best(table: pd.DataFrame) -> list[str]:
    """The options that are the best on average at some price, from low to high."""
    if "optimal" not in table:
        return []
    best = table[table["optimal"].fillna(False).astype(bool)]
    return [str(name) for name in best.sort_values("willingness_to_pay")["option"].unique()]


def _crossing(table: pd.DataFrame, one: str, other: str) -> float:
    """The price at which two options are worth the same on average: net benefits are straight lines in it.

    Of a table without them, the last price at which the first is the best.

    >>> import pandas as pd
    >>> rows = {"option": ["a", "b"] * 2, "willingness_to_pay": [0, 0, 10, 10], "net_benefit": [0.0, -4, 0, 1]}
    >>> _crossing(pd.DataFrame(rows), "a", "b")
    8.0
    """
    if "net_benefit" not in table:
        first = table[(table["option"] == one) & table["optimal"].fillna(False).astype(bool)]
        return float(first["willingness_to_pay"].max())
    worth = table.pivot_table("net_benefit", "willingness_to_pay", "option")
    gap = worth[one] - worth[other]
    prices = gap.index.to_numpy(dtype=float)
    return float(prices[0] + (prices[-1] - prices[0]) * gap.iloc[0] / (gap.iloc[0] - gap.iloc[-1]))


def _curves(sheet: Page, axes: Axes, table: pd.DataFrame, currency: str) -> None:
    names = list(dict.fromkeys(table["option"]))
    colours, ends = [], []
    for i, name in enumerate(names):
        part = table[table["option"] == name].sort_values("willingness_to_pay")
        line = sheet.palette.line(int(part["place"].iloc[0]) if "place" in part else i)
        axes.plot(part["willingness_to_pay"], part["probability"], linewidth=1.0, gid=str(name), **line)
        if "optimal" in part:
            best = part["probability"].where(part["optimal"].astype(bool))
            alone = best.notna() & best.shift().isna() & best.shift(-1).isna()
            axes.plot(part["willingness_to_pay"], best, linewidth=2.6, alpha=0.45, color=line["color"], marker="s",
                      markersize=2.6, markevery=np.flatnonzero(alone).tolist(), gid=f"optimal {name}")  # fmt: skip
        colours.append(str(line["color"]))
        last = part.iloc[-1]
        ends.append((float(last["willingness_to_pay"]), float(last["probability"]), str(name)))
    axes.set_ylim(0, 1)
    axes.set_xlim(float(table["willingness_to_pay"].min()), float(table["willingness_to_pay"].max()))
    percent(axes.yaxis)
    counts(axes.xaxis, 2 if sheet.narrow else 5)
    axes.grid(axis="y", color=sheet.palette.rule, linewidth=0.4)
    axes.set_axisbelow(True)
    title = f"Willingness to pay for {_effect(table)}" + f" ({currency} each)" * bool(currency)
    axes.set_xlabel(fitted(sheet, title, 0.4 * sheet.width if len(names) > 1 else 0.5 * sheet.width))
    axes.set_ylabel("Probability of being best")
    if len(names) > 1:
        high = (_parts(sheet.figure.table)[0] if sheet.narrow else sheet.height) - BELOW - MORE
        in_margin(sheet, axes, ends, colours, tall=high, letters=LETTERS)
    else:
        axes.set_title(str(names[0]), fontsize=SMALL, weight="normal", loc="right")


def _words(row: Any) -> str:
    name = spaced(str(row.input))
    return "EVPI" if row.quantity == "EVPI" else f"EVSI: {name}" if row.quantity == "EVSI" else name


def _values(sheet: Page, axes: Axes, table: pd.DataFrame, currency: str) -> None:
    for i, row in enumerate(table.itertuples()):
        colour, error = sheet.palette.main if row.quantity == "EVPI" else sheet.palette.bands[1], 2 * float(row.mcse)
        axes.barh(-i, row.estimate, height=0.62, color=colour, gid="value")
        if error > 0:
            segment(axes, row.estimate - error, row.estimate + error, -i, sheet.palette.ink, 0.8, "error")
        text = _money(currency, float(row.estimate), float(row.mcse), int(row.extra))
        words_at(axes, (float(row.estimate) + error, -i), text, (3, 0), align=("left", "center_baseline"))
    named(axes, [wrapped(_words(row), 24) for row in table.itertuples()])
    axes.set_xlim(0, 1.3 * (float(table["estimate"].max()) or 1.0))
    counts(axes.xaxis, 2 if sheet.narrow else 4)
    axes.set_xlabel("Expected value of information" + f" ({currency})" * bool(currency))


def _money(currency: str, value: float, mcse: float = 0.0, extra: int = 0) -> str:
    """A sum with the sign of its currency; one without a sign stands in the title of the axis."""
    text, currency = number(value, mcse, extra), currency if currency in _SIGNS.values() else ""
    return text if text in ("0", "–") else f"−{currency}{text[1:]}" if text[0] == "−" else f"{currency}{text}"


FIGURE = Figure(
    name="acceptability",
    title="How often each option is the best, by willingness to pay, and what it is worth to know more.",
    needs=("futures",),
    columns=("willingness_to_pay", "option", "probability"),
    table=acceptability_table,
    of_run=acceptability_of_run,
    draw=_draw,
    says=_says,
    height=_height,
)
