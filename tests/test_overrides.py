"""Changes given on the command line: what they mean, what is refused, and what the manifest says of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest

from bayes.cli import main
from bayes.errors import InputError, UsageError
from bayes.heroin.study import load_study
from bayes.overrides import Overrides, change_data, changed_study, parse_overrides
from bayes.priortext import prior_from_text, prior_text
from tests.conftest import SHORT


def changed(study, *settings, priors=()):
    return changed_study(study, parse_overrides(priors, settings))


def test_a_setting_holds_for_every_scenario_that_states_it(shipped_study):
    found = changed(shipped_study, "places=20000").scenarios
    for name, before in shipped_study.scenarios.items():
        assert found[name].places == (None if before.coverage_of else 20000)
    assert found["hardcore"].label.endswith("[places=20000]")
    assert found["swiss"] == shipped_study.scenarios["swiss"]


def test_a_setting_of_one_scenario_leaves_the_others(shipped_study):
    found = changed(shipped_study, "hardcore.places=20000", "hardcore.ramp=linear").scenarios
    assert (found["hardcore"].places, found["hardcore"].ramp) == (20000, "linear")
    assert {n: s for n, s in found.items() if n != "hardcore"} == {
        n: s for n, s in shipped_study.scenarios.items() if n != "hardcore"
    }


def test_places_take_the_place_of_coverage_where_asked_for(shipped_study):
    found = changed(shipped_study, "swiss.places=5000").scenarios["swiss"]
    assert (found.places, found.coverage_of) == (5000, "")


def test_settings_of_the_study(shipped_study):
    found = changed(shipped_study, "horizon_years=20", "settings.discount_rate=0").settings
    assert (found.horizon_years, found.discount_rate) == (20, 0)
    assert found.press_offences == shipped_study.settings.press_offences


def test_a_prior_keeps_its_meaning_and_says_where_it_came_from(shipped_study):
    found = changed(shipped_study, priors=["tau_theta=HalfNormal(0.2)"])
    prior, before = found.priors["tau_theta"], shipped_study.priors["tau_theta"]
    assert prior.parameters == {"sigma": 0.2}
    assert (prior.meaning, prior.unit, prior.alternatives) == (before.meaning, before.unit, before.alternatives)
    assert prior.source.key == "command_line"
    assert found.content_hash != shipped_study.content_hash


def test_quantiles_typed_by_hand_may_miss_a_little_and_then_say_so(shipped_study):
    """No LogNormal has 50, 130 and 400; the least-squares line in logs is centred on the mean of their logs."""
    found = changed(shipped_study, priors=["offences_per_user_year=LogNormal(q05=50,q50=130,q95=400)"])
    prior = found.priors["offences_per_user_year"]
    assert prior.parameters["mu"] == pytest.approx(np.log([50, 130, 400]).mean(), abs=1e-12)
    assert "the nearest is taken" in prior.note


@pytest.mark.parametrize(
    "text",
    [
        "Normal(mu=0.0, sigma=2.0)",
        "LogNormal(q05=1.0, q95=4.0)",
        "HalfCauchy(beta=0.5)",
        "pymc.StudentT(nu=4.0, mu=0.0, sigma=2.0)",
    ],
)
def test_a_prior_on_one_line_is_written_as_it_is_read(text):
    assert prior_text(prior_from_text("x", text, "log ratio")) == text


@pytest.mark.parametrize(
    ("prior", "setting", "words"),
    [
        ("tau_theta", None, "name and value"),
        ("tau_tetha=HalfNormal(1)", None, "did you mean 'tau_theta'"),
        ("tau_theta=HalfNormal(-1)", None, "greater than zero"),
        ("tau_theta=Normal(0, 1)", None, "cannot be measured in log sd"),
        ("tau_theta=__import__('os').system('ls')", None, "not a prior"),
        ("tau_theta=HalfNormal(1, 2)", None, "fewer parameters"),
        ("tau_theta=HalfNormal(sigma=1, sigma=2)", None, "stands twice"),
        ("tau_theta=HalfNormall(1)", None, "did you mean 'HalfNormal'"),
        ("offences_per_user_year=LogNormal(q05=50,q50=130,q95=1000)", None, "nearest LogNormal: q05="),
        ("offences_per_user_year=LogNormal(q05=50,mu=2)", None, "one of the two"),
        (None, "places", "name and value"),
        (None, "places=many", "must be a number"),
        (None, "press_reduction=60%", "write 0.60, without the % sign"),
        (None, "press_reduction=0,6", "write 0.6, with a decimal point"),
        (None, "discount_rate=3.5", "a rate is a share: write 0.035"),
        ("occupancy=Beta(q05=60%, q95=97%)", None, "write 0.60, without the % sign"),
        ("occupancy=Beta(q05=0,6, q95=0,97)", None, "write 0.6, with a decimal point"),
        (None, "places=-1", "out of range"),
        (None, "places=nan", "out of range"),
        (None, "hardcor.places=1", "did you mean 'hardcore'"),
        (None, "plces=1", "did you mean 'places'"),
        (None, "ramp=cubic", "not allowed here"),
        (None, "demand_cap=perhaps", "yes or no"),
        (None, "horizon_years=2.5", "whole number"),
        (None, "swiss.coverage_of=Narnia", "no coverage evidence"),
    ],
)
def test_what_cannot_be_is_refused_before_any_draw(prior, setting, words, tmp_path, capsys, monkeypatch):
    import bayes.sampling.fit as fit

    monkeypatch.setattr(fit, "sample_plan", None)
    options = [*(["--prior", prior] if prior else []), *(["--set", setting] if setting else [])]
    assert main(["run", "--quiet", "--out", str(tmp_path / "run"), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_name_given_twice_is_refused():
    with pytest.raises(InputError, match="stands twice"):
        parse_overrides([], ["places=1", "places=2"])


def test_later_changes_win():
    both = Overrides({}, {"places": "1"}).and_then(Overrides({"tau_theta": "HalfNormal(1)"}, {"places": "2"}))
    assert both.as_data() == {"priors": {"tau_theta": "HalfNormal(1)"}, "settings": {"places": "2"}}


def test_a_changed_run_stamps_what_changed_and_can_be_projected_and_checked_again(tmp_path, capsys):
    folder = tmp_path / "run"
    options = ["--prior", "tau_theta=HalfNormal(0.2)", "--set", "places=20000", "--set", "horizon_years=5"]
    assert main(["run", *SHORT, "--out", str(folder), *options]) == 1
    assert "[places=20000]" in "".join(capsys.readouterr().out.split())
    manifest = json.loads((folder / "manifest.json").read_text())
    given = {"places": "20000", "horizon_years": "5"}
    assert manifest["overrides"] == {"priors": {"tau_theta": "HalfNormal(0.2)"}, "settings": given}
    table = pd.read_csv(folder / "tables" / "headline.csv", dtype={"year": str})
    assert set(table["year"]) == {"1", "2", "3", "4", "5", "total"}
    assert main(["check", str(folder)]) == 1
    assert "effects against quadrature" in capsys.readouterr().out
    assert main(["project", str(folder), "--quiet", "--set", "hardcore.places=5000"]) == 1
    assert json.loads((folder / "manifest.json").read_text())["overrides"]["settings"] == {
        **given,
        "hardcore.places": "5000",
    }


# --- a folder of one's own -------------------------------------------------------------------


def test_a_started_study_is_the_shipped_one_with_a_script_and_a_notebook(tmp_path, capsys, shipped_study):
    assert main(["init", str(tmp_path / "mine")]) == 0
    said = capsys.readouterr().out
    assert f"Next: bayes run {tmp_path / 'mine'}" in said
    assert f"uv run bayes run {tmp_path / 'mine'}" in said
    assert load_study(tmp_path / "mine").content_hash == shipped_study.content_hash
    assert len((tmp_path / "mine" / "analysis.py").read_text().splitlines()) == 12
    assert len((tmp_path / "mine" / "README.md").read_text().splitlines()) == 10
    notebook = json.loads((tmp_path / "mine" / "analysis.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    assert notebook["cells"][1]["metadata"] == {"tags": ["parameters"]}


def test_it_runs_at_once(tmp_path, capsys, monkeypatch):
    """`bayes run` on the folder, the script, and the notebook's cells on the script's own fit: same model and seed."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "mine"]) == 0
    assert main(["run", "mine", "--quiet"]) == 0
    capsys.readouterr()
    names = {"__file__": str(tmp_path / "mine" / "analysis.py")}
    exec(compile((tmp_path / "mine" / "analysis.py").read_text(), "analysis.py", "exec"), names)
    assert "hardcore" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setattr("bayes.sample", lambda model, rng: names["fit"], raising=False)
    cells = json.loads(Path("analysis.ipynb").read_text())["cells"]
    exec("\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code"), {})
    assert "verdict: passed" in capsys.readouterr().out


def test_a_place_that_is_taken_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text("{}")
    assert main(["init", str(tmp_path / "mine")]) == 2
    assert "is taken" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["manifest.json"]


def test_data_of_two_dims_are_set_label_by_label():
    """A row whole, or one number of it; a label may have dots, and what leads nowhere is refused."""
    with pm.Model(coords={"scenario": ["few", "v1.5"], "age": ["young", "old"]}) as model:
        pm.Data("reached", np.ones((2, 2)), dims=("scenario", "age"))
    change_data(model, parse_overrides([], ["data.reached.few=3", "data.reached.v1.5.old=4"]))
    assert model["reached"].get_value().tolist() == [[3, 3], [1, 4]]
    wrongs = {"few.od": "did you mean 'old'", "few.old.more": "no further dim", "fw": "did you mean 'few'"}
    for wrong, told in wrongs.items():
        with pytest.raises(UsageError, match=told):
            change_data(model, parse_overrides([], [f"data.reached.{wrong}=3"]))
