"""Meta-regression, groups, clusters and shared comparators against closed forms and published numbers."""

import numpy as np
import pytest

from bayes.cli import main
from bayes.errors import EvidenceError, UsageError
from bayes.synthesis import LogRatios, Options, synthesise
from tests.synthesis.bcg import LATITUDE, bcg

NO = {"leave_one_out": False}


def brute(y, s, shares, x, priors):
    """Mean and sd of each coefficient, and the mean of tau and omega, by midpoints of a grid of both scales."""
    tau = (np.arange(300) + 0.5) / 100
    omega = (np.arange(60) + 0.5) / 30 if priors["omega"] else np.zeros(1)
    t, w = (one.ravel() for one in np.meshgrid(tau, omega))
    v = s + t[:, None, None] ** 2 * shares + w[:, None, None] ** 2 * np.eye(len(y))
    inverse, prior = np.linalg.inv(v), np.diag(1 / np.array(priors["variance"]))
    p = np.linalg.inv(x.T @ inverse @ x + prior)
    m = p @ (x.T @ inverse @ y)[..., None]
    whole = v + x @ np.diag(priors["variance"]) @ x.T
    log = -(np.linalg.slogdet(whole)[1] + y @ np.linalg.inv(whole) @ y + (t**2 + w**2) / 0.25) / 2
    mass = np.exp(log - log.max())
    mass /= mass.sum()
    mean = mass @ m[..., 0]
    variance = mass @ (m[..., 0] ** 2 + np.diagonal(p, axis1=1, axis2=2)) - mean**2
    return mean, np.sqrt(variance), np.array([mass @ t, mass @ w])


def test_the_bcg_trials_on_latitude():
    """Slope -0.0289 (0.0084), tau 0.295: the Bayesian regression with a flat intercept."""
    found = synthesise(bcg(moderators={"latitude": LATITUDE}), mu="flat", slope="flat", **NO)
    assert float(found.numbers["slope"]["mean"][0]) == pytest.approx(-0.0289, abs=6e-5)
    assert float(found.numbers["slope"]["sd"][0]) == pytest.approx(0.0084, abs=6e-5)
    assert float(found.numbers["tau"]["q50"]) == pytest.approx(0.295, abs=6e-4)


def test_a_regression_is_the_sum_over_a_grid():
    rows = bcg(moderators={"latitude": LATITUDE})
    found = synthesise(rows, options=Options(at=({"latitude": "13"},), leave_one_out=False))
    x = np.column_stack([np.ones(13), LATITUDE - LATITUDE.mean()])
    mean, sd, scales = brute(rows.y, np.diag(rows.se**2), np.eye(13), x, {"variance": (4.0, 4.0), "omega": False})
    assert [float(found.numbers["mu"]["mean"]), float(found.numbers["slope"]["mean"][0])] == pytest.approx(
        mean, rel=1e-5
    )
    assert [float(found.numbers["mu"]["sd"]), float(found.numbers["slope"]["sd"][0])] == pytest.approx(sd, rel=1e-4)
    assert float(found.numbers["tau"]["mean"]) == pytest.approx(scales[0], rel=1e-4)
    there = mean[0] + (13 - LATITUDE.mean()) * mean[1]
    assert float(found.numbers["at"]["mean"][0]) == pytest.approx(there, rel=1e-5)
    assert found.numbers["at_new"]["sd"][0] > found.numbers["at"]["sd"][0]


def test_rows_of_one_study_have_a_spread_of_their_own():
    """Against a sum over a grid of tau and omega, to four digits."""
    y, se = np.array([-0.5, 0.1, -0.9, -0.2, 0.4, -0.3]), np.array([0.2, 0.25, 0.3, 0.15, 0.2, 0.2])
    study = ("A", "A", "B", "C", "C", "D")
    found = synthesise(LogRatios(tuple("abcdef"), y, se, study=study), **NO)
    shares = np.array([[float(one == other) for other in study] for one in study])
    mean, sd, scales = brute(y, np.diag(se**2), shares, np.ones((6, 1)), {"variance": (4.0,), "omega": True})
    assert float(found.numbers["mu"]["mean"]) == pytest.approx(mean[0], rel=2e-4)
    assert float(found.numbers["mu"]["sd"]) == pytest.approx(sd[0], rel=2e-4)
    assert [float(found.numbers[k]["mean"]) for k in ("tau", "omega")] == pytest.approx(scales, rel=2e-3)


def test_studies_with_a_row_each_are_the_plain_synthesis():
    plain, named = synthesise(bcg(), **NO), synthesise(bcg(study=tuple(map(str, range(13)))), **NO)
    assert float(named.numbers["mu"]["sd"]) == pytest.approx(float(plain.numbers["mu"]["sd"]), rel=1e-12)
    assert named.omega is None


def test_a_shared_comparator_enters_with_its_covariance(tmp_path, capsys):
    """Common effects without a prior's help: metafor's rma.mv with covariance 0.02 has -0.443 (-0.699 to -0.186)."""
    y, s = np.array([-0.5, -0.6, -0.3]), np.array([[0.04, 0.02, 0], [0.02, 0.04, 0], [0, 0, 0.04]])
    found = synthesise(LogRatios(tuple("abc"), y, np.full(3, 0.2), covariance=s), mu="flat", effects="common", **NO)
    assert [float(found.numbers["mu"][k]) for k in ("mean", "q2.5", "q97.5")] == pytest.approx(
        (-0.443, -0.699, -0.186), abs=6e-4)  # fmt: skip
    file = tmp_path / "arms.csv"
    file.write_text("study,y,se,control\nA 10mg,-0.5,0.2,A\nA 20mg,-0.6,0.2,A\nB,-0.3,0.2,B\n")
    command = ["synthesise", str(file), "--y", "y", "--se", "se", "--effects", "common", "--quiet"]
    assert main([*command, "--shared", "control"]) == 0
    assert "−0.44  −0.70 to −0.18" in capsys.readouterr().out
    assert main(command) == 2
    assert "--shared" in capsys.readouterr().err


def test_trials_that_share_a_comparator_are_the_model_of_their_arms():
    """Arms of one variance: contrasts with a shared comparator covary by half, effects too (Higgins 1996)."""
    y, se = np.array([-0.5, -0.6, -0.3, 0.2]), np.full(4, 0.2)
    s = np.diag(se**2)
    s[0, 1] = s[1, 0] = 0.02
    found = synthesise(LogRatios(tuple("abcd"), y, se, covariance=s), **NO)
    shares = np.eye(4)
    shares[0, 1] = shares[1, 0] = 0.5
    mean, sd, scales = brute(y, s, shares, np.ones((4, 1)), {"variance": (4.0,), "omega": False})
    assert float(found.numbers["mu"]["mean"]) == pytest.approx(mean[0], rel=1e-4)
    assert float(found.numbers["mu"]["sd"]) == pytest.approx(sd[0], rel=1e-4)
    assert float(found.numbers["tau"]["mean"]) == pytest.approx(scales[0], rel=1e-3)


def test_groups_are_told_apart_and_predicted(tmp_path, capsys):
    """Common effects under a flat prior: each group's mean is its own inverse-variance mean."""
    file = tmp_path / "groups.csv"
    file.write_text("study,y,se,dose\nA,-0.5,0.2,low\nB,-0.1,0.1,low\nC,-0.9,0.2,high\nD,-0.7,0.4,high\n")
    from bayes.synthesis import Columns, read_estimates

    rows = read_estimates(file, Columns(y="y", se="se", moderators=("dose",)))
    found = synthesise(rows, mu="flat", slope="flat", effects="common", **NO)
    assert list(found.regression.at) == ["dose = high", "dose = low"]
    w = rows.se**-2
    means = [np.average(rows.y[i], weights=w[i]) for i in (slice(2, 4), slice(0, 2))]
    assert found.numbers["at"]["mean"] == pytest.approx(means, rel=1e-10)
    command = ["synthesise", str(file), "--y", "y", "--se", "se", "--moderator", "dose", "--quiet"]
    assert main([*command, "--at", "dose=low"]) == 0
    text = capsys.readouterr().out
    names = " ".join(
        line[:17].strip() for line in text.splitlines()
    )  # the first column, where labels go over two lines
    assert "mean at dose = low" in names
    assert "Posterior mean (sd) of each slope: dose = low 0.544 (0.403)." in text
    assert text.count("0.544") == 1  # in no column of what was observed
    assert main([*command, "--at", "dose=lowest"]) == 2
    assert "no such level" in capsys.readouterr().err


def test_one_study_needs_a_prior_that_somebody_stands_for():
    one = LogRatios(("a",), np.array([-0.5]), np.array([0.2]))
    with pytest.raises(EvidenceError, match="prior of tau"):
        synthesise(one)
    found = synthesise(one, mu="flat", tau="HalfNormal(0.3)")
    assert float(found.numbers["theta"]["mean"][0]) == pytest.approx(-0.5)
    assert float(found.numbers["tau"]["mean"]) == pytest.approx(0.3 * (2 / np.pi) ** 0.5, rel=1e-6)  # its prior


def test_places_need_moderators():
    with pytest.raises(UsageError, match="no moderator"):
        synthesise(bcg(), options=Options(at=({"latitude": "3"},)))
    with pytest.raises(UsageError, match="no such moderator"):
        synthesise(bcg(moderators={"latitude": LATITUDE}), options=Options(at=({"altitude": "3"},)))
