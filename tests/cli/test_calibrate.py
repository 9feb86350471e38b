"""``bayes calibrate`` end to end: tables that other programs read, and one clear error."""

import shutil

import pandas as pd

from bayes.cli import main
from bayes.cli.calibrate import ranks_text


def test_it_writes_two_tables_into_the_run(shipped_run, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(shipped_run, run)
    code = main(
        ["calibrate", str(run), "--simulations", "20", "--draws", "100", "--tune", "100", "--jobs", "1", "--quiet"]
    )
    ranks, found = (pd.read_csv(run / "tables" / f"{name}.csv") for name in ("calibration_ranks", "calibration"))
    assert code == (0 if found["uniform"].all() else 1)
    assert ranks.groupby("quantity").size().eq(20).all()
    assert ranks["rank"].between(0, 99).all()
    assert {"mu_theta", "offences_per_user_year", "log likelihood"} <= set(found["quantity"])
    assert found["uniform"].all(), found[~found["uniform"]]
    assert f"{len(found)} quantities ranked in 20 simulated data sets" in capsys.readouterr().out


def test_a_run_of_edited_inputs_is_refused(shipped_run, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(shipped_run, run)
    before = (run / "tables" / "calibration.csv").read_bytes()  # of the shipped model, on file with it
    path = run / "inputs" / "offending.toml"
    path.write_text(
        path.read_text().replace("q05 = 108, q50 = 432, q95 = 1728", "q05 = 109, q50 = 432, q95 = 1712.147")
    )
    assert main(["calibrate", str(run)]) == 2
    assert "the inputs of this run were changed" in capsys.readouterr().err
    assert (run / "tables" / "calibration.csv").read_bytes() == before


def test_too_few_simulations_are_refused_before_anything_is_read(capsys):
    assert main(["calibrate", "nowhere", "--simulations", "3"]) == 2
    assert "--simulations is too small" in capsys.readouterr().err


def test_it_says_why_simulations_were_not_fitted():
    found = pd.DataFrame({"quantity": ["gain"], "simulations": [18], "uniform": [True], "divergent": [0], "stuck": [2]})
    found.attrs["failed"] = {1: "a chain did not move: gain", 7: "a chain did not move: gain"}
    assert "have no ranks: 2 (a chain did not move: gain)." in ranks_text(found, [])
    found.attrs = {}
    assert "have no ranks: 2." in ranks_text(found, [])
