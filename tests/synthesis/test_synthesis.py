"""Chains beside the quadrature, leave-one-out, counts, files and the command."""

import json

import numpy as np
import pytest
from scipy import stats

import bayes.synthesis.answer as answer
from bayes.cli import main
from bayes.errors import EvidenceError
from bayes.synthesis import Counts, LogRatios, read_counts, read_log_ratios, synthesise
from bayes.synthesis.exact import exact_posterior
from tests.montecarlo import LIMIT, case, mean_z, quantile_z, sd_z

REFERENCE = case("random_effects_bcg_logRR_HN05")
# Colditz et al. 1994, JAMA 271:698, as in metafor's dat.bcg: cases and people, vaccinated then not.
EVENTS = np.array([[4, 11], [6, 29], [3, 11], [62, 248], [33, 47], [180, 372], [8, 10], [505, 499], [29, 45], [17, 65],
                   [186, 141], [5, 3], [27, 29]])  # fmt: skip
TOTAL = np.array([[123, 139], [306, 303], [231, 220], [13598, 12867], [5069, 5808], [1541, 1451], [2545, 629],
                  [88391, 88391], [7499, 7277], [1716, 1665], [50634, 27338], [2498, 2341],
                  [16913, 17854]])  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("bcg") / "trials.csv"
    lines = ["study,logrr,se,e1,e2,n1,n2"]
    for label, y, se, events, total in zip(
        *(REFERENCE["inputs"][k] for k in ("label", "y", "se")), EVENTS, TOTAL, strict=True
    ):
        lines.append(",".join(map(str, (label, y, se, *events, *total))))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def random(file):
    return synthesise(read_log_ratios(file, "logrr", "se"), draws=1000)


def test_the_counts_are_those_behind_the_log_ratios():
    """Log risk ratios from the counts are the published ones, to the digits of a double."""
    risk = EVENTS / TOTAL
    np.testing.assert_allclose(np.log(risk[:, 0] / risk[:, 1]), REFERENCE["inputs"]["y"], atol=1e-12)


def test_chains_reproduce_the_reference_within_4_errors(random):
    posterior, zs = random.fit["posterior"], {}
    for name in ("mu", "tau", "theta_new"):
        exact = REFERENCE["exact"][name]
        zs[name, "mean"] = mean_z(posterior[name].values, exact["mean"])
        zs[name, "sd"] = sd_z(posterior[name].values, exact["sd"])
        for p in (2.5, 50, 97.5):
            zs[name, p] = quantile_z(posterior[name].values, p / 100, exact[f"q{p:g}"])
    for i, exact in enumerate(REFERENCE["exact"]["theta"]["mean"]):
        zs["theta", i] = mean_z(posterior["theta"].values[:, :, i], exact)
    assert {key: z for key, z in zs.items() if abs(z) > LIMIT} == {}


def test_both_stand_side_by_side_and_their_agreement_is_a_check(random):
    assert random.verdict.passed
    assert random.verdict.checks[-1].name == "MCMC against quadrature"
    assert random.method == "quadrature"
    data = random.as_data()
    assert data["mu"]["mean"] == data["quadrature"]["mu"]["mean"] != data["mcmc"]["mu"]["mean"]
    for name in ("mu", "tau", "theta_new", "theta"):
        assert {"mean", "sd", "q2.5", "q50", "q97.5", "p_lt_0"} <= set(data[name])
    assert len(data["theta"]["q50"]) == len(data["label"]) == 13


def test_a_sampler_that_errs_fails_the_check(random):
    """The same draws against the quadrature of other rows: a shift of 0.05 is many errors."""
    other = LogRatios(random.rows.labels, random.rows.y + 0.05, random.rows.se)
    made = answer._agreement(random.chains, exact_posterior(other, random.mu, random.tau))
    assert not made.passed
    assert made.value > made.threshold


def test_without_each_row_is_the_analysis_of_the_others(random):
    rows = random.rows
    less = exact_posterior(rows.without(7), random.mu, random.tau).numbers["mu"]
    assert random.left_out["TPT Madras 1980"]["mu"]["mean"] == less["mean"]
    assert list(random.left_out) == list(rows.labels)


def test_common_effects_have_no_spread(file):
    found = synthesise(read_log_ratios(file, "logrr", "se"), effects="common", mu="Normal(0, 1e4)")
    assert found.verdict.passed
    assert float(found.numbers["mu"]["mean"]) == pytest.approx(-0.4303, abs=6e-5)  # metafor, four printed decimals
    assert found.numbers["tau"]["sd"] == 0
    np.testing.assert_allclose(found.numbers["theta"]["mean"], found.numbers["mu"]["mean"], rtol=1e-12)


def test_heavy_tails_by_chains_against_a_grid_of_two_dimensions():
    """``y_i ~ N + t4`` by convolution on a grid, exact to 1e-4 of a sd; the mean of mu and of tau within 4 errors."""
    y, se = np.array([-0.1, 0.0, 0.1, 0.05, 1.5]), np.full(5, 0.15)
    found = synthesise(LogRatios(tuple("abcde"), y, se), effects="t", leave_one_out=False)
    assert found.exact is None
    mu, tau = np.linspace(-1.5, 1.5, 301), (np.arange(150) + 0.5) / 75
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    logs = stats.norm(0, 2).logpdf(mu)[:, None] + stats.halfnorm(scale=0.5).logpdf(tau)
    for one, error in zip(y, se, strict=True):
        theta = one + error * nodes
        logs = logs + np.log(stats.t(4).pdf((theta - mu[:, None, None]) / tau[:, None]) @ weights / tau)
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    draws = found.fit["posterior"]
    assert abs(mean_z(draws["mu"].values, float(mass.sum(axis=1) @ mu))) < LIMIT
    assert abs(mean_z(draws["tau"].values, float(mass.sum(axis=0) @ tau))) < LIMIT


# --- files and the command -------------------------------------------------------------------


SPARSE = {
    "one zero": ([[0, 4], [2, 5], [1, 3], [3, 8]], [[20, 21], [30, 29], [25, 24], [40, 41]]),
    "hardly anything": ([[0, 0], [1, 3], [0, 2], [2, 2]], [[10, 10], [15, 14], [12, 12], [20, 20]]),
}


@pytest.mark.parametrize("effects", ["random", "t"])
@pytest.mark.parametrize("name", SPARSE)
def test_small_tables_with_zeros_are_sampled_without_divergences(name, effects):
    events, total = (np.array(numbers) for numbers in SPARSE[name])
    found = synthesise(Counts(tuple("abcd"), events, total), effects=effects, draws=1000, leave_one_out=False)
    assert found.verdict.passed, found.verdict.failures
    assert int(found.fit["sample_stats"]["diverging"].sum()) == 0


def test_semicolons_and_a_mark_of_byte_order_are_read(tmp_path, file):
    path = tmp_path / "excel.csv"
    path.write_text("﻿" + file.read_text().replace(",", ";"), encoding="utf-8")
    found = read_counts(path, ("e1", "e2"), ("n1", "n2"))
    np.testing.assert_array_equal(found.events, EVENTS)
    assert found.labels[0] == "Aronson 1948"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study,y,se\na,1,0.2\nb,x,0.3\n", "line 3.*'y'.*not a number"),
        ("study,y,se\na,1,0.2\nb,2,0\n", "key .se.: this must be greater than 0"),
        ("study,y,se\na,1,0.2\na,2,0.3\n", "stands twice"),
        ("study,y,se\na,1,0.2\nb,2\n", "line 3.*number of cells"),
        ("study,y,se\na,1,0.2\nb,nan,1\n", "finite"),
        ("study,Y,se\na,1,0.2\nb,2,1\n", "no such column"),
        ("", "empty"),
    ],
)
def test_files_that_cannot_be_read_say_where(tmp_path, text, words):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(EvidenceError, match=f"(?s){words}"):
        read_log_ratios(path, "y", "se")


def test_events_above_people_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("study,a,b,n,m\nx,3,5,2,9\ny,1,2,9,9\n")
    with pytest.raises(EvidenceError, match=r"key .a.: this is more than n 2"):
        read_counts(path, ("a", "b"), ("n", "m"))


def test_the_command_prints_one_json_document(file, capsys):
    assert main(["synthesise", str(file), "--y", "logrr", "--se", "se", "--quiet", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for key, value in REFERENCE["exact"]["mu"].items():
        if key in document["mu"]:
            assert document["mu"][key] == pytest.approx(value, rel=2e-5)
    assert document["priors"] == {"mu": "Normal(mu=0.0, sigma=2.0)", "tau": "HalfNormal(sigma=0.5)"}
    assert len(document["leave_one_out"]) == 13


def test_the_command_prints_a_forest_that_fits_100_columns_and_labels_its_ranges(file, capsys):
    command = ["synthesise", str(file), "--events", "e1,e2", "--total", "n1,n2", "--quiet", "--no-leave-one-out"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    words = " ".join(text.split())
    for part in ("95% equal-tailed", "Log odds ratios", "quadrature", "◆", "62/13598", "Baseline: the log odds of"):
        assert part in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--y", "logrr"], "--se"),
        (["--y", "logrr", "--se", "se", "--events", "e1,e2"], "one of the two"),
        (["--events", "e1", "--total", "n1,n2"], "two columns"),
        (["--y", "logrr", "--se", "se", "--tau", "HalfNormal(-1)"], "greater than zero"),
        (["--y", "logrr", "--se", "se", "--mu", "exit(1)"], "family"),
        (["--y", "logrr", "--se", "se", "--draws", "0"], "--draws"),
    ],
)
def test_bad_options_end_with_code_2_before_any_draw(file, options, words, capsys, monkeypatch):
    monkeypatch.setattr(answer, "sample", None)
    assert main(["synthesise", str(file), *options, "--quiet"]) == 2
    assert words in capsys.readouterr().err
