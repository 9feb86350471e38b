"""What a study of the shipped question holds, and the shipped study itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayes.arguments import checked
from bayes.errors import ScenarioError, StudyError, check_word
from bayes.evidence import FACTS as FACTS_TABLE
from bayes.facts import TABLE, check_facts
from bayes.heroin.country import check_country, country_notes
from bayes.heroin.evidence import TABLES
from bayes.heroin.evidence.arms import check_arms
from bayes.heroin.facts import FACTS
from bayes.heroin.figures import figures
from bayes.heroin.quantities import QUANTITIES, UNITS
from bayes.heroin.scenarios import TODAY, Scenario, Settings
from bayes.heroin.words import words_of_study
from bayes.records import Place
from bayes.study import Schema, Study, read_study

if TYPE_CHECKING:
    from xarray import DataTree

    from bayes.report.whatif import Live

__all__ = ["SCHEMA", "load_study", "shipped_study"]


def _check_countries(study: Study) -> None:
    """Check that a scenario at the coverage of a country names a country of the evidence, or today."""
    countries = sorted({row.country for row in study.rows("coverage")} | {TODAY})
    for scenario in study.scenarios.values():
        if scenario.coverage_of:
            at = Place(ScenarioError, study.folder / "scenarios.toml", f"scenarios.{scenario.name}")
            check_word(scenario.coverage_of, countries, "there is no coverage evidence for this country",
                       key="coverage_of", otherwise="choose one, or add its row to evidence/coverage.csv",
                       raises=at.error)  # fmt: skip


def _check_facts(study: Study) -> None:
    check_facts(study, FACTS)


def _live(fit: DataTree, study: Study) -> Live:
    from bayes.heroin.live import live_of

    return live_of(fit, study)


SCHEMA = Schema(quantities=QUANTITIES, units=UNITS, tables={**TABLES, TABLE: FACTS_TABLE}, scenario=Scenario,
                settings=Settings, checks=(check_arms, check_country, _check_countries, _check_facts),
                notes=(country_notes,), words=words_of_study, figures=figures, live=_live)  # fmt: skip


def shipped_study() -> Path:
    """Return the folder of the shipped study: inside an installed wheel, or beside the checkout.

    Raises
    ------
    StudyError
        If the installation is incomplete.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_priors", package.parent / "priors"):
        if (folder / "references.bib").is_file():
            return folder
    raise StudyError("the shipped study is not installed", file=package / "_priors", fix="install the package again")


@checked
def load_study(folder: str | Path | None = None) -> Study:
    """Read a study folder of the shipped question (the shipped study by default) and cross-check it.

    Raises
    ------
    StudyError, PriorError, EvidenceError, ScenarioError
        With file, table and key. Nothing is sampled or written before all checks pass.

    Examples
    --------
    >>> load_study().priors["offences_per_user_year"].quantiles[0.5]
    432.0
    """
    return read_study(shipped_study() if folder is None else folder, SCHEMA)
