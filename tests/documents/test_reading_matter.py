"""The documents say what is there: floor plan, model, commands, changelog; and shells complete."""

import re
import shlex
import subprocess
from math import exp
from pathlib import Path

import pytest

import bayes
from bayes.cli import main, parser_of_all
from bayes.completion import SHELLS, words
from bayes.families import scipy_frozen
from bayes.heroin.quantities import BIASES, QUANTITIES, UNIT_OF
from tests.project.test_architecture import FLOORS

PACKAGE = Path(bayes.__file__).parent
DOCUMENTS = ("README.md", "heroin/README.md", "COUNTRY.md", "REVIEWING.md", "CHANGELOG.md")


def text_of(name):
    return (PACKAGE / name).read_text(encoding="utf-8")


def test_the_floor_plan_is_the_tree_and_the_floors_that_are_enforced():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text_of("README.md"), re.MULTILINE)
    plan = {room: int(floor) for floor, room in rows}
    rooms = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert set(plan) == rooms
    assert plan == {room: FLOORS[room] for room in rooms}


def test_the_mathematics_names_every_quantity_and_every_sampled_variable(shipped_model):
    text = text_of("heroin/README.md")
    names = set(re.findall(r"`(\w+)`", text))
    free = {v.name for v in (*shipped_model.free_RVs, *shipped_model.observed_RVs) if not v.name.startswith("_")}
    excess = {name for name in free if name.endswith("_excess")}  # the part of a shifted prior that is sampled
    assert set(QUANTITIES) <= names
    assert free - excess <= names


def test_the_mathematics_names_nothing_that_is_not_there(shipped_model):
    names = set(re.findall(r"`([a-z]\w*_\w+)`", text_of("heroin/README.md")))
    assert names <= set(shipped_model.named_vars) | set(QUANTITIES) | set(UNIT_OF)


def test_what_the_bias_priors_say_is_what_they_are(shipped_study):
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) \| ([\d.]+) \(([\d.]+) to ([\d.]+)\) \|$",
                      text_of("heroin/README.md"), re.MULTILINE)  # fmt: skip
    assert {name for name, *_ in rows} == {*(f"bias_{word}" for word in BIASES), "fidelity"}
    for name, found, *said in rows:
        prior = shipped_study.priors[name]
        middle, high, low = scipy_frozen(prior.family, prior.parameters).ppf([0.5, 0.95, 0.05])
        ratio = [float(found) ** x if name == "fidelity" else float(found) * exp(-x) for x in (middle, high, low)]
        assert [f"{x:.2f}" for x in ratio] == said


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_and_modules_they_name_exist(name):
    root = PACKAGE.parent
    for path in re.findall(r"`((?:bayes|priors|tests|notebooks)/[\w./-]+)`", text_of(name)):
        assert (root / path).exists(), path
    for path in re.findall(r"`([\w/]+\.md)`", text_of(name)):
        assert any((base / path).exists() for base in (PACKAGE, root, (PACKAGE / name).parent)), path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_they_show_are_understood(name):
    for command in re.findall(r"`bayes ([^`]+)`", text_of(name)):
        if "NAME" not in command and "|" not in command and " " in command and command not in words(parser_of_all()):
            with_file = [part.replace("FILE.csv", "rows.csv") for part in shlex.split(command)]
            assert parser_of_all().parse_args(with_file) is not None


def test_a_change_log_separates_what_moves_numbers_from_what_does_not():
    found = re.findall(r"^### (.+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert found[:6] == ["Priors", "Evidence", "Model", "Numbers that moved", "API and commands", "Fixes"]
    assert f"## {bayes.__version__}" in text_of("CHANGELOG.md")


def commands(parser, path=()):
    """Every command and verb with its parser."""
    for action in parser._actions:
        for name, inner in (getattr(action, "choices", None) or {}).items() if hasattr(action, "add_parser") else ():
            yield (*path, name), inner
            yield from commands(inner, (*path, name))


@pytest.mark.parametrize("path", [path for path, _ in commands(parser_of_all())], ids=" ".join)
def test_every_command_explains_itself_with_an_example_that_parses(path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*path, "--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    example = re.search(r"example: bayes (.+)$", text)
    assert example, path
    assert parser_of_all().parse_args(shlex.split(example[1])) is not None


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_names_every_command_and_option(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for chain, follow in words(parser_of_all()).items():
        for word in (*chain.split(), *follow):
            assert word.removeprefix("--") in script


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ru", {"run"}),
        ("priors sh", {"show"}),
        ("run --pr", {"--prior"}),
        ("synthesise --ev", {"--events"}),
        ("prio", {"priors"}),
        ("priors show tau_t", {"tau_theta"}),
    ],
)
def test_bash_completes(typed, expected, tmp_path, capsys):
    main(["completion", "bash"])
    (tmp_path / "bayes.bash").write_text(capsys.readouterr().out)
    script = (
        f"source {tmp_path}/bayes.bash; COMP_WORDS=(bayes {typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _bayes; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(done.stdout.split()) == expected


def test_a_shell_we_do_not_know_is_refused(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err
