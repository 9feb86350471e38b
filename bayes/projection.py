r"""Scale-up scenarios on posterior draws: arithmetic only, never a new fit.

For draw, scenario :math:`s` and year :math:`t`

.. math::
    \mathrm{avoided} = \big[A(n_{st}) - A(n_0)\big] \cdot m \cdot d \cdot (1 - r), \qquad
    A(n) = \min(n, E)\, g(n) + (n - E)_+\, e^{o_{all}},

with :math:`n_{st}` people in treatment, :math:`n_0` today's patients (0 in a scenario compared with none), :math:`m`
offences a year of an eligible person, :math:`d` drift, :math:`r` rate ratio in a new programme, :math:`E` the eligible
pool (``eligible_share`` x ``opioid_clients``), and the targeting gain :math:`g = 1 - w + w\, L(f)/f` at :math:`f =
\min(n/E, 1)`.

**Within the pool** this is patient-years x offences x drift x targeting x (1 - rate ratio), the estimand as written.
**Beyond it** the estimand as written would go on multiplying by :math:`m`: a pool of some 10,000 people would lend its
rate to 280,000, which is the error of the press arithmetic, and contradicts the national totals that inform
``offset_all_users``. A programme that large reaches people who offend like users in general, :math:`e^{o_{all}}` times
as much, so they count as that. Benefit per place falls as the programme grows.

**Compared with today** both programmes take the heaviest offenders first, so today's patients are subtracted by what
they avoid, not by their number. While built places or demand would not exceed today's patients nothing is added: the
difference is exactly 0, neither benefit nor harm, which is why P(> 0) can be less than P(rate ratio < 1).

People in treatment: :math:`n_{st} = \min(\mathrm{places}_s\, u_{st}\, q,\ \mathrm{demand},\ \mathrm{opiate\ users})`,
:math:`u` the ramp averaged over the year, :math:`q` occupancy (1 where places are a country's coverage, which counts
patients and not places), demand = coverage of a new country x opioid clients (only where the cap is on). Entrants are
the replacements of a stationary programme, people in treatment over the mean stay; those who fill new places for the
first time are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.scenarios import Scenario, Settings
from bayes.study import Study

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = [
    "INPUTS",
    "UNIT_OF",
    "discount",
    "horizon_total",
    "people_served",
    "press_arithmetic",
    "project",
    "ramp",
    "targeting_gain",
    "top_share",
]

UNIT_OF: Mapping[str, str] = {
    "patient_years": "person-years",
    "offences_avoided": "offences",
    "victim_crimes_avoided": "victim-counted crimes",
    "offences_avoided_per_patient_year": "offences/person-year",
    "entrants": "persons",
    "programme_cost": "GBP",
    "net_benefit": "GBP",
    "cost_per_offence_avoided": "GBP/offence",
    "places_per_1000_offences": "places/1,000 offences",
    "press_arithmetic": "offences",
    "demand_binds": "probability",
    "harm": "probability",
}
"""Unit of each projected quantity."""

UNDEFINED: Mapping[str, str] = {"offences_avoided_per_patient_year": "where no patient-years are added"}
"""Where a quantity has no value (NaN), by name."""


INPUTS: Mapping[str, str] = {
    "offences_per_user_year": "offences per person",
    "drift": "change that comparators show too",
    "rate_ratio": "effect in a new programme",
    "coverage_new": "demand (coverage)",
    "opioid_clients": "opioid clients",
    "occupancy": "occupancy",
    "eligible_share": "eligible share",
    "targeting_strength": "targeting",
    "shape_year": "spread between people",
    "offset_all_users": "offending of users in general",
    "current_patients": "present patients",
    "opiate_users": "opiate users",
}
"""Variables that decide the offences avoided, with the words used for them in print."""

# --- pieces, each with a closed form ---------------------------------------------------------


_AT_ONCE = 1e-6
"""Years: a build-up of less than half a minute is a step."""


def ramp(scenario: Scenario, years: int) -> np.ndarray:
    r"""Return the built share of a scenario's places, averaged over each year.

    Linear: :math:`u(\tau) = \mathrm{clip}((\tau - s)/d, 0, 1)`. Logistic: 1 % at the start and 99 % after :math:`d`
    years, :math:`u(\tau) = 1/(1 + e^{-k(\tau - s - d/2)})`, :math:`k = 2 \log(99)/d`. The average over year :math:`t`
    is the exact integral from :math:`t-1` to :math:`t`.

    Returns
    -------
    ndarray
        (year,), between 0 and 1.

    Examples
    --------
    >>> ramp(Scenario("s", "S", places=100, years_to_full=2), 3).tolist()
    [0.25, 0.75, 1.0]
    """
    x = np.arange(years + 1, dtype=float) - scenario.start_year
    d = scenario.years_to_full
    if d < _AT_ONCE:
        integral = np.maximum(x, 0)
    elif scenario.ramp == "linear":
        integral = np.where(x < d, np.maximum(x, 0) ** 2 / (2 * d), x - d / 2)
    else:
        k = 2 * np.log(99) / d
        integral = np.logaddexp(0, k * (x - d / 2)) / k
    return np.diff(integral)


def top_share(f: np.ndarray, shape: np.ndarray) -> np.ndarray:
    r"""Return the share of all offences committed by the most active share ``f`` of people.

    :math:`L = 1 - F_{k+1}(F_k^{-1}(1 - f))` for offending Gamma(k) between people, :math:`F_k` the regularised lower
    incomplete gamma function. ``f`` and ``shape`` broadcast.

    Examples
    --------
    >>> float(top_share(np.array(1.0), np.array(0.3)))
    1.0
    """
    from scipy.special import gammaincc, gammainccinv

    return np.asarray(gammaincc(shape + 1, gammainccinv(shape, f)))


def targeting_gain(f: np.ndarray, shape: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return mean offending of those served, relative to the pool: ``1 - w + w L(f)/f``.

    1 when everyone is served or nothing is targeted; above 1 when the heaviest offenders come first.
    """
    share, k, w = np.broadcast_arrays(np.clip(f, 1e-9, 1.0), shape, strength)
    gain = np.ones(share.shape)
    some = (share < 1) & (w > 0)  # elsewhere the gain is 1, and the inverse costs most of a projection
    gain[some] = 1 - w[some] + w[some] * top_share(share[some], k[some]) / share[some]
    return gain


def people_served(places: np.ndarray, occupancy: np.ndarray, demand: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Return people in treatment: filled places, but no more than demand and than there are opiate users."""
    return np.asarray(np.minimum(np.minimum(places * occupancy, demand), users))


def discount(rate: float, years: int) -> np.ndarray:
    """Return discount factors ``(1 + rate)**-(t - 1)`` for years 1 to ``years``: the first year counts in full.

    >>> discount(0.035, 2).round(4).tolist()
    [1.0, 0.9662]
    """
    return np.asarray((1 + rate) ** -np.arange(years, dtype=float))


def press_arithmetic(places: np.ndarray, settings: Settings) -> np.ndarray:
    """Return places x offences x reduction, the newspaper's sum, for comparison only."""
    return np.asarray(places * settings.press_offences * settings.press_reduction)


# --- the projection --------------------------------------------------------------------------


def _lacking(name: str, found: Iterable[object]) -> UsageError:
    return UsageError(
        "the fit lacks a variable that the projection needs", key=name, found=sorted(map(str, found)),
        fix="fit the model of bayes.build_model",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Posterior draws (chain, draw, 1) under the names used below."""

    values: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.values:
            raise UsageError(
                "the fit lacks a variable that the projection needs",
                key=name,
                found=sorted(self.values),
                fix="fit the model of bayes.build_model",
            )
        return self.values[name][..., None]

    def get(self, name: str, default: float) -> np.ndarray:
        return self[name] if name in self.values else np.full((1, 1, 1), default)


def project(
    fit: DataTree, study: Study, *, scenarios: Sequence[str] | None = None, group: str = "posterior"
) -> Dataset:
    """Project draws over scenarios and years.

    Parameters
    ----------
    fit
        What :func:`bayes.sample` returned for the model of this study.
    study
        Scenarios and settings come from here.
    scenarios
        Names to project; all by default.
    group
        ``posterior``, or ``prior`` for what the priors alone imply.

    Returns
    -------
    Dataset
        Dims ``chain, draw, scenario, year``; variables as in :data:`UNIT_OF`, each with its ``unit`` as an attribute.
        ``year`` counts from 1. Attributes carry the fit's stamp and verdict.

    Raises
    ------
    UsageError
        If a scenario is unknown or the fit lacks a variable.

    Examples
    --------
    >>> import bayes
    >>> futures = bayes.project(fit, bayes.load_study())
    """
    import xarray as xr

    chosen = _chosen(study, scenarios)
    node = fit[group]
    draws = _Draws({str(name): np.asarray(v) for name, v in node.data_vars.items() if set(v.dims) == {"chain", "draw"}})
    if "coverage" not in node.data_vars:
        raise _lacking("coverage", node.data_vars)
    coverage = node["coverage"]
    years = study.settings.horizon_years
    columns = [_one(draws, s, study.settings, _places(s, draws, coverage)) for s in chosen]
    dims = ("chain", "draw", "scenario", "year")
    data = {}
    for name in columns[0]:
        parts = np.broadcast_arrays(
            *(np.broadcast_to(c[name], (*draws["rate_ratio"].shape[:2], years)) for c in columns)
        )
        data[name] = (dims, np.stack(parts, axis=2), _attributes(name))
    coords = {"chain": node["chain"].values, "draw": node["draw"].values, "scenario": [s.name for s in chosen],
              "year": np.arange(1, years + 1), "label": ("scenario", [s.label for s in chosen]),
              "stress": ("scenario", [s.stress for s in chosen])}  # fmt: skip
    attrs = {"verdict": fit.attrs.get("verdict", "not checked"), "inputs_hash": fit.attrs.get("inputs_hash", ""),
             "discount_rate": study.settings.discount_rate, "group": group}  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs=attrs)


def _attributes(name: str) -> dict[str, str]:
    return {"unit": UNIT_OF[name], **({"undefined": UNDEFINED[name]} if name in UNDEFINED else {})}


def horizon_total(futures: Dataset) -> Dataset:
    """Sum a projection over its years, draw by draw: dims ``chain, draw, scenario``.

    Flows are summed; ``net_benefit`` is already discounted year by year, ``programme_cost`` and offences are not.
    Ratios are recomputed from the sums, and probabilities become whether the event happens in any year.
    """
    flows = ["patient_years", "offences_avoided", "victim_crimes_avoided", "entrants", "programme_cost", "net_benefit",
             "press_arithmetic"]  # fmt: skip
    total = futures[flows].sum("year", keep_attrs=True, skipna=False)
    for name in ("demand_binds", "harm"):
        total[name] = futures[name].max("year", keep_attrs=True)
    offences, py = total["offences_avoided"], total["patient_years"]
    for name, value in (("offences_avoided_per_patient_year", offences / py.where(py > 0)),
                        ("cost_per_offence_avoided", _ratio(total["programme_cost"], offences))):  # fmt: skip
        total[name] = value.assign_attrs(_attributes(name))
    total.attrs.update(futures.attrs)
    return total


def _chosen(study: Study, names: Sequence[str] | None) -> list[Scenario]:
    for name in names or ():
        if name not in study.scenarios:
            raise UsageError("there is no such scenario", key="scenarios", found=name, allowed=study.scenarios)
    return [study.scenarios[name] for name in (names or study.scenarios)]


def _places(scenario: Scenario, draws: _Draws, coverage: Any) -> np.ndarray:
    """Places when complete (chain, draw, 1): a number, or a country's coverage of the opioid clients."""
    if scenario.places is not None:
        return np.full((1, 1, 1), float(scenario.places))
    share = np.asarray(coverage.sel(country=scenario.coverage_of).transpose("chain", "draw"))[..., None]
    return np.asarray(share * draws["opioid_clients"])


def _one(draws: _Draws, scenario: Scenario, settings: Settings, places: np.ndarray) -> dict[str, np.ndarray]:
    """All quantities of one scenario, arrays broadcastable to (chain, draw, year)."""
    built = places * ramp(scenario, settings.horizon_years)
    demand = draws["coverage_new"] * draws["opioid_clients"] if scenario.demand_cap else np.full((1, 1, 1), np.inf)
    filled = np.ones((1, 1, 1)) if scenario.coverage_of else draws["occupancy"]
    served = people_served(built, filled, demand, draws["opiate_users"])
    today = draws["current_patients"] if scenario.against == "today" else np.zeros((1, 1, 1))
    start = np.minimum(today, served)
    per_unit = draws["offences_per_user_year"] * draws["drift"] * (1 - draws["rate_ratio"])
    person_years = served - start
    avoided = np.where(served > today, _weighted(draws, served) - _weighted(draws, today), 0.0) * per_unit
    cost = person_years * draws["programme_cost"]
    factor = discount(settings.discount_rate, settings.horizon_years)
    return {
        "patient_years": person_years,
        "offences_avoided": avoided,
        "victim_crimes_avoided": avoided * draws["countable_share"],
        "offences_avoided_per_patient_year": np.divide(avoided, person_years, where=person_years > 0,
                                                       out=np.full(avoided.shape, np.nan)),
        "entrants": person_years / draws["mean_stay"],
        "programme_cost": cost,
        "net_benefit": (avoided * draws["cost_per_offence"] - cost) * factor,
        "cost_per_offence_avoided": _ratio(cost, avoided),
        "places_per_1000_offences": _ratio(1000.0 * np.maximum(built - start / filled, 0.0), avoided),
        "press_arithmetic": press_arithmetic(built, settings),
        "demand_binds": (built * filled > demand).astype(float),
        "harm": (draws["rate_ratio"] > 1).astype(float),
    }  # fmt: skip


def _weighted(draws: _Draws, people: np.ndarray) -> np.ndarray:
    """People in treatment, each counted by mean offending relative to the eligible pool: ``A(n)``."""
    pool = draws["eligible_share"] * draws["opioid_clients"]
    inside = np.minimum(people, pool)
    gain = targeting_gain(inside / pool, draws["shape_year"], draws.get("targeting_strength", 0.0))
    return np.asarray(inside * gain + (people - inside) * np.exp(draws["offset_all_users"]))


def _ratio(top: Any, bottom: Any) -> Any:
    """``top / bottom`` where something is avoided, infinite where nothing is (no amount buys it)."""
    import xarray as xr

    if isinstance(bottom, xr.DataArray):
        return (top / bottom.where(bottom > 0)).where(bottom > 0, np.inf)
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.inf)
