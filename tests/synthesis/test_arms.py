"""A line for each arm; counts as estimates; counts bound together; one estimate; biases by file."""

import numpy as np
import pytest

from bayes.cli import main
from bayes.errors import EvidenceError, InputError
from bayes.synthesis import Columns, Counts, LogRatios, Options, Rates, estimates_of, read_counts, read_means
from bayes.synthesis import synthesise as pool
from bayes.synthesis.bias import read_biases
from bayes.synthesis.columns import estimate_from
from tests.synthesis.bcg import bcg

ARMS = "study,arm,events,n\nA,placebo,10,100\nA,low,7,100\nA,high,5,98\nB,high,8,118\nB,placebo,12,120\n"
LONG = Columns(study="study", arm="arm")


def table(folder, text):
    (folder / "arms.csv").write_text(text)
    return folder / "arms.csv"


def test_lines_of_arms_are_comparisons_that_share_their_comparator(tmp_path):
    rows = read_counts(table(tmp_path, ARMS), ["events"], ["n"], columns=LONG)
    assert rows.labels == ("A: low", "A: high", "B")
    assert rows.events.tolist() == [[7, 10], [5, 10], [8, 12]]
    assert rows.total.tolist() == [[100, 100], [98, 100], [118, 120]]
    assert rows.shared == ("A", "A", "B")
    assert "compared with placebo" in rows.source
    found = estimates_of(rows)
    assert found.covariance[0, 1] == pytest.approx(1 / 10 + 1 / 90)  # the variance of the comparator's log odds
    assert found.covariance[0, 2] == 0
    assert np.diag(found.covariance) == pytest.approx(found.se**2)


WRONG = {
    "no comparator": (ARMS.replace("B,placebo", "B,other"), None, "cannot be told"),
    "a trial without it": (ARMS.replace("B,placebo", "B,low"), "placebo", "has the comparator"),
    "an arm twice": (ARMS.replace("A,low", "A,high"), None, "stands once"),
    "no such arm": (ARMS, "control", "no such arm"),
    "a trial without a name": (ARMS.replace("A,low", ",low"), None, "no trial"),
}


@pytest.mark.parametrize("name", WRONG)
def test_arms_that_make_no_comparison_are_refused(tmp_path, name):
    text, comparator, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        read_counts(table(tmp_path, text), ["events"], ["n"],
                    columns=Columns(study="study", arm="arm", comparator=comparator))  # fmt: skip


def test_means_by_arm_covary_by_the_comparators_variance(tmp_path):
    text = "trial,arm,m,sd,n\nA,control,12,4,25\nA,x,10,3,20\nA,y,9,3,22\nB,control,8,2,38\nB,x,8.2,2,40\n"
    rows = read_means(table(tmp_path, text), (["m"], ["sd"], ["n"]), columns=Columns(arm="arm"))
    assert rows.covariance[0, 1] == pytest.approx(16 / 25)
    assert rows.y == pytest.approx([-2, -3, 0.2])


COPIES = {
    "counts": ("study,e1,n1,e2,n2\nA,5,90,11,95\nOther name,7,92,11,95\nC,3,50,4,49\n",
               ["--events", "e1,e2", "--total", "n1,n2"]),
    "rates": ("study,e1,t1,e2,t2\nA,5,900.5,11,955.2\nOther name,7,92,11,955.2\nC,3,50,4,49\n",
              ["--events", "e1,e2", "--time", "t1,t2"]),
    "means": ("study,m1,m2,s1,s2,n1,n2\nA,10,12,3,4,20,25\nOther name,9,12,3,4,21,25\nC,8,8,2,2,40,38\n",
              ["--mean", "m1,m2", "--sd", "s1,s2", "--total", "n1,n2"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", COPIES)
def test_one_comparator_under_two_names_is_noticed_by_its_numbers(tmp_path, capsys, kind):
    text, given = COPIES[kind]
    command = ["synthesise", str(table(tmp_path, text)), *given, "--quiet", "--no-leave-one-out"]
    assert main(command) == 2
    assert "the same comparator arm" in capsys.readouterr().err
    assert main([*command, "--confirm", "arms"]) == 0


def test_counts_as_estimates_are_those_of_the_bcg_trials():
    """Log risk ratios of dat.bcg by escalc(measure="RR"), as in tests/synthesis/bcg.py, to four decimals."""
    events = [(4, 11), (6, 29), (3, 11), (62, 248), (33, 47), (180, 372)]
    none = [(119, 128), (300, 274), (228, 209), (13536, 12619), (5036, 5761), (1361, 1079)]
    e, n = np.array(events), np.array(events) + np.array(none)
    found = estimates_of(Counts(tuple("abcdef"), e, n, measure="RR"))
    assert found.y == pytest.approx(bcg().y[:6], abs=6e-5)
    assert found.se == pytest.approx(bcg().se[:6], abs=6e-5)


def test_zeros_are_given_halves_only_where_they_stand():
    rows = Counts(("a", "b"), np.array([[0, 3], [4, 5]]), np.array([[20, 21], [30, 29]]))
    found = estimates_of(rows)
    assert found.y == pytest.approx([np.log(0.5 / 20.5 / (3.5 / 18.5)), np.log(4 / 26 / (5 / 24))])
    assert "1 rows" in found.source
    rates = estimates_of(Rates(("a",), np.array([[7, 5]]), np.array([[10.0, 20.0]])))
    assert (rates.y[0], rates.se[0] ** 2) == pytest.approx((np.log(2.8), 1 / 7 + 1 / 5))


def _many(seed=3):
    """Rows with so many events that the normal approximation is good to a hundredth of an error."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, 8)
    theta, n = -0.4 + 0.5 * x + rng.normal(0, 0.2, 8), np.full((8, 2), 4000)
    odds = rng.normal(-1, 0.2, 8)
    risk = 1 / (1 + np.exp(-np.stack([odds + theta, odds], axis=1)))
    e = rng.binomial(n, risk)
    e[1, 1] = e[0, 1]
    return e, n, x


BOUND = {
    "moderators": {"moderators": {"x": _many()[2]}},
    "studies": {"study": ("A", "A", "B", "B", "C", "D", "E", "F")},
    "a comparator": {"shared": ("A", "A", "B", "C", "D", "E", "F", "G")},
}


@pytest.mark.parametrize(("kind", "name"), [*(("counts", name) for name in BOUND), ("rates", "a comparator")])
def test_counts_that_are_bound_together_agree_with_their_estimates(name, kind):
    """Draws of the exact likelihood against the quadrature of estimates, which many events make the same."""
    e, n, _ = _many()
    rows = (Counts(tuple("abcdefgh"), e, n, **BOUND[name]) if kind == "counts"
            else Rates(tuple("abcdefgh"), e, n.astype(float), **BOUND[name]))  # fmt: skip
    options = Options(leave_one_out=False, slope="Normal(0, 1)")
    drawn = pool(rows, draws=400, rng=5, options=options)
    exact = pool(estimates_of(rows), options=options)
    assert drawn.method == "mcmc"
    for quantity in ("mu", "tau", "theta_new", *(("slope",) if name == "moderators" else ())):
        one, other = drawn.numbers[quantity], exact.numbers[quantity]
        error = 4 * np.max(one["mcse_q50"]) + 0.03 * np.max(other["sd"])
        assert one["q50"] == pytest.approx(other["q50"], abs=error), quantity
    assert drawn.numbers["theta"]["q50"] == pytest.approx(exact.numbers["theta"]["q50"], abs=0.03)


def test_rows_that_share_a_comparator_have_its_numbers():
    with pytest.raises(EvidenceError, match="the same numbers"):
        Counts(("a", "b"), np.array([[1, 2], [3, 4]]), np.full((2, 2), 50), shared=("A", "A"))


def test_one_estimate_can_be_tipped(capsys):
    """E-value of 0.72 (0.55 to 0.94): 1/0.72 = 1.389 gives 2.12, 1/0.94 gives 1.32 (VanderWeele and Ding's formula)."""
    command = ["synthesise", "--estimate", "0.72 (0.55 to 0.94)", "--tipping", "--beyond", "1", "--quiet"]
    assert main(command) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2.12; for the end of the interval nearer to 1: 1.32" in said
    assert "by a factor of 1.06 would do the same" in said
    one = estimate_from("−0.51 ± 0.18", scale="difference")
    assert (one.y[0], one.se[0], one.scale) == (-0.51, 0.18, "difference")
    for text in ("0.72", "0.72 (0.94 to 0.55)", "a ± b"):
        with pytest.raises(InputError):
            estimate_from(text)
    assert main(["synthesise", "--quiet"]) == 2


def test_biases_by_file_are_those_by_column(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("study,y,se,b,s\nA one,-0.5,0.2,-0.1,0.2\nB,-0.2,0.3,0,0\n")
    toml = tmp_path / "bias.toml"
    toml.write_text('["A one"]\ninternal = -0.1\ninternal_sd = 0.2\n')
    by_file, by_column = (read_biases(file, given, ("A one", "B")) for given in
                          ([str(toml)], ["internal=b", "internal_sd=s"]))  # fmt: skip
    assert {name: values.tolist() for name, values in by_file.items()} == {
        name: values.tolist() for name, values in by_column.items()}  # fmt: skip
    toml.write_text("[C]\ninternal = 1\n")
    with pytest.raises(InputError, match="no such row"):
        read_biases(file, [str(toml)], ("A one", "B"))


def test_some_of_the_rows_keep_all_that_belongs_to_them():
    rows = LogRatios(("a", "b", "c"), np.arange(3.0), np.ones(3), "file", covariance=np.eye(3), study=("A", "B", "B"),
                     moderators={"x": np.arange(3.0)})  # fmt: skip
    less = rows.without(0)
    assert (less.labels, less.study, less.source) == (("b", "c"), ("B", "B"), "file")
    assert less.covariance.shape == (2, 2)
    assert less.moderators["x"].tolist() == [1, 2]
