"""Estimates as they are published: ratios with intervals, p-values, variances, means; each against its closed form."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bayes.errors import EvidenceError, InputError, UsageError
from bayes.synthesis import Columns, read_estimates, read_means

Z = stats.norm.ppf(0.975)


def table(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [2, 3, 6])
def test_ratios_with_intervals_give_back_their_errors(seed, digits, tmp_path):
    """Drawn, rounded as papers do, read: within what half a last digit can move the logarithms of the ends."""
    rng = np.random.default_rng(seed)
    y, se = rng.normal(-0.3, 0.4, 5), rng.uniform(0.1, 0.5, 5)
    three = np.round(np.exp(y[:, None] + se[:, None] * np.array([0, -Z, Z])), digits)
    lines = ["study,HR,low,high", *(f"S{i}," + ",".join(f"{v:.{digits}f}" for v in row) for i, row in enumerate(three))]
    rows = read_estimates(table(tmp_path, "\n".join(lines)), Columns(ratio="HR", lower="low", upper="high"))
    slack = 0.5 * 10.0**-digits * (1 / three[:, 1] + 1 / three[:, 2]) / (2 * Z)
    assert (np.abs(rows.se - se) <= 1.2 * slack).all()
    assert rows.scale == "log ratio"
    assert "95% intervals" in rows.source


def test_intervals_of_another_level_and_of_differences(tmp_path):
    path = table(tmp_path, "study,diff,low,high\nA,-1.5,-2.5,-0.5\nB,0.5,-1,2\n")
    rows = read_estimates(path, Columns(y="diff", lower="low", upper="high", level=0.9))
    assert rows.se == pytest.approx(np.array([1.0, 1.5]) / stats.norm.ppf(0.95))
    assert rows.scale == "difference"


UNEVEN = {
    "even as differences": ("study,RR,low,high\nA,0.60,0.30,0.90\nB,0.75,0.55,0.95\n", "name the estimates with --y"),
    "a slip of the pen": ("study,RR,low,high\nA,0.60,0.40,0.90\nB,0.75,0.57,1.13\n", "line 3"),
}


@pytest.mark.parametrize("name", UNEVEN)
def test_estimates_that_are_not_in_the_middle_are_asked_about(name, tmp_path):
    text, words = UNEVEN[name]
    columns = Columns(ratio="RR", lower="low", upper="high")
    with pytest.raises(EvidenceError, match=words):
        read_estimates(table(tmp_path, text), columns)
    assert read_estimates(table(tmp_path, text), columns, confirm=["uneven"]).se[0] > 0


def test_a_p_value_tells_the_widest_error_its_digits_allow(tmp_path):
    path = table(tmp_path, "study,lnRR,se,p\nA,-0.50,0.20,\nB,-0.40,,0.04\nC,0.30,,<0.001\nD,0.1,NA,p = .51\n")
    rows = read_estimates(path, Columns(y="lnRR", se="se", p="p"))
    widest = [0.5 / 2.5, 0.4 / stats.norm.isf(0.045 / 2), 0.3 / stats.norm.isf(0.0005), 0.1 / stats.norm.isf(0.515 / 2)]
    assert rows.se == pytest.approx(widest)
    assert "3 rows from p-values" in rows.source


RR = Columns(ratio="RR", lower="low", upper="high")
X = Columns(y="y", se="se", moderators=("x",))
REFUSED = {
    "a ratio below zero": ("study,RR,low,high\nA,-0.6,0.4,0.9\n", RR, "greater"),
    "ends the wrong way": ("study,RR,low,high\nA,0.6,0.9,0.4\n", RR, "rises"),
    "nothing": ("study,RR,se,p\nA,0.6,,\n", Columns(ratio="RR", se="se", p="p"), "no p-value"),
    "not significant": ("study,RR,p\nA,0.6,n.s.\n", Columns(ratio="RR", p="p"), "no p-value"),
    "one end": ("study,RR,low\nA,0.6,0.4\n", Columns(ratio="RR", lower="low"), "two ends"),
    "two estimates": ("study,RR,y,se\nA,0.6,0.4,1\n", Columns(ratio="RR", y="y", se="se"), "one column"),
    "a level in per cent": ("study,RR,l,u\nA,1,.5,2\n", Columns(ratio="RR", lower="l", upper="u", level=95), "share"),
    "a moderator that is constant": ("study,y,se,x\nA,-0.6,0.4,1\nB,0.1,0.2,1\n", X,
                                     "the same in every row"),
    "a moderator with a hole": ("study,y,se,x\nA,-0.6,0.4,1\nB,0.1,0.2,\n", X,
                                "empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_tells_no_precision_is_refused(name, tmp_path):
    text, columns, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        read_estimates(table(tmp_path, text), columns)


MEANS = "study,m1,m2,s1,s2,n1,n2\nA,10,12,3,4,20,25\nB,8,8.5,2,2.5,40,38\n"
ARMS = (("m1", "m2"), ("s1", "s2"), ("n1", "n2"))


def test_means_give_differences(tmp_path):
    """Welch's variance; Hedges' g of row A: J(43) = 0.98246 (exact gamma form), g = -0.5481 before it -0.5579."""
    path = table(tmp_path, MEANS)
    plain = read_means(path, ARMS)
    assert plain.y == pytest.approx([-2, -0.5])
    assert plain.se == pytest.approx(np.sqrt([9 / 20 + 16 / 25, 4 / 40 + 6.25 / 38]))
    sd = np.sqrt((19 * 9 + 24 * 16) / 43)
    g = read_means(path, ARMS, "SMD")
    assert g.y[0] == pytest.approx(-2 / sd * (1 - 3 / (4 * 43 - 1)), rel=1e-4)  # the usual approximation of the factor
    assert g.se[0] ** 2 == pytest.approx(1 / 20 + 1 / 25 + g.y[0] ** 2 / 90)
    ratio = read_means(path, ARMS, "ROM")
    assert ratio.y[0] == pytest.approx(np.log(10 / 12))
    assert ratio.se[0] ** 2 == pytest.approx(9 / (20 * 100) + 16 / (25 * 144))
    assert (plain.scale, g.scale, ratio.scale) == ("difference", "difference", "log ratio")
    with pytest.raises(UsageError, match="no such measure"):
        read_means(path, ARMS, "OR")


def test_arms_that_share_a_comparator_covary_by_its_variance(tmp_path):
    path = table(
        tmp_path, "study,m1,m2,s1,s2,n1,n2,c\nA,10,12,3,4,20,25,A\nA high,9,12,3,4,22,25,A\nB,8,8,2,2,40,38,B\n"
    )
    rows = read_means(path, ARMS, columns=Columns(shared="c"))
    assert rows.covariance[0, 1] == pytest.approx(16 / 25)
    assert rows.covariance[0, 2] == 0
