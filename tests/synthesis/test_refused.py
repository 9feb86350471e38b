"""What a synthesis cannot do is refused by name, and never done in silence as something else."""

import json

import numpy as np
import pytest

import bayes
from bayes.cli import main
from bayes.synthesis import LogRatios, synthesise
from bayes.synthesis.plotted import forest_table

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


def test_a_forest_of_differences(tmp_path, capsys):
    (tmp_path / "means.csv").write_text(ESTIMATES)
    read = [str(tmp_path / "means.csv"), "--y", "diff", "--se", "se", "--scale", "difference"]
    assert main(["synthesise", *read, "--forest", str(tmp_path / "f.svg")]) == 2
    assert "a forest shows ratios" in capsys.readouterr().err
    assert not (tmp_path / "f.svg").exists()
    assert main(["synthesise", *read, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scale"] == "difference"
    rows = LogRatios(("a", "b", "c"), np.array([-1.0, -0.4, 0.2]), np.array([0.4, 0.3, 0.5]), scale="difference")
    with pytest.raises(bayes.InputError, match="a forest shows ratios"):
        forest_table(synthesise(rows))
