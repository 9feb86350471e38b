"""Bad input: one message, exit code 2, nothing written, before the first draw."""

import subprocess
import sys

import pytest

from bayes.cli import main
from tests.cli.conftest import snapshot


def replaced(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def nothing_written(arguments, out, capsys, *words):
    """Run, expect exit code 2 and a message with these words, and no file."""
    assert main([*arguments, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    for word in words:
        assert word in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not out.exists()
    assert not [p for p in out.parent.iterdir() if p.name.startswith(f".{out.name}")]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["rnu"], "run"),
        (["reprot", "x"], "report"),
        (["run", "--drws", "5"], "--draws"),
        (["diff", "a", "b", "--scenaro", "x"], "--scenario"),
    ],
)
def test_a_misspelt_command_or_option_is_suggested(arguments, meant, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def test_an_option_of_other_commands_is_named_with_them(capsys):
    with pytest.raises(SystemExit):
        main(["report", "runs/none", "--jobs", "1"])
    assert "--jobs belongs to bayes sensitivity, bayes calibrate" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["x" * 300, "/".join(["x" * 200] * 20) + "/" + "x" * 70])
@pytest.mark.parametrize("before", [["check"], ["run"], ["evidence", "import", "x.csv", "--to"], ["init"]])
def test_a_name_longer_than_the_system_takes_is_refused_at_the_door(before, place, capsys):
    with pytest.raises(SystemExit) as left:
        main([*before, place])
    assert left.value.code == 2
    assert "cannot be looked up: File name too long" in capsys.readouterr().err


MISTAKES = {
    "unknown key": (
        "offending.toml",
        "why       =",
        "reason    =",
        ("offending.toml", "offences_per_user_year", "reason"),
    ),
    "misspelt family": (
        "offending.toml",
        '"LogNormal"',
        '"LogNormale"',
        ("family", "LogNormale", "did you mean 'LogNormal'"),
    ),
    "quantiles out of order": ("offending.toml", "q05 = 108", "q05 = 508", ("offences_per_user_year", "quantiles")),
    "outside the unit": ("offending.toml", "q05 = 108", "q05 = -8", ("q05", "0 or more")),
    "bad quantile fit": ("offending.toml", "q95 = 1728", "q95 = 900", ("misses by", "1%")),
    "unknown source": ("offending.toml", 'key = "dwc2007"', 'key = "dwc2008"', ("references.bib", "dwc2008")),
    "events above head-count": ("evidence/retention.csv", "0.5,38,43", "0.5,48,43", ("riott_26w", "retained")),
    "not a number": ("evidence/retention.csv", "0.5,38,43", "0.5,nan,43", ("riott_26w", "retained", "nan")),
    "negative count": ("evidence/retention.csv", "0.5,38,43", "0.5,-3,43", ("riott_26w", "retained")),
    "unknown country": ("scenarios.toml", '"Switzerland"', '"Sweden"', ("scenarios.swiss", "Sweden")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_file(mistake, study_copy, tmp_path, capsys, no_sampling):
    file, old, new, words = MISTAKES[mistake]
    replaced(study_copy / file, old, new)
    nothing_written(["run", str(study_copy), "--quiet"], tmp_path / "out", capsys, *words)


def test_missing_file(study_copy, tmp_path, capsys, no_sampling):
    (study_copy / "evidence" / "trials.csv").unlink()
    nothing_written(["run", str(study_copy), "--quiet"], tmp_path / "out", capsys, "trials.csv", "missing")


def test_file_that_is_not_utf8(study_copy, tmp_path, capsys, no_sampling):
    path = study_copy / "evidence" / "trials.csv"
    path.write_bytes(path.read_bytes() + b"\xff\xfe")
    nothing_written(["run", str(study_copy), "--quiet"], tmp_path / "out", capsys, "trials.csv", "UTF-8")


def test_missing_study(tmp_path, capsys, no_sampling):
    nothing_written(["run", str(tmp_path / "nowhere"), "--quiet"], tmp_path / "out", capsys, "nowhere")


@pytest.mark.parametrize(("option", "number"), [("--draws", "0"), ("--tune", "0"), ("--chains", "0"), ("--seed", "-1")])
def test_number_out_of_range(option, number, tmp_path, capsys, no_sampling):
    nothing_written(["run", "--quiet", option, number], tmp_path / "out", capsys, option, number.lstrip("-"))


def test_folder_that_cannot_be_written(tmp_path, capsys, no_sampling):
    (tmp_path / "file").write_text("in the way")
    assert main(["run", "--quiet", "--out", str(tmp_path / "file" / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_folder_of_somebody_else_is_not_replaced(tmp_path, capsys, no_sampling):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    before = snapshot(tmp_path)
    assert main(["run", "--quiet", "--out", str(tmp_path / "thesis")]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_an_old_run_survives_a_new_mistake(shipped_run, study_copy, capsys, no_sampling):
    before = snapshot(shipped_run)
    replaced(study_copy / "offending.toml", '"LogNormal"', '"LogNormale"')
    assert main(["run", str(study_copy), "--quiet", "--out", str(shipped_run)]) == 2
    assert snapshot(shipped_run) == before


def test_an_old_run_survives_a_crash_while_sampling(shipped_run, monkeypatch, capsys):
    import bayes.sampling.fit as fit

    def crash(*_, **__):
        raise RuntimeError("power cut")

    monkeypatch.setattr(fit, "sample_plan", crash)
    before = snapshot(shipped_run)
    assert main(["run", "--quiet", "--refit", "--out", str(shipped_run)]) == 3
    assert "power cut" in capsys.readouterr().err
    assert snapshot(shipped_run) == before
    assert not [p for p in shipped_run.parent.iterdir() if p.name.startswith(".")]


def test_a_fit_of_other_priors_is_not_projected(shipped_run, study_copy, tmp_path, capsys):
    replaced(study_copy / "offending.toml", "q05 = 108, q50 = 432, q95 = 1728", "q05 = 216, q50 = 432, q95 = 864")
    assert main(["project", str(shipped_run), str(study_copy), "--quiet"]) == 2
    assert "other priors" in capsys.readouterr().err


def test_a_folder_without_a_run(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "manifest.json" in capsys.readouterr().err


def test_traceback_only_when_asked(tmp_path):
    code = "from bayes.cli import main; raise SystemExit(main(['--debug', 'check', 'nowhere']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" in done.stderr


def test_unknown_prior_is_suggested(capsys):
    assert main(["priors", "show", "tau_tetha"]) == 2
    assert "did you mean 'tau_theta'" in capsys.readouterr().err


def test_no_command_prints_help_and_fails(capsys):
    assert main([]) == 2
    assert "usage: bayes" in capsys.readouterr().out


def test_priors_and_evidence_are_listed_and_checked(capsys):
    assert main(["priors", "list"]) == 0
    assert "offences_per_user_year" in capsys.readouterr().out
    assert main(["priors", "show", "offences_per_user_year"]) == 0
    text = capsys.readouterr().out
    assert "442" in text
    assert "sceptical" in text
    assert main(["evidence", "list"]) == 0
    assert "riott_baseline" in capsys.readouterr().out
    assert main(["priors", "check"]) == 0
    assert main(["evidence", "check"]) == 0
    assert "all checks passed" in capsys.readouterr().out


@pytest.mark.parametrize("what", [["list"], ["show", "x"]])
def test_a_folder_without_priors_is_no_empty_list(what, tmp_path, capsys):
    assert main(["priors", *what, str(tmp_path / "nowhere")]) == 2
    assert "nowhere: there are no priors" in capsys.readouterr().err
