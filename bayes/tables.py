"""Finished tables of a run: headline, parameters, evidence. Every row carries the verdict of the fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.diagnostics import Facts, convergence
from bayes.evidence import FactRow, Row
from bayes.outcomes import summed, whether
from bayes.study import Study
from bayes.summaries import PROB, element_names, interval, summarise
from bayes.tails import TAIL_LIMIT, judge_tail
from bayes.words import Words, words_of

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

__all__ = [
    "HEADLINE_COLUMNS",
    "evidence_table",
    "headline",
    "parameter_table",
    "rounded_in",
    "scale_up",
    "told",
    "whole_headline",
]

HEADLINE_COLUMNS = ("scenario", "year", "quantity", "unit", "mean", "median", "lower", "upper", "prob", "kind",
                    "mcse_mean", "p_positive", "p_zero", "p_negative", "mcse_median", "mcse_lower", "mcse_upper",
                    "tail", "tail_shape", "tail_se", "note", "verdict")  # fmt: skip

_POINTS = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)


def headline(futures: Dataset, verdict: str, *, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
    """Summarise a projection by scenario, year and quantity; year ``total`` is the horizon, of what can be added.

    Columns are :data:`HEADLINE_COLUMNS`. Quantities that no draw moves have kind ``constant`` and no probability;
    events have their probability as mean and no interval. What is zero but for rounding is noted (:func:`told`).
    """
    return told(whole_headline(futures, verdict, prob=prob, kind=kind))


def whole_headline(futures: Dataset, verdict: str, *, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
    """Summarise as :func:`headline` does, before :func:`told`: with the ``largest`` draw of each row, signs aside."""
    import pandas as pd

    parts = [_with_largest(futures, summarise(futures, prob=prob, kind=kind)).astype({"year": str})]
    if len((total := summed(futures)).data_vars):
        parts.append(_with_largest(total, summarise(total, prob=prob, kind=kind)).assign(year="total"))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.rename(columns={"variable": "quantity", "estimate": "median", "mcse": "mcse_median"})
    frame["verdict"] = verdict
    constant = (frame["lower"] == frame["upper"]) & (frame["mcse_median"] == 0)
    frame.loc[constant, ["kind", "prob"]] = ["constant", math.nan]
    event = frame["quantity"].isin([name for name, array in futures.data_vars.items() if whether(array)])
    numbers = ["median", "lower", "upper", "prob", "mcse_median", "mcse_lower", "mcse_upper", "tail_shape", "tail_se"]
    frame.loc[event, numbers] = math.nan
    frame.loc[event, "tail"] = ""
    frame.loc[event, ["kind", "note"]] = ["event", "mean is the probability of the event"]
    frame.loc[event, "mean"] = frame.loc[event, "p_positive"]
    return frame[[*HEADLINE_COLUMNS, "largest"]]


def _with_largest(data: Dataset, table: pd.DataFrame) -> pd.DataFrame:
    """Put the largest draw of each row, signs aside, beside its summary."""
    import pandas as pd

    dims = [dim for dim in ("scenario", "year") if dim in data.dims]
    found = {name: abs(array).max(("chain", "draw")).transpose(*dims).to_series() for name, array in data.items()}
    places = pd.MultiIndex.from_frame(table[["variable", *dims]])
    return table.assign(largest=pd.concat(found).reindex(places).to_numpy())


ROUNDING = 1e-12
"""Share of the largest median over scenarios below which a whole distribution about zero is what rounding left of sums:
a number has 16 digits, and each of the thousands of terms of a sum may cost half of the last."""
ROUNDED = (
    "zero but for rounding, so that the probability above zero says nothing (bayes/QUESTIONS.md says how to mend it)"
)


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Say in ``note`` where an outcome of a scenario is zero but for rounding; numbers stay as they are.

    It is where every draw lies within :data:`ROUNDING` of the largest median that the outcome has in any scenario at
    that time, and not all on one side of zero or at it. ``largest`` is dropped.
    """
    size = frame["median"].abs().groupby([frame["quantity"], frame["year"]]).transform("max")
    mixed = (frame["p_positive"] < 1) & (frame["p_negative"] < 1) & (frame["p_zero"] < 1)
    frame.loc[mixed & (frame["largest"] < ROUNDING * size), "note"] = ROUNDED
    return frame.drop(columns="largest")


def rounded_in(frame: pd.DataFrame, quantity: str, year: str) -> list[str]:
    """Scenarios of a headline in which an outcome is zero but for rounding."""
    rows = (frame["quantity"] == quantity) & (frame["year"].astype(str) == year) & (frame["note"] == ROUNDED)
    return [str(name) for name in frame.loc[rows, "scenario"]]


def scale_up(futures: Dataset, verdict: str, *, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
    """Say what the answer is where it is not exactly 0, of each scenario in which some draws are and others are not.

    ``median, lower, upper`` and their errors are of the draws that are not 0, which ``note`` says in the question's
    words, or that it is zero but for rounding; ``p_negative, p_zero, p_positive`` are over all draws. One row for each
    such scenario, of the target and what stands beside it, and year: the last one, and ``total``.
    """
    import pandas as pd

    words = words_of(futures)
    given = words.sentences.get("given", GIVEN)
    last = {str(futures["year"].values[-1]): futures.isel(year=-1), "total": summed(futures)}
    found = []
    for year, data in last.items():
        for name in [name for name in (words.target, *words.beside) if name in data]:
            none = (data[name] == 0).mean(("chain", "draw"))
            some = data[[name]].sel(scenario=none["scenario"].values[(none > 0) & (none < 1)])
            if not some.sizes["scenario"]:
                continue
            whole = {str(s): np.sign(some[name].sel(scenario=s).values) for s in some["scenario"].values}
            table = summarise(some.where(some[name] != 0), prob=prob, kind=kind).assign(year=year, note=given)
            for word, sign in (("p_negative", -1), ("p_zero", 0), ("p_positive", 1)):
                table[word] = [float((whole[s] == sign).mean()) for s in table["scenario"]]
            size = float(abs(data[name].median(("chain", "draw"))).max())
            largest = abs(some[name]).max(("chain", "draw"))
            table.loc[[float(largest.sel(scenario=s)) < ROUNDING * size for s in table["scenario"]], "note"] = ROUNDED
            found.append(table)
    names = {"variable": "quantity", "estimate": "median", "mcse": "mcse_median"}
    frame = pd.concat(found, ignore_index=True).rename(columns=names) if found else pd.DataFrame()
    return frame.assign(verdict=verdict).reindex(columns=list(_SCALE_UP_COLUMNS))


_SCALE_UP_COLUMNS = ("scenario", "year", "quantity", "unit", "p_negative", "p_zero", "p_positive", "median", "lower",
                     "upper", "prob", "kind", "mcse_median", "mcse_lower", "mcse_upper", "note", "verdict")  # fmt: skip
GIVEN = "given that it is not 0"


def parameter_table(
    fit: DataTree, verdict: str, facts: Facts | None = None, units: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Every parameter: prior and posterior mean, sd and quantiles with their Monte Carlo errors, R-hat, ESS.

    A unit that a variable does not state is that of ``units``. ``facts`` is what
    :func:`bayes.diagnostics.convergence` says of the posterior, where it is known already. A mean or sd is empty where
    a tail seems to have no finite variance (:mod:`bayes.tails`); ``note`` says why.
    """
    import pandas as pd

    posterior = fit["posterior"].to_dataset()
    prior = fit["prior"].to_dataset() if "prior" in fit.children else None
    found = convergence(posterior) if facts is None else facts
    told = units or {}
    rows = []
    for name, array in posterior.data_vars.items():
        if str(name) not in found:  # words or dates
            continue
        values = np.asarray(array.transpose("chain", "draw", ...).values, dtype=float)
        before = None
        if prior is not None and name in prior:
            before = np.asarray(prior[name].transpose("chain", "draw", ...).values, dtype=float)
        for label, index in zip(element_names(array), np.ndindex(values.shape[2:]), strict=True):
            at = (slice(None), slice(None), *index)
            unit = array.attrs.get("unit") or told.get(str(name)) or told.get(str(name).removesuffix("_excess"), "")
            row: dict[str, Any] = {"parameter": label, "unit": unit}
            told_of = {key: float(found[str(name)][key][index]) for key in ("rhat", "ess_bulk", "ess_tail")}
            row |= _moments("posterior", values[at], min(told_of["ess_bulk"], told_of["ess_tail"]))
            row |= _moments("prior", None if before is None else before[at])
            rows.append({**row, **told_of, "verdict": verdict})
    return pd.DataFrame(rows)


def evidence_table(fit: DataTree, study: Study, verdict: str) -> pd.DataFrame:
    """Every row of evidence: how it was used and, for likelihood rows, fitted value and residual.

    ``observed`` and ``fitted`` (posterior median with its interval) are on the scale named in ``scale``; ``residual``
    is their difference. ``z`` is the observed value less the mean of its posterior predictive draws, over their sd: a
    replicated row of a new setting where effects between settings are integrated out, so that it counts the spread
    between settings too.
    """
    import pandas as pd

    fitted = _fitted(fit, study.words)
    rows = []
    for table, records in study.evidence.items():
        for record in (one for one in records if not isinstance(one, FactRow)):
            rows.append({
                "table": table, "row": record.row, "group": record.group, "use": record.use, "why": record.why,
                "source": record.source, "locator": record.locator, "status": record.status,
                "data_set": record.data_set, "note": record.note, **_fit_columns(record, fitted), "verdict": verdict,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _moments(prefix: str, values: np.ndarray | None, effective: float = math.nan) -> dict[str, Any]:
    """Mean, sd and quantiles of draws (chain, draw), empty when there are none.

    The error of the quantile at p is half the way from the one at p - s to the one at p + s, s^2 = p (1 - p) / n, with
    n effective draws: no more than draws, which say more of a mean than of quantiles where they alternate.
    """
    if values is None:
        keys = ("mean", "sd", *(f"{key}q{p:g}" for key in ("", "mcse_") for p in _POINTS))
        return {f"{prefix}_{key}": math.nan for key in keys} | {f"{prefix}_note": "no prior of its own"}
    points, heavy = np.array(_POINTS), judge_tail(values)
    withheld = heavy.shape > TAIL_LIMIT
    step = np.sqrt(points * (1 - points) / (min(effective, values.size) if effective > 0 else values.size))
    middle, low, high = np.quantile(values, np.clip([points, points - step, points + step], 0, 1))
    numbers = dict(zip((f"{prefix}_{key}q{p:g}" for key in ("", "mcse_") for p in _POINTS),
                       (float(q) for q in (*middle, *(high - low) / 2)), strict=True))  # fmt: skip
    return {f"{prefix}_mean": math.nan if withheld else float(values.mean()),
            f"{prefix}_sd": math.nan if withheld else float(values.std(ddof=1)), **numbers,
            f"{prefix}_note": f"mean and sd withheld: {heavy.why}" if withheld else ""}  # fmt: skip


def _fitted(fit: DataTree, words: Words) -> Mapping[str, tuple[str, float, np.ndarray, np.ndarray]]:
    """By row name: scale, observed value, fitted draws, predictive draws."""
    found = {}
    observed, posterior = fit["observed_data"], fit["posterior"]
    for name, array in observed.data_vars.items():
        if f"{name}_fitted" not in posterior.data_vars:
            continue
        (dim,) = array.dims
        draws = posterior[f"{name}_fitted"].transpose("chain", "draw", dim).values
        replicates = fit["posterior_predictive"][str(name)].transpose("chain", "draw", dim).values
        for i, row in enumerate(array[dim].values):
            found[str(row)] = (words.unit(str(name)), float(array.values[i]), draws[:, :, i], replicates[:, :, i])
    return found


def _fit_columns(record: Row, fitted: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("observed", "fitted", "lower", "upper", "residual", "z")
    if record.row not in fitted:
        return {"scale": "", **dict.fromkeys(keys, math.nan), "prob": math.nan, "kind": ""}
    scale, observed, draws, replicates = fitted[record.row]
    low, high = interval(draws, PROB, "eti")
    median = float(np.median(draws))
    gap, spread = observed - float(np.mean(replicates)), float(np.std(replicates))
    numbers = (observed, median, low, high, observed - median, gap / spread if spread else math.nan)
    return {"scale": scale, **dict(zip(keys, numbers, strict=True)), "prob": PROB, "kind": "eti"}
