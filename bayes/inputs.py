"""What a run carries of its inputs, so that it can be mailed, checked and repeated anywhere.

``RUN/inputs/`` holds the study as used, changes applied, and of a question of one's own its script with the modules
beside it; the file ``question.json`` says which question and version made the run, how, and what was changed.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bayes import __version__
from bayes.errors import StudyError
from bayes.evidence import Row
from bayes.files import edited_toml, make_folder, read_text, write_text
from bayes.overrides import Overrides
from bayes.plans import Asked, asked, plain
from bayes.priors import Prior, labelled
from bayes.provenance import Reference, canonical, digest, file_digest
from bayes.question import Question
from bayes.records import values_of
from bayes.runfiles import read_manifest
from bayes.study import Study, read_study

__all__ = ["INPUTS", "RECORD", "Inputs", "asked_of", "carried_study", "check_untouched", "inputs_hash", "posed",
           "read_inputs", "record_of", "write_inputs", "write_study"]  # fmt: skip

INPUTS = "inputs"
"""Folder of a run that holds them."""
RECORD = "question.json"
"""File among them that says which question made the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Which question made a run, and how.

    Parameters
    ----------
    question, target
        Name of the question and of its answer.
    version
        The version of this package.
    script
        Name of the script that holds the question; empty for the shipped one.
    study
        Folder of the study among the inputs; empty where there is none.
    structure
        Which variant of the model was fitted.
    options
        Draws, warm-up, chains, seed and sampler.
    changes
        What was changed for this run: in force in the study already, and still to be made in the model's data.
    """

    question: str
    target: str
    version: str = __version__
    script: str = ""
    study: str = ""
    structure: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def overrides(self) -> Overrides:
        """What was changed, as changes."""
        return Overrides(**self.changes)


def write_inputs(case: Asked, folder: Path, options: Mapping[str, Any]) -> Asked:
    """Write the inputs of a run, and return the question put to the study that stands there.

    Raises
    ------
    StudyError
        If the study cannot be written as it is.
    """
    make_folder(folder)
    script, study = _script_of(case.question), case.study
    place = _place(case.question, study)
    if script is not None:
        _copy(script, folder)
    used = None if study is None else write_study(study, folder / place)
    record = Inputs(question=case.question.called, target=case.question.target, script=script.name if script else "",
                    study=place if study is not None else "", structure=plain(case.structure), options=dict(options),
                    changes=case.changes.as_data())  # fmt: skip
    write_text(folder / RECORD, json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n")
    return case if used is study else Asked(case.question, used, case.structure, case.changes)


def _script_of(question: Question) -> Path | None:
    """The script that a run of a question carries; the shipped question has none."""
    script = question.script
    return None if script is None or script.is_relative_to(Path(__file__).parent) or not script.is_file() else script


def _copy(script: Path, folder: Path) -> None:
    """Copy a script and the modules in its folder that it has imported; installed packages are none of them."""
    home, installed = script.parent.resolve(), {Path(__file__).parent, Path(sys.prefix), Path(sys.base_prefix)}
    loaded = {Path(file).resolve() for module in [*sys.modules.values()] if (file := getattr(module, "__file__", None))}
    apart = [place.resolve() for place in installed]
    for file in {script.resolve(), *loaded}:
        if file.suffix == ".py" and file.is_relative_to(home) and not any(file.is_relative_to(one) for one in apart):
            copy = folder / file.relative_to(home)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _place(question: Question, study: Study | None) -> str:
    """Where the study stands among the inputs: as beside the script where it is there, or at their root."""
    script = _script_of(question)
    if script is None or study is None:
        return "."
    home, folder = script.parent.resolve(), study.folder.resolve()
    return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else "study"


def read_inputs(folder: Path) -> Inputs:
    """Read which question made a run, from the folder of its inputs.

    Raises
    ------
    StudyError
        If there is no such record, or it is no such record.
    """
    path = folder / RECORD
    if not path.is_file():
        raise StudyError("this run carries no inputs", file=path, fix="run again with this version")
    try:
        data = json.loads(read_text(path))
        known = {f.name for f in fields(Inputs)}
        found = Inputs(**{key: value for key, value in data.items() if key in known})
        Overrides(**found.changes)
        texts = (found.question, found.target, found.version, found.script, found.study)
        wrong = next((one for one in texts if not isinstance(one, str)), None)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StudyError("this is no record of a question", file=path, found=str(error), fix="run again") from None
    place = Path(found.study) if wrong is None else Path()
    if wrong is not None or place.is_absolute() or ".." in place.parts:
        raise StudyError("this is no record of a question", file=path, found=found.study if wrong is None else wrong,
                         allowed="a folder among the inputs", fix="run again")  # fmt: skip
    return found


def asked_of(run: Path, question: Question) -> Asked:
    """Return the question of a run, put to the study that the run carries.

    Raises
    ------
    StudyError
        If the run was made by another question, or its inputs were changed since.
    """
    folder, _ = run / INPUTS, read_manifest(run)  # it says first what is no run
    record = read_inputs(folder)
    if (record.question, record.target) != (question.called, question.target):
        other = f"python {record.script} COMMAND RUN" if record.script else "bayes COMMAND RUN"
        raise StudyError("this run answers another question", file=folder / RECORD, found=record.question,
                         allowed=question.called, fix=f"use its own commands: {other}")  # fmt: skip
    study = carried_study(run, question.reads) if record.study else None
    check_untouched(run)
    return Asked(question, study, record.structure, record.overrides)


def carried_study(run: Path, reads: Callable[[Path], Study] | None = None) -> Study:
    """Return the study that a run carries.

    Raises
    ------
    StudyError
        If it carries none, or its inputs were changed since.
    """
    folder, _ = run / INPUTS, read_manifest(run)  # it says first what is no run
    record = read_inputs(folder)
    check_untouched(run)
    if not record.study:
        raise StudyError("the question of this run has no study", file=folder, fix="give it one with study=")
    return (reads or read_study)(folder / record.study)


def check_untouched(run: Path) -> None:
    """Refuse inputs that are not those the run was made from.

    Raises
    ------
    StudyError
        If a file of them was changed since.
    """
    made_from, found = read_manifest(run).get("inputs_hash"), inputs_hash(run / INPUTS)
    if made_from != found:
        raise StudyError("the inputs of this run were changed since it was made", file=run / INPUTS, found=found,
                         allowed=made_from, fix=f"run them: bayes run {run / INPUTS} --out DIR")  # fmt: skip


def posed(question: Question, folder: str | Path | None = None, changes: Overrides | None = None) -> Asked:
    """Return a question put to its study, or to another folder, with changes; a run's inputs bring their own.

    Raises
    ------
    StudyError, UsageError
        If there is no such study, or it cannot be changed so.
    """
    chosen, structure, place = changes or Overrides(), None, question.study if folder is None else Path(folder)
    script, record = _script_of(question), record_of(question, folder)
    if isinstance(place, str | Path):
        place = Path(place) if script is None or folder is not None else script.parent / place
    if record is not None:
        home = script.parent if folder is None and script is not None else Path(folder or ".")
        structure, place = record.structure, home / record.study if record.study else None
        chosen = Overrides(data=record.changes.get("data", {})).and_then(chosen)
    study = (question.reads or read_study)(place) if isinstance(place, Path) else place
    return asked(question, study, structure, chosen)


def record_of(question: Question, folder: str | Path | None = None) -> Inputs | None:
    """Return what a run says of its inputs, where a folder or the home of a script is the folder of such inputs.

    Raises
    ------
    StudyError
        If they are the inputs of another question.
    """
    script = _script_of(question)
    home = Path(folder) if folder is not None else script.parent if script else None
    if home is None or not (home / RECORD).is_file():
        return None
    record = read_inputs(home)
    if record.question != question.called:
        other = f"python {home / record.script} run" if record.script else f"bayes run {home}"
        raise StudyError("these are the inputs of another question", file=home / RECORD, found=record.question,
                         allowed=question.called, fix=f"run it with: {other}")  # fmt: skip
    return record


def inputs_hash(folder: Path) -> str:
    """Return the SHA-256 of the inputs of a run, file by file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return digest(canonical({path.relative_to(folder).as_posix(): file_digest(path) for path in files}))


# --- a study as used ---------------------------------------------------------------------------


def write_study(study: Study, folder: Path) -> Study:
    """Write a study as used: the files it was read from, with what was changed since written into them.

    Every other byte stays as it was. The study that is returned is read from there if anything was changed.

    Raises
    ------
    StudyError
        If a file was edited while it was in use, or what was changed cannot be written.
    """
    for name, content in study.hashes.items():
        place = folder / name
        make_folder(place.parent)
        shutil.copyfile(study.folder / name, place)
        if file_digest(place) != content:
            raise StudyError("this file was edited while it was in use", file=study.folder / name,
                             fix="run again")  # fmt: skip
    if study.content_hash == study.read_as:
        return study
    before = read_study(folder, study.schema)
    _write_priors(before, study, folder)
    _write_scenarios(before, study, folder)
    _write_evidence(before, study, folder)
    after = read_study(folder, study.schema)
    if _numbers(after) != _numbers(study):
        raise StudyError("this study holds what its files cannot", file=study.folder, fix="write it to files first")
    return after


def _numbers(study: Study) -> tuple[object, ...]:
    """What decides the numbers of a study, to be compared: 3 is 3.0 here, as it is not in a content hash."""
    priors = {name: prior.as_data() for name, prior in study.priors.items()}
    return priors, dict(study.evidence), dict(study.scenarios), study.settings


def _write_priors(before: Study, study: Study, folder: Path) -> None:
    """Write the priors that were changed, each in its file, and the references they name."""
    for name, prior in study.priors.items():
        if prior.as_data() != before.priors[name].as_data() or prior.source != before.priors[name].source:
            path = folder / Path(before.priors[name].file).name
            gone = {"quantiles", "parameters", "note"} - {*_declaration(prior)}
            write_text(path, edited_toml(read_text(path), [name], _declaration(prior), gone))
    lacking = [study.references[key] for key in study.references if key not in before.references]
    if lacking:
        path = folder / "references.bib"
        text = read_text(path) if path.exists() else ""
        write_text(path, "\n".join([text.rstrip("\n"), *map(_entry, lacking)]).lstrip("\n"))


def _declaration(prior: Prior) -> dict[str, Any]:
    """A prior as its file declares it."""
    numbers = {"quantiles": labelled(prior.quantiles)} if prior.quantiles else {"parameters": dict(prior.declared)}
    source = {key: value for key, value in asdict(prior.source).items() if value}
    return {"family": prior.family, **numbers, "source": source, "why": prior.why} | (
        {"note": prior.note} if prior.note else {}
    )


def _entry(reference: Reference) -> str:
    values = {key: value for key, value in asdict(reference).items() if value and key != "key"}
    lines = "".join(f"  {key} = {{{value}}},\n" for key, value in values.items())
    return f"\n@misc{{{reference.key},\n{lines}}}\n"


def _write_scenarios(before: Study, study: Study, folder: Path) -> None:
    """Write the settings and the fields of scenarios that were changed."""
    path = folder / "scenarios.toml"
    pairs: dict[tuple[str, ...], tuple[Any, Any]] = {("settings",): (before.settings, study.settings)}
    pairs |= {("scenarios", name): (before.scenarios.get(name), one) for name, one in study.scenarios.items()}
    for at, (old, new) in pairs.items():
        was = values_of(old) if old is not None else {}
        now = {key: value for key, value in values_of(new).items() if key != "name" and was.get(key) != value}
        if now:
            text = read_text(path) if path.exists() else ""
            given = {key: value for key, value in now.items() if value is not None and value != ""}
            write_text(path, edited_toml(text, list(at), given, {*now} - {*given}))


def _write_evidence(before: Study, study: Study, folder: Path) -> None:
    """Write tables of evidence that were changed, from their records."""
    for name, rows in study.evidence.items():
        if rows != before.evidence.get(name):
            write_text(folder / "evidence" / f"{name}.csv", _table(rows))


def _table(rows: tuple[Row, ...]) -> str:
    stream, values = io.StringIO(), [values_of(row) for row in rows]
    writer = csv.DictWriter(stream, list(values[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in one.items()} for one in values)
    return stream.getvalue()
