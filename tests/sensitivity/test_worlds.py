"""Worlds: mixtures with a closed form, stacking, what is refused before a fit, and the choice in each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import bayes
from bayes.question import World
from bayes.sensitivity._worlds import decisions, mixed, stacking, stacking_with_error, worlds, worlds_of
from bayes.sensitivity.case import Decision, Inputs


def draws(mean: float, sd: float = 1.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, sd, (4, 5000))


def test_a_mixture_of_normals_has_the_quantiles_of_its_distribution_function() -> None:
    found = mixed([draws(0).ravel(), draws(4, 0.5, 2).ravel()], np.array([0.7, 0.3]))

    def below(x: float) -> float:
        return 0.7 * stats.norm.cdf(x) + 0.3 * stats.norm.cdf(x, 4, 0.5)

    for name, p in (("median", 0.5), ("lower", 0.025), ("upper", 0.975)):
        exact = optimize.brentq(lambda x, p=p: below(x) - p, -9, 9)
        assert abs(found[name] - exact) < 4 * found[f"mcse_{name}"] + 1e-9
    assert found["above"] == pytest.approx(1 - below(0.0), abs=0.01)  # 20,000 draws


def test_a_table_has_each_world_and_the_mixture() -> None:
    declared = {"one": World(words="as fitted", weight=3), "other": World(weight=1)}
    table = worlds(draws(1), declared, {"one": draws(1), "other": draws(2, 1, 3)}, {}).set_index("world")
    assert table["weight"].tolist() == [0.75, 0.25, 1.0]
    assert table.loc["one", "ratio"] == 1
    assert table.loc["one", "median"] < table.loc["mixture", "median"] < table.loc["other", "median"]
    assert table["stacking"].isna().all()  # no row is known


def test_stacking_maximises_the_score_of_the_mixture() -> None:
    rng = np.random.default_rng(4)
    logs = {name: dict(enumerate(rng.normal(0, 1, 40))) for name in ("a", "b", "c")}
    found = stacking({name: {str(row): x for row, x in one.items()} for name, one in logs.items()})
    density = np.exp([list(one.values()) for one in logs.values()])

    def score(w: np.ndarray) -> float:
        return float(np.log(w @ density).sum())

    best = optimize.minimize(lambda z: -score(np.exp(z) / np.exp(z).sum()), np.zeros(3), method="Nelder-Mead",
                             options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000})  # fmt: skip
    assert score(np.array(list(found.values()))) == pytest.approx(-best.fun, abs=1e-4)


def test_worlds_that_predict_alike_share_and_other_rows_are_not_compared() -> None:
    found = stacking({"a": {"r": 0.0}, "b": {"r": 0.0}, "c": {"other": 5.0}})
    assert found == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}
    assert stacking({"a": {"r": 0.0}}) == {}


def test_stacking_weights_of_few_rows_say_how_uncertain_they_are() -> None:
    """One row speaks for each of two models: a weight is Beta(1, 1) over rows drawn again, of which the sd is known."""
    rows = {"a": {"r": 0.0, "s": -40.0}, "b": {"r": -40.0, "s": 0.0}}
    few = stacking_with_error(rows)
    assert few["a"][0] == pytest.approx(0.5)
    assert few["a"][1] == pytest.approx(12**-0.5, rel=0.15)  # 200 draws: 5 % of a standard deviation, three times
    many = {name: {f"{row}{i}": x for i in range(50) for row, x in one.items()} for name, one in rows.items()}
    assert stacking_with_error(many)["a"][1] < 0.08  # Beta(50, 50): 0.05
    assert stacking_with_error({"a": {"r": 0.0}}) == {}


@pytest.mark.parametrize(("text", "key"), [
    ("[a]\nwords = 'x'\nweigth = 2", "weigth"), ("[a]\nweight = 0", "weight"), ("[a]\nweight = 'much'", "weight"),
    ("a = 1", "a")])  # fmt: skip
def test_a_file_that_says_something_else_is_refused_with_its_place(tmp_path, text: str, key: str) -> None:
    (tmp_path / "worlds.toml").write_text(text)
    asked = SimpleNamespace(question=SimpleNamespace(worlds={}), study=SimpleNamespace(folder=tmp_path))
    with pytest.raises(bayes.InputError) as caught:
        worlds_of(asked)
    assert caught.value.key == key
    assert "worlds.toml" in str(caught.value)


def test_thirteen_worlds_are_too_many() -> None:
    asked = SimpleNamespace(question=SimpleNamespace(worlds={str(i): World() for i in range(13)}), study=None)
    with pytest.raises(bayes.InputError, match="too many"):
        worlds_of(asked)


def test_the_choice_of_two_worlds_has_its_closed_form() -> None:
    """Net benefit N(1, 1) or N(-1, 1) of acting, nothing otherwise: choosing to act loses 1 in the second."""

    def decision(mean: float, seed: int) -> Decision:
        x = np.random.default_rng(seed).normal(mean, 1, 20_000)
        net = pd.DataFrame({"act": x, "nothing": 0.0 * x})
        return Decision(net_benefit=net, inputs=Inputs(net[["act"]]), money="GBP")

    declared = {"good": World(weight=1), "bad": World(weight=1)}
    made = {"good": decision(1, 5), "bad": decision(-1, 6)}
    table = decisions(declared, made, "act", {"no ceiling": made["bad"]}).set_index("world")
    assert table["kind"].tolist() == ["world", "world", "mixture", "structure"]
    assert table["best"].tolist()[:2] == ["act", "nothing"]
    assert table.loc["no ceiling", "loss"] == table.loc["bad", "loss"]
    assert np.isnan(table.loc["no ceiling", "weight"])
    assert table.loc["good", "loss"] == 0
    assert abs(table.loc["bad", "loss"] - 1) < 4 * table.loc["bad", "mcse_loss"]
    z = stats.norm.pdf(1) - 1 * stats.norm.sf(1)  # E[max(0, N(1, 1))] - 1, and E[max(0, N(-1, 1))]
    for world in ("good", "bad"):
        assert abs(table.loc[world, "perfect"] - z) < 4 * table.loc[world, "mcse_perfect"]
    both = (1 + 2 * z) / 2  # of the mixture, whose options are both worth nothing
    assert abs(table.loc["mixture", "perfect"] - both) < 5 * table.loc["mixture", "mcse_perfect"]


def test_a_study_teaches_through_what_its_data_depend_on_alone() -> None:
    rng = np.random.default_rng(7)
    unknown = pd.DataFrame({"effect": rng.normal(0.5, 1, 20_000), "other": rng.normal(size=20_000)})
    net = pd.DataFrame({"act": unknown["effect"] + unknown["other"], "nothing": 0.0})
    seen = []

    def trial(x: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
        seen.append(list(x))
        return pd.DataFrame({"y": generator.normal(x["effect"], 0.5)})

    choice = Decision(net_benefit=net, inputs=Inputs(unknown), unknown=unknown, studies={"a trial": trial},
                      depends={"a trial": ("effect",)})  # fmt: skip
    found = choice.worth("a trial").iloc[0]
    sd = (1 + 0.5**2) ** -0.5  # of the posterior mean before the trial
    exact = sd * stats.norm.pdf(0.5 / sd) - 0.5 * stats.norm.sf(0.5 / sd)
    assert seen == [["effect"]]
    assert abs(found["estimate"] - exact) < 4 * found["mcse"]
