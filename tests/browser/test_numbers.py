"""JavaScript in a browser and Python give the same numbers, to a millionth, on the same draws."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import special, stats
from xarray import DataTree

import bayes
from bayes.families import scipy_frozen
from bayes.numbers import chance, compact
from bayes.overrides import changed_study, read_overrides
from bayes.sensitivity.weights import equal_weights, levels, mcse_of_mean, quantiles, smoothed_weights

RTOL = 1e-6  # far below what is printed; the functions themselves agree better


def close(found, wanted, rtol=RTOL, atol=0.0):
    np.testing.assert_allclose(np.array(found, dtype=float), np.array(wanted, dtype=float), rtol=rtol, atol=atol)


def near_zero(found, wanted, least=1e-6):
    """Compare draws to 1e-6 of each, or 1e-9 of their mean: what is left of two large numbers has fewer digits."""
    close(found, wanted, atol=max(least, 1e-9 * float(np.abs(wanted).mean())))


# --- special functions -----------------------------------------------------------------------


def test_incomplete_gamma(numbers):
    shape, x = (a.ravel() for a in np.meshgrid([0.02, 0.137, 0.5, 1.0, 3.0, 40.0], np.geomspace(1e-12, 80, 41)))
    found = np.array(
        numbers.evaluate(
            "([k, x]) => k.map((_, i) => whatIf.gammaTails(k[i], Math.log(x[i])))", [shape.tolist(), x.tolist()]
        )
    )
    lower, upper = special.gammainc(shape, x), special.gammaincc(shape, x)
    small = lower < upper  # the smaller tail holds the digits
    close(np.where(small, found[:, 0], found[:, 1]), np.where(small, lower, upper), rtol=1e-11, atol=1e-300)


def test_inverse_of_incomplete_gamma(numbers):
    shape, upper = (a.ravel() for a in np.meshgrid([0.137, 0.24, 0.52, 1.0, 4.0], [1e-6, 1e-3, 0.05, 0.5, 0.9, 0.999]))
    script = "([k, u]) => k.map((_, i) => Math.exp(whatIf.gammaInverse(k[i], 1 - u[i], u[i])))"
    close(numbers.evaluate(script, [shape.tolist(), upper.tolist()]), special.gammainccinv(shape, upper), rtol=1e-9)


def test_incomplete_beta(numbers):
    a, b, x = (v.ravel() for v in np.meshgrid([0.3, 1.0, 4.0, 60.0], [0.4, 1.0, 9.0], np.linspace(0.001, 0.999, 33)))
    script = "([a, b, x]) => x.map((_, i) => whatIf.betaTails(x[i], 1 - x[i], a[i], b[i]))"
    found = np.array(numbers.evaluate(script, [a.tolist(), b.tolist(), x.tolist()]))
    wanted = np.stack([special.betainc(a, b, x), special.betaincc(a, b, x)], axis=1)
    small = wanted.argmin(axis=1)
    rows = np.arange(len(x))
    close(found[rows, small], wanted[rows, small], rtol=1e-11)


def test_log_gamma(numbers):
    x = np.concatenate([np.geomspace(1e-8, 1e4, 200), [1.0, 2.0]])
    close(numbers.evaluate("x => x.map(whatIf.logGamma)", x.tolist()), special.gammaln(x), rtol=1e-13, atol=1e-14)


# --- families --------------------------------------------------------------------------------

FAMILIES = {
    "Normal": ({"mu": 0.3, "sigma": 0.7}, {"mu": -0.2, "sigma": 0.4}),
    "LogNormal": ({"mu": 6.0, "sigma": 0.84}, {"mu": 5.0, "sigma": 1.2}),
    "ShiftedLogNormal": ({"mu": 1.0, "sigma": 0.5, "shift": 3.0}, {"mu": 1.4, "sigma": 0.6, "shift": 3.0}),
    "HalfNormal": ({"sigma": 0.4}, {"sigma": 0.9}),
    "HalfCauchy": ({"beta": 0.4}, {"beta": 0.9}),
    "Exponential": ({"lam": 2.0}, {"lam": 0.7}),
    "Beta": ({"alpha": 1.4, "beta": 5.5}, {"alpha": 0.6, "beta": 1.1}),
    "Gamma": ({"alpha": 0.6, "beta": 2.0}, {"alpha": 2.5, "beta": 0.4}),
    "Uniform": ({"lower": -1.0, "upper": 3.0}, {"lower": -0.5, "upper": 2.0}),
    "pymc.StudentT": ({"nu": 3.0, "mu": 0.3, "sigma": 0.7}, {"nu": 3.0, "mu": -0.2, "sigma": 1.1}),
    "pymc.Cauchy": ({"alpha": 0.3, "beta": 0.7}, {"alpha": -0.2, "beta": 1.1}),
    "pymc.Laplace": ({"mu": 0.3, "b": 0.7}, {"mu": -0.2, "b": 1.1}),
    "pymc.Logistic": ({"mu": 0.3, "s": 0.7}, {"mu": -0.2, "s": 1.1}),
    "pymc.HalfStudentT": ({"nu": 4.0, "sigma": 0.4}, {"nu": 4.0, "sigma": 0.9}),
    "pymc.InverseGamma": ({"alpha": 3.0, "beta": 0.4}, {"alpha": 3.0, "beta": 0.9}),
    "pymc.Weibull": ({"alpha": 1.4, "beta": 0.8}, {"alpha": 0.9, "beta": 2.0}),
    "pymc.Triangular": ({"lower": 1.0, "c": 2.0, "upper": 6.0}, {"lower": 1.5, "c": 2.1, "upper": 4.5}),
}


def in_scipy(name, p):
    """The distribution as SciPy has it: another program than PyMC, which computes those of its own."""
    own = {
        "pymc.StudentT": lambda: stats.t(p["nu"], p["mu"], p["sigma"]),
        "pymc.Cauchy": lambda: stats.cauchy(p["alpha"], p["beta"]),
        "pymc.Laplace": lambda: stats.laplace(p["mu"], p["b"]),
        "pymc.Logistic": lambda: stats.logistic(p["mu"], p["s"]),
        "pymc.HalfStudentT": lambda: HalfT(p["nu"], p["sigma"]),
        "pymc.InverseGamma": lambda: stats.invgamma(p["alpha"], scale=p["beta"]),
        "pymc.Weibull": lambda: stats.weibull_min(p["alpha"], scale=p["beta"]),
        "pymc.Triangular": lambda: stats.triang(
            (p["c"] - p["lower"]) / (p["upper"] - p["lower"]), p["lower"], p["upper"] - p["lower"]
        ),
    }
    return own[name]() if name in own else scipy_frozen(name, p)


class HalfT:
    """The absolute value of Student's t, which SciPy has only by its two halves."""

    def __init__(self, nu, sigma):
        self.whole = stats.t(nu, scale=sigma)

    def rvs(self, **told):
        return np.abs(self.whole.rvs(**told))

    def median(self):
        return self.ppf(0.5)

    def cdf(self, x):
        return 1 - 2 * self.whole.sf(x)

    def sf(self, x):
        return 2 * self.whole.sf(x)

    def ppf(self, u):
        return self.whole.isf((1 - np.asarray(u)) / 2)

    def isf(self, u):
        return self.whole.isf(np.asarray(u) / 2)

    def logpdf(self, x):
        return np.log(2) + self.whole.logpdf(x)


@pytest.mark.parametrize("name", FAMILIES)
def test_densities_and_maps_between_members_of_a_family(numbers, name):
    old, new = FAMILIES[name]
    before, after = in_scipy(name, old), in_scipy(name, new)
    x = before.rvs(size=800, random_state=5)
    lower = x <= before.median()
    wanted = np.where(lower, after.ppf(before.cdf(x)), after.isf(before.sf(x)))
    asked = [name, old, new, x.tolist()]
    mapped = numbers.evaluate("([f, a, b, x]) => Array.from(whatIf.mapDraws(f, a, b, Float64Array.from(x)))", asked)
    close(mapped, wanted, atol=1e-12)
    ratio = numbers.evaluate(
        """([f, a, b, x]) => { const sum = new Float64Array(x.length);
           whatIf.addLogRatio(sum, f, a, b, x); return Array.from(sum, s => Number.isFinite(s) ? s : null); }""",
        asked,
    )
    difference = after.logpdf(x) - before.logpdf(x)
    close(ratio, np.where(np.isfinite(difference), difference, np.nan), atol=1e-9)
    ends = numbers.evaluate("([f, a]) => whatIf.FAMILIES[f].range(a)", [name, old])
    close(ends, before.ppf([0.05, 0.95]))
    moved = "([f, a]) => { const g = whatIf.FAMILIES[f]; return g.moved(a, g.location(a), 1); }"
    assert numbers.evaluate(moved, [name, old]) == pytest.approx(old, rel=1e-12)


def test_every_family_with_sliders_is_compared(numbers):
    """What is left of one between two ends is the family again, which is compared: its weights do not see the rest."""
    known = numbers.evaluate("Object.keys(whatIf.FAMILIES)")
    assert {name for name in known if "Truncated" not in name} == set(FAMILIES)
    cut = set(FAMILIES) - {"Uniform", "pymc.Triangular"}  # whose ends their sliders move
    assert {*known} - set(FAMILIES) == {*(f"Truncated {name}" for name in cut), "pymc.TruncatedNormal"}


# --- Pareto-smoothed importance sampling -----------------------------------------------------


RATIOS = {
    "light": lambda x: 0.2 * x,
    "moderate": lambda x: 0.8 * x,
    "heavy": lambda x: 0.35 * x**2 + 0.3 * x,
    "hopeless": lambda x: 3.0 * np.tan(np.arctan(x) * 0.999),
    "bounded": lambda x: -np.abs(x),
    "tiny": lambda x: 1e-7 * x,
    "few": lambda x: 0.9 * x[:150],
    "some impossible": lambda x: np.where(x < -1, -np.inf, 0.5 * x),
}


@pytest.mark.parametrize("name", RATIOS)
def test_weights_and_khat_are_those_of_arviz(numbers, name):
    """ArviZ takes the negative: it was made for log likelihoods."""
    ratio = RATIOS[name](np.random.default_rng(7).normal(size=4000))
    smooth, khat = array_stats.psislw(-(ratio - ratio.max()))
    found = numbers.evaluate(
        """logs => { const w = whatIf.smoothedWeights(logs.map(x => x === null ? -Infinity : x));
           return [Array.from(w.values), w.khat, w.ess]; }""",
        [None if math.isinf(v) else v for v in ratio.tolist()],
    )
    weights = np.exp(smooth) / np.exp(smooth).sum()
    close(found[0], weights, atol=1e-300)
    close(found[1], khat)
    close(found[2], 1 / np.sum(weights**2))


def _log_ratios():
    """Random changes, from harmless to hopeless: shifts, widths, heavy tails, cuts, single draws; and named ones."""
    rng = np.random.default_rng(11)
    for _ in range(16):
        x, tail = rng.normal(size=4000), rng.standard_t(3, size=4000)
        shift, scale = rng.uniform(0, 3), rng.uniform(0.5, 1.6)
        yield 0.5 * x**2 - 0.5 * ((x - shift) / scale) ** 2
        yield rng.uniform(0, 0.7) * tail
        yield np.where(x > rng.uniform(-1, 3), 0.3 * x, -np.inf)
        yield np.where(rng.uniform(size=4000) < rng.uniform(0, 0.2), 0.2 * x, -900.0)
        yield -rng.uniform(10, 90) * np.abs(x)
    yield np.where(np.arange(4000) == 7, 800.0, x)  # one draw
    yield np.where(np.arange(4000) < 20, 0.0, -np.inf)  # twenty equal draws
    yield np.where(np.arange(4000) < 189, 0.0, -np.inf)  # as many as a tail takes
    yield np.where(np.arange(4000) < 188, 0.0, -np.inf)


def test_verdicts_on_the_same_weights_are_those_of_python(numbers):
    """Whether weights are relied on, and whether each quantile is: one rule, carried as data, in two languages."""
    rng = np.random.default_rng(12)
    x = rng.normal(size=4000).cumsum() * 0.01 + rng.normal(size=4000)
    numbers.evaluate("x => { window.series = Float64Array.from(x); }", x.tolist())
    verdicts = []
    for logs in _log_ratios():
        weights = smoothed_weights(logs.reshape(4, -1))
        known = quantiles(x.reshape(4, -1), weights, levels(0.95)).resolved
        found = numbers.evaluate(
            """logs => { const { rules, chains, prob } = whatIf.model.data, y = window.series;
               const w = whatIf.smoothedWeights(logs.map(v => v === null ? -Infinity : v));
               const q = whatIf.quantileFunction(y, w), p = [(1 - prob) / 2, 0.5, (1 + prob) / 2];
               return [whatIf.reliable(w, rules),
                 p.map(v => whatIf.levelKnown(whatIf.quantileWithError(y, w, q, v, chains), v, rules))]; }""",
            [None if math.isinf(v) else v for v in logs.tolist()],
        )
        verdicts.append((weights.reliable(), *known.tolist()))
        assert (found[0], *found[1]) == verdicts[-1], (weights.khat, weights.ess)
    for verdict in zip(*verdicts, strict=True):
        assert {True, False} <= set(verdict)  # each rule says yes to some and no to others


def test_rules_are_pythons_and_stand_nowhere_else(numbers, shipped_fit):
    from importlib.resources import files

    from bayes.sensitivity.weights import rules

    carried = numbers.evaluate("whatIf.model.data.rules")
    assert carried == pytest.approx(rules(shipped_fit["posterior"]["mu_theta"].size))
    page = files("bayes.report.whatif") / "page"
    for script in ("weights.js", "answer.js", "view.js", "panel.html"):
        text = (page / script).read_text("utf-8")
        assert not {word for word in ("0.7;", "0.31", "> 100", "< 100", ">= 100", "limit 0.7") if word in text}


def test_weights_of_what_cannot_be_weighed(numbers):
    undefined = numbers.evaluate("whatIf.smoothedWeights([0, NaN, 1]).values")
    nowhere = numbers.evaluate("whatIf.smoothedWeights([-Infinity, -Infinity]).values")
    equal = numbers.evaluate("[whatIf.smoothedWeights(new Float64Array(400)).khat === -Infinity]")
    assert undefined is None
    assert nowhere is None
    assert equal == [True]


def test_monte_carlo_errors_are_those_of_arviz(numbers):
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(4, 1000))
    chains = np.stack([noise, np.cumsum(noise, axis=1) * 0.05, -noise[:, ::-1] + 0.4 * np.roll(noise, 1, axis=1)])
    for series in chains:
        found = numbers.evaluate("x => whatIf.errorOfMean(Float64Array.from(x), 4)", series.ravel().tolist())
        close(found, mcse_of_mean(series))


# --- projection ------------------------------------------------------------------------------


def played(numbers, scenario, data=None):
    """Every row of the panel at every time, draw by draw, as the page plays the tape."""
    script = """([scenario, data]) => {
      const m = whatIf.model, state = { ...whatIf.unchanged(scenario), data };
      const text = (x) => { const b = new Uint8Array(x.buffer); let found = "";
        for (let i = 0; i < b.length; i += 8192) found += String.fromCharCode(...b.subarray(i, i + 8192));
        return btoa(found); };
      const rows = (year) => Object.entries(whatIf.weightedDraws(m, { ...state, year }).values);
      return m.data.years.map((year) => Object.fromEntries(rows(year).map(([key, x]) => [key, text(x)]))); }"""
    return [{key: np.frombuffer(base64.b64decode(text), dtype="<f8") for key, text in rows.items()}
            for rows in numbers.evaluate(script, [scenario, data or {}])]  # fmt: skip


CHANGES = {
    "as in the study": {}, "another size and speed": {"places": 20000.0, "years_to_full": 2.5},
    "at once": {"years_to_full": 0.0}, "later": {"start_year": 1.5}, "no cap": {"demand_cap": 0, "places": 60000.0},
    "few places": {"places": 500.0}, "another discount rate": {"discount_rate": 0.06},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_projected_quantities_draw_by_draw(numbers, shipped_fit, shipped_study, change):
    """Every draw of every year of every scenario, as the library projects it."""
    changes = dict(CHANGES[change])
    rate = changes.pop("discount_rate", shipped_study.settings.discount_rate)
    settings = replace(shipped_study.settings, discount_rate=rate)
    kept = {n: s for n, s in shipped_study.scenarios.items() if not (s.coverage_of and "places" in changes)}
    typed = {key: bool(value) if key == "demand_cap" else value for key, value in changes.items()}
    scenarios = {name: replace(s, **typed) for name, s in kept.items()}
    study = replace(shipped_study, scenarios=scenarios, settings=settings)
    futures = bayes.project(shipped_fit, study).transpose("scenario", "year", "chain", "draw")
    for name in scenarios:
        one = futures.sel(scenario=name)
        for year, rows in enumerate(played(numbers, name, CHANGES[change])):
            for outcome in ("offences_avoided", "victim_crimes_avoided"):
                near_zero(rows[outcome], one[outcome].values[year].ravel())
            for outcome in ("offences_avoided", "victim_crimes_avoided", "net_benefit"):
                total = one[outcome].values[: year + 1].sum(axis=0).ravel()
                near_zero(rows[f"{outcome}.total"], total, least=1e-2 if outcome == "net_benefit" else 1e-6)


# --- whole answers ---------------------------------------------------------------------------

STATES = (
    "p.mu_theta=-0.2,",
    "p.mu_theta=-0.3,0.7&p.tau_theta=0.3,",
    "p.offences_per_user_year=300,0.8&p.countable_share=0.25,1.3",
    "p.mu_gamma=-0.5,1.4&p.tau_gamma=0.5,&p.mu_coverage=-3.4,0.9&p.tau_coverage=1.2,",
    "p.shape_year=0.4,1.2&p.offset_all_users=-1.8,0.9",
    "p.fidelity=0.7,1.2&p.targeting_strength=0.4,0.6&p.eligible_share=0.12,1.5&p.occupancy=0.8,2",
    "p.opioid_clients=150000,2&p.current_patients=500,0.5&p.programme_cost=20000,1.5&p.cost_per_offence=100,0.7",
    "scenario=swiss&d.discount_rate=0.06&d.years_to_full=3&year=7&p.mu_theta=-0.6,1.3&p.fidelity=0.6,",
    "scenario=everyone&d.places=200000&d.years_to_full=3.5&d.demand_cap=1&p.population=330000,1.5&"
    "p.opiate_users=290000,0.5",
    "scenario=p1000&year=2&threshold=20000&d.places=1500&p.bias_completers=-0.2,0.5",
)


ANSWER = """text => { const m = whatIf.model, state = whatIf.parseFragment(m, '#what-if?' + text);
   const a = whatIf.answer(m, state), rows = {};
   for (const [key, r] of Object.entries(a.rows))
     rows[key] = [r.lower, r.median, r.upper, r.positive].map(q => [q.value, q.mcse]);
   return { rows, khat: Number.isFinite(a.weights.khat) ? a.weights.khat : null, ess: a.weights.ess,
     exceeds: a.exceeds.value, scenario: state.scenario, year: a.now.year, threshold: a.now.threshold,
     toml: whatIf.formatToml(m, state), reason: whatIf.reasonAgainst(m, a) }; }"""


def in_python(text, tmp_path, fit, study):
    """The draws and weights of a downloaded file: redrawn, reweighted and projected as the library does it."""
    file = tmp_path / "what-if.toml"
    file.write_text(text, encoding="utf-8")
    overrides = read_overrides(file)
    changed = changed_study(study, overrides)
    forward = set(json.loads(fit.attrs["forward_variables"]))
    posterior = fit["posterior"].to_dataset()
    ratio = np.zeros((posterior.sizes["chain"], posterior.sizes["draw"]))
    for name in overrides.priors:
        old, new = (scipy_frozen(s.priors[name].family, s.priors[name].parameters) for s in (study, changed))
        x = posterior[name].transpose("chain", "draw").values
        if forward & {name, f"{name}_excess"}:
            mapped = np.where(x <= old.median(), new.ppf(old.cdf(x)), new.isf(old.sf(x)))
            posterior = posterior.assign({name: (("chain", "draw"), mapped)})
        else:
            ratio += new.logpdf(x) - old.logpdf(x)
    posterior = posterior.assign(rate_ratio=np.exp(posterior["fidelity"] * posterior["theta_new"]))
    return DataTree.from_dict({"posterior": posterior}), changed, smoothed_weights(ratio)


def same_quantiles(found, wanted, x, weights):
    """Ends of intervals: equal, or next to no weight between, where the rounding of a sum decides which draw it is."""
    for one, other in zip(found, wanted, strict=True):
        low, high = sorted((one, other))
        between = weights[(x > low) & (x < high)].sum()
        assert abs(one - other) <= 1e-6 * np.abs(wanted).max() or between < 1e-6, (one, other, between)


@pytest.mark.parametrize("state", STATES)
def test_whole_answers(numbers, shipped_fit, shipped_study, tmp_path, state):
    """The file a reader downloads, put in force by the library, gives the numbers the page shows."""
    found = numbers.evaluate(ANSWER, state)
    tree, study, weights = in_python(found["toml"], tmp_path, shipped_fit, shipped_study)
    futures = bayes.project(tree, study, scenarios=[found["scenario"]]).isel(scenario=0)
    now, total = futures.sel(year=found["year"]), futures.sel(year=slice(1, found["year"])).sum("year")
    quantities = {name: now[name] for name in ("offences_avoided", "victim_crimes_avoided")}
    quantities |= {f"{name}.total": total[name] for name in (*quantities, "net_benefit")}
    the_same(found, {key: x.transpose("chain", "draw") for key, x in quantities.items()}, weights)


def the_same(found, quantities, weights):
    """What the page shows, against draws of the library and their weights; the first quantity is the answer."""
    assert (found["khat"] is None) == math.isinf(weights.khat)
    if found["khat"] is not None:
        close(found["khat"], weights.khat)
    close(found["ess"], weights.ess)
    relied = weights.reliable()
    for key, array in quantities.items():
        x = np.asarray(array)
        wanted = quantiles(x, weights, levels(0.95))
        fitted = quantiles(x, equal_weights(x.shape), levels(0.95))
        relied = relied and not (fitted.resolved & ~wanted.resolved).any()
        rows = np.array(found["rows"][key])
        same_quantiles(rows[:3, 0], wanted.values, x, weights.values)
        close(rows[:3, 1], wanted.mcse, rtol=1e-4, atol=np.abs(wanted.values).max() * 1e-6)
        close(rows[3, 0], weights.values[x > 0].sum())
    first = np.asarray(next(iter(quantities.values())))
    close(found["exceeds"], weights.values[first > found["threshold"]].sum())
    assert (found["reason"] == "") == relied  # where Python would fit again the page gives no answer


def test_unmodified_answer_is_the_runs_own(numbers, shipped_futures):
    """Where the page computes it and where it carries it."""
    table = bayes.summarise(shipped_futures, prob=0.95)
    for name in shipped_futures["scenario"].values:
        script = """s => { const m = whatIf.model, state = whatIf.unchanged(s), b = whatIf.unmodified(m, state),
            a = whatIf.answer(m, state);
            return [a, b].map(x => { const { median, lower, upper } = x.rows.offences_avoided;
              return [median, lower, upper].map(q => q.value); }); }"""
        row = table.query("variable == 'offences_avoided' and scenario == @name and year == 10").iloc[0]
        wanted = [row["estimate"], row["lower"], row["upper"]]
        for found in numbers.evaluate(script, str(name)):
            close(found, wanted)


def test_numbers_are_written_as_in_python(numbers):
    rng = np.random.default_rng(11)
    values = np.concatenate([rng.normal(size=300) * 10 ** rng.uniform(-4, 10, 300), [0.0, 17.3, 432, 1e6, math.inf]])
    errors = np.concatenate([np.abs(values[:300]) * 10 ** rng.uniform(-4, 0.5, 300), [0.0, 0.0, 0.0, 0.0, 0.0]])
    pairs = [[v if math.isfinite(v) else None, e] for v, e in zip(values, errors, strict=True)]
    found = numbers.evaluate(
        "pairs => pairs.map(([v, e]) => whatIf.compact(v ?? Infinity, e, whatIf.model.data.apart))", pairs
    )
    wanted = [compact(float(v), float(e)).replace("-", "−") for v, e in zip(values, errors, strict=True)]
    assert found == wanted


def test_probabilities_are_written_as_in_python_and_never_as_certain(numbers):
    shares = [*np.linspace(0, 1, 4_001).tolist(), 0.9901, 0.0099, 0.9999]
    found = numbers.evaluate("shares => shares.map((p) => whatIf.chance(p, whatIf.model.data.least_chance))", shares)
    assert found == [chance(p) for p in shares]
