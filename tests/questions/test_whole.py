"""Each question through every command, in its own words."""

import contextlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import bayes
from tests.questions.conftest import FOLDER
from tests.questions.test_reading_matter import TEXT

FOREIGN = re.compile(r"\b(crimes?|offen[cd]\w*|patients?|places?|heroin|methadone|press arithmetic)\b", re.IGNORECASE)
"""Words of the shipped question, which no other question says."""
COMMANDS = ("run --quiet", "check", "sensitivity --quiet --jobs 1", "figures --quiet", "report --quiet", "tables",
            "calibrate --simulations 20 --draws 100 --tune 100 --jobs 1")  # fmt: skip
"""In this process: others import everything anew, and the question with a function is asked in those."""


def said(question, line):
    """Exit code and what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = bayes.main(question, line)
    return code, out.getvalue()


@pytest.fixture(scope="module", params=["bcg", "doctors", "start", pytest.param("first", marks=pytest.mark.zoo)])
def ran(request, tmp_path_factory):
    """A question after all its commands: its record, its run folder and what was printed."""
    place = tmp_path_factory.mktemp(request.param)
    folder = request.getfixturevalue("start") if request.param == "start" else FOLDER / request.param
    if request.param == "first":
        folder = place
        (place / "question.py").write_text(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1])
    question = runpy.run_path(str(folder / "question.py"))["question"]
    printed = {}
    with contextlib.chdir(place):
        for line in COMMANDS:
            code, printed[line.split()[0]] = said(question, line.split())
            assert code == 0, printed
    return question, place / "runs" / "question", printed


def prose(page):
    """The words of a page without its scripts, styles and pictures."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)))


def test_every_command_speaks_the_questions_words_and_no_other(ran):
    question, run, printed = ran
    for name, text in printed.items():
        assert not FOREIGN.search(text), (name, FOREIGN.search(text))
    page = prose((run / "report.html").read_text(encoding="utf-8"))
    assert question.title in page
    assert 'id="what-if"' in (run / "report.html").read_text(encoding="utf-8")
    assert not FOREIGN.search(page), page[max(0, FOREIGN.search(page).start() - 80) :][:200]
    for caption in (run / "figures").glob("*.txt"):
        found = FOREIGN.search(caption.read_text(encoding="utf-8"))
        assert not found, (caption.name, found)


def test_the_answer_is_in_the_terminal_the_table_and_the_report(ran):
    question, run, printed = ran
    assert "Verdict of the diagnostics: passed" in printed["run"]
    table = pd.read_csv(run / "tables" / "headline.csv")
    assert {question.target, *question.beside, *question.reference[1:]} <= set(table["quantity"])
    assert set(table.loc[table["quantity"] == question.target, "unit"]) == {question.units[question.target]}
    assert (run / "report.pdf").stat().st_size > 10_000
    drawn = {path.name for path in (run / "figures").iterdir()}
    assert {"ridge.pdf", "fan.pdf", "posterior.pdf", "chains.pdf"} <= drawn


def test_analyses_that_apply_are_there_and_others_are_not(ran):
    question, run, _ = ran
    made = {path.stem for path in (run / "tables" / "sensitivity").glob("*.csv")}
    assert {"powerscale", "variance", "leave_one_out"} <= made
    asked = {"structure": question.structures, "tipping": question.levers, "value": question.net_benefit}
    assert {name for name in asked if name in made} == {name for name, there in asked.items() if there}
    rows = pd.read_csv(run / "tables" / "sensitivity" / "leave_one_out.csv")
    assert not rows["method"].str.contains("unreliable").any()


@pytest.mark.parametrize("ran", ["start"], indirect=True)
def test_without_the_row_that_shows_it_the_answer_is_its_prior(ran):
    """No row but that of the doctors who wash bears on washing, whose prior is symmetric: half of the draws do harm."""
    _, run, _ = ran
    rows = pd.read_csv(run / "tables" / "sensitivity" / "leave_one_out.csv").set_index("change")
    left = rows.loc["deaths[doctors, 1848]"]
    assert left["method"] == "refitted"
    assert abs(left["median"]) < 4 * left["mcse_median"]


def test_a_run_carries_its_inputs_and_repeats_from_them(ran, tmp_path):
    _, run, _ = ran
    again = runpy.run_path(str(run / "inputs" / "question.py"))["question"]
    with contextlib.chdir(tmp_path):
        assert said(again, ["run", "--quiet", "--out", "again"])[0] == 0
    one, two = (pd.read_csv(folder / "tables" / "headline.csv") for folder in (run, tmp_path / "again"))
    pd.testing.assert_frame_equal(one, two)


def test_a_run_of_another_question_is_refused(ran, capsys):
    question, run, _ = ran
    other = bayes.Question(model=question.model, target="something_else", name="question")
    assert bayes.main(other, ["check", str(run)]) == 2
    assert "answers another question" in capsys.readouterr().err


def test_a_script_ends_with_the_exit_code_of_its_command(start, tmp_path):
    command = [sys.executable, str(start / "question.py"), "check", str(tmp_path / "none")]
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 2
    assert "this run folder does not exist" in done.stderr


def bare(dims, coords):
    """A question without study, title or words, whose outcome has these dims."""

    def build():
        with pm.Model(coords={"row": ["a", "b"], **coords}) as model:
            rate = pm.Gamma("rate", 2, 1)
            pm.Poisson("count", rate, observed=[3, 5], dims="row")
            people = pm.Data("people", np.ones([len(coords[dim]) for dim in dims]) * 10, dims=dims or None)
            pm.Deterministic("cases", rate * people, dims=dims or None)
        return model

    return bayes.Question(model=build, target="cases")


@pytest.mark.parametrize("dims", [(), ("scenario",), ("year",)])
def test_an_outcome_may_lack_either_dim_and_a_question_all_its_words(dims, tmp_path):
    question = bare(dims, {dim: ["x", "y"] if dim == "scenario" else [1, 2, 3] for dim in dims})
    with contextlib.chdir(tmp_path):
        for line in (COMMANDS[0], COMMANDS[2], f"{COMMANDS[4]} --format html"):
            code, text = said(question, [*line.split(), *(["--draws", "500"] if "run" in line else [])])
            assert code == 0, text
    page = next((tmp_path / "runs").glob("*/report.html")).read_text("utf-8")
    shown = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]+>", " ", page)
    assert "nan" not in shown.lower().split()  # nor of units, which nobody gave
    assert '"total":true' not in page  # what is not known to be counted per time is not added up
    assert ("year 1 to year 3" in shown) == (dims == ("year",))


def test_an_alternative_reaches_what_is_drawn_given_it_and_what_is_absent_is_named(tmp_path):
    """The spread of a new setting is doubled: the setting is drawn given it, so that every quantile doubles."""

    def build(study):
        with pm.Model(coords={"scenario": ["one", "two"]}) as model:
            prior = bayes.add_priors(model, study.priors)
            setting = pm.Normal("setting", 0, prior["spread"])
            pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=np.zeros(3))
            pm.Deterministic("gain", setting * np.array([1.0, 2.0]), dims="scenario")
        return model

    (tmp_path / "scenarios.toml").write_text("")
    (tmp_path / "references.bib").write_text("@misc{toolkit, title = {A test}, author = {Nobody}, year = {2026}}")
    (tmp_path / "priors.toml").write_text("""[spread]
meaning = "spread"
unit = "log sd"
family = "HalfNormal"
parameters = { sigma = 1 }
source = { key = "toolkit", locator = "here", kind = "judgement", status = "judgement" }
why = "A test."
[spread.alternatives.wide]
parameters = { sigma = 2 }
why = "Twice."
""")
    question = bayes.Question(model=build, target="gain", study=str(tmp_path))
    with contextlib.chdir(tmp_path):
        assert said(question, ["run", "--quiet"])[0] == 0
        _, text = said(question, ["sensitivity", "--quiet", "--jobs", "1"])
        (folder,) = tmp_path.glob("runs/*/tables/sensitivity")
    rows = pd.read_csv(folder / "alternatives.csv").set_index("change")
    upper = rows.loc["spread: wide"]
    assert abs(upper["upper"] - 2 * rows.loc["as fitted", "upper"]) < 5 * upper["mcse_d_upper"]
    assert upper["upper"] > 1.5 * rows.loc["as fitted", "upper"]
    assert "left out: tipping: it needs levers= of the question" in text


FUNCTION = """
import pymc as pm
import bayes


def build():
    with pm.Model() as model:
        rate = pm.Gamma("rate", 4, 2)
        pm.Poisson("seen", rate, observed=[3])
    return model


def project(fit):
    return fit["posterior"].to_dataset()[["rate"]].rename(rate="cases") * 10


question = bayes.Question(model=build, target="cases", project=project, title="Cases", units={"cases": "cases/year"})
if __name__ == "__main__":
    bayes.main(question)
"""


def test_the_report_of_a_question_with_a_function_says_why_it_has_no_panel(tmp_path):
    (tmp_path / "cases.py").write_text(FUNCTION)
    question = runpy.run_path(str(tmp_path / "cases.py"))["question"]
    with contextlib.chdir(tmp_path):
        for line in (*COMMANDS, "diff runs/cases runs/cases"):
            code, printed = said(question, line.removesuffix(" --jobs 1").split())
            assert code == 0, (line, printed)
    page = (tmp_path / "runs" / "cases" / "report.html").read_text("utf-8")
    assert "The live panel is not here: the outcomes of this question are computed by a function" in page
    assert 'id="what-if"' not in page


MISTAKES = {
    "a name": ("return undefined", "NameError: name 'undefined' is not defined"),
    "a file": ("return open('nowhere.csv')", "FileNotFoundError"),
    "an argument": ("return pm.Gamma('rate', 4, shape=(2,), unknown=3)", "unknown"),
    "nothing": ("pass", "build returns the model of the question"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_a_script_is_told_with_its_line(tmp_path, kind, capsys):
    body, told = MISTAKES[kind]
    text = f"import pymc as pm\nimport bayes\n\n\ndef build():\n    with pm.Model():\n        {body}\n"
    (tmp_path / "wrong.py").write_text(text + "\n\nquestion = bayes.Question(model=build, target='cases')\n")
    question = runpy.run_path(str(tmp_path / "wrong.py"))["question"]
    with contextlib.chdir(tmp_path):
        assert bayes.main(question, ["run"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert kind == "nothing" or "wrong.py, line 7" in said
    assert not (tmp_path / "runs").exists()


def test_what_to_do_names_the_script(tmp_path, capsys):
    question = bayes.Question(model=lambda: None, target="cases", name="mine")
    with contextlib.chdir(tmp_path):
        assert bayes.main(question, ["check"]) == 2
    assert "make it with 'python mine.py run'" in capsys.readouterr().err


def test_modules_beside_a_script_travel_with_its_run(tmp_path):
    home = tmp_path / "home"
    (home / "parts").mkdir(parents=True)
    (home / "parts" / "__init__.py").write_text("")
    (home / "parts" / "numbers.py").write_text("SEEN = [3, 5]\n")
    (home / "site.py.txt").write_text("no module")
    (home / "cases.py").write_text(FUNCTION.replace("import bayes\n", "import bayes\nfrom parts.numbers import SEEN\n")
                                   .replace("observed=[3]", "observed=SEEN"))  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    few = ["run", "--quiet", "--draws", "300", "--tune", "300", "--chains", "2"]
    headlines = []
    for script, run in ((home / "cases.py", "one"), (tmp_path / "mailed" / "inputs" / "cases.py", "two")):
        subprocess.run([sys.executable, script, *few, "--out", tmp_path / run], env=env, timeout=300, check=False)
        headlines.append((tmp_path / run / "tables" / "headline.csv").read_text())
        if run == "one":
            (tmp_path / "one").rename(tmp_path / "mailed")
            shutil.rmtree(home)
    assert headlines[0] == headlines[1]
    carried = {path.relative_to(tmp_path / "mailed" / "inputs").as_posix()
               for path in (tmp_path / "mailed" / "inputs").rglob("*.py")}  # fmt: skip
    assert carried == {"cases.py", "parts/__init__.py", "parts/numbers.py"}
