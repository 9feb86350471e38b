"""What a synthesis cannot do is refused by name, and never done in silence as something else."""

import numpy as np
import pandas as pd
import pytest

import bayes
from bayes.cli import main
from bayes.synthesis import LogRatios, synthesise

COUNTS = "trial,e1,n1,e0,n0,latitude,lab\na,4,100,9,100,10,x\nb,3,80,7,85,40,y\nc,9,200,12,190,55,y\n"
ESTIMATES = "trial,diff,se,latitude\na,-1.0,0.4,10\nb,-0.4,0.3,40\nc,0.2,0.5,55\n"


OPTIONS = {"RR": ("--measure", "RR", "--moderator", "latitude"), "RD": ("--measure", "RD", "--study", "lab"),
           "bias": ("--bias", "internal=latitude")}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_what_counts_cannot_have_is_refused_with_a_way_out(tmp_path, capsys, name):
    (tmp_path / "counts.csv").write_text(COUNTS)
    command = ["synthesise", str(tmp_path / "counts.csv"), "--events", "e1,e0", "--total", "n1,n0", *OPTIONS[name]]
    assert main(command) == 2
    assert "--approximate" in capsys.readouterr().err
    assert main([*command, "--approximate", "--quiet"]) == 0
    assert "normal approximation of counts" in " ".join(capsys.readouterr().out.split())


def test_heavy_tails_with_moderators():
    rows = LogRatios(("a", "b", "c"), np.array([-1.0, -0.4, 0.2]), np.array([0.4, 0.3, 0.5]),
                     moderators={"latitude": np.array([10.0, 40.0, 55.0])})  # fmt: skip
    with pytest.raises(bayes.InputError, match="take normal effects"):
        synthesise(rows, effects="t", tau="HalfNormal(0.5)")


ODD = {
    "a place that is no number": (["--moderator", "latitude", "--at", "latitude=nan"], "not finite"),
    "estimates that explain themselves": (["--moderator", "diff"], "cannot explain themselves"),
    "a prior of no width": (["--tau", "HalfNormal(1e-320)"], "beyond what can be computed"),
    "a prior that the data cannot reach": (["--mu", "Normal(1e25, 1)"], "nowhere greater than zero"),
}


@pytest.mark.parametrize("name", ODD)
def test_numbers_at_odd_limits_are_refused_before_any_draw(name, tmp_path, capsys):
    (tmp_path / "means.csv").write_text(ESTIMATES)
    options, says = ODD[name]
    assert main(["synthesise", str(tmp_path / "means.csv"), "--y", "diff", "--se", "se", *options]) == 2
    assert says in capsys.readouterr().err


TOML = {"no TOML": "[a", "digits without end": f"[a]\nmu = {'9' * 5000}\n", "nesting without end": f"a = {'[' * 9999}"}


@pytest.mark.parametrize("option", ["--bias", "--sets"])
@pytest.mark.parametrize("name", TOML)
def test_a_file_that_is_no_toml_is_one_message(name, option, tmp_path, capsys):
    (tmp_path / "means.csv").write_text(ESTIMATES)
    (tmp_path / "own.toml").write_text(TOML[name])
    command = ["synthesise", str(tmp_path / "means.csv"), "--y", "diff", "--se", "se", option]
    assert main([*command, str(tmp_path / "own.toml")]) == 2
    told = capsys.readouterr().err
    assert "not valid TOML" in told
    assert "own.toml" in told


@pytest.mark.parametrize(("y", "se"), [(-1e200, 0.2), (0.5, 1e-200), (0.5, 1e200)])
def test_numbers_without_room_for_their_squares_are_refused(y, se):
    with pytest.raises(bayes.InputError, match="numbers up to 1e\\+30"):
        LogRatios(("a", "b"), np.array([0.1, y]), np.array([0.3, se]))


def test_figures_of_differences_are_on_their_own_scale(tmp_path, capsys):
    (tmp_path / "means.csv").write_text(ESTIMATES)
    read = [str(tmp_path / "means.csv"), "--y", "diff", "--se", "se", "--scale", "difference", "--quiet"]
    files = {name: tmp_path / f"{name}.svg" for name in ("forest", "funnel", "left-out")}
    asked = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert main(["synthesise", *read, *asked]) == 0
    assert all(path.is_file() for path in files.values())
    table = pd.read_csv(tmp_path / "forest.csv")
    assert table.loc[table["layer"] == "raw", "estimate"].tolist() == [-1.0, -0.4, 0.2]
    assert set(table["axis"]) == {"linear"}
    assert "Below 0" in (tmp_path / "forest.txt").read_text()
    assert "3 studies are too few to tell" in (tmp_path / "funnel.txt").read_text()


def test_a_funnel_of_counts_is_refused_with_a_way_out(tmp_path, capsys):
    (tmp_path / "counts.csv").write_text(COUNTS)
    command = ["synthesise", str(tmp_path / "counts.csv"), "--events", "e1,e0", "--total", "n1,n0", "--quiet",
               "--funnel", str(tmp_path / "f.svg")]  # fmt: skip
    assert main(command) == 2
    assert "--approximate" in capsys.readouterr().err
    assert not (tmp_path / "f.svg").exists()
