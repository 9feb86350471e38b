"""Weights, quantiles and changed models against conjugate closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayes.errors import UsageError
from bayes.priors import Prior
from bayes.provenance import Source as Origin
from bayes.sensitivity import (
    Change,
    Source,
    alternatives,
    compare,
    conflict,
    leave_one_out,
    spread_by_choice,
    structure,
)
from bayes.sensitivity.weights import ESS_LEAST, KHAT_LIMIT, equal_weights, quantiles, smoothed_weights
from tests.sensitivity.cases import SIGMAS, tree

SHAPE = (4, 1000)
PROBS = np.array([0.025, 0.5, 0.975])


def normal(seed: int, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sd, SHAPE)


def test_equal_weights_give_numpys_quantiles() -> None:
    x = normal(1)
    found = quantiles(x, equal_weights(SHAPE), PROBS)
    np.testing.assert_allclose(
        found.values, np.quantile(x, PROBS), rtol=1e-9
    )  # the same interpolation, in another order


def test_errors_of_quantiles_cover() -> None:
    truth = stats.norm.ppf(PROBS)
    scores = []
    for seed in range(100):
        found = quantiles(normal(seed), equal_weights(SHAPE), PROBS)
        scores.append((found.values - truth) / found.mcse)
    spread = np.std(scores, axis=0)
    # a hundred standardised errors have standard deviation 1 give or take 0.07; four of that, and a bandwidth's bias
    assert (np.abs(spread - 1) < 0.35).all(), spread


@pytest.mark.parametrize("shift", [0.5, -1.0])
def test_shifted_normal(shift: float) -> None:
    x = normal(2)
    row = compare({"x": x}, [Change("shift", log_ratio={"x": shift * x})]).iloc[1]
    for name, p in zip(("lower", "median", "upper"), PROBS, strict=True):
        exact = shift + stats.norm.ppf(p)
        assert abs(row[name] - exact) < SIGMAS * (
            row[f"mcse_d_{name}"] + 0.06
        )  # 0.06: the error of the draws' own outer quantile
    assert row["khat"] < 0.7
    assert row["method"] == "reweighted"


def test_the_sign_of_log_weights() -> None:
    x = normal(3)
    assert (
        smoothed_weights(x).values * x
    ).sum() > 0.5  # large draws get large weights: ArviZ's own convention is the opposite


def test_differences_on_the_same_draws_have_small_errors() -> None:
    x = normal(4)
    row = compare({"x": x}, [Change("more", targets={"x": x + 0.01})]).iloc[1]
    assert row["d_median"] == pytest.approx(0.01, rel=1e-9)
    assert row["mcse_d_median"] < 1e-9
    assert row["method"] == "redrawn"


def test_bounded_and_undefined_ratios() -> None:
    x = normal(5)
    half = smoothed_weights(np.where(x > 0, 0.0, -np.inf))
    assert half.khat == -np.inf
    assert half.values[x <= 0].sum() == 0
    with pytest.raises(UsageError, match="density ratio"):
        smoothed_weights(np.full(SHAPE, np.nan))
    with pytest.raises(UsageError, match="not finite"):
        compare({"x": np.where(x > 0, x, np.inf)}, [])


def outlier() -> np.ndarray:
    logs = normal(12)
    logs[0, 0] = 800.0
    return logs


def almost_nowhere() -> np.ndarray:
    rng = np.random.default_rng(13)
    return np.where(rng.uniform(size=SHAPE) < 0.999, -np.inf, 0.3 * normal(12))


def few_equal() -> np.ndarray:
    logs = np.full(SHAPE, -np.inf)
    logs[:, :5] = 0.0
    return logs


@pytest.mark.parametrize("logs", [outlier(), almost_nowhere(), few_equal()])
def test_weights_on_a_handful_of_draws_are_refused(logs: np.ndarray) -> None:
    x = normal(12)
    found = smoothed_weights(logs)
    assert found.khat == np.inf
    assert found.values.sum() == pytest.approx(1, rel=1e-12)
    change = Change("outlier", log_ratio={"x": logs}, refit=lambda _: {"x": x + 9})
    assert compare({"x": x}, [change]).iloc[1]["method"] == "refitted"
    assert compare({"x": x}, [change], refit=False).iloc[1]["method"] == "unreliable"
    source = Source(change, np.zeros((*SHAPE, 2)), refitted_below=lambda: np.ones((*SHAPE, 2)))
    assert conflict({"x": x}, [source])["p_at_most"].tolist() == pytest.approx([1.0], rel=1e-9)


def test_few_effective_draws_are_refused_whatever_the_shape() -> None:
    x = normal(14)
    logs = -80 * np.abs(x)  # a Laplace distribution eighty times as narrow: a light tail of the weights, on few draws
    found = smoothed_weights(logs)
    assert found.khat <= KHAT_LIMIT
    assert 50 < found.ess < ESS_LEAST
    assert compare({"x": x}, [Change("narrow", log_ratio={"x": logs})]).iloc[1]["method"] == "unreliable"


def test_refits_happen_where_weights_fail_and_in_every_component_of_the_change() -> None:
    a, b = normal(6), normal(7)
    calls = []

    def refit(components: object) -> dict[str, np.ndarray]:
        calls.append(list(components))  # type: ignore[call-overload]
        return {"sum": normal(8, 6.0) + normal(15, 0.1)}

    change = Change("far", log_ratio={"b": 0.1 * b, "a": 6 * a}, targets={"sum": a, "other": b + 5}, refit=refit)
    table = compare({"sum": a + b, "other": b}, [change]).set_index(["change", "quantity"]).loc["far"]
    assert calls == [["a", "b"]]
    assert table["method"].tolist() == ["refitted"] * 2
    assert table["ess"].isna().all()  # no weights are left
    assert (table["khat"] > 0.7).all()  # that of the weights refused
    assert abs(table.loc["sum", "median"] - 6.1) < SIGMAS * table.loc["sum", "mcse_d_median"]
    assert table.loc["other", "median"] == pytest.approx(np.median(b) + 5, rel=1e-12)  # recomputed, not refitted
    assert set(compare({"sum": a + b}, [replace(change, quantities=("sum",))], refit=False)["method"]) == {
        "as fitted",
        "unreliable",
    }


def prior(mean: float, sd: float, **alternatives: Prior) -> Prior:
    origin = Origin("toolkit", "here", "judgement", "judgement")
    return Prior(
        "mu",
        "a mean",
        "log ratio",
        "Normal",
        origin,
        "test",
        declared={"mu": mean, "sigma": sd},
        alternatives=alternatives,
    )


def posterior(mean: float, sd: float, y: np.ndarray) -> tuple[float, float]:
    """Normal mean with known unit variance and a normal prior."""
    precision = 1 / sd**2 + len(y)
    return (mean / sd**2 + y.sum()) / precision, precision**-0.5


Y = np.array([0.3, -0.8, 1.4, 0.6, 2.1])


def conjugate() -> object:
    mu = normal(9, *posterior(0, 1, Y))
    return tree(posterior={"mu": mu}, log_likelihood={"y": stats.norm(mu[..., None], 1).logpdf(Y)})


def test_alternative_priors_of_a_conjugate_model() -> None:
    fit = conjugate()
    table = alternatives(
        fit, {"mu": fit["posterior"]["mu"]}, {"mu": prior(0, 1, sceptical=prior(0, 0.5), vague=prior(0, 3))}
    )
    for name, sd in (("sceptical", 0.5), ("vague", 3.0)):
        row = table[table["change"] == f"mu: {name}"].iloc[0]
        exact = posterior(0, sd, Y)[0] - posterior(0, 1, Y)[0]
        assert abs(row["d_median"] - exact) < SIGMAS * row["mcse_d_median"]


def test_a_variable_without_evidence_is_mapped_exactly() -> None:
    x = normal(10)
    fit = tree(posterior={"mu": x})
    fit.attrs["forward_variables"] = '["mu"]'
    table = alternatives(fit, {"mu": x}, {"mu": prior(0, 1, wide=prior(1, 2))}, retarget=lambda values: values)
    assert table.iloc[1]["method"] == "redrawn"
    assert table.iloc[1]["median"] == pytest.approx(1 + 2 * np.median(x), abs=1e-9)  # F_alt^-1(F(x)) = 1 + 2 x


def test_leave_one_out_of_a_conjugate_model() -> None:
    fit = conjugate()
    table = leave_one_out(fit, {"mu": fit["posterior"]["mu"]})
    for i in range(len(Y)):
        row = table[table["change"] == f"y[{i}]"].iloc[0]
        exact = posterior(0, 1, np.delete(Y, i))[0] - posterior(0, 1, Y)[0]
        assert abs(row["d_median"] - exact) < SIGMAS * row["mcse_d_median"], i
        assert row["khat"] < 0.7


def test_structure_marks_and_does_not_mix_other_estimands() -> None:
    x = normal(11)
    variants = [
        Change("wide", "scale", targets={"x": x + 1}),
        Change("other", "unit", targets={"x": 100 * x + 9}, estimand_changed=True),
    ]
    table = structure({"x": x}, variants)
    assert table["estimand_changed"].tolist() == [False, False, True]
    spread = spread_by_choice(table)
    assert spread["choice"].tolist() == ["scale"]
    assert spread["spread"].iloc[0] == pytest.approx(1.0)
    with pytest.raises(UsageError, match="too many variants"):
        structure({"x": x}, [Change(str(i)) for i in range(25)])
