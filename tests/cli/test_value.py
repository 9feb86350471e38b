"""``bayes value``: options compared and what could be learnt valued, against closed forms, from a file of draws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import betabinom, nbinom, norm

from bayes.cli import main
from bayes.sensitivity.economics import frontier, icers

N, SIGMAS = 20_000, 4.5


def loss(mean: float, sd: float) -> float:
    """E[max(0, X)] - max(0, E[X]) of a normal X (Raiffa & Schlaifer 1961, Applied Statistical Decision Theory)."""
    return float(sd * norm.pdf(mean / sd) - abs(mean) * norm.cdf(-abs(mean) / sd))


@pytest.fixture(scope="module")
def draws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two options that differ by a cost N(1, 0.3) and an effect p - 0.3 + rate - 1 + mu, each part independent."""
    rng = np.random.default_rng(1)
    p, rate, mu = rng.beta(2, 5, N), rng.gamma(3, 1 / 3, N), rng.normal(1, 0.5, N)
    table = pd.DataFrame({"cost_old": 0.0, "cost_new": 1.0, "effect_old": 0.0, "effect_new": mu, "p": p, "rate": rate,
                          "mu": mu, "qaly p": p - 0.3, "qaly rate": rate - 1.2, "no cost": 0.0})  # fmt: skip
    path = tmp_path_factory.mktemp("value") / "draws.csv"
    table.to_csv(path, index=False, sep=";", decimal=",")
    return path


def told(capsys: Any, *words: str) -> dict[str, Any]:
    assert main(["value", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_perfect_information_along_a_sweep(draws: Path, capsys: Any) -> None:
    """NB = w mu - 1, mu ~ N(1, 0.5)."""
    found = told(capsys, str(draws), "--price", "0.5:2:0.5", "--inputs", "mu", "--at", "1.5")
    assert found["frontier"][0]["option"] == "old"
    assert [row["option"] for row in found["frontier"]][2:] == ["new", "new"]
    for row in found["frontier"]:
        w = row["willingness_to_pay"]
        assert abs(row["evpi"] - loss(w - 1, w * 0.5)) < SIGMAS * row["evpi_mcse"]
        best = norm.cdf(abs(w - 1) / (w * 0.5))
        assert abs(row["probability"] - best) < SIGMAS * row["probability_mcse"] or w == 1
    (known,) = found["value"]
    assert abs(known["estimate"] - loss(0.5, 0.75)) < SIGMAS * known["mcse"]
    assert sum(row["probability"] for row in found["acceptability"]) == pytest.approx(4)


def test_a_binomial_a_count_and_a_normal_study(draws: Path, capsys: Any) -> None:
    """Beta-binomial, gamma-Poisson and normal-normal: the posterior mean is known, and the law of the data."""
    none = "no=no cost,no cost"
    found = told(capsys, str(draws), "--option", none, "--option", "act=no cost,qaly p", "--price", "1", "--evsi",
                 "binomial:p:5,50")["value"]  # fmt: skip
    for row in found:
        n = int(row["size"])
        k = np.arange(n + 1)
        exact = betabinom(n, 2, 5).pmf(k) @ np.maximum((2 + k) / (7 + n) - 0.3, 0)
        assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
    found = told(capsys, str(draws), "--option", none, "--option", "act=no cost,qaly rate", "--price", "1", "--evsi",
                 "count:rate:1,8")["value"]  # fmt: skip
    for row in found:
        k, t = np.arange(400), row["size"]
        exact = nbinom(3, 3 / (3 + t)).pmf(k) @ np.maximum((3 + k) / (3 + t) - 1.2, 0)
        assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
    found = told(capsys, str(draws), "--price", "1.5", "--evsi", "normal:mu:4,40:sd=2")["value"]
    for row in found:
        spread = 1.5 * 0.5 * np.sqrt(0.25 / (0.25 + 4 / row["size"]))
        assert abs(row["estimate"] - loss(0.5, spread)) < SIGMAS * row["mcse"]


def fieller(cost: tuple[float, float], effect: tuple[float, float]) -> np.ndarray:
    """Roots of (c - w e)² = z² (sc² + w² se²), for an independent cost and effect."""
    (c, sc), (e, se), z = cost, effect, norm.ppf(0.975)
    return np.sort(np.roots([e**2 - (z * se) ** 2, -2 * c * e, c**2 - (z * sc) ** 2]).real)


def test_the_interval_of_a_ratio_is_fiellers() -> None:
    rng = np.random.default_rng(2)
    z = norm.ppf((np.arange(N) + 0.5) / N)
    costs = pd.DataFrame({"old": 0.0, "new": 1000 + 150 * z})
    effects = pd.DataFrame({"old": 0.0, "new": 0.5 + 0.1 * rng.permutation(z)})
    row = icers(costs, effects).iloc[1]
    assert row["icer"] == pytest.approx(2000)
    np.testing.assert_allclose(row[["lower", "upper"]].astype(float), fieller((1000, 150), (0.5, 0.1)), rtol=0.02)
    assert row["note"] == ""
    unsure = icers(costs, effects.assign(new=effects["new"] - 0.35)).iloc[1]  # P(effect < 0) = 0.067
    assert np.isinf(unsure["upper"])
    assert "no end" in unsure["note"]


def test_options_that_are_beaten_are_named() -> None:
    """Means by hand: B is dearer and worse than A; D lies above the line from A to E; E costs (900-100)/(9-1) more."""
    cost, effect = {"A": 100.0, "B": 150.0, "D": 700.0, "E": 900.0}, {"A": 1.0, "B": 0.5, "D": 4.0, "E": 9.0}
    noise = np.tile([-1.0, 1.0], 100)
    costs, effects = (pd.DataFrame({k: v + noise for k, v in one.items()}) for one in (cost, effect))
    table = icers(costs, effects).set_index("option")
    assert table["note"].tolist()[1:3] == ["dominated by A", "extendedly dominated by A and E"]
    assert (table.loc["E", "than"], table.loc["E", "icer"]) == ("A", 100.0)
    assert frontier(costs, effects, willingness_to_pay=[50, 99, 101, 500])["option"].tolist() == ["A", "A", "E", "E"]


@pytest.mark.parametrize(("words", "says"), [
    (["--option", "a=cost_old,effect_old"], "two options or more"),
    (["--option", "a=cost_old,nothing", "--option", "b=cost_new,effect_new"], "no such column"),
    (["--option", "a"], "NAME=COST,EFFECT"),
    (["--price", "cheap"], "no prices"),
    (["--price", "0:1"], "no prices"),
    (["--price", "nan"], "no prices"),
    (["--price=-1,3"], "none below 0"),
    (["--price=-2:3:1"], "none below 0"),
    (["--at", "-1"], "--at"),
    (["--at", "nan"], "--at"),
    (["--evsi", "survey:p:5"], "no such study"),
    (["--evsi", "normal:mu:5"], "sd=2"),
    (["--evsi", "binomial:p:1.5"], "whole numbers"),
    (["--evsi", "binomial:mu:5"], "no probability"),
    (["--inputs", "m"], "no such column"),
    (["--prob", "95"], "between 0 and 1"),
])  # fmt: skip
def test_mistakes_are_told_and_nothing_is_written(words: list[str], says: str, draws: Path, capsys: Any) -> None:
    before = sorted(draws.parent.iterdir())
    assert main(["value", str(draws), *words, "--out", str(draws.parent / "never")]) == 2
    assert says in capsys.readouterr().err
    assert sorted(draws.parent.iterdir()) == before


def test_tables_are_printed_and_written(draws: Path, tmp_path: Path, capsys: Any) -> None:
    place = tmp_path / "value"
    assert main(["value", str(draws), "--price", "1,1.5", "--evsi", "normal:mu:20:sd=2", "--out", str(place)]) == 0
    said = capsys.readouterr().out
    assert "its 95% interval" in said
    assert "Monte Carlo standard errors" in said
    assert sorted(path.name for path in place.iterdir()) == ["acceptability.csv", "figures", "frontier.csv", "icer.csv",
                                                             "value.csv"]  # fmt: skip
    assert (place / "figures" / "acceptability.pdf").read_bytes().startswith(b"%PDF")
    drawn = pd.read_csv(place / "figures" / "acceptability.csv")
    best, learnt = (pd.read_csv(place / f"{name}.csv") for name in ("frontier", "value"))
    assert drawn.loc[drawn["layer"] == "value", "input"].tolist() == ["all", "mu, 20"]
    assert drawn.loc[drawn["layer"] == "value", "estimate"].tolist() == [best["evpi"].iloc[-1], learnt["estimate"][0]]
    assert drawn.loc[drawn["optimal"].astype("boolean").fillna(False), "option"].tolist() == best["option"].tolist()
    assert "£" not in (place / "figures" / "acceptability.txt").read_text("utf-8")
    assert main(["value", str(draws), "--out", str(place)]) == 2


@pytest.mark.parametrize("ending", ["jpg", ""])
def test_a_picture_of_no_known_format_is_refused_before_anything_is_read(ending: str, capsys: Any) -> None:
    assert main(["value", "missing.csv", "--figure", f"curve.{ending}"]) == 2
    assert "there is no such format" in capsys.readouterr().err


def test_the_sheet_that_was_read_is_named(tmp_path: Path, capsys: Any) -> None:
    """By both commands that take a workbook of draws, in words and as data."""
    z = np.random.default_rng(1).normal(size=200)
    table = pd.DataFrame({"cost_a": 0 * z, "cost_b": 1 + z, "effect_a": 0 * z, "effect_b": 1 + z / 9, "mu": z})
    table.to_excel(tmp_path / "draws.xlsx", index=False, sheet_name="psa")
    says = "sheet 'psa' of draws.xlsx"
    assert told(capsys, str(tmp_path / "draws.xlsx"))["read"] == says
    words = ["sensitivity", str(tmp_path / "draws.xlsx"), "--target", "cost_b", "--inputs", "mu,effect_b"]
    assert main(words) == 0
    assert f"Draws: {says}." in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["read"] == says
