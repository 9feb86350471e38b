"""A study: priors, evidence, scenarios and references, read together and cross-checked.

:func:`load_study` finds every mistake that can be found without sampling. A study folder holds
``*.toml`` (declared priors), ``scenarios.toml``, ``references.bib`` and ``evidence/*.csv``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayes.errors import EvidenceError, PriorError, ScenarioError, StudyError, closest
from bayes.evidence import TABLES, Row, check_double_counting, likelihood, read_evidence
from bayes.files import read_text
from bayes.priors import Prior, read_priors, with_alternative
from bayes.provenance import Reference, canonical, digest, file_digest
from bayes.scenarios import Scenario, Settings, read_scenarios

__all__ = ["QUANTITIES", "Study", "load_study", "read_references", "shipped_study"]

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
            "evidence": {name: [repr(row) for row in likelihood(rows)] for name, rows in self.evidence.items()},
            "scenarios": {name: repr(scenario) for name, scenario in self.scenarios.items()},
            "settings": repr(self.settings),
        }
        return digest(canonical(data))


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


def load_study(folder: str | Path | None = None) -> Study:
    """Read a study folder (the shipped one by default) and cross-check it.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key. Nothing is sampled or written before all checks pass.
    """
    path = shipped_study() if folder is None else Path(folder)
    if not path.is_dir():
        raise StudyError("there is no such study folder", file=path, fix="name a folder with priors, evidence/ and scenarios.toml")
    priors = _all_priors(path)
    evidence = read_evidence(path / "evidence")
    settings, scenarios = read_scenarios(path / "scenarios.toml")
    references = read_references(path / "references.bib")
    study = Study(path, MappingProxyType(priors), MappingProxyType(evidence), MappingProxyType(scenarios), settings,
                  MappingProxyType(references), MappingProxyType(_hashes(path)))
    _check(study)
    return study


def read_references(path: Path) -> dict[str, Reference]:
    """Read a BibTeX file into references by key.

    Raises
    ------
    StudyError
        If the file is missing or an entry cannot be read.
    """
    import logging

    import bibtexparser  # type: ignore[import-untyped]
    from bibtexparser.bparser import BibTexParser  # type: ignore[import-untyped]

    logging.getLogger("bibtexparser").setLevel(logging.ERROR)
    text = read_text(path)
    entries = bibtexparser.loads(text, BibTexParser(ignore_nonstandard_types=False, common_strings=True)).entries
    if len(entries) < text.count("\n@") + text.startswith("@"):
        raise StudyError("an entry of this BibTeX file cannot be read", file=path,
                         found=f"{len(entries)} readable entries", fix="check braces and commas")
    found: dict[str, Reference] = {}
    for entry in entries:
        key = entry["ID"]
        if key in found:
            raise StudyError("this reference stands twice", file=path, key=key, fix="rename or remove one")
        found[key] = Reference(key, *(entry.get(name, "").strip("{}") for name in ("title", "author", "year", "url")))
    return found


def prior_files(folder: Path) -> list[Path]:
    """Return the files of declared priors in a study folder, sorted by name."""
    return [path for path in sorted(folder.glob("*.toml")) if path.name != "scenarios.toml"]


def _all_priors(folder: Path) -> dict[str, Prior]:
    found: dict[str, Prior] = {}
    for path in prior_files(folder):
        for name, prior in read_priors(path).items():
            if name in found:
                raise PriorError("this quantity is declared twice", file=path, table=name,
                                 found=f"also in {Path(found[name].file).name}", fix="remove one")
            found[name] = prior
    return found


def _hashes(folder: Path) -> dict[str, str]:
    paths = [*prior_files(folder), folder / "scenarios.toml", folder / "references.bib",
             *(folder / "evidence" / f"{name}.csv" for name in TABLES)]
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}


def _known(priors: Mapping[str, Prior], name: str) -> Prior:
    if name not in priors:
        raise PriorError("this quantity is not declared", key=name, found=name, allowed=priors,
                         fix=closest(name, priors) or "declare it")
    return priors[name]


# --- cross-checks ----------------------------------------------------------------------------


def _check(study: Study) -> None:
    _check_quantities(study)
    _check_sources(study)
    behind = {p.source.data_set: name for name, p in study.priors.items() if p.source.data_set}
    check_double_counting(study.evidence, behind, study.folder / "evidence")
    _check_rows(study)
    _check_scenarios(study)
    for prior in study.priors.values():
        for declared in (prior, *prior.alternatives.values()):
            _ = declared.parameters


def _check_quantities(study: Study) -> None:
    for name, unit in QUANTITIES.items():
        if name not in study.priors:
            raise StudyError("this quantity of the model has no declared prior", file=study.folder, table=name,
                             fix=f"add [{name}] to a .toml file of this folder")
        prior = study.priors[name]
        if prior.unit != unit:
            raise PriorError("the model needs this quantity in another unit", file=prior.file, table=name, key="unit",
                             found=prior.unit, allowed=unit, fix=f'write unit = "{unit}"')
    for name, prior in study.priors.items():
        if name not in QUANTITIES:
            raise PriorError("the model has no such quantity", file=prior.file, table=name, found=name,
                             allowed=QUANTITIES, fix=closest(name, QUANTITIES) or "remove the table")


def _check_sources(study: Study) -> None:
    for prior in study.priors.values():
        _check_key(study, prior.source.key, prior.file, prior.name, PriorError, "source.key")
    for table, rows in study.evidence.items():
        for row in rows:
            _check_key(study, row.source, study.folder / "evidence" / f"{table}.csv", row.row, EvidenceError, "source")
    if study.settings.press_source:
        _check_key(study, study.settings.press_source, study.folder / "scenarios.toml", "settings", ScenarioError,
                   "press_source")


def _check_key(study: Study, key: str, file: Any, table: str, error: type[StudyError] | Any, where: str) -> None:
    if key not in study.references:
        raise error("this source is not in references.bib", file=file, table=table, key=where, found=key,
                    fix=closest(key, study.references) or "add the entry to references.bib")


_LEAST: Mapping[str, int] = {"offending": 1, "trials": 1, "prepost": 1, "retention": 2, "coverage": 2, "ceiling": 0}


def _check_rows(study: Study) -> None:
    for table, least in _LEAST.items():
        rows = study.rows(table)
        if len(rows) < least:
            raise EvidenceError(f"this table needs at least {least} likelihood rows",
                                file=study.folder / "evidence" / f"{table}.csv", found=len(rows), fix="add evidence")
        names = [row.group for row in rows if table in ("coverage", "ceiling")]
        _once(names, study.folder / "evidence" / f"{table}.csv")
    ceiling = [row for row in study.rows("ceiling") if row.quantity != "drug_related_victim_crimes"]
    if ceiling:
        raise EvidenceError("only the drug-related total can enter the likelihood",
                            file=study.folder / "evidence" / "ceiling.csv", table=ceiling[0].row, key="use",
                            found=ceiling[0].quantity, fix="set use = provenance")


def _once(names: Iterable[str], file: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise EvidenceError("this enters the likelihood twice", file=file, found=name, fix="exclude one row")
        seen.add(name)


def _check_scenarios(study: Study) -> None:
    countries = {row.country for row in study.rows("coverage")}
    for scenario in study.scenarios.values():
        if scenario.coverage_of and scenario.coverage_of not in countries:
            raise ScenarioError("there is no coverage evidence for this country", file=study.folder / "scenarios.toml",
                                table=f"scenarios.{scenario.name}", key="coverage_of", found=scenario.coverage_of,
                                allowed=sorted(countries), fix=closest(scenario.coverage_of, countries) or "choose one")
