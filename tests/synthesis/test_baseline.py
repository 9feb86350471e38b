"""The prior of a trial's baseline: printed, settable, in the JSON; and the counts against exact computations."""

import json

import numpy as np
import pytest
from scipy import stats

import bayes.synthesis.answer as answer
from bayes.cli import main
from bayes.errors import PriorError, UsageError
from bayes.synthesis import Counts, synthesise
from tests.montecarlo import LIMIT, mean_z, sd_z

SPARSE = {
    "a zero cell": ([[0, 4], [3, 9], [6, 7]], [[40, 40], [60, 55], [30, 31]]),
    "a double zero": ([[0, 0], [1, 3], [0, 2]], [[10, 10], [15, 14], [12, 12]]),
    "everybody": ([[9, 10], [12, 12], [8, 11]], [[10, 10], [12, 12], [11, 11]]),
}
THETA = np.linspace(-9, 9, 601)


def grid(events, total, prior, part):
    """Posterior mass of a common log odds ratio: each trial's baseline summed out over a fine grid."""
    alpha = np.linspace(-32, 32, 3201)
    logs = stats.norm(0, 2).logpdf(THETA)
    weight = prior.logpdf(alpha)[:, None]
    for (e1, e2), (n1, n2) in zip(events, total, strict=True):
        one, two = alpha[:, None] + part * THETA, alpha[:, None] + (part - 1) * THETA
        both = e1 * one - n1 * np.logaddexp(0, one) + e2 * two - n2 * np.logaddexp(0, two) + weight
        top = both.max(axis=0)
        logs = logs + top + np.log(np.exp(both - top).sum(axis=0))
    mass = np.exp(logs - logs.max())
    return mass / mass.sum()


@pytest.mark.parametrize(
    ("name", "baseline", "of", "prior"),
    [
        ("a zero cell", "Normal(0, 5)", "mean", stats.norm(0, 5)),
        ("a double zero", "Normal(0, 5)", "comparator", stats.norm(0, 5)),
        ("everybody", "Uniform(-12, 12)", "mean", stats.uniform(-12, 24)),
    ],
)
def test_sparse_counts_against_a_grid(name, baseline, of, prior):
    """The mean within four Monte Carlo errors, the sd too: zeros enter as they are."""
    events, total = (np.array(numbers) for numbers in SPARSE[name])
    mass = grid(events, total, prior, 0.5 if of == "mean" else 1.0)
    found = synthesise(Counts(("a", "b", "c"), events, total, baseline, of), effects="common", draws=1000,
                       leave_one_out=False)  # fmt: skip
    assert found.verdict.passed, found.verdict.failures
    mean = float(mass @ THETA)
    draws = found.fit["posterior"]["mu"].values
    assert abs(mean_z(draws, mean)) < LIMIT
    assert abs(sd_z(draws, float(np.sqrt(mass @ (THETA - mean) ** 2)))) < LIMIT


def test_the_baseline_weighs_where_events_are_few_and_not_where_they_are_many():
    """By the grid: a third of a posterior sd and more on sparse tables; next to nothing on large ones."""

    def gap(events, total):
        one, two = (grid(events, total, stats.norm(0, sd), 0.5) for sd in (5, 1))
        sd = np.sqrt(one @ THETA**2 - (one @ THETA) ** 2)
        return abs(float(one @ THETA - two @ THETA)) / sd

    assert gap(*SPARSE["a double zero"]) > 1 / 3
    assert gap([[300, 400], [310, 390]], [[1000, 1000], [1000, 1000]]) < 0.01


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    path.write_text("study,et,ec,nt,nc\na,0,4,40,40\nb,3,9,60,55\nc,6,7,30,31\n")
    return [
        str(path),
        "--events",
        "et,ec",
        "--total",
        "nt,nc",
        "--quiet",
        "--no-leave-one-out",
        "--effects",
        "common",
        "--draws",
        "400",
    ]


def test_it_is_printed_and_in_the_document(file, capsys):
    assert main(["synthesise", *file]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "Baseline: the log odds of the mean of a trial's two arms ~ Normal(mu=0.0, sigma=5.0)" in words
    assert "risks from 5.5e-05 to 0.999945" in words  # 1 / (1 + exp(9.8))
    chosen = ["--json", "--baseline", "Normal(-2, 1)", "--baseline-of", "comparator"]
    assert main(["synthesise", *file, *chosen]) == 0
    assert json.loads(capsys.readouterr().out)["priors"] == {
        "mu": "Normal(mu=0.0, sigma=2.0)", "tau": None, "baseline": "Normal(mu=-2.0, sigma=1.0)",
        "baseline_of": "log odds of a trial's comparator arm",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--baseline", "Beta(1, 1)"], "log odds may be any number"), (["--baseline", "wide"], "this is not a prior"),
     (["--baseline", "Normal(0, -1)"], "greater than zero")],
)  # fmt: skip
def test_a_baseline_that_is_none_ends_before_any_draw(file, options, words, capsys, monkeypatch):
    monkeypatch.setattr(answer, "sample", None)
    assert main(["synthesise", *file, *options]) == 2
    assert words in capsys.readouterr().err


def test_in_python():
    one = np.ones((2, 2), dtype=int)
    with pytest.raises(UsageError, match="no such baseline"):
        Counts(("a", "b"), one, 2 * one, baseline_of="treated")
    with pytest.raises(PriorError):
        Counts(("a", "b"), one, 2 * one, baseline="N(0, 5)")
    assert Counts(("a", "b", "c"), np.ones((3, 2), int), 2 * np.ones((3, 2), int), "Normal(0, 9)").without(
        0
    ).baseline == "Normal(0, 9)"  # fmt: skip


def test_log_ratios_have_no_baseline(file, tmp_path, capsys):
    path = tmp_path / "rows.csv"
    path.write_text("study,y,se\na,-0.5,0.2\nb,0.1,0.3\n")
    command = ["synthesise", str(path), "--y", "y", "--se", "se", "--quiet"]
    assert main([*command, "--json"]) == 0
    assert "baseline" not in json.loads(capsys.readouterr().out)["priors"]
    assert main([*command, "--baseline", "Normal(0, 1)"]) == 2
    assert "only counts have a baseline" in capsys.readouterr().err
