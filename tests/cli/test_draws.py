"""Commands that read a run read anybody's draws too: NetCDF, Zarr, CSV, CmdStan's files."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes.cli import main
from bayes.netcdf import write_netcdf

SAMPLER = ("lp__", "accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__", "divergent__", "energy__")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The same draws of mu, theta (2) and y = mu + theta[2] / 2 in every form; in one a variable of words too."""
    folder, rng = tmp_path_factory.mktemp("draws"), np.random.default_rng(2)
    mu, theta = rng.normal(size=(4, 1000)), rng.normal(size=(4, 1000, 2))
    y = mu + theta[..., 1] / 2
    found = {name: folder / name for name in ("fit.nc", "fit.zarr", "draws.csv", "stan")}
    found["stan"].mkdir()
    frames = []
    for i in range(4):
        frame = pd.DataFrame({name: rng.normal(size=1000) if name == "energy__" else 0.0 for name in SAMPLER})
        frame = frame.assign(mu=mu[i], **{"theta.1": theta[i, :, 0], "theta.2": theta[i, :, 1]}, y=y[i])
        text = frame.to_csv(index=False, lineterminator="\n")
        (found["stan"] / f"model_{i + 1}.csv").write_text("# stan_version_major = 2\n" + text)
        frames.append(frame.assign(chain=i + 1, iteration=np.arange(1000)))
    pd.concat(frames).sample(frac=1, random_state=1).to_csv(found["draws.csv"], index=False)
    cd = ("chain", "draw")
    posterior = xr.Dataset({"mu": (cd, mu), "theta": ((*cd, "place"), theta), "y": (cd, y)}, {"place": [1, 2]})
    stats = xr.Dataset({"diverging": (cd, np.zeros((4, 1000), bool)), "energy": (cd, rng.normal(size=(4, 1000)))})
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    tree.to_zarr(found["fit.zarr"], consolidated=False)
    tree["posterior"] = xr.DataTree(posterior.assign(word=(cd, np.full((4, 1000), "left"))))
    write_netcdf(tree, found["fit.nc"])
    return found


KINDS = ("fit.nc", "fit.zarr", "draws.csv", "stan")


@pytest.mark.parametrize("kind", KINDS)
def test_check(kind, sources, capsys):
    assert main(["check", str(sources[kind])]) == 0
    assert "verdict: passed" in capsys.readouterr().out


def test_check_takes_files_one_a_chain(sources, capsys):
    assert main(["check", *map(str, sorted(sources["stan"].iterdir()))]) == 0
    assert "0 of 4,000 draws" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_sensitivity_explains_a_column_by_the_others_and_by_nothing_else(kind, sources, capsys):
    assert main(["sensitivity", str(sources[kind]), "--target", "y", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(found["inputs"]) == ["mu", "theta[1]", "theta[2]"]  # no chain, no iteration, no column of a sampler
    first = {row["input"]: row["estimate"] for row in found["variance"] if row["measure"] == "first"}
    np.testing.assert_allclose([first["mu"], first["theta[2]"]], [0.8, 0.2], atol=0.04)  # three standard errors


def test_sensitivity_takes_several_files_and_names_as_the_files_write_them(sources, capsys):
    files = [str(path) for path in sorted(sources["stan"].iterdir())]
    assert main(["sensitivity", "--draws", *files, "--target", "y", "--inputs", "theta.1,theta[2]", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["inputs"], found["draws"]) == (["theta[1]", "theta[2]"], 4000)


def test_figures_draw_what_the_draws_can_supply(sources, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["figures", str(sources["fit.zarr"]), "--quiet", "--format", "svg"]) == 0
    out = capsys.readouterr().out
    assert "not drawn: ridge: " in out
    assert (tmp_path / "runs" / "fit" / "figures" / "chains.svg").is_file()


def test_report_of_a_target(sources, capsys, tmp_path):
    place = tmp_path / "place"
    arguments = ["report", str(sources["stan"]), "--target", "mu", "--format", "html", "--out", str(place), "--quiet"]
    assert main(arguments) == 0
    assert "Diagnostics: passed" in capsys.readouterr().out
    assert [path.name for path in place.iterdir()] == ["report.html"]


def test_what_is_missing_or_wrong_is_said_and_nothing_is_written(sources, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    cases = {
        ("sensitivity", "draws.csv"): "draws need a target",
        ("sensitivity", "draws.csv", "--target", "thet[2]"): "there is no such column",
        ("report", "draws.csv"): "a report of draws needs a target",
        ("report", "draws.csv", "--target", "nothing"): "there is no such target",
        ("report", "draws.csv", "--target", "mu", "--out", "run"): "this folder is a run",
        ("figures", "draws.csv", "--only", "ridge"): "no projection",
        ("check", "nowhere.csv"): "this file is missing",
        ("check", "nowhere"): "this run folder does not exist",
        ("check", "run", "a", "b"): "a run has all its chains",
    }
    of_draws = "for a file of draws, and has no effect on a run"
    cases |= {("figures", "run", "--out", "elsewhere"): of_draws, ("report", "run", "--out", "elsewhere"): of_draws,
              ("report", "run", "--target", "mu"): of_draws, ("sensitivity", "run", "--inputs", "a,b"): of_draws,
              ("sensitivity", "run", "--net-benefit", "a,b"): of_draws}  # fmt: skip
    for (command, name, *rest), words in cases.items():
        assert main([command, str(sources.get(name, name)), *rest]) == 2, words
        assert words in capsys.readouterr().err
    assert not (tmp_path / "runs" / "draws").exists()
