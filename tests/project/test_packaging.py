"""The project's own files: a wheel that works anywhere, pins without addresses, a clean tree."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bayes

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--wheel", "--offline", "--no-build-isolation", "--out-dir", out, ROOT], check=True,
                   capture_output=True)  # fmt: skip
    return next(out.glob("*.whl"))


def test_wheel_holds_priors_and_typing_marker(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("bayes/_priors/offending.toml", "bayes/_priors/evidence/trials.csv", "bayes/_priors/references.bib",
                 "bayes/_priors/scenarios.toml", "bayes/py.typed", "bayes/report/whatif/page/view.js",
                 "bayes/report/whatif/page/panel.html", "bayes/report/whatif/page/panel.css"):  # fmt: skip
        assert name in names
    assert not [n for n in names if n.startswith(("tests/", "notebooks/"))]


def test_shipped_study_is_found_from_an_installed_wheel_in_any_directory(wheel, tmp_path):
    target = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(target)
    code = (
        f"import sys; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]; sys.path.insert(0, {str(target)!r})\n"
        "import bayes; from bayes.heroin.study import shipped_study; study = bayes.load_study()\n"
        "print(shipped_study()); print(len(study.priors))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import site; site.main()\n{code}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    folder, count = done.stdout.split("\n")[:2]
    assert Path(folder) == target / "bayes" / "_priors"
    assert int(count) == len(bayes.load_study().priors)


def test_shipped_study_is_found_from_the_checkout_in_any_directory(tmp_path):
    code = "import bayes; print(bayes.load_study().folder)"
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert Path(out.strip()) == ROOT / "priors"


def test_constraints_hold_pins_and_no_address():
    text = (ROOT / ".ci" / "constraints.txt").read_text()
    assert not re.search(r"https?:|://|--index|--find-links|@ ", text)
    pins = dict(line.split("==") for line in text.splitlines() if line and not line.startswith("#"))
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    for text in (*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]):
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[wanted.name.lower()]), text


def test_top_level_is_as_given():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {name.split("/")[0] for name in done.splitlines()}
    assert not {t for t in tops if not t.startswith(".")} - {
        "pyproject.toml",
        "README.md",
        "bayes",
        "priors",
        "notebooks",
        "tests",
    }
    assert not [n for n in done.splitlines() if n.endswith((".lock",))]


def test_interpreter_and_licence_are_declared():
    assert (ROOT / ".python-version").read_text().split()[0] == "3.13"
    assert PROJECT["project"]["requires-python"].startswith(">=3.12")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "compile-bytecode" not in PROJECT["tool"]["uv"]  # uv would print a line about it at each run
    assert "uv.lock" in (ROOT / ".gitignore").read_text()


OWN = {"bayes", "tests", "typing_extensions"}
NAMES = {"netcdf4": "netCDF4", "fonttools": "fontTools", "arviz-stats": "arviz_stats", "python-docx": "docx"}
"""Modules whose name is another than the distribution's."""


def _imported():
    for path in (ROOT / "bayes").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                yield from (name.partition(".")[0] for name in names)


def test_what_is_imported_is_declared_and_what_is_declared_has_its_reason_and_bound():
    project = PROJECT["project"]
    texts = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    wanted = {Requirement(text).name for text in texts}
    declared = {NAMES.get(name, name.replace("-", "_")) for name in wanted} | {"distributed"}
    found = set(_imported()) - sys.stdlib_module_names - OWN - {"", "__main__"}
    assert found <= declared
    assert {NAMES.get(name, name) for name in wanted} - found <= {"flatbuffers", "arviz", "numpyro", "nutpie"}
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("dependencies = [")[1].split("]\n\n")[0]
    for text in project["dependencies"]:
        assert re.search(rf"{re.escape(text)}\",? +# \w", lines), text
        assert any(one.operator == ">=" for one in Requirement(text).specifier), text


def test_metadata_says_who_where_and_what():
    project = PROJECT["project"]
    assert project["authors"]
    assert project["keywords"]
    assert "version" in project["dynamic"]
    supported = {one.rpartition(" :: ")[2] for one in project["classifiers"] if "Python :: 3." in one}
    assert supported <= {"3.12", "3.13", "3.14"}
    cited = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert cited["license"] == project["license"]
    assert [one["name"] for one in cited["creators"]] == [one["name"] for one in project["authors"]]
    assert cited["title"] in readme
    assert f"version = {{{bayes.__version__}}}" in readme
    assert all((ROOT / name).is_file() for name in project["license-files"])


FREE = re.compile(r"\b(MIT|BSD|0BSD|Apache|PSF|Python Software Foundation|MPL|Mozilla Public|Zlib|ISC|CC0|Unlicense)\b")
BINDING = re.compile(r"GPL|General Public|SSPL|Commons Clause|Non-?Commercial|Proprietary", re.IGNORECASE)


def _needed(texts):
    """Everything that is installed for these requirements, as far as it is installed."""
    wanted, seen = [Requirement(text) for text in texts], {}
    while wanted:
        one = wanted.pop()
        name = one.name.lower().replace("_", "-")
        if (name, *one.extras) in seen:
            continue
        seen[name, *one.extras] = found = metadata.distribution(one.name)
        inner = map(Requirement, found.requires or ())
        wanted += [more for more in inner if more.marker is None
                   or any(more.marker.evaluate({"extra": extra}) for extra in ("", *one.extras))]  # fmt: skip
    return {name: found for (name, *_), found in seen.items()}


def test_all_that_is_installed_may_be_used_by_anybody():
    """By what each distribution says of its licence: nothing is looked up."""
    project, told = PROJECT["project"], {}
    texts = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for name, found in _needed(texts).items():
        says = found.metadata
        kinds = [one for one in says.get_all("Classifier") or () if one.startswith("License")]
        told[name] = says.get("License-Expression") or " ".join([*kinds, (says.get("License") or "")[:200]])
    assert len(told) > 50
    assert not {name: text for name, text in told.items() if not FREE.search(text)}
    assert {name for name, text in told.items() if BINDING.search(text)} <= {"bibtexparser"}
    assert "LGPLv3 or BSD" in told["bibtexparser"]  # at one's choice
