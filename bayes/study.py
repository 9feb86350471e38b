"""A study: priors, evidence, scenarios and references, read together and cross-checked.

:func:`load_study` finds every mistake that can be found without sampling. A study folder holds
``*.toml`` (declared priors), ``scenarios.toml``, ``references.bib`` and ``evidence/*.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayes.arguments import checked
from bayes.errors import EvidenceError, InputError, PriorError, ScenarioError, StudyError, closest
from bayes.evidence import TABLES, Row, check_double_counting, likelihood, read_evidence
from bayes.files import read_text
from bayes.priors import Prior, check_numbers, read_priors, with_alternative
from bayes.provenance import KINDS, Reference, canonical, digest, file_digest
from bayes.scenarios import Scenario, Settings, read_scenarios

__all__ = ["QUANTITIES", "Study", "bibtex_entries", "check_study", "load_study", "prior_files", "read_references",
           "shipped_study"]  # fmt: skip

QUANTITIES: Mapping[str, str] = MappingProxyType({
    "offences_per_user_year": "offences/person-year",
    "offset_entrants": "log ratio",
    "offset_arrestees": "log ratio",
    "offset_all_users": "log ratio",
    "sigma_study": "log sd",
    "shape_month": "shape",
    "shape_year": "shape",
    "mu_theta": "log ratio",
    "tau_theta": "log sd",
    "bias_prevalence": "log ratio",
    "bias_composite": "log ratio",
    "bias_completers": "log ratio",
    "bias_untreated": "log ratio",
    "mu_gamma": "log ratio",
    "tau_gamma": "log sd",
    "bias_change_prevalence": "log ratio",
    "bias_change_odds": "log ratio",
    "fidelity": "share",
    "mu_coverage": "logit",
    "tau_coverage": "logit sd",
    "opioid_clients": "persons",
    "occupancy": "share",
    "current_patients": "persons",
    "retention_scale": "years",
    "retention_shape": "shape",
    "eligible_share": "share",
    "targeting_strength": "share",
    "population": "persons",
    "opiate_users": "persons",
    "countable_share": "share",
    "programme_cost": "GBP/person-year",
    "cost_per_offence": "GBP/offence",
})  # fmt: skip
"""Every quantity the model needs, with its unit: the contract between the files and the model."""


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

    Examples
    --------
    >>> study = load_study()
    >>> study.priors["offences_per_user_year"].quantiles[0.5]
    432.0
    """

    folder: Path
    priors: Mapping[str, Prior]
    evidence: Mapping[str, tuple[Row, ...]]
    scenarios: Mapping[str, Scenario]
    settings: Settings
    references: Mapping[str, Reference]
    hashes: Mapping[str, str]

    def rows(self, table: str) -> list[Any]:
        """Rows of one evidence table that enter the likelihood."""
        return likelihood(self.evidence[table])

    def with_priors(self, alternatives: Mapping[str, str]) -> Study:
        """Return the study with declared alternatives in force: quantity to alternative's name."""
        changed = {name: with_alternative(_known(self.priors, name), alt) for name, alt in alternatives.items()}
        return replace(self, priors=MappingProxyType({**self.priors, **changed}))

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that decides the numbers, whatever the files look like."""
        data = {
            "priors": {name: prior.as_data() for name, prior in self.priors.items()},
            "evidence": {name: [_numbers_of(row) for row in likelihood(rows)] for name, rows in self.evidence.items()},
            "scenarios": {name: _numbers_of(scenario) for name, scenario in self.scenarios.items()},
            "settings": _numbers_of(self.settings),
        }
        return digest(canonical(data))


_PROSE = frozenset({"data_set", "why", "source", "locator", "status", "note", "label"})


def _numbers_of(record: Any) -> dict[str, Any]:
    """Fields of a record that decide numbers: all but its prose and its sources."""
    values = {f.name: getattr(record, f.name) for f in fields(record)}
    return {name: value for name, value in values.items() if name not in _PROSE and not name.endswith("_source")}


def shipped_study() -> Path:
    """Return the folder of the shipped study: inside an installed wheel, or beside the checkout.

    Raises
    ------
    StudyError
        If the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_priors", package.parent / "priors"):
        if (folder / "references.bib").is_file():
            return folder
    raise StudyError("the shipped study is not installed", file=package / "_priors", fix="install the package again")


@checked
def load_study(folder: str | Path | None = None) -> Study:
    """Read a study folder (the shipped one by default) and cross-check it.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key. Nothing is sampled or written before all checks pass.
    """
    path = shipped_study() if folder is None else Path(folder)
    if not path.is_dir():
        raise StudyError(
            "there is no such study folder", file=path, fix="name a folder with priors, evidence/ and scenarios.toml"
        )
    if (path / "manifest.json").is_file() and not (path / "references.bib").is_file():
        raise StudyError(f"{path} is a run, not a study", file=path, allowed="a folder with priors and evidence/",
                         fix="name the study it was made from")  # fmt: skip
    priors = _all_priors(path)
    evidence = read_evidence(path / "evidence")
    settings, scenarios = read_scenarios(path / "scenarios.toml")
    references = read_references(path / "references.bib")
    study = Study(
        path,
        MappingProxyType(priors),
        MappingProxyType(evidence),
        MappingProxyType(scenarios),
        settings,
        MappingProxyType(references),
        MappingProxyType(_hashes(path)),
    )
    return check_study(study)


_ENTRY = re.compile(r"^[ \t]*@(?!comment|string|preamble)\w+\s*[{(]\s*([^,\s}]*)", re.MULTILINE | re.IGNORECASE)
_FIELDS = ("title", "author", "year", "url", "kind")


def read_references(path: Path) -> dict[str, Reference]:
    """Read a BibTeX file into references by key.

    Raises
    ------
    StudyError
        If the file is missing, an entry cannot be read, stands twice, has no title or an unknown ``kind``.
    """
    text = read_text(path)
    entries = {entry["ID"]: entry for entry in bibtex_entries(text)}
    keys = _ENTRY.findall(text)
    for key in keys:
        if keys.count(key) > 1:
            raise StudyError(
                "this reference stands twice",
                file=path,
                key=key,
                found=f"{keys.count(key)} entries",
                allowed="one",
                fix="rename or remove one",
            )
        if not entries.get(key, {}).get("title"):
            raise StudyError(
                "this entry of the BibTeX file cannot be read",
                file=path,
                key=key,
                found="no title" if key in entries else "no complete entry",
                allowed="@article{key, title = {…}, author = {…}, year = {…}, url = {…}}",
                fix="check its braces and commas",
            )
    found = {key: Reference(key, *(_unbraced(entries[key].get(name, "")) for name in _FIELDS)) for key in keys}
    for reference in found.values():
        if reference.kind and reference.kind not in KINDS:
            raise StudyError(
                "this kind of source is not known",
                file=path,
                table=reference.key,
                key="kind",
                found=reference.kind,
                allowed=KINDS,
                fix=closest(reference.kind, KINDS) or "choose one, or leave the field out",
            )
    return found


def bibtex_entries(text: str) -> list[dict[str, str]]:
    """Return the entries of a BibTeX text, each with all its fields, ``ID`` and ``ENTRYTYPE``; faulty ones are absent.

    >>> bibtex_entries("@misc{a, title = {A {B}}}")
    [{'title': 'A {B}', 'ENTRYTYPE': 'misc', 'ID': 'a'}]
    """
    import logging

    import bibtexparser
    from bibtexparser.bparser import BibTexParser

    log = logging.getLogger("bibtexparser")
    before = log.level
    log.setLevel(logging.CRITICAL)  # what it would warn of is an error here, with file and key
    try:
        parser = BibTexParser(ignore_nonstandard_types=False, common_strings=True)
        return list(bibtexparser.loads(text, parser).entries)
    finally:
        log.setLevel(before)


def _unbraced(text: str) -> str:
    """Drop the braces that only protect capitals in BibTeX."""
    return " ".join(text.replace("{", "").replace("}", "").split())


def prior_files(folder: Path) -> list[Path]:
    """Return the files of declared priors in a study folder, sorted by name."""
    return [path for path in sorted(folder.glob("*.toml")) if path.name != "scenarios.toml"]


def _all_priors(folder: Path) -> dict[str, Prior]:
    found: dict[str, Prior] = {}
    for path in prior_files(folder):
        for name, prior in read_priors(path).items():
            if name in found:
                raise PriorError(
                    "this quantity is declared twice",
                    file=path,
                    table=name,
                    found=f"also in {Path(found[name].file).name}",
                    allowed="one declaration of each quantity",
                    fix="remove one",
                )
            found[name] = prior
    return found


def _hashes(folder: Path) -> dict[str, str]:
    paths = [
        *prior_files(folder),
        folder / "scenarios.toml",
        folder / "references.bib",
        *(folder / "evidence" / f"{name}.csv" for name in TABLES),
    ]
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}


def _known(priors: Mapping[str, Prior], name: str) -> Prior:
    if name not in priors:
        raise PriorError(
            "this quantity is not declared",
            found=name,
            allowed=priors,
            fix=closest(name, priors) or "declare it",
        )
    return priors[name]


# --- cross-checks ----------------------------------------------------------------------------


def check_study(study: Study) -> Study:
    """Return the study if its parts fit together.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key.
    """
    _check_quantities(study)
    _check_sources(study)
    check_double_counting(study.evidence, _data_sets_behind_priors(study), study.folder / "evidence")
    _check_rows(study)
    _check_scenarios(study)
    for prior in study.priors.values():
        check_numbers(prior)
    return study


def _data_sets_behind_priors(study: Study) -> dict[str, str]:
    """Data set to quantity, alternatives included: whichever is in force, its data are used up."""
    declared = [one for prior in study.priors.values() for one in (prior, *prior.alternatives.values())]
    return {one.source.data_set: one.name for one in declared if one.source.data_set}


def _check_quantities(study: Study) -> None:
    for name, unit in QUANTITIES.items():
        if name not in study.priors:
            raise StudyError(
                "this quantity of the model has no declared prior",
                file=study.folder,
                table=name,
                allowed=f"a prior in {unit}",
                fix=f"add [{name}] to a .toml file of this folder",
            )
        prior = study.priors[name]
        if prior.unit != unit:
            raise PriorError(
                "the model needs this quantity in another unit",
                file=prior.file,
                table=name,
                key="unit",
                found=prior.unit,
                allowed=unit,
                fix=f'write unit = "{unit}" and its numbers in that unit',
            )
    for name, prior in study.priors.items():
        if name not in QUANTITIES:
            raise PriorError(
                "the model has no such quantity",
                file=prior.file,
                table=name,
                found=name,
                allowed=QUANTITIES,
                fix=closest(name, QUANTITIES) or "remove the table",
            )


_SETTING_SOURCES = ("press_source", "press_reduction_source", "discount_source")


def _check_sources(study: Study) -> None:
    for prior in study.priors.values():
        _check_key(study, prior.source.key, prior.file, prior.name, PriorError, "source.key")
        for name, other in prior.alternatives.items():
            at = f"{prior.name}.alternatives.{name}"
            _check_key(study, other.source.key, prior.file, at, PriorError, "source.key")
    for table, rows in study.evidence.items():
        for row in rows:
            file = study.folder / "evidence" / f"{table}.csv"
            _check_key(study, row.source, file, row.row, EvidenceError, "source")
    for where in _SETTING_SOURCES:
        key = getattr(study.settings, where)
        if key:
            _check_key(study, key, study.folder / "scenarios.toml", "settings", ScenarioError, where)


def _check_key(study: Study, key: str, file: object, table: str, error: type[InputError], where: str) -> None:
    if key not in study.references:
        raise error(
            "this source is not in references.bib",
            file=file,
            table=table,
            key=where,
            found=key,
            allowed=sorted(study.references),
            fix=closest(key, study.references) or "add the entry to references.bib",
        )


_LEAST: Mapping[str, int] = {"offending": 1, "trials": 1, "prepost": 1, "retention": 2, "coverage": 2, "ceiling": 0}


def _check_rows(study: Study) -> None:
    for table, least in _LEAST.items():
        found = len(study.rows(table))
        if found < least:
            raise EvidenceError(
                "this table has too few likelihood rows",
                file=study.folder / "evidence" / f"{table}.csv",
                key="use",
                found=found,
                allowed=f"{least} or more",
                fix="set use = likelihood, or add evidence",
            )
    for row in study.rows("ceiling"):
        if row.quantity != "drug_related_victim_crimes":
            raise EvidenceError(
                "only the drug-related total can enter the likelihood",
                file=study.folder / "evidence" / "ceiling.csv",
                table=row.row,
                key="use",
                found=f"likelihood, with quantity {row.quantity}",
                allowed="quantity drug_related_victim_crimes",
                fix="set use = provenance",
            )


def _check_scenarios(study: Study) -> None:
    headline = study.settings.headline
    if headline and headline not in study.scenarios:
        raise ScenarioError(
            "there is no such scenario",
            file=study.folder / "scenarios.toml",
            table="settings",
            key="headline",
            found=headline,
            allowed=study.scenarios,
            fix=closest(headline, study.scenarios) or "choose one, or leave the key out",
        )
    countries = {row.country for row in study.rows("coverage")}
    for scenario in study.scenarios.values():
        if scenario.coverage_of and scenario.coverage_of not in countries:
            raise ScenarioError(
                "there is no coverage evidence for this country",
                file=study.folder / "scenarios.toml",
                table=f"scenarios.{scenario.name}",
                key="coverage_of",
                found=scenario.coverage_of,
                allowed=sorted(countries),
                fix=closest(scenario.coverage_of, countries) or "choose one, or add its row to evidence/coverage.csv",
            )
