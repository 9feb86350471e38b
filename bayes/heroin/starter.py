"""A study folder of one's own: the shipped files, a script, a notebook and a page that says what to change first."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from bayes.files import read_text, replace_folder, write_text
from bayes.heroin.country import numbers_of_country
from bayes.heroin.study import load_study, shipped_study
from bayes.starter import check_free, next_line
from bayes.study import prior_files

__all__ = ["start_study"]

SCRIPT = '''\
"""My study: change the files beside this one, then run `python analysis.py`, or `bayes run` on this folder."""

from pathlib import Path

import bayes

study = bayes.load_study(Path(__file__).parent)
fit = bayes.sample(bayes.build_model(study), rng=20070222)
bayes.check(fit).require()
futures = bayes.project(fit, study)
table = bayes.summarise(futures.isel(year=-1), prob=0.95, variables=["offences_avoided"])
print(table[["scenario", "unit", "estimate", "lower", "upper", "prob", "kind"]].to_string(index=False))
'''

README = """\
# {name}

A copy of the shipped study, to be made your own. `bayes priors check {folder}` checks it, `bayes run {folder}` runs it.

1. `scenarios.toml`: what would be built. Copy a `[scenarios.…]` table, rename it, change `places`.
2. `evidence/trials.csv` and its neighbours: what was observed. Add a line; `use` says whether it enters.
3. `*.toml`: what was believed before. Each number has a unit, a source and a reason.
4. `references.bib`: where all of it was read. A key that is not here is refused.

To try a change without editing: `bayes run {folder} --prior 'tau_theta=HalfNormal(0.2)' --set hardcore.places=20000`
"""

_CELLS = (
    ("markdown", "# {name}\n\nWhat would be avoided, and how sure can anyone be?"),
    ("code", "folder, seed = \".\", 20070222"),
    ("code", "import bayes\n\nstudy = bayes.load_study(folder)\n"
             "fit = bayes.sample(bayes.build_model(study), rng=seed)\nprint(bayes.check(fit))"),
    ("code", "futures = bayes.project(fit, study)\n"
             "bayes.summarise(futures.isel(year=-1), prob=0.95, variables=[\"offences_avoided\", \"patient_years\"])"),
)  # fmt: skip


def start_study(folder: Path, country: str = "") -> list[str]:
    """Make a study folder, of another country if one is named, and return the lines that say what to do next.

    The numbers of the shipped country stay and go by its name, so that the study is refused until each is replaced.

    Raises
    ------
    UsageError
        If the folder exists and holds anything, or cannot be written; nothing is then written.
    """
    check_free(folder)
    shipped, study = shipped_study(), load_study()
    name = folder.resolve().name
    with replace_folder(folder) as scratch:
        for path in (*prior_files(shipped), shipped / "scenarios.toml", shipped / "references.bib",
                     shipped / "prior.schema.json"):  # fmt: skip
            shutil.copyfile(path, scratch / path.name)
        (scratch / "evidence").mkdir()
        for path in sorted((shipped / "evidence").glob("*.csv")):
            shutil.copyfile(path, scratch / "evidence" / path.name)
        if country:
            line = f"country = {json.dumps(country, ensure_ascii=False)}"
            text = read_text(scratch / "scenarios.toml")
            write_text(scratch / "scenarios.toml", re.sub(r"(?m)^country .*$", lambda _: line, text))
        write_text(scratch / "analysis.py", SCRIPT)
        write_text(scratch / "analysis.ipynb", _notebook(name))
        write_text(scratch / "README.md", README.format(name=name, folder=folder))
    made = f"Made {folder}: priors, evidence, scenarios, references, analysis.py, analysis.ipynb, README.md."
    if not country or country == study.settings.country:
        return [made, next_line(f"bayes run {folder}")]
    return [made, f"These numbers are still of {study.settings.country}. Replace each, its source, and its country:",
            *(f"  {one.place}: {one.value} {one.words}" for one in numbers_of_country(study)),
            "  scenarios.toml: places of each scenario",
            next_line(f"bayes priors check {folder}")]  # fmt: skip


def _notebook(name: str) -> str:
    """A notebook without outputs; its second cell holds the parameters."""
    cells: list[dict[str, Any]] = []
    for i, (kind, text) in enumerate(_CELLS):
        cells.append({"cell_type": kind, "id": f"cell-{i}", "metadata": {"tags": ["parameters"]} if i == 1 else {},
                      "source": text.replace("{name}", name),
                      **({"execution_count": None, "outputs": []} if kind == "code" else {})})  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
