"""Outcomes as figures show them: which quantity, scenario and year, what they are called, what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.draws import Fit, draws_from, fit_from
from bayes.errors import UsageError
from bayes.figures.tabulation import PROBS, Rows, available, draws_of, pick, stamped
from bayes.numbers import number
from bayes.scenarios import distinct_labels
from bayes.summaries import holds_draws
from bayes.words import Words, headline, words_of

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

__all__ = [
    "MOST",
    "PANELS",
    "between_scenarios",
    "by_scenario",
    "exact",
    "label",
    "naive_words",
    "of_scenarios",
    "opened",
    "outcome",
    "over_scenarios",
    "reaches",
    "reference",
    "series",
    "shown",
    "subject",
    "told",
    "when",
    "year_of",
]

PANELS = 2
"""Quantities shown where none is named and the projection names none."""
MOST = 12
"""Scenarios shown where none is named: more cannot be told apart."""


def opened(data: Fit) -> tuple[Dataset, Dataset | DataTree]:
    """Return draws of a projection or a fit, and what says how they came about."""
    import xarray as xr

    if isinstance(data, xr.Dataset | xr.DataArray):
        return (found := draws_from(data)), found
    fit = fit_from(data)
    return fit["posterior"].to_dataset(), fit


def shown(source: Dataset, names: Sequence[str] | None, most: int = 1, dims: Collection[str] = ()) -> list[str]:
    """Return the quantities named, or those that data say they are about, or the first with (at least) these dims.

    Raises
    ------
    UsageError
        If one does not exist, or there is none.
    """
    if names is not None:
        available(source, names, "quantity")
        return list(names)
    words = words_of(source)
    about = [name for name in (words.target, *words.beside) if name in source] if "words" in source.attrs else []
    known, needed = {"chain", "draw", "scenario", "year"}, set(dims)
    found = about or [str(n) for n, a in source.data_vars.items() if holds_draws(a) and needed <= set(a.dims) <= known]
    if not found:
        raise UsageError("no variable has draws to show", key="quantity", found=list(map(str, source.data_vars)),
                         allowed=f"dims chain, draw{''.join(f', {dim}' for dim in dims)}", fix="name one")  # fmt: skip
    return found[:most]


def outcome(source: Dataset, quantity: str) -> dict[str, Any]:
    """Return what says which outcome it is: name, words, unit and the word for its time."""
    words = words_of(source)
    unit = str(source[quantity].attrs.get("unit", "")) or words.unit(quantity)
    return {"quantity": quantity, "words": words.headed(quantity), "unit": words.printed(unit), "time": words.time}


def series(source: Dataset, quantity: str, scenario: str | None, year: int | None) -> tuple[DataArray, dict[str, Any]]:
    """Return one series of draws, and what says which it is."""
    found, same = source[quantity], {**outcome(source, quantity), "scenario": "", "label": "", "year": math.nan}
    if "scenario" in found.dims:
        same["scenario"] = headline(source) if scenario is None else scenario
        found = pick(found, "scenario", same["scenario"])
        same["label"] = label(source, same["scenario"]) if words_of(source).scenario else ""
    if "year" in found.dims:
        same["year"] = year_of(source, year)
        same |= _time_label(words_of(source), same["year"])
        found = pick(found, "year", same["year"])
    return found, same


def by_scenario(
    source: Dataset, quantity: str, names: Sequence[str] | None, years: Sequence[int]
) -> Iterator[tuple[DataArray, dict[str, Any]]]:
    """Each series of a quantity by scenario and year, and what says which it is: those named, or :data:`MOST`."""
    every = [str(name) for name in source["scenario"].values]
    stress, called = dict(zip(every, source.coords.get("stress", [False] * len(every)), strict=True)), words_of(source)
    for name in _scenarios(source, quantity, names):
        one = {**outcome(source, quantity), "scenario": name, "label": label(source, name),
               "stress": bool(stress[name]), "place": every.index(name)}  # fmt: skip
        for at in years:
            timed = {"year": int(at), **_time_label(called, int(at))}
            yield pick(pick(source[quantity], "scenario", name), "year", at), {**one, **timed}


def _time_label(words: Words, year: int) -> dict[str, str]:
    """The label of a time, where times have labels."""
    return {"time_label": words.times.get(str(year), "")} if words.times else {}


def over_scenarios(source: Dataset, quantity: str | None) -> str:
    """Return the quantity named, or the first that has scenarios and years."""
    return shown(source, None if quantity is None else [quantity], dims=("scenario", "year"))[0]


def reference(source: Dataset, same: Mapping[str, Any]) -> Rows:
    """Return the naive sum beside a series of the target (its median, because it may be uncertain): a row, or none."""
    words = words_of(source)
    if not words.reference or same["quantity"] != words.target or words.reference[1] not in source:
        return []
    found = source[words.reference[1]]
    for dim in ("scenario", "year"):
        if dim in found.dims:
            found = found.sel({dim: same[dim]} if same[dim] == same[dim] else {dim: found[dim][-1]})
    row = {"layer": "reference", "x": float(np.median(draws_of(found))), "naive": words.reference[0]}
    return [row | {"note": words.sentences.get("reference", "")}]


def reaches(value: float, right: float) -> bool:
    """Say whether a reference is near enough to the end of an axis to be shown."""
    return value <= 2 * right


def naive_words(table: pd.DataFrame, form: str) -> str:
    """Say in a caption which mark is the naive sum that a table holds: nothing where it holds none.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"layer": ["median", "reference"], "naive": [None, "crude sum"]})
    >>> naive_words(rows, "Dashed: {}."), naive_words(rows.head(1), "Dashed: {}.")
    ('Dashed: the crude sum.', '')
    """
    names = table.loc[table["layer"] == "reference", "naive"] if "naive" in table else table["layer"][:0]
    return form.format(f"the {names.iloc[0]}") if len(names) else ""


def when(row: pd.Series[Any]) -> str:
    """Say the time of a row, where it has one, with its label where the number is only its place.

    >>> import pandas as pd
    >>> when(pd.Series({"year": 10, "time": "year"})), when(pd.Series({"year": float("nan")}))
    (' in year 10', '')
    >>> when(pd.Series({"year": 2, "time": "quarter", "time_label": "spring 2026"}))
    ' in quarter 2 (spring 2026)'
    """
    time, label = str(row.get("time", "year")), row.get("time_label", "")
    if not time or row["year"] != row["year"]:
        return ""
    year = int(row["year"])
    return f" in {Words(target='', time=time, times={str(year): label} if label else {}).moment(year)}"


def subject(table: pd.DataFrame) -> str:
    """Say what a table of outcomes shows: which, in which scenario, when."""
    first = table.iloc[0]
    names = " and ".join(f"{name[:1].lower()}{name[1:]}" for name in dict.fromkeys(table["words"]))
    return names + (f" in the scenario “{first['label']}”" if first["label"] else "") + when(first)


def told(table: pd.DataFrame) -> str:
    """Say an outcome in words, with its time, to begin a sentence with.

    >>> import pandas as pd
    >>> told(pd.DataFrame({"words": ["Cases averted"], "year": [10], "time": ["year"]}))
    'Cases averted in year 10'
    """
    return f"{table['words'].iloc[0]}{when(table.iloc[0])}"


def between_scenarios(table: pd.DataFrame) -> str:
    """Say in which scenarios the median of an outcome is lowest and highest, with the digits its error supports.

    >>> import pandas as pd
    >>> rows = {"layer": "median", "x": [48_712.0, 487_812.0], "label": ["few", "many"], "mcse": [4_000.0, 700.0]}
    >>> between_scenarios(pd.DataFrame(rows))
    'median 50k (few) to 488k (many)'
    """
    middle = table[table["layer"] == "median"]
    low, high = middle.loc[middle["x"].idxmin()], middle.loc[middle["x"].idxmax()]
    ends = [f"{number(row['x'], row.get('mcse'))} ({row['label']})" for row in (low, high)]
    return f"median {' to '.join(ends)}" if len(middle) > 1 else f"median {ends[0]}"


def exact(rows: Rows, errors: Mapping[str, float]) -> Rows:
    """Give the median and the widest interval their Monte Carlo errors."""
    own = {"median": {"mcse": errors["mcse"]},
           "interval": {"mcse_lower": errors["mcse_lower"], "mcse_upper": errors["mcse_upper"]}}  # fmt: skip
    return [{**row, **own[row["layer"]]} if row["layer"] == "median" or row.get("prob") == max(PROBS) else row
            for row in rows]  # fmt: skip


def label(futures: Dataset, scenario: str) -> str:
    """Return what is printed for a scenario: its coordinate ``label`` (:func:`distinct_labels`), or its name."""
    if "label" not in futures.coords:
        return scenario
    names, texts = (list(map(str, futures[key].values)) for key in ("scenario", "label"))
    return distinct_labels(dict(zip(names, texts, strict=True)))[scenario]


def year_of(futures: Dataset, year: int | None) -> int:
    """Return the year named, or the last."""
    if "year" not in futures.dims:
        raise UsageError("the projection has no dimension 'year'", found=list(map(str, futures.dims)),
                         fix="give what bayes.project returned")  # fmt: skip
    return int(futures["year"].values[-1]) if year is None else year


def of_scenarios(rows: Rows, futures: Dataset) -> pd.DataFrame:
    """Make a table by scenario, which says of how many if not all are in it."""
    frame = stamped(rows, futures, ("scenario", "label", "stress", "quantity", "words", "unit", "time", "year"))
    every = futures.sizes["scenario"]
    return frame if frame["scenario"].nunique() == every else frame.assign(of_scenarios=every)


def _scenarios(futures: Dataset, quantity: str, names: Sequence[str] | None) -> list[str]:
    """The scenarios named, or the first ones with the headline among them."""
    for dim in ("scenario", "year"):
        if dim not in futures[quantity].dims:
            dims = ", ".join(map(str, futures[quantity].dims))
            raise UsageError(f"{quantity!r} has no dimension {dim!r}; available: {dims}", key=quantity,
                             fix="give a projection over scenarios and years")  # fmt: skip
    for name in names or ():
        pick(futures[quantity], "scenario", name)
    every = [str(name) for name in futures["scenario"].values]
    if names is not None or len(every) <= MOST:
        return every if names is None else list(names)
    first = every[:MOST]
    return first if headline(futures) in first else [*first[:-1], headline(futures)]
