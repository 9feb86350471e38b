"""``stress`` end to end, of a question in a script: its table, its section, and what it refuses."""

import pandas as pd
import pymc as pm
import pytest

import bayes
from bayes.calibration import replicates
from bayes.report.build import build_report
from bayes.report.html import render_html
from bayes.report.material import material_of_run
from tests.report.test_shipped import _NoPictures

SHORT = ["--simulations", "20", "--draws", "200", "--tune", "200", "--jobs", "1", "--quiet"]
HIGH = bayes.Distortion(name="high", label="counts <twice> too high", data={"count": 2.0})


def build():
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2, 1)
        pm.Poisson("count", rate, observed=[3, 5])
        pm.Deterministic("cases", 10 * rate)
    return model


def question(*worlds):
    return bayes.Question(model=build, target="cases", name="counted", units={"cases": "cases"}, distortions=worlds)


def run(folder, *more, of=None):
    return bayes.main(of or question(HIGH), [*more[:1], str(folder), *more[1:]])


def html(folder):
    material = material_of_run(folder, question(HIGH))
    report = build_report(material, _NoPictures(material))
    return report, render_html(report)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of this question, stressed; not to be changed."""
    folder = tmp_path_factory.mktemp("stress") / "run"
    sampled = ["--draws", "500", "--tune", "500"]
    assert bayes.main(question(HIGH), ["run", "--out", str(folder), "--quiet", *sampled]) == 0
    assert run(folder, "stress", *SHORT) == 0
    return folder


@pytest.fixture
def folder(kept, tmp_path):
    import shutil

    return shutil.copytree(kept, tmp_path / "run")


def test_the_table_names_its_target(kept):
    table = pd.read_csv(kept / "tables" / "stress.csv")
    assert table["world"].tolist() == ["as fitted", "high"]
    assert table["quantity"].eq("cases").all()
    assert table["unit"].eq("cases").all()
    assert table["ratio"].iloc[1] > 1.3 * table["ratio"].iloc[0]
    assert table["coverage_95"].iloc[1] <= table["coverage_95"].iloc[0]


def test_it_prints_a_table_and_that_insensitive_is_not_right(folder, capsys):
    assert run(folder, "stress", *SHORT) == 0
    out = capsys.readouterr().out
    assert "hardly move when its inputs change and still be wrong" in out
    assert "counts <twice> too high" in out


def test_the_report_has_a_section_and_refuses_another_table(folder):
    report, page = html(folder)
    assert len(report.tables["stress.table"].rows) == 2
    assert "counts &lt;twice&gt; too high" in page
    assert "hardly move when its inputs change and still be wrong" in page
    path = folder / "tables" / "stress.csv"
    path.write_text(path.read_text().replace("as fitted", "as it was"))
    report, _ = html(folder)
    assert "stress.table" not in report.tables
    assert "python test_stress.py stress RUN" in [gap.fix for _, gap in report.missing]


def test_an_interruption_leaves_the_older_table(folder, monkeypatch, capsys):
    path = folder / "tables" / "stress.csv"
    before = path.read_bytes()

    def interrupted(*one):
        raise KeyboardInterrupt

    monkeypatch.setattr(replicates, "_one", interrupted)
    assert run(folder, "stress", *SHORT, "--seed", "5") == 130
    assert path.read_bytes() == before
    assert "run it again to go on" in capsys.readouterr().err


def test_a_question_without_such_worlds_says_what_would_bring_them(folder, capsys):
    assert run(folder, "stress", of=question()) == 0
    out = capsys.readouterr().out
    assert "distortions=" in out
    assert out.count("\n") == 1


def test_calibration_of_both_kinds_stands_in_the_report(folder):
    assert run(folder, "calibrate", *SHORT) in (0, 1)
    assert run(folder, "calibrate", "--posterior", *SHORT) in (0, 1)
    report, page = html(folder)
    assert {"calibration", "calibration_posterior"} <= set(report.tables)
    assert "truths from the posterior" in page
    assert "calibration by simulation" not in [gap.what for _, gap in report.missing]


def test_too_few_processes_are_refused_before_anything_is_read(capsys):
    assert run("nowhere", "stress", "--jobs", "0") == 2
    assert "--jobs is too small" in capsys.readouterr().err


def test_what_cannot_be_filed_is_refused_before_it_is_computed(kept, monkeypatch, capsys):
    monkeypatch.setattr("bayes.calibration.stress", None)
    monkeypatch.setattr("bayes.calibration.sbc", None)
    for command in ("stress", "calibrate"):
        assert run(kept, command, *SHORT, "--keep") == 2
        assert "nothing can be kept with this question" in capsys.readouterr().err
