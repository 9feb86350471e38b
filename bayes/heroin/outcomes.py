r"""Scale-up scenarios on posterior draws, as Deterministics of the model: one graph, recorded once and played.

For draw, scenario :math:`s` and year :math:`t`

.. math::
    \mathrm{avoided} = \big[A(n_{st}) - A(n_0)\big] \cdot m \cdot d \cdot c_{st} \cdot (1 - p + p e^{-b} - r), \\
    A(n) = \min(n, E)\, g(n) + (n - E)_+\, e^{o_{all}},

with :math:`n_{st}` people in treatment, :math:`n_0` today's patients (0 in a scenario compared with none), :math:`m`
offences a year of an eligible person, :math:`d` drift, :math:`r` rate ratio in a new programme, :math:`E` the eligible
pool (``eligible_share`` x ``opioid_clients``), :math:`p` the share of entrants who come from no treatment and
:math:`e^b` what oral maintenance makes of their offending (``bias_untreated``), :math:`c` what offending without the
programme has come down to since they entered, and the targeting gain :math:`g = 1 - w + w\, L(f)/f` at :math:`f =
\min(n/E, 1)`, with the shape of persistent differences between people.

**Within the pool** this is patient-years x offences x drift x targeting x (1 - rate ratio), the estimand as written.
**Beyond it** the estimand as written would go on multiplying by :math:`m`: a pool of some 10,000 people would lend its
rate to 280,000, which is the error of the press arithmetic, and contradicts the national totals that inform
``offset_all_users``. A programme that large reaches people who offend like users in general, :math:`e^{o_{all}}` times
as much, so they count as that. Benefit per place falls as the programme grows.

**Compared with today** both programmes take the heaviest offenders first, so today's patients are subtracted by what
they avoid, not by their number. While built places or demand would not exceed today's patients nothing is added: the
difference is exactly 0, neither benefit nor harm, which is why P(> 0) can be less than P(rate ratio < 1).

People in treatment: :math:`n_{st} = \min(\mathrm{places}_s\, u_{st}\, q,\ \mathrm{demand},\ \mathrm{opiate\ users})`,
:math:`u` the ramp averaged over the year, :math:`q` occupancy (1 where places are a country's coverage, or today's
patients: both count patients and not places), demand = coverage of a new country x opioid clients, but no more
than the eligible pool (only where the cap is on). Entrants are the replacements of a stationary programme, people in
treatment over the mean stay; those who fill new places for the first time are not counted.

Numbers of scenarios and settings are ``pm.Data`` by their names in ``scenarios.toml``. The tape from the variables of
a fit to the outcomes knows no study: :func:`calculation` gives it the numbers of one. The live what-if of a report has
a tape of the same Deterministics that starts at the free variables, so that their priors can be moved.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.cache import keep, kept, key_of
from bayes.heroin.model.structure import Structure
from bayes.heroin.quantities import DRIVERS, UNIT_OF
from bayes.heroin.scenarios import TODAY, Scenario, Settings
from bayes.heroin.words import WORDS, words_of_study
from bayes.records import values_of

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from bayes.outcomes import Outcomes
    from bayes.study import Study
    from bayes.words import Words

__all__ = ["ABSENT", "GIVEN", "add_outcomes", "calculation", "live_outcomes", "outcome_words", "plans",
           "targeting_gain", "top_share"]  # fmt: skip

LEAST = 1e-9
"""Share of the pool below which the gain rises no further: less than a person of any country."""
AT_ONCE = 1e-6
"""Years: a build-up of less than half a minute is a step."""

GIVEN = (*DRIVERS, "countable_share", "mean_stay", "programme_cost", "cost_per_offence", "demand_beyond_pool",
         "coverage")  # fmt: skip
"""Variables of a fit that outcomes are computed from; ``coverage`` by country."""
ABSENT: Mapping[str, float] = {"targeting_strength": 0.0, "yearly_decline": 0.0, "untreated_share": 0.0,
                              "bias_untreated": 0.0, "persistent_spread": 1.0, "demand_beyond_pool": 0.0}  # fmt: skip
"""What a variable is in a model without it."""

SCHEME = "places_built"
"""The outcome that a what-if draws as the scheme of a scenario: its places on average over each year."""

_CALLED = {"programme_cost": "cost_of_places"}
"""What an outcome is called in the model, where a variable has its name."""

_DIMS = {"coverage_of": ("scenario", "country"), "time": ("year",), "discount_rate": (), "press_offences": (),
         "press_reduction": ()}  # fmt: skip
"""Dims of the data of scenarios and settings, where they are not those of a scenario."""


def plans(
    scenarios: Sequence[Scenario], settings: Settings, years: Sequence[int], countries: Sequence[Any]
) -> dict[str, np.ndarray]:
    """Return what scenarios and settings state, as data by name; what they state as words, as truths."""
    numbers = {"places": [float(s.places or 0) for s in scenarios],
               "start_year": [float(s.start_year) for s in scenarios],
               "years_to_full": [float(s.years_to_full) for s in scenarios],
               "demand_cap": [bool(s.demand_cap) for s in scenarios],
               "logistic": [s.ramp == "logistic" for s in scenarios],
               "against_today": [float(s.against == TODAY) for s in scenarios],
               "as_today": [float(s.coverage_of == TODAY) for s in scenarios],
               "coverage_of": [[float(s.coverage_of == country) for country in countries] for s in scenarios],
               "time": [float(year) for year in years], "discount_rate": float(settings.discount_rate),
               "press_offences": float(settings.press_offences),
               "press_reduction": float(settings.press_reduction)}  # fmt: skip
    return {name: np.array(values) for name, values in numbers.items()}


def add_outcomes(model: pm.Model, study: Study, names: Iterable[str] = tuple(UNIT_OF)) -> None:
    """Add to a study's model what its scenarios do in each year, as Deterministics."""
    import pymc as pm

    years = range(1, study.settings.horizon_years + 1)
    stated = plans([*study.scenarios.values()], study.settings, years, model.coords["country"])
    with model:
        model.add_coord("scenario", list(study.scenarios))
        model.add_coord("year", list(years))
        data = {name: pm.Data(name, value, dims=_DIMS.get(name, ("scenario",))) for name, value in stated.items()}
        outcomes = _outcomes({**ABSENT, **dict(model.named_vars), **data})
        for name in names:
            pm.Deterministic(_CALLED.get(name, name), outcomes[name], dims=("scenario", "year"))


def _outcomes(v: Mapping[str, Any]) -> dict[str, Any]:
    """Outcomes (scenario, year) by name: of one draw in the graph, of every draw on the tape."""
    import pytensor.tensor as pt

    built, filled, demand, served = _people(v)
    present = v["against_today"][:, None] * v["current_patients"]
    start = pt.minimum(present, served)
    added = served - start
    gained = _weighted(v, served) - v["against_today"][:, None] * _weighted(v, v["current_patients"])
    without = 1 + v["untreated_share"] * pt.expm1(-v["bias_untreated"])
    per_unit = v["offences_per_user_year"] * v["drift"] * (without - v["rate_ratio"]) * _course(v)
    avoided = pt.switch(pt.le(served, present), 0.0, gained * per_unit)
    cost = added * v["programme_cost"]
    worth = (avoided * v["cost_per_offence"] - cost) * (1 + v["discount_rate"]) ** (1 - v["time"])
    needed = 1000.0 * pt.maximum(built - start / filled[:, None], 0.0)
    return {
        SCHEME: built,
        "patient_years": added,
        "offences_avoided": avoided,
        "victim_crimes_avoided": avoided * v["countable_share"],
        "offences_avoided_per_patient_year": pt.switch(pt.gt(added, 0), avoided / added, np.nan),
        "entrants": added / v["mean_stay"],
        "programme_cost": cost,
        "net_benefit": worth,
        "cost_per_offence_avoided": pt.switch(pt.gt(avoided, 0), cost / avoided, np.inf),
        "places_per_1000_offences": pt.switch(pt.gt(avoided, 0), needed / avoided, np.inf),
        "press_arithmetic": built * v["press_offences"] * v["press_reduction"],
        "demand_binds": pt.switch(pt.gt(built * filled[:, None], demand[:, None]), 1.0, 0.0),
        "harm": pt.switch(pt.gt(v["rate_ratio"] + pt.zeros_like(served), without), 1.0, 0.0),
    }


def _people(v: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Places built (scenario, year), the share filled and demand (scenario), and people in treatment."""
    import pytensor.tensor as pt

    patients, clients = pt.gt(v["coverage_of"].sum(axis=1) + v["as_today"], 0), v["opioid_clients"]
    people = (v["coverage_of"] * v["coverage"]).sum(axis=1) * clients + v["as_today"] * v["current_patients"]
    places = pt.switch(patients, people, v["places"])
    filled = pt.switch(patients, 1.0, v["occupancy"])
    most = pt.switch(pt.gt(v["demand_beyond_pool"], 0), np.inf, v["eligible_share"])
    demand = pt.switch(v["demand_cap"], pt.minimum(v["coverage_new"], most) * clients, np.inf)
    built = _ramp(v) * places[:, None]
    wanted = pt.minimum(built * filled[:, None], demand[:, None])
    return built, filled, demand, pt.minimum(wanted, v["opiate_users"])


def _ramp(v: Mapping[str, Any]) -> Any:
    r"""Built share of the places, averaged over each year, by scenario.

    Linear: :math:`u(\tau) = \mathrm{clip}((\tau - s)/d, 0, 1)`. Logistic: 1 % at the start and 99 % after :math:`d`
    years, :math:`u(\tau) = 1/(1 + e^{-k(\tau - s - d/2)})`, :math:`k = 2 \log(99)/d`. The average over year :math:`t`
    is the exact integral from :math:`t-1` to :math:`t`.
    """
    import pytensor.tensor as pt

    d = pt.maximum(v["years_to_full"], AT_ONCE)[:, None]
    steepness = 2 * np.log(99) / d

    def integral(time: Any) -> Any:
        x = time - v["start_year"][:, None]
        linear = pt.switch(pt.lt(x, d), pt.maximum(x, 0) ** 2 / (2 * d), x - d / 2)
        logistic = pt.softplus(steepness * (x - d / 2)) / steepness
        whole = pt.switch(v["logistic"][:, None], logistic, linear)
        return pt.switch(pt.lt(v["years_to_full"], AT_ONCE)[:, None], pt.maximum(x, 0), whole)

    return integral(v["time"]) - integral(v["time"] - 1)


def _course(v: Mapping[str, Any]) -> Any:
    r"""What offending without the programme has come down to by (scenario, year), since those treated then entered.

    Places that are :math:`a` years old lose patients at a constant rate :math:`1/\bar{T}` and are filled anew, so that
    :math:`e^{-a/\bar{T}}` of their patients have been treated for :math:`a` years and the others for less:

    .. math:: E\,e^{-\lambda x} = e^{-z} + (1 - e^{-z}) \frac{1}{1 + \lambda \bar{T}}, \quad z = a(\lambda + 1/\bar{T}).

    Places have the mean age that they have in the middle of the year, built evenly up to then.
    """
    import pytensor.tensor as pt

    since = pt.maximum(v["time"] - 0.5 - v["start_year"][:, None], AT_ONCE)
    age = since - pt.minimum(since, v["years_to_full"][:, None]) / 2
    z = age * (v["yearly_decline"] + 1 / v["mean_stay"])
    safe = pt.switch(pt.lt(pt.abs(z), 1e-9), 1e-9, z)
    return pt.exp(-z) - pt.expm1(-safe) / safe * age / v["mean_stay"]


def _weighted(v: Mapping[str, Any], people: Any) -> Any:
    """People in treatment, each counted by mean offending relative to the eligible pool: ``A(n)``."""
    import pytensor.tensor as pt

    pool = v["eligible_share"] * v["opioid_clients"]
    inside = pt.minimum(people, pool)
    share = pt.clip(inside / pool, LEAST, 1.0)
    gain = targeting_gain(share, v["shape_year"] * v["persistent_spread"], v["targeting_strength"], pt)
    return inside * gain + (people - inside) * pt.exp(v["offset_all_users"])


def top_share(f: Any, shape: Any, using: Any = None) -> Any:
    r"""Return the share of all offences committed by the most active share ``f`` of people.

    :math:`L = 1 - F_{k+1}(F_k^{-1}(1 - f))` for offending Gamma(k) between people, :math:`F_k` the regularised lower
    incomplete gamma function. ``f`` and ``shape`` broadcast; ``using`` is ``pytensor.tensor`` for a graph.

    Examples
    --------
    >>> float(top_share(1.0, 0.3))
    1.0
    """
    from scipy import special

    functions = using or special
    return functions.gammaincc(shape + 1, functions.gammainccinv(shape, f))


def targeting_gain(f: Any, shape: Any, strength: Any, using: Any = None) -> Any:
    """Return mean offending of those served, relative to the pool: ``1 - w + w L(f)/f``, for ``f`` above 0.

    1 when everyone is served or nothing is targeted; above 1 when the heaviest offenders come first.
    """
    return 1 - strength + strength * top_share(f, shape, using) / f


# --- the calculation, recorded -----------------------------------------------------------------


def calculation(
    scenarios: Sequence[Scenario], settings: Settings, countries: Sequence[str], years: Sequence[int] | None = None
) -> Outcomes:
    """Return the calculation from variables of a fit (:data:`GIVEN`) to outcomes.

    Parameters
    ----------
    scenarios, settings
        What is computed.
    countries
        Labels of the fit's ``coverage``.
    years
        Years from now; all of the horizon by default.

    Examples
    --------
    >>> import bayes
    >>> study = bayes.load_study()
    >>> calculation([*study.scenarios.values()], study.settings, ["Switzerland"]).how
    'tape'
    """
    asked = list(range(1, settings.horizon_years + 1)) if years is None else list(years)
    coords: dict[str, tuple[Any, ...]] = {"scenario": tuple(s.name for s in scenarios), "year": tuple(asked)}
    data = plans(scenarios, settings, asked, countries)
    return replace(_recorded(), data=data, coords={**coords, "country": tuple(countries)})


@cache
def _recorded() -> Outcomes:
    """The calculation from variables of a fit: made once, kept on disk."""
    return _remembered(key_of("projection"), _record)


def _remembered(key: str, record: Callable[[], Outcomes]) -> Outcomes:
    """The calculation kept under a key, or recorded and kept."""
    content = kept("tapes", key)
    if content is None:
        content = pickle.dumps(record())
        keep("tapes", key, content)
    found: Outcomes = pickle.loads(content)
    return found


def _record() -> Outcomes:
    """Record the outcomes of some scenarios, compared with PyTensor's numbers at draws that reach every branch."""
    import pymc as pm
    from xarray import Dataset, DataTree

    from bayes.outcomes import outcomes_of

    countries, chains = ["one", "other"], (2, 4)
    some = [Scenario(f"s{i}", "", places=n, demand_cap=i % 2 == 0, against=("today", "none")[i % 3 == 0],
                     ramp=("linear", "logistic")[i % 2], years_to_full=i, start_year=0.5 * (i % 2))
            for i, n in enumerate((0.01, 0.3, 0.6, 2.0))]  # fmt: skip
    some += [Scenario("abroad", "", coverage_of="one"), Scenario("now", "", coverage_of=TODAY, against="none")]
    few = SimpleNamespace(scenarios={s.name: s for s in some}, settings=Settings(horizon_years=3))
    with pm.Model(coords={"country": countries}) as model:
        for name in GIVEN:
            pm.Flat(name, dims="country" if name == "coverage" else None)
    add_outcomes(model, few)  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    dims = {name: ("chain", "draw", *(["country"] if name == "coverage" else [])) for name in GIVEN}
    draws = {name: (own, rng.uniform(0.1, 0.9, (*chains, *[2] * (len(own) - 2)))) for name, own in dims.items()}
    found = outcomes_of(model, replace(WORDS, cost=""), DataTree.from_dict({"posterior": Dataset(draws)}))
    return found.only(UNIT_OF, _CALLED)


def live_outcomes(fit: DataTree, study: Study, structure: Structure | None = None) -> Outcomes:
    """Return the calculation from the free variables of a study's model to what a report's what-if shows.

    Examples
    --------
    >>> live_outcomes(fit, bayes.load_study()).how
    'tape'
    """
    chosen, found = structure or Structure(), fit["posterior"].data_vars
    parts = [values_of(one) for one in (*study.scenarios.values(), study.settings)]
    priors = [prior.as_data() for prior in study.priors.values()]
    key = key_of("outcomes", list(study.scenarios), parts, priors, chosen.as_data(), sorted(map(str, found)),
                 [str(country) for country in fit["posterior"].coords["country"].values])  # fmt: skip

    def record() -> Outcomes:
        from bayes.heroin.model import build_model
        from bayes.outcomes import outcomes_of

        model, words = build_model(study, chosen), outcome_words(study)
        add_outcomes(model, study, (*UNIT_OF, SCHEME))
        return outcomes_of(model, words, fit).only((words.target, *words.beside, words.net_benefit, SCHEME))

    return _remembered(key, record)


def outcome_words(study: Study) -> Words:
    """Return what is said of a study's scenarios where what is built, what is avoided and its worth is shown."""
    return replace(words_of_study(study), size=SCHEME, reference=(), cost="", ratios={})
