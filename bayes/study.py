"""A study: priors, evidence, scenarios and references, read together and cross-checked.

:func:`read_study` finds every mistake that can be found without sampling. A study folder holds
``*.toml`` (declared priors), ``scenarios.toml``, ``references.bib`` and ``evidence/*.csv``; what must stand there says
the :class:`Schema` of the question. With an open one any priors, tables and scenarios make a study; none is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import EvidenceError, InputError, PriorError, ScenarioError, StudyError, check_word
from bayes.evidence import Row, Table, check_double_counting, likelihood, read_evidence
from bayes.files import read_text
from bayes.priors import Prior, check_numbers, read_priors, with_alternative
from bayes.provenance import Reference, canonical, digest, file_digest
from bayes.records import values_of
from bayes.references import read_references
from bayes.scenarios import OpenScenario, OpenSettings, read_scenarios
from bayes.sheets import same
from bayes.units import Unit, near_unit
from bayes.words import Words

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from xarray import DataTree

__all__ = ["Schema", "Study", "check_study", "citations", "data_sets_behind_priors", "prior_files", "read_study",
           "study_notes"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a study of a question holds; the default is open, and takes what the files name.

    Parameters
    ----------
    quantities
        Quantities that need a declared prior, with their units; any priors where empty.
    units
        The units that priors may have, with what each permits; free text where empty.
    tables
        Tables of evidence by name; where empty, any CSV file in ``evidence/`` with a column ``row``.
    scenario, settings
        The records of a scenario and of what holds for all.
    checks
        What else must hold between the parts: functions of the study that raise.
    notes
        What is allowed and yet perhaps a mistake, in a sentence each: functions of the study.
    figures
        Figures that the question brings.
    words
        What is said of the question, given its study and, where they are others, the words to begin with.
    live
        What the live what-if of a fit of it is made from (:class:`bayes.report.whatif.Live`), given fit and study.
    """

    quantities: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    scenario: type = OpenScenario
    settings: type = OpenSettings
    checks: tuple[Callable[[Study], None], ...] = ()
    notes: tuple[Callable[[Study], list[str]], ...] = ()
    figures: Callable[[], tuple[Any, ...]] = tuple
    words: Callable[..., Words] | None = None
    live: Callable[[DataTree, Study], Any] | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """All that is known before sampling.

    Parameters
    ----------
    folder
        Where it was read from.
    priors, evidence, scenarios, references
        Records by name.
    settings
        What holds for every scenario.
    hashes
        SHA-256 of each input file, by its path within the folder.
    schema
        What it was held to.
    read_as
        Its content hash as it was read; with something changed since, :attr:`content_hash` is another.

    Examples
    --------
    >>> import bayes
    >>> study = bayes.load_study()
    >>> study.column("coverage", "clients")[:2].tolist(), study.scenarios["p1000"].places
    ([17300.0, 7421.0], 1000)
    """

    folder: Path
    priors: Mapping[str, Prior]
    evidence: Mapping[str, tuple[Row, ...]]
    scenarios: Mapping[str, Any]
    settings: Any
    references: Mapping[str, Reference]
    hashes: Mapping[str, str]
    schema: Schema = field(default_factory=Schema)
    read_as: str = ""

    def __repr__(self) -> str:
        return f"<study {self.folder.name!r}: {', '.join(f'{count} {kind}' for kind, count in self._counts().items())}>"

    def _repr_html_(self) -> str:
        """What it holds, in a notebook."""
        import pandas as pd

        rows = pd.DataFrame({"table of evidence": list(self.evidence), "rows": [len(r) for r in self.evidence.values()],
                             "enter": [len(likelihood(r)) for r in self.evidence.values()]})  # fmt: skip
        return f"<p>{escape(repr(self)[1:-1])}</p>{rows.to_html(index=False)}"

    def _counts(self) -> dict[str, int]:
        """How many records of each kind there are."""
        return {"priors": len(self.priors), "rows of evidence": sum(map(len, self.evidence.values())),
                "scenarios": len(self.scenarios), "references": len(self.references)}  # fmt: skip

    @property
    def words(self) -> Words:
        """What is said of its question: labels of the scenarios and units of the priors where nothing else is known."""
        if self.schema.words is not None:
            return self.schema.words(self)
        labels = {name: one.label for name, one in self.scenarios.items() if getattr(one, "label", "")}
        return Words(target="", labels=labels, units={name: prior.unit for name, prior in self.priors.items()})

    def rows(self, table: str) -> list[Any]:
        """Rows of one evidence table that enter the likelihood."""
        check_word(table, self.evidence, "there is no such table of evidence", key="table",
                   otherwise=f"add evidence/{table}.csv to {self.folder}")  # fmt: skip
        return likelihood(self.evidence[table])

    def column(self, table: str, name: str) -> np.ndarray:
        """Return a column of the rows that enter the likelihood, as an array of numbers or texts.

        Raises
        ------
        EvidenceError
            If a cell is empty where the others are numbers: :meth:`frame` keeps such cells as NaN.
        """
        import numpy as np

        rows = self.rows(table)
        values = [getattr(row, name) for row in rows]
        for row, value in zip(rows, values, strict=True):
            if value is None:
                raise EvidenceError("this cell is empty", file=self._file(table), table=row.row, key=name, found="",
                                    allowed="a number", fix="fill it, or set use = excluded")  # fmt: skip
        return np.array(values)

    def planned(self, name: str) -> np.ndarray:
        """Return a value of every scenario, in their order, as an array: a ``pm.Data`` with the dim ``scenario``."""
        import numpy as np

        return np.array([getattr(scenario, name) for scenario in self.scenarios.values()])

    def frame(self, table: str) -> pd.DataFrame:
        """Return the rows that enter the likelihood as a data frame, an empty cell of a number as NaN."""
        import pandas as pd

        return pd.DataFrame([values_of(row) for row in self.rows(table)])

    def with_priors(self, alternatives: Mapping[str, str]) -> Study:
        """Return the study with declared alternatives in force: quantity to alternative's name."""
        for name in alternatives:
            check_word(name, self.priors, "this quantity is not declared", key=None, otherwise="declare it",
                       raises=PriorError)  # fmt: skip
        changed = {name: with_alternative(self.priors[name], alt) for name, alt in alternatives.items()}
        return replace(self, priors=MappingProxyType({**self.priors, **changed}))

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that decides the numbers, whatever the files look like."""
        data = {
            "priors": {name: prior.as_data() for name, prior in self.priors.items()},
            "evidence": {
                name: [_numbers_of(row) for row in rows] for name in self.evidence if (rows := self.rows(name))
            },
            "scenarios": {name: _numbers_of(scenario) for name, scenario in self.scenarios.items()},
            "settings": _numbers_of(self.settings),
        }
        return digest(canonical(data))

    def _file(self, table: str) -> Path:
        return self.folder / "evidence" / f"{table}.csv"


_PROSE = frozenset({"data_set", "why", "source", "locator", "status", "note", "label"})


def _numbers_of(record: Any) -> dict[str, Any]:
    """Values of a record that decide numbers: all but its prose and its sources."""
    return {name: value for name, value in values_of(record).items()
            if name not in _PROSE and not name.endswith("_source")}  # fmt: skip


@checked
def read_study(folder: str | Path, schema: Schema | None = None) -> Study:
    """Read a study folder and cross-check it.

    Parameters
    ----------
    folder
        A folder with any of ``*.toml`` (declared priors), ``scenarios.toml``, ``references.bib``, ``evidence/*.csv``.
    schema
        What must stand there; without one the study is open.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key. Nothing is sampled or written before all checks pass.

    Examples
    --------
    >>> folder = Path("vaccine")
    >>> (folder / "evidence").mkdir(parents=True)
    >>> _ = (folder / "evidence" / "trials.csv").write_text("row,cases,latitude\\nmadras,505,13\\nlondon,62,52")
    >>> _ = (folder / "scenarios.toml").write_text("[scenarios.wide]\\ncoverage = 0.9")
    >>> study = read_study(folder)
    >>> study.column("trials", "cases").tolist(), study.scenarios["wide"].coverage
    ([505, 62], 0.9)
    """
    path, held = Path(folder), schema or Schema()
    if not path.is_dir():
        raise StudyError(
            "there is no such study folder", file=path, fix="name a folder with priors, evidence/ and scenarios.toml"
        )
    if (path / "manifest.json").is_file() and not (path / "references.bib").is_file():
        raise StudyError(f"{path} is a run, not a study", file=path, allowed="a folder with priors and evidence/",
                         fix=f"name the study it carries: {path / 'inputs'}")  # fmt: skip
    priors = _all_priors(path, held)
    evidence = read_evidence(path / "evidence", held.tables)
    settings, scenarios = read_scenarios(path / "scenarios.toml", held.settings, held.scenario)
    file = path / "references.bib"
    references = read_references(file) if file.exists() else {}
    hashes = _hashes(path, evidence)
    study = Study(path, MappingProxyType(priors), MappingProxyType(evidence), MappingProxyType(scenarios), settings,
                  MappingProxyType(references), MappingProxyType(hashes), held)  # fmt: skip
    return replace(check_study(study), read_as=study.content_hash)


WORLDS = "worlds.toml"
"""Where a study declares worlds: structures and priors that belong together (:class:`bayes.question.World`)."""

_NO_PRIORS = ("scenarios.toml", "pyproject.toml", WORLDS)


def prior_files(folder: Path) -> list[Path]:
    """Return the files of declared priors in a study folder, sorted by name."""
    return [path for path in sorted(folder.glob("*.toml")) if path.name not in _NO_PRIORS]


def _all_priors(folder: Path, schema: Schema) -> dict[str, Prior]:
    found: dict[str, Prior] = {}
    for path in prior_files(folder):
        for name, prior in read_priors(path, schema.units).items():
            if name in found:
                raise PriorError("this quantity is declared twice", file=path, table=name,
                                 found=f"also in {Path(found[name].file).name}",
                                 allowed="one declaration of each quantity", fix="remove one")  # fmt: skip
            found[name] = prior
    return found


def _hashes(folder: Path, tables: Mapping[str, object]) -> dict[str, str]:
    named = [folder / "scenarios.toml", folder / "references.bib", folder / WORLDS]
    paths = [*prior_files(folder), *(path for path in named if path.is_file()),
             *(folder / "evidence" / f"{name}.csv" for name in tables)]  # fmt: skip
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}


def study_notes(study: Study) -> list[str]:
    """Return what is allowed and yet perhaps a mistake, in a sentence each.

    Units of priors that are nearly one of :data:`bayes.units.UNITS`, and what the notes of the schema find.
    """
    units = [f"{Path(prior.file).name}, [{prior.name}]: unit {prior.unit!r}: {near}" for prior in study.priors.values()
             if prior.unit not in study.schema.units and (near := near_unit(prior.unit))]  # fmt: skip
    return units + [note for notes in study.schema.notes for note in notes(study)]


# --- cross-checks ----------------------------------------------------------------------------


def check_study(study: Study) -> Study:
    """Return the study if its parts fit together.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key.
    """
    schema = study.schema
    if schema.quantities:
        _check_quantities(study, schema.quantities)
    _check_sources(study)
    behind = data_sets_behind_priors(study)
    check_double_counting(study.evidence, behind, study.folder / "evidence", schema.tables)
    _check_rows(study)
    if study.settings.headline:
        check_word(study.settings.headline, study.scenarios, "there is no such scenario", key="headline",
                   otherwise="choose one, or leave the key out",
                   raises=partial(ScenarioError, file=study.folder / "scenarios.toml", table="settings"))  # fmt: skip
    for check in schema.checks:
        check(study)
    for prior in study.priors.values():
        check_numbers(prior, schema.units)
    return study


def data_sets_behind_priors(study: Study) -> dict[str, str]:
    """Map each data set behind a prior, or behind an alternative, to its quantity: it stands behind no other number."""
    found: dict[str, Prior] = {}
    for one in (one for prior in study.priors.values() for one in (prior, *prior.alternatives.values())):
        first = found.setdefault(same(one.source.data_set), one)
        if one.source.data_set and first.name != one.name:
            raise PriorError("one data set would be counted twice", file=one.file, table=one.name,
                             key="source.data_set", allowed="one quantity for each data set",
                             found=f"{one.source.data_set}, which already stands behind prior {first.name!r}",
                             fix="reason one of the two from something else, and say so in its source")  # fmt: skip
    return {one.source.data_set: one.name for one in found.values() if one.source.data_set}


def _check_quantities(study: Study, quantities: Mapping[str, str]) -> None:
    for name, unit in quantities.items():
        if name not in study.priors:
            fix = f"add [{name}] to a .toml file of this folder"
            raise StudyError("this quantity of the model has no declared prior", file=study.folder, table=name,
                             allowed=f"a prior in {unit}", fix=fix)  # fmt: skip
        prior = study.priors[name]
        if prior.unit != unit:
            raise PriorError("the model needs this quantity in another unit", file=prior.file, table=name, key="unit",
                             found=prior.unit, allowed=unit,
                             fix=f'write unit = "{unit}" and its numbers in that unit')  # fmt: skip
    for name, prior in study.priors.items():
        check_word(name, quantities, "the model has no such quantity", key=None, otherwise="remove the table",
                   raises=partial(PriorError, file=prior.file, table=name))  # fmt: skip


type _Cited = tuple[str, type[InputError], object, str, str]
"""Key of a reference, and the error, file, table and key that name it."""


def citations(study: Study) -> Iterator[_Cited]:
    """Every place of a study that names a reference."""
    for prior in study.priors.values():
        alternatives = {f"{prior.name}.alternatives.{name}": other for name, other in prior.alternatives.items()}
        for at, one in {prior.name: prior, **alternatives}.items():
            yield one.source.key, PriorError, prior.file, at, "source.key"
    for table, rows in study.evidence.items():
        for row in rows:
            yield row.source, EvidenceError, study._file(table), row.row, "source"
    file = study.folder / "scenarios.toml"
    tables = {"settings": study.settings, **{f"scenarios.{name}": one for name, one in study.scenarios.items()}}
    for at, record in tables.items():
        named = {f.name for f in fields(record) if f.metadata.get("reference")}
        for key, value in values_of(record).items():
            if key in named or ("free" in record.__slots__ and (key == "source" or key.endswith("_source"))):
                yield str(value), ScenarioError, file, at, key


def _check_sources(study: Study) -> None:
    for key, error, file, table, where in citations(study):
        if key and key not in study.references:
            if not study.references:
                read_text(study.folder / "references.bib")
            check_word(key, sorted(study.references), "this source is not in references.bib", key=where,
                       otherwise="add the entry to references.bib",
                       raises=partial(error, file=file, table=table))  # fmt: skip


def _check_rows(study: Study) -> None:
    for name, table in study.schema.tables.items():
        found = len(study.rows(name)) if table.least else 0
        if found < table.least:
            raise EvidenceError("this table has too few likelihood rows", file=study._file(name), key="use",
                                found=found, allowed=f"{table.least} or more",
                                fix="set use = likelihood, or add evidence")  # fmt: skip
