"""Counts of every measure against sums over dense grids, closed forms and the normal quadrature."""

import numpy as np
import pytest
from scipy import special, stats

from bayes.cli import main
from bayes.errors import EvidenceError, UsageError
from bayes.synthesis import Counts, Options, Rates, synthesise
from bayes.synthesis.grid import grid_posterior
from bayes.synthesis.likelihoods import log_likelihoods
from bayes.synthesis.priors import mean_law, spread_law
from bayes.synthesis.tables import beyond, effects_table, interval

MU, TAU = mean_law("Normal(0, 2)"), spread_law("HalfNormal(0.5)")
E, N = np.array([[0, 4], [2, 5], [1, 3], [3, 8]]), np.array([[20, 21], [30, 29], [25, 24], [40, 41]])


def risks(measure, alpha, theta):
    """Both risks at a comparator's log odds (or the mean one, of OR) and an effect."""
    second = special.expit(alpha)
    if measure == "OR":
        return special.expit(alpha + theta / 2), special.expit(alpha - theta / 2)
    return (second * np.exp(theta) if measure == "RR" else second + theta), second + 0 * theta


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_zeros_enter_as_they_are(measure):
    """Against sums over the nuisance, the effect, the mean and the spread; steps of 0.01 tau resolve the smallest."""
    theta = np.linspace(-9, 9, 1801) if measure != "RD" else np.linspace(-0.999, 0.999, 1999)
    mu = np.linspace(-6, 6, 121) if measure != "RD" else np.linspace(-2.4, 2.4, 321)
    tau = (np.arange(75) + 0.5) * (0.032 if measure != "RD" else 0.02)
    alpha = np.linspace(-36, 14, 501)[:, None]
    one, two = risks(measure, alpha, theta)
    inside = (one >= 0) & (one <= 1)
    weight = stats.norm(0, 5).pdf(alpha)
    likelihood = []
    for (e1, e2), (n1, n2) in zip(E, N, strict=True):
        p = np.clip(one, 0, 1)
        likelihood.append(
            (inside * p**e1 * (1 - p) ** (n1 - e1) * two**e2 * (1 - two) ** (n2 - e2) * weight).sum(axis=0)
        )
    logs = stats.norm(0, 2).logpdf(mu)[:, None] + stats.halfnorm(scale=0.5).logpdf(tau)
    for i, t in enumerate(tau):
        kernel = np.exp(-(((theta - mu[:, None]) / t) ** 2) / 2) / t
        logs[:, i] += np.log(kernel @ np.array(likelihood).T).sum(axis=1)
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    mean = mass.sum(axis=1) @ mu
    sd = (mass.sum(axis=1) @ mu**2 - mean**2) ** 0.5
    found, _ = grid_posterior(Counts(tuple("abcd"), E, N, measure=measure), MU, TAU)
    assert found.change < 1e-3
    assert float(found.numbers["mu"]["mean"]) == pytest.approx(mean, abs=0.005 * sd)
    assert float(found.numbers["mu"]["sd"]) == pytest.approx(sd, rel=0.01)
    assert float(found.numbers["tau"]["mean"]) == pytest.approx(mass.sum(axis=0) @ tau, rel=0.01)


def test_one_arm_is_binomial_and_leaving_a_row_out_is_the_analysis_of_the_others():
    rows = Counts(tuple("abcd"), E[:, :1], N[:, :1])
    assert rows.scale == "log odds"
    found, less = grid_posterior(rows, MU, TAU)
    others, _ = grid_posterior(rows.without(3), MU, TAU)
    for key in ("mean", "sd", "q2.5", "q97.5"):
        gap = abs(float(less[3]["mu"][key]) - float(others.numbers["mu"][key]))
        assert gap < 2e-3 * float(others.numbers["mu"]["sd"])
    logs = log_likelihoods(rows, np.array([-2.0]))[:, 0]
    p = special.expit(-2.0)
    assert logs == pytest.approx(E[:, 0] * np.log(p) + (N[:, 0] - E[:, 0]) * np.log1p(-p))
    assert found.log_evidence < 0


def test_common_rates_are_conjugate():
    """Events over time of single arms, a common log rate under a vague prior: Gamma(sum e, sum t)."""
    rows = Rates(tuple("abc"), np.array([[40], [55], [62]]), np.array([[100.0], [150.0], [140.0]]))
    found, _ = grid_posterior(rows, mean_law("Normal(0, 100)"), None)
    exact = stats.gamma(157, scale=1 / 390)  # a flat prior of the log rate is Gamma(0, 0)
    assert np.exp(float(found.numbers["mu"]["q50"])) == pytest.approx(exact.median(), rel=1e-4)
    assert np.exp(float(found.numbers["mu"]["q97.5"])) == pytest.approx(exact.ppf(0.975), rel=1e-4)


def test_common_rate_ratios_are_binomial_given_their_sum():
    """Equal times: e1 of e1 + e2 is binomial; under a flat log ratio its share has a Beta(e1, e2) posterior."""
    rows = Rates(("a", "b"), np.array([[7, 20], [5, 13]]), np.full((2, 2), 10.0))
    found, _ = grid_posterior(rows, mean_law("Normal(0, 1000)"), None)
    share = stats.beta(12, 33)
    for key, p in (("q2.5", 0.025), ("q50", 0.5), ("q97.5", 0.975)):
        assert special.expit(float(found.numbers["mu"][key])) == pytest.approx(share.ppf(p), rel=2e-4)


def test_the_command_reads_each_kind(tmp_path, capsys):
    file = tmp_path / "rows.csv"
    lines = [f"{name},{','.join(map(str, (*e, *n)))}" for name, e, n in zip("abcd", E, N, strict=True)]
    file.write_text("study,e1,e2,n1,n2\n" + "\n".join(lines) + "\n")
    base = ["synthesise", str(file), "--quiet", "--no-leave-one-out"]
    for more, word in ((["--events", "e1,e2", "--total", "n1,n2", "--measure", "RR"], "Log risk ratios"),
                       (["--events", "e1,e2", "--total", "n1,n2", "--measure", "RD"], "Risk differences"),
                       (["--events", "e1", "--total", "n1"], "Log odds"),
                       (["--events", "e1,e2", "--time", "n1,n2"], "Log rate ratios")):  # fmt: skip
        assert main([*base, *more]) == 0
        out = capsys.readouterr().out
        assert word in out
        assert "quadrature" in out
    assert main([*base, "--events", "e1,e2", "--total", "n1,n2", "--measure", "HR"]) == 2
    assert "no such measure" in capsys.readouterr().err


def test_what_cannot_be_is_refused():
    with pytest.raises(EvidenceError, match="time at risk"):
        Rates(("a",), np.array([[1, 2]]), np.array([[0.0, 1.0]]))
    with pytest.raises(UsageError, match="without draws"):
        synthesise(Counts(tuple("abcd"), E, N, measure="RR"), draws=100)


def test_any_interval_and_chance_of_counts():
    """One arm, common effect: intervals of any kind are those of the likelihood times the prior on a dense grid."""
    rows = Counts(tuple("abcd"), E[:, :1], N[:, :1])
    found = synthesise(rows, effects="common", options=Options(leave_one_out=False, prob=0.8))
    x = np.linspace(-8, 3, 40_001)
    p = special.expit(x)
    mass = np.exp(stats.norm(0, 2).logpdf(x) + 6 * np.log(p) + (N[:, 0].sum() - 6) * np.log1p(-p))
    upto = np.cumsum(mass) / mass.sum()
    low, high = interval(found, "mu", 0.8)
    assert [low[0], high[0]] == pytest.approx(np.interp([0.1, 0.9], upto, x), abs=2e-3)
    assert beyond(found, -3.0)["mu"] == pytest.approx(np.interp(-3.0, x, upto), abs=1e-3)
    left, right = interval(found, "mu", 0.8, "hdi")
    assert right[0] - left[0] < high[0] - low[0]
    assert float(effects_table(found).set_index("quantity").loc["mu", "lower"]) == low[0]


def test_a_new_setting_of_single_arms_is_a_mixture_of_beta_laws(tmp_path, capsys):
    file, prior = tmp_path / "arms.csv", tmp_path / "map.py"
    file.write_text("study,r,n\n" + "\n".join(f"s{i},{r},{n}" for i, (r, n) in enumerate(AS)) + "\n")
    base = ["synthesise", str(file), "--events", "r", "--total", "n", "--quiet", "--no-leave-one-out"]
    assert main([*base, "--tau", "HalfNormal(1)", "--map", str(prior), "--robust", "0.2"]) == 0
    assert "Beta(1, 1)" in capsys.readouterr().out
    assert prior.read_text().startswith("pm.Mixture")
    declared = tmp_path / "map.toml"
    assert main([*base, "--tau", "HalfNormal(1)", "--map", str(declared)]) == 0
    assert 'unit = "log odds"' in declared.read_text()
    assert "pymc.NormalMixture" in declared.read_text()


AS = ((23, 107), (12, 44), (19, 51), (9, 39), (39, 139), (6, 20), (9, 78), (10, 35))
"""Responders to control in eight trials of ankylosing spondylitis (Baeten et al. 2013, Lancet 382:1705)."""


def test_the_control_arms_of_ankylosing_spondylitis():
    """RBesT 1.9-0, articles/introduction.html, by draws: tau 0.387 (0.215), 0.0399 to 0.897; a new setting 0.255
    (0.0864), 0.106, 0.247, 0.461. Three digits are printed, of some 1000 effective draws."""
    found = synthesise(Counts(tuple("abcdefgh"), np.array(AS)[:, :1], np.array(AS)[:, 1:]), tau="HalfNormal(1)",
                       options=Options(leave_one_out=False))  # fmt: skip
    points = special.expit(found.exact.quantiles("theta_new", ((np.arange(2000) + 0.5) / 2000).tolist())[0])
    assert [points.mean(), points.std()] == pytest.approx([0.255, 0.0864], abs=0.004)
    assert np.quantile(points, [0.025, 0.5, 0.975]) == pytest.approx([0.106, 0.247, 0.461], abs=0.012)
    tau = found.numbers["tau"]
    assert [float(tau["mean"]), float(tau["sd"])] == pytest.approx([0.387, 0.215], abs=0.02)
    assert [float(tau["q2.5"]), float(tau["q97.5"])] == pytest.approx([0.0399, 0.897], abs=0.04)
