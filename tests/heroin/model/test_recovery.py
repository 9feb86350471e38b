"""Known truths come back: evidence is simulated from a truth, and the truth lies where the posterior says.

The simulation shares no code with the model: it is NumPy, written from the model's description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayes
from bayes.declared import Declared
from bayes.heroin.evidence.coverage import CoverageRow
from bayes.heroin.model.reduction import add_reduction, design
from bayes.heroin.model.structure import BIASES
from tests.forward import draw
from tests.montecarlo import LIMIT, gap_z

POPULATIONS = ("entrants", "arrestees", "all_users")
TRUTHS = 6
SHORT = {"draws": 250, "chains": 2}
"""Enough for ranks and 99.8 % intervals of one parameter; the warm-up is the usual one, whose programs are there."""


def copied(rows: list[Any], copies: int) -> list[Any]:
    """Each row several times, as independent studies: more evidence of the same kind, of the same country.

    Only rows of coverage are a country each.
    """
    named = [(row, f" {i}" if i else "") for row in rows for i in range(copies)]
    return [
        replace(row, row=row.row + tag, data_set=row.data_set + tag,
                **{key: getattr(row, key) + tag for key in ("study", "country", "shared_arm")
                   if getattr(row, key, "") and (key != "country" or isinstance(row, CoverageRow))})
        for row, tag in named
    ]  # fmt: skip


def simulated(study: Any, truth: Mapping[str, Any], rng: np.random.Generator, copies: int = 1) -> Any:
    """The study with every likelihood row's result replaced by one simulated from the truth."""
    rows = {name: copied(study.rows(name), copies) for name in study.evidence}
    new = {
        "offending": offending(rows["offending"], truth, rng),
        **ratios(rows["trials"], rows["prepost"], truth, rng),
        "coverage": coverage(rows["coverage"], truth, rng),
        "retention": [
            replace(row, retained=float(rng.binomial(int(row.entered), stays(row.years, truth))))
            for row in rows["retention"]
        ],
        "ceiling": [ceiling(row, truth, rng) for row in rows["ceiling"]],
    }
    return replace(study, evidence={name: tuple(found) for name, found in new.items()})


def offending(rows: list[Any], truth: Mapping[str, Any], rng: np.random.Generator) -> list[Any]:
    offset = {"refractory": 0.0, **{name: truth[f"offset_{name}"] for name in POPULATIONS}}
    rate = {}
    for row in rows:
        centre = np.log(truth["offences_per_user_year"]) + offset[row.population]
        rate.setdefault(row.study, np.exp(rng.normal(centre, truth["sigma_study"])))
    return [replace(row, value=offences(row, rate[row.study], truth, rng)) for row in rows]


def offences(row: Any, rate: float, truth: Mapping[str, Any], rng: np.random.Generator) -> float:
    k = truth["shape_month"] if (row.days or 365.25) < 100 else truth["shape_year"]
    mean = rate * (row.days or 0) / 365.25
    if row.measure == "log_mean":
        return float(np.exp(rng.normal(np.log(rate), row.se)))
    if row.measure == "log_odds_any":
        none = stats.nbinom(k, k / (k + mean)).pmf(0)
        return float(stats.logistic.cdf(rng.normal(np.log((1 - none) / none), row.se)))
    counts = rng.poisson(rng.gamma(k, mean / k, size=int(row.persons)))
    return float(counts.sum() if row.measure == "total" else (counts > 0).sum())


def ratios(
    trials: list[Any], changes: list[Any], truth: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, list[Any]]:
    frame = design(trials, changes, BIASES)
    theta = rng.normal(truth["mu_theta"], truth["tau_theta"], size=len(frame.effects))
    gamma = rng.normal(truth["mu_gamma"], truth["tau_gamma"], size=len(frame.effects))
    effects = np.where(frame.is_theta, theta, gamma)
    bias = np.array([truth[term] for term in frame.terms])
    y = rng.multivariate_normal(frame.z @ effects + frame.b @ bias, frame.s)
    new = [replace(row, y=float(value)) for row, value in zip([*trials, *changes], y, strict=True)]
    return {"trials": new[: len(trials)], "prepost": new[len(trials) :]}


def coverage(rows: list[Any], truth: Mapping[str, Any], rng: np.random.Generator) -> list[Any]:
    logits = rng.normal(truth["mu_coverage"], truth["tau_coverage"], size=len(rows))
    counts = [rng.binomial(int(row.clients), 1 / (1 + np.exp(-x))) for row, x in zip(rows, logits, strict=True)]
    return [replace(row, patients=float(n)) for row, n in zip(rows, counts, strict=True)]


def stays(years: float, truth: Mapping[str, Any]) -> float:
    return float(stats.weibull_min(truth["retention_shape"], scale=truth["retention_scale"]).sf(years))


def ceiling(row: Any, truth: Mapping[str, Any], rng: np.random.Generator) -> Any:
    half = np.log(row.upper / row.lower) / 2
    crimes = (
        truth["countable_share"]
        * truth["offences_per_user_year"]
        * np.exp(truth["offset_all_users"])
        * truth["population"]
    )
    centre = rng.normal(np.log(crimes), half / stats.norm.ppf((1 + row.prob) / 2))
    return replace(row, lower=float(np.exp(centre - half)), upper=float(np.exp(centre + half)))


TRUTH = {
    "offences_per_user_year": 300.0, "offset_entrants": -0.9, "offset_arrestees": 0.1, "offset_all_users": -1.2,
    "sigma_study": 0.25, "shape_month": 0.25, "shape_year": 0.6, "mu_theta": -0.6, "tau_theta": 0.3, "mu_gamma": -0.3,
    "tau_gamma": 0.35, "bias_prevalence": 0.2, "bias_composite": 0.0, "bias_completers": 0.2, "bias_untreated": -0.5,
    "bias_odds": -0.2, "bias_change_prevalence": 0.1, "bias_change_odds": -0.8, "mu_coverage": -3.0,
    "tau_coverage": 0.6, "retention_scale": 4.0, "retention_shape": 0.8, "countable_share": 0.2,
    "population": 330_000.0,
}  # fmt: skip


@pytest.mark.parametrize("seed", [20, 22, 24])
def test_a_known_truth_is_inside_the_central_interval(shipped_study, seed) -> None:
    """As many rows as are shipped: every parameter of the truth is inside its central 99.8 % interval.

    Of 24 right intervals one would miss in 5 % of seeds; that the intervals are not simply wide is asserted beside it.
    """
    study = simulated(shipped_study, TRUTH, np.random.default_rng(seed))
    fit = bayes.sample(bayes.build_model(study), rng=21, **SHORT)
    assert int(fit["sample_stats"]["diverging"].sum()) == 0
    ends = {name: np.quantile(fit["posterior"][name], [0.001, 0.999]) for name in TRUTH}
    assert {name: (TRUTH[name], *ends[name]) for name in TRUTH if not ends[name][0] < TRUTH[name] < ends[name][1]} == {}
    for name in ("mu_theta", "mu_coverage", "retention_scale", "shape_month", "shape_year", "offences_per_user_year"):
        assert fit["posterior"][name].std() < 0.5 * fit["prior"][name].std(), name


def test_ranks_of_truths_drawn_from_the_prior_are_uniform(shipped_study, shipped_model) -> None:
    """Simulation-based calibration in small: six truths from the prior, six fits, normal scores of their ranks.

    For each parameter the sum of six squared scores is chi-squared with 6 degrees of freedom, if all is right.
    """
    names = [name for name in TRUTH if name != "population"]
    prior = draw(shipped_model, [shipped_model[name] for name in TRUTH], {}, TRUTHS, np.random.default_rng(30))
    scores = {name: [] for name in names}
    for i in range(TRUTHS):
        truth = {name: float(prior[name][i]) for name in TRUTH}
        study = simulated(shipped_study, truth, np.random.default_rng(40 + i))
        fit = bayes.sample(bayes.build_model(study), rng=50 + i, **SHORT)
        for name in names:
            values = fit["posterior"][name].values.ravel()
            scores[name].append(stats.norm.ppf((np.sum(values < truth[name]) + 0.5) / (values.size + 1)))
    limit = stats.chi2(TRUTHS).isf(1e-4 / len(names))  # Bonferroni over the parameters: one false alarm in 10,000 seeds
    assert {name: z for name, z in scores.items() if np.sum(np.square(z)) > limit} == {}
    everything = np.square([scores[name] for name in names]).sum(axis=1).mean() / TRUTHS
    assert everything == pytest.approx(1.0, abs=0.6)  # of 138 squares: 4 sqrt(2/138) = 0.5, were they independent


def test_the_uncollapsed_effects_have_the_same_posterior(shipped_study, shipped_fit) -> None:
    """Two parameterisations, two programs: all means within 4 Monte Carlo standard errors of their difference.

    Effects and drift share no parameter with offending and delivery: their part is fitted alone, and must agree with
    the joint fit.
    """
    frame = design(shipped_study.rows("trials"), shipped_study.rows("prepost"), BIASES)
    names = ["mu_theta", "tau_theta", "mu_gamma", "tau_gamma", *frame.terms]
    with pm.Model() as model:
        declared = Declared(shipped_study.priors, [*names, "fidelity"])
        add_reduction(frame, declared, "random", True, False)
    other = bayes.sample(model, rng=60, draws=1000, tune=500, chains=2)
    zs = {name: gap_z(shipped_fit["posterior"][name], other["posterior"][name]) for name in names}
    for i, label in enumerate(shipped_fit["posterior"]["group_effect"].values):
        zs[str(label)] = gap_z(*(fit["posterior"]["effect"].values[:, :, i] for fit in (shipped_fit, other)))
    assert {name: round(z, 1) for name, z in zs.items() if abs(z) > LIMIT} == {}
