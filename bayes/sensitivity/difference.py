"""Two runs compared: which changed input moved the headline, and by how much.

What changed is read off the runs themselves: the numbers of every prior, the rows of evidence, the structure, the
scenarios, the seed. How far each moved the headline is found in two ways, both exact up to Monte Carlo error:

- **a component of the model** (parameters that share evidence are independent of all others in the posterior): its
  draws in run A are put in place of those in run B, one component after another, and the target is projected again;
- **a variable no evidence bears on**: likewise by itself.

Where one input alone changed within a component, the component's move is that input's. Where several did, the move
belongs to them jointly, and the table says so. What is left over is the difference of scenarios and settings, and
Monte Carlo error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.ranking import rank_key
from bayes.runfiles import read_fit, read_futures, read_manifest
from bayes.sensitivity.changes import draws_of
from bayes.sensitivity.weights import Quantiles, equal_weights, levels, quantiles
from bayes.summaries import PROB

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["changed_inputs", "diff"]


@dataclass(frozen=True, slots=True)
class _Changed:
    """One changed input: what it is, how it changed, and a variable of the posterior it bears on."""

    kind: str
    name: str
    detail: str
    anchor: str = ""
    group: tuple[str, ...] = field(default_factory=tuple)


@checked
def diff(
    run_a: Path | str,
    run_b: Path | str,
    *,
    quantity: str = "offences_avoided",
    scenario: str | None = None,
) -> pd.DataFrame:
    """Say which changed input moved the headline from run A to run B, and by how much.

    Parameters
    ----------
    run_a, run_b
        Run folders.
    quantity, scenario
        The headline: at the last year, in the headline scenario by default.

    Returns
    -------
    DataFrame
        ``kind, input, detail, from, to, d_median, d_lower, d_upper, mcse_d_median, unit``. First the headline, then
        each part of the change, largest first, then what is not attributed to any.

    Raises
    ------
    StudyError, UsageError
        If a run is missing, or its scenario or quantity does not exist.

    Examples
    --------
    With ``folder`` that of a run: a run does not differ from itself.

    >>> bool((diff(folder, folder)["d_median"].fillna(0) == 0).all())
    True
    """
    from bayes.heroin.sensitivity.question import Case, default_scenario
    from bayes.heroin.sensitivity.suite import structure_of
    from bayes.heroin.study import load_study
    from bayes.inputs import carried_study

    fits, futures = [read_fit(run) for run in (run_a, run_b)], [read_futures(run) for run in (run_a, run_b)]
    known = carried_study(Path(run_b), load_study)
    name = scenario or default_scenario(known)
    heads = [_headline(data, quantity, name) for data in futures]
    case = Case(fits[1], known, structure_of(fits[1]), name, quantity)
    changed = changed_inputs(*fits)
    parts = _parts(changed, case.component)
    unit = str(futures[1][quantity].attrs.get("unit", ""))
    total, error = heads[1].change_from(heads[0], coupled=False)
    rows = [_row("headline", f"{quantity}, {name}", "", total, error, (heads[0].values[1], heads[1].values[1]))]
    moves, left = _moved(case, fits, parts)
    rows += sorted(moves, key=lambda row: rank_key(row["d_median"], row["mcse_d_median"]))
    rows.append(_row("rest", "scenarios, settings and code", _rest_detail(run_a, run_b), total - left, error))
    rows += [_row(c.kind, c.name, c.detail, None, None) for c in changed if not c.anchor]
    return pd.DataFrame(rows).assign(unit=unit)


def changed_inputs(fit_a: DataTree, fit_b: DataTree) -> list[_Changed]:
    """List what differs between the inputs of two fits: priors, evidence, structure, and how they were sampled."""
    found = _changed_priors(fit_a, fit_b) + _changed_evidence(fit_a, fit_b)
    a, b = (json.loads(fit.attrs["inputs"]).get("structure", {}) for fit in (fit_a, fit_b))
    found += [_Changed("structure", key, f"{a.get(key)} to {b.get(key)}") for key in b if a.get(key) != b.get(key)]
    for key in ("seed", "sampler", "draws", "tune", "chains", "versions"):
        if fit_a.attrs.get(key) != fit_b.attrs.get(key):
            detail = "differ" if key == "versions" else f"{fit_a.attrs.get(key)} to {fit_b.attrs.get(key)}"
            found.append(_Changed("sampling", key, detail))
    return found


def _changed_priors(fit_a: DataTree, fit_b: DataTree) -> list[_Changed]:
    a, b = _numbers(fit_a), _numbers(fit_b)
    changed: dict[str, list[str]] = {}
    for label in [*a, *(label for label in b if label not in a)]:
        if not math.isclose(a.get(label, math.nan), b.get(label, math.nan), rel_tol=1e-9, abs_tol=1e-9):
            name, _, parameter = label.rpartition(".")
            changed.setdefault(name, []).append(f"{parameter} {_text(a.get(label))} to {_text(b.get(label))}")
    return [_Changed("prior", name, ", ".join(details), name) for name, details in changed.items()]


def _numbers(fit: DataTree) -> dict[str, float]:
    data: Any = fit["constant_data"]["prior_parameters"]
    return dict(zip(data["prior_parameter"].values.tolist(), data.values.tolist(), strict=True))


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _changed_evidence(fit_a: DataTree, fit_b: DataTree) -> list[_Changed]:
    """Rows that came, went or changed any of their numbers."""
    a, b = _rows(fit_a), _rows(fit_b)
    found = []
    for row in [*a, *(row for row in b if row not in a)]:
        if row not in a or row not in b:
            found.append(_Changed("evidence", row, "added" if row in b else "left out", (b if row in b else a)[row][0]))
            continue
        gaps = [
            f"{key} {_text(a[row][1][key])} to {_text(b[row][1].get(key))}"
            for key in a[row][1]
            if not math.isclose(a[row][1][key], b[row][1].get(key, math.nan), rel_tol=1e-12)
        ]
        if gaps:
            found.append(_Changed("evidence", row, ", ".join(gaps), a[row][0]))
    return found


_ANCHOR = {
    "offending": "offences_per_user_year",
    "ceiling": "offences_per_user_year",
    "log_ratio": "mu_theta",
    "coverage": "mu_coverage",
    "retention": "retention_scale",
}


def _rows(fit: DataTree) -> dict[str, tuple[str, dict[str, float]]]:
    """Row to (a variable it bears on, its numbers)."""
    found: dict[str, tuple[str, dict[str, float]]] = {}
    numbers: Any = fit["constant_data"]
    for name, array in numbers.data_vars.items():
        owner, _, what = str(name).partition("__")
        anchor = next((anchor for start, anchor in _ANCHOR.items() if owner.startswith(start)), "")
        if not what or not anchor:
            continue
        if array.ndim > 1:  # what rows share has no row of its own
            found[f"{what} errors of {owner.replace('_', ' ')}s"] = anchor, {"sum": float(np.abs(array.values).sum())}
            continue
        dim = str(array.dims[0])
        labels = (numbers if dim in numbers.coords else fit["observed_data"])[
            dim if dim in numbers.coords else _dim(owner)
        ]
        for label, value in zip(np.asarray(labels), array.values, strict=True):
            found.setdefault(str(label), (anchor, {}))[1][what] = float(value)
    return found


def _dim(owner: str) -> str:
    return "effect_row" if owner == "log_ratio" else f"{owner}_row"


# --- how far each moved the headline -----------------------------------------------------------


def _parts(changed: list[_Changed], component: Mapping[str, str]) -> dict[str, list[_Changed]]:
    """Changed inputs by the component they are in; a variable no evidence bears on is one by itself."""
    parts: dict[str, list[_Changed]] = {}
    for one in changed:
        if one.anchor:
            parts.setdefault(component.get(one.anchor, one.anchor), []).append(one)
    return parts


def _moved(case: Any, fits: list[DataTree], parts: Mapping[str, list[_Changed]]) -> tuple[list[dict[str, Any]], Any]:
    """Swap in run B's draws part by part, and return each move with the sum of all."""
    old, new = (fit["posterior"].to_dataset() for fit in fits)
    size = min(data.sizes["chain"] * data.sizes["draw"] for data in (old, new))
    old, new = _first(old, size), _first(new, size)
    state, rows = old, []
    before = start = _quantiles(case, state)
    for name, inputs in parts.items():
        state = _swapped(state, new, _members(name, case.component, new))
        after = _quantiles(case, state)
        moved, error = after.change_from(before, coupled=True)
        label = " + ".join(f"{one.name}" for one in inputs)
        detail = "; ".join(f"{one.name}: {one.detail}" if len(inputs) > 1 else one.detail for one in inputs)
        rows.append(_row(inputs[0].kind if len(inputs) == 1 else "jointly", label, detail, moved, error))
        before = after
    return rows, before.values - start.values


def _members(name: str, component: Mapping[str, str], new: Dataset) -> list[str]:
    found = [variable for variable, anchor in component.items() if anchor == name and variable in new.data_vars]
    follow = {
        "mu_theta": ("theta_new", "gamma_new", "drift"),
        "mu_coverage": ("logit_coverage_new", "coverage_new", "coverage"),
        "offences_per_user_year": ("offset", "study_mean"),
        "retention_scale": ("mean_stay",),
    }
    found += [variable for variable in follow.get(name, ()) if variable in new.data_vars]
    return found or [v for v in (name, f"{name}_excess") if v in new.data_vars]


def _swapped(state: Dataset, new: Dataset, names: list[str]) -> Dataset:
    state = state.drop_vars(names, errors="ignore").assign({name: new[name] for name in names})
    return state.assign(rate_ratio=np.exp(state["fidelity"] * state["theta_new"]))


def _first(data: Dataset, size: int) -> Dataset:
    """The same number of draws of either run, chains end to end."""
    stacked = data.stack(sample=("chain", "draw"), create_index=False).isel(sample=slice(size))
    flat = stacked.drop_vars(("chain", "draw"), errors="ignore").rename(sample="draw").expand_dims(chain=[0])
    return flat.assign_coords(draw=np.arange(size))


def _quantiles(case: Any, posterior: Dataset) -> Quantiles:
    x = draws_of(case.target_of(posterior))
    return quantiles(x, equal_weights(x.shape), levels(PROB))


def _headline(futures: Dataset, quantity: str, scenario: str) -> Quantiles:
    if quantity not in futures.data_vars:
        raise UsageError(
            "the runs have no such quantity", key="--target", found=quantity, allowed=map(str, futures.data_vars)
        )
    if scenario not in futures["scenario"].values:
        raise UsageError(
            "the runs have no such scenario",
            key="--scenario",
            found=scenario,
            allowed=map(str, futures["scenario"].values),
        )
    x = draws_of(futures[quantity].sel(scenario=scenario).isel(year=-1))
    return quantiles(x, equal_weights(x.shape), levels(PROB))


def _rest_detail(run_a: Path | str, run_b: Path | str) -> str:
    a, b = (read_manifest(run).get("inputs", {}) for run in (run_a, run_b))
    files = [name for name in sorted({*a, *b}) if a.get(name) != b.get(name)]
    return f"changed files: {', '.join(files)}" if files else "no input file changed"


def _row(
    kind: str, name: str, detail: str, moved: Any, error: Any, ends: tuple[Any, Any] = (math.nan, math.nan)
) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": kind, "input": name, "detail": detail, "from": float(ends[0]), "to": float(ends[1])}
    for i, end in enumerate(("lower", "median", "upper")):
        row[f"d_{end}"] = math.nan if moved is None else float(moved[i])
        row[f"mcse_d_{end}"] = math.nan if error is None else float(error[i])
    return row
