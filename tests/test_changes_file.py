"""Changes in a TOML file: the same as on the command line, strict, and less than what the command line says."""

import json

import pymc as pm
import pytest

from bayes.cli import main
from bayes.errors import InputError
from bayes.overrides import Overrides, change_data, changed_study, parse_overrides, read_overrides
from tests.conftest import SHORT

WHOLE = """\
[priors]
tau_theta = "HalfNormal(sigma=0.2)"
mu_theta  = "Normal(mu=-0.25, sigma=1e-1)"

[settings]
horizon_years = 20
discount_rate = 0.05

[scenarios.hardcore]
places        = 20000
years_to_full = 2.5
ramp          = "linear"
demand_cap    = false
"""


@pytest.fixture
def changes(tmp_path):
    def write(text):
        path = tmp_path / "what-if.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_says_what_the_command_line_says(changes, shipped_study):
    from_file = read_overrides(changes(WHOLE))
    typed = parse_overrides(
        ["tau_theta=HalfNormal(sigma=0.2)", "mu_theta=Normal(mu=-0.25, sigma=1e-1)"],
        ["settings.horizon_years=20", "settings.discount_rate=0.05", "hardcore.places=20000",
         "hardcore.years_to_full=2.5", "hardcore.ramp=linear", "hardcore.demand_cap=false"],
    )  # fmt: skip
    assert from_file == typed
    study = changed_study(shipped_study, from_file)
    assert study.priors["mu_theta"].parameters == {"mu": -0.25, "sigma": 0.1}
    assert (study.settings.horizon_years, study.settings.discount_rate) == (20, 0.05)
    found = study.scenarios["hardcore"]
    assert (found.places, found.years_to_full, found.ramp, found.demand_cap) == (20000, 2.5, "linear", False)


def test_data_of_a_model_by_name_and_label(changes):
    with pm.Model(coords={"scenario": ["low", "high"], "year": [1, 2]}) as model:
        pm.Data("people", [10.0, 20.0], dims="scenario")
        pm.Data("cost", 3.5)
        pm.Data("places", [[1, 2], [3, 4]], dims=("scenario", "year"))
    from_file = read_overrides(changes("[data]\ncost = 12\n[data.people]\nlow = 0.4\n[data.places]\nhigh = 7\n"))
    assert from_file == parse_overrides([], ["data.cost=12", "data.people.low=0.4", "data.places.high=7"])
    assert from_file.as_data()["data"] == {"cost": "12", "people.low": "0.4", "places.high": "7"}
    change_data(model, from_file)
    found = {name: model[name].get_value().tolist() for name in ("people", "cost", "places")}
    assert found == {"people": [0.4, 20.0], "cost": 12.0, "places": [[1, 2], [7, 7]]}
    for setting, says in {"data.peple=1": "did you mean 'people'", "data.people.hgh=1": "did you mean 'high'",
                          "data.cost=40%": "write 0.40", "data.cost=nan": "must be a number",
                          "data.places.low=1.5": "whole number"}.items():  # fmt: skip
        with pytest.raises(InputError, match=says):
            change_data(model, parse_overrides([], [setting]))


def test_an_empty_file_changes_nothing(changes):
    assert read_overrides(changes("# nothing\n")) == Overrides()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[prior]\ntau_theta = 'HalfNormal(0.2)'", "did you mean 'priors'"),
        ("priors = 3", "[priors]"),
        ("[priors]\ntau_theta = 0.2", "text in quotes"),
        ("[scenarios]\nhardcore = 20000", "a table"),
        ("[scenarios.hardcore]\nplaces = [1, 2]", "a number, a text"),
        ("[scenarios.hardcore]\nplaces = 1979-05-27", "a number, a text"),
        ("[data]\npeople = 'many'", "another kind"),
        ("[data.people]\nlow = [1]", "another kind"),
        ("[priors\n", "not valid TOML"),
    ],
)
def test_anything_else_is_one_error(changes, text, says):
    with pytest.raises(InputError) as error:
        read_overrides(changes(text))
    assert says in str(error.value).replace("Did", "did")
    assert "what-if.toml" in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["[priors]\nnobody = 'Normal(0, 1)'", "[priors]\ntau_theta = '__import__(\"os\")'", "[settings]\nyears = 3",
     "[scenarios.nowhere]\nplaces = 3", "[scenarios.hardcore]\nplaces = -3"],
)  # fmt: skip
def test_values_are_checked_like_those_of_the_command_line(changes, text, tmp_path, capsys):
    assert main(["run", "--quiet", "--changes", str(changes(text)), "--out", str(tmp_path / "run")]) == 2
    assert "bayes: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_with_changes_stamps_them_and_the_command_line_wins(changes, tmp_path):
    out = tmp_path / "run"
    changed = ["--changes", str(changes(WHOLE)), "--set", "hardcore.places=15000"]
    assert main(["run", *changed, *SHORT, "--out", str(out)]) == 1
    stamped = json.loads((out / "manifest.json").read_text())["overrides"]
    assert stamped["priors"]["tau_theta"] == "HalfNormal(sigma=0.2)"
    assert stamped["settings"]["hardcore.places"] == "15000"
    assert stamped["settings"]["settings.horizon_years"] == "20"
