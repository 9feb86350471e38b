"""The recipes of CONTRIBUTING.md, word for word, on a copy of the tree: what they say follows does follow."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bayes

PACKAGE = Path(bayes.__file__).parent
BLOCK = re.compile(r"^<!-- (\S+?)(?:, (at the end)|, before: (.+?))? -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

RUN = """
import numpy as np, bayes
from bayes.heroin.quantities import NAMES
from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.rows import clusters
from bayes.heroin.words import WORDS
from bayes.tables import evidence_table

study = bayes.load_study()
model = bayes.build_model(study)
assert model["waiting"] in model.observed_RVs and "waiting_time" in model.named_vars
assert (WORDS.unit("waiting_time"), WORDS.label("waiting_time")) == ("years", "time from referral to the first dose")
fit = bayes.sample(model, draws=1000, tune=300, chains=2, rng=1)
draws = {str(name): array.values.reshape(-1, *array.shape[2:]) for name, array in fit["posterior"].data_vars.items()}
prior = study.priors["waiting_time"].parameters
weight = 1 / prior["sigma"] ** 2, 1 / 0.3**2
mean = np.average([prior["mu"], np.log(0.2)], weights=weight)  # a normal prior and a normal row, in logs
found = np.log(draws["waiting_time"])
assert abs(found.mean() - mean) < 5 * found.std() / np.sqrt(1000), (found.mean(), mean)
(row,) = [one for one in clusters(draws, study, Structure()) if one.rows == ("pilot_wait",)]
z = (np.log(0.2) - found) / 0.3
assert np.allclose(row.without(("pilot_wait",))[0], 0.5 * z**2 + np.log(0.3) + 0.5 * np.log(2 * np.pi), atol=1e-12)
table = evidence_table(fit, study, "checked")
assert "pilot_wait" in set(table["row"])

from types import SimpleNamespace
from xarray import DataArray
from bayes.sensitivity.suite import analyses, chosen_analyses
answer = DataArray(np.random.default_rng(1).normal(3, 1, size=(4, 500)), dims=("chain", "draw"))
case = SimpleNamespace(answer=answer, target="waiting_time", words=WORDS)
(row,) = analyses()["expected"].run(case, None)["expected"].itertuples()
assert chosen_analyses("expected") == ["expected"] and row.unit == "years"
assert abs(row.mean - 3) < 5 * row.mcse, row
print("done")
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the tree, byte code and all, with every block of the recipes in its place."""
    tmp_path = tmp_path_factory.mktemp("recipes")
    shutil.copytree(PACKAGE, tmp_path / "bayes", ignore=shutil.ignore_patterns("_priors"))
    priors = PACKAGE.parent / "priors"
    shutil.copytree(priors if priors.is_dir() else PACKAGE / "_priors", tmp_path / "priors")
    for name, end, before, text in BLOCK.findall((PACKAGE / "CONTRIBUTING.md").read_text()):
        path = tmp_path / name
        old = path.read_text() if path.exists() else ""
        assert bool(end or before) == path.exists()
        lines = old.splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if before in line) if before else len(lines)
        path.write_text("".join([*lines[:at], text, *lines[at:]]))
    return tmp_path


def ran(folder, code):
    """Run code on a copy of the tree to its last line."""
    here = {**os.environ, "PYTHONPATH": str(folder), "BAYES_CACHE": str(folder / "cache")}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=here, capture_output=True, text=True,
                          timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
    return done


def test_a_quantity_a_table_of_evidence_and_an_analysis(changed):
    ran(changed, RUN)


FIGURE = """
import numpy as np, xarray as xr, bayes
from bayes.figures.gallery import Gallery
from bayes.words import Words

words = Words(target="cases", units={"cases": "cases/year"}, labels={"cases": "cases averted"})
draws = np.random.default_rng(1).gamma(2.0, size=(2, 200, 3, 4))
futures = xr.Dataset({"cases": (("chain", "draw", "scenario", "year"), draws, {"unit": "cases/year"})},
                     {"scenario": ["few", "some", "many"], "year": [1, 2, 3, 4]}, {"words": words.text()})
table = bayes.figures.cumulative.table(futures)
medians = table[table["layer"] == "median"]["x"]
assert np.allclose(medians, np.median(draws.sum(axis=3).reshape(-1, 3), axis=0))
drawn = Gallery(".", {}, dict, lambda: futures).draw("cumulative", width="single")
assert drawn.axes[0].get_xlabel() == "Cases averted in all years (cases/year)"
assert [t.get_text() for t in drawn.axes[0].get_yticklabels()] == ["few", "some", "many"]
assert "400 posterior draws from 2 chains" in drawn.caption
bayes.figures.save(drawn, "figures", "cumulative", ["svg"])
print("done")
"""


def test_a_figure(changed):
    ran(changed, FIGURE)


COMMAND = """
import numpy as np, pandas as pd
from bayes.cli import main
from bayes.cli.entry import parser_of_all
from bayes.completion import words

pd.DataFrame({"mu": np.random.default_rng(1).normal(size=1500)}).to_csv("draws.csv", index=False)
assert main(["count", "draws.csv"]) == 0
assert main(["count", "nothing.csv"]) == 2
assert "count" in words(parser_of_all())
print("done")
"""


def test_a_command(changed):
    done = ran(changed, COMMAND)
    assert done.stdout == "1 chains of 1,500 draws\ndone\n"
    assert "nothing.csv" in done.stderr
    assert "Traceback" not in done.stderr


CHAPTER = """
import numpy as np, bayes
from xarray import DataTree, Dataset
draws = Dataset({"mu": (("chain", "draw"), np.random.default_rng(1).normal(size=(2, 600)))})
fit = DataTree.from_dict({"posterior": draws})
page = bayes.write_report("report.html", fit, target="mu", force=True)
import re
text = re.sub("<[^>]+>", "", page.read_text(encoding="utf-8"))
assert "The answer rests on 1,200 posterior draws." in text
print("done")
"""


def test_a_chapter(changed):
    ran(changed, CHAPTER)


def test_each_recipe_touches_two_files_of_code():
    text = (PACKAGE / "CONTRIBUTING.md").read_text()
    for recipe in text.split("\n## ")[1:]:
        files = {name for name, *_ in BLOCK.findall(recipe) if "/evidence/" not in name or name.endswith(".py")}
        assert len(files) <= 2, recipe.splitlines()[0]
