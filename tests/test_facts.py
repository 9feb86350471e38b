"""Published figures that are not fitted: strict reading, closed forms of what is predicted, and the table."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayes import Question
from bayes.errors import EvidenceError, InputError
from bayes.facts import Prediction, check_facts, facts_of, facts_table
from bayes.heroin.evidence.offending import DAYS
from bayes.heroin.facts import FACTS
from bayes.heroin.study import load_study, shipped_study
from bayes.plans import asked
from bayes.records import Place, record_of
from bayes.report.chapters.facts import CHAPTER, line
from bayes.study import read_study

N = 40_000


def draws(**values: Any) -> dict[str, np.ndarray]:
    return {
        name: np.broadcast_to(np.asarray(value, dtype=float), (N, *np.shape(value))) for name, value in values.items()
    }


def predicted(quantity: str, columns: dict[str, Any], **values: Any) -> np.ndarray:
    given = record_of(FACTS[quantity].columns, columns, Place(EvidenceError, "facts.csv", "a row"))
    return np.asarray(FACTS[quantity].draw(draws(**values), given, np.random.default_rng(1)))


# --- the shipped facts -------------------------------------------------------------------------


def test_shipped_facts_are_many_sourced_and_used_nowhere_else() -> None:
    study = load_study()
    found = facts_of(study)
    assert len(found) >= 8
    assert {row.quantity for row in found} | {"mean_offences"} == set(FACTS)
    for row in found:
        assert row.source in study.references
        assert row.locator
        assert row.status
        assert row.data_set
    recalled = [row for row in found if row.status == "recalled"]
    assert all("recalled" in row.locator and row.note for row in recalled)
    assert study.rows("facts") == [], "never in a likelihood"


def test_arithmetic_of_derived_facts() -> None:
    value = {row.row: row.value for row in facts_of(load_study())}
    for row, exact in {
        "fact_riott_after": 547 / 1_731, "fact_dutch_days": 2 / 14, "fact_swiss_income": 10 / 69,
        "fact_widnes": 1 - 0.93, "fact_ntors_convicted": 18 / 34, "fact_geneva_control": 1.1 / 0.4,
    }.items():  # fmt: skip
        assert value[row] == pytest.approx(exact, abs=0.0005 + 1e-9), row


def test_facts_change_neither_fit_nor_answer(tmp_path: Path) -> None:
    shutil.copytree(shipped_study(), tmp_path / "study")
    (tmp_path / "study" / "evidence" / "facts.csv").unlink()
    bare, full = load_study(tmp_path / "study"), load_study()
    assert "facts" not in bare.evidence
    assert bare.content_hash == full.content_hash


# --- what is refused ---------------------------------------------------------------------------

HEADER = (
    "row,data_set,use,quantity,value,population,arm,outcome,days,years,persons,top,why,source,locator,status,note\n"
)
REFUSED: dict[str, tuple[str, str, str]] = {
    # what: (line, key, what the message says)
    "a quantity that nothing predicts": ("a,x,check,any_offense,0.5,arrestees,,,,,,,w,toolkit,l,secondary,", "quantity",
                                         "any_offence"),
    "a share above one": ("a,x,check,any_offence,87,arrestees,,,,,,,w,toolkit,l,secondary,", "value", "0 to 1"),
    "no value": ("a,x,check,any_offence,,arrestees,,,,,,,w,toolkit,l,secondary,", "value", "0 to 1"),
    "a column that is lacking": ("a,x,check,any_offence,0.5,,,,,,,,w,toolkit,l,secondary,", "population", "missing"),
    "a column that is not used": ("a,x,check,eligible,0.5,arrestees,,,,,,,w,toolkit,l,secondary,", "population",
                                  "not known"),
    "another word": ("a,x,check,any_offence,0.5,arestees,,,,,,,w,toolkit,l,secondary,", "population", "arrestees"),
    "less than no days": ("a,x,check,any_offence,0.5,arrestees,,,-1,,,,w,toolkit,l,secondary,", "days", "range"),
    "data that are fitted": (
        'a,"RIOTT  heroin arm, retention",check,retained,0.5,,,,,1,,,w,toolkit,l,secondary,', "use", "row 'riott_26w'"),
    "data behind a prior": (
        'a,"refractory share of people in treatment, 5-10 %",check,eligible,0.1,,,,,,,,w,toolkit,l,secondary,', "use",
        "prior 'eligible_share'"),
    "a row of the likelihood": ("a,x,likelihood,eligible,0.1,,,,,,,,w,toolkit,l,secondary,", "use", "check, excluded"),
    "an unknown source": ("a,x,check,eligible,0.1,,,,,,,,w,nowhere,l,secondary,", "source", "references.bib"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "key", "says"), REFUSED.values(), ids=REFUSED)
def test_a_fact_that_cannot_be_compared_is_refused(tmp_path: Path, line: str, key: str, says: str) -> None:
    folder = tmp_path / "study"
    shutil.copytree(shipped_study(), folder)
    (folder / "evidence" / "facts.csv").write_text(HEADER + line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(folder)
    text = str(caught.value)
    assert "facts.csv" in text
    assert "table [a]" in text
    assert f"'{key}'" in text
    assert says in text, text
    assert "do:" in text


def test_a_reader_may_add_a_fact(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(shipped_study(), folder)
    line = "mine,a survey of mine,check,mean_offences,90,entrants,,,365.25,,200,,mine,toolkit,my notes,judgement,\n"
    (folder / "evidence" / "facts.csv").write_text(HEADER + line, encoding="utf-8")
    assert [row.row for row in facts_of(load_study(folder))] == ["mine"]


# --- any question ------------------------------------------------------------------------------


def _open(tmp_path: Path, values: str = "1.0") -> Any:
    (tmp_path / "evidence").mkdir(exist_ok=True)
    (tmp_path / "evidence" / "facts.csv").write_text(f"row,quantity,value\nthe_fact,level,{values}\n")
    return read_study(tmp_path)


LEVEL = {"level": Prediction(meaning="the level", draw=lambda d, given, rng: d["x"], unit="metres")}


def test_facts_of_any_question_are_read_and_need_a_prediction(tmp_path: Path) -> None:
    study = _open(tmp_path)
    question = Question(model=lambda study: None, target="x", facts=LEVEL)  # type: ignore[arg-type]
    assert asked(question, study).study is study
    with pytest.raises(EvidenceError, match="nothing predicts such a figure"):
        asked(replace(question, facts={}), study)


@pytest.mark.parametrize(
    ("value", "found"), [(0.1, "within 50 %"), (1.5, "within 95 %"), (3.0, "above"), (-2.5, "below")]
)
def test_range_and_tail_are_those_of_the_normal(tmp_path: Path, value: float, found: str) -> None:
    """Draws of N(0, 1): median 0, 95 % range -1.96 to 1.96, two-sided tail 2 (1 - Phi(|v|)), to Monte Carlo error."""
    x = np.random.default_rng(2).standard_normal((4, 10_000))
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"x": (("chain", "draw"), x)})})
    row = facts_table(fit, _open(tmp_path, str(value)), LEVEL, "passed").iloc[0]
    assert row["found"] == found
    tail = 2 * stats.norm.sf(abs(value))
    assert row["p"] == pytest.approx(tail, abs=4 * 2 * math.sqrt(tail / 2 * (1 - tail / 2) / x.size))
    for column, exact, error in (("median", 0, 0.00627), ("lower", -1.96, 0.0134), ("upper", 1.96, 0.0134),
                                 ("lower50", -0.6745, 0.0068), ("upper50", 0.6745, 0.0068)):  # fmt: skip
        assert abs(row[column] - exact) < 4 * error, column
    assert (row["unit"], row["kind"], row["prob"], row["published"]) == ("metres", "eti", 0.95, value)


def test_a_fit_that_lacks_a_variable_says_so(tmp_path: Path) -> None:
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"y": (("chain", "draw"), np.ones((2, 50)))})})
    with pytest.raises(InputError, match="lacks a variable"):
        facts_table(fit, _open(tmp_path), LEVEL, "passed")


def test_a_discrete_prediction_counts_a_tie_half(tmp_path: Path) -> None:
    x = np.tile([0.0, 1.0], (2, 100))
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"x": (("chain", "draw"), x)})})
    assert facts_table(fit, _open(tmp_path, "1"), LEVEL, "passed")["p"][0] == pytest.approx(0.5)


def test_check_facts_takes_no_study() -> None:
    check_facts(None, {})


# --- what the shipped model predicts, against closed forms -------------------------------------

OFFENDING = {"offences_per_user_year": 100.0, "offset": [0.0, -0.7, 0.2, -1.4], "sigma_study": 0.0, "shape_month": 0.2,
             "shape_year": 0.5}  # fmt: skip


def near(found: np.ndarray, mean: float, sd: float) -> None:
    """Mean within four of its errors; sd within four of the errors of a normal's."""
    assert abs(found.mean() - mean) < 4 * sd / math.sqrt(N) + 1e-12
    assert found.std() == pytest.approx(sd, rel=4 / math.sqrt(N), abs=1e-12)


def test_any_offence_is_that_of_a_gamma_poisson_count() -> None:
    mean, k = 100 * math.exp(0.2) * 28 / DAYS, 0.2
    share = 1 - float(stats.nbinom(k, k / (k + mean)).pmf(0))
    near(predicted("any_offence", {"population": "arrestees", "days": 28}, **OFFENDING), share, 0.0)
    near(predicted("any_offence", {"population": "arrestees", "days": 28, "persons": 50}, **OFFENDING), share,
         math.sqrt(share * (1 - share) / 50))  # fmt: skip


def test_a_mean_varies_between_studies_and_between_people() -> None:
    """Log-normal between studies; of n people the mean has the variance (mu + mu^2/k) / n of a negative binomial."""
    plain = predicted("mean_offences", {"population": "entrants"}, **{**OFFENDING, "sigma_study": 0.3})
    near(np.log(plain), math.log(100) - 0.7, 0.3)
    mu = 100 * math.exp(-0.7)
    found = predicted("mean_offences", {"population": "entrants", "persons": 400}, **OFFENDING)
    assert abs(found.mean() - mu) < 4 * math.sqrt((mu + mu**2 / 0.5) / 400 / N)
    assert found.std() == pytest.approx(math.sqrt((mu + mu**2 / 0.5) / 400), rel=0.03)


def test_changes_add_on_the_log_scale() -> None:
    values = {
        "theta_new": -0.6,
        "gamma_new": -0.3,
        "bias_change_prevalence": 0.15,
        "shape_month": 0.2,
        "shape_year": 0.5,
    }
    near(np.log(predicted("change", {"arm": "comparator"}, **values)), -0.3, 0.0)
    near(np.log(predicted("change", {"arm": "heroin"}, **values)), -0.9, 0.0)
    near(np.log(predicted("change", {"arm": "heroin", "outcome": "prevalence", "persons": 9}, **values)), -0.75, 0.0)
    noisy = np.log(predicted("change", {"arm": "heroin", "days": 30, "persons": 43}, **values))
    near(noisy, -0.9, math.sqrt(2 * float(stats.loggamma(43 * 0.2).var())))


def test_other_predictions() -> None:
    stay = {"retention_scale": 4.0, "retention_shape": 0.8}
    near(predicted("retained", {"years": 2}, **stay), math.exp(-(0.5**0.8)), 0.0)
    near(predicted("oral_treatment", {}, bias_untreated=-0.6), math.exp(-0.6), 0.0)
    near(predicted("coverage", {}, logit_coverage_new=0.0), 0.5, 0.0)
    near(predicted("eligible", {}, eligible_share=0.07), 0.07, 0.0)
    users = {"eligible_share": 0.07, "opioid_clients": 1e5, "opiate_users": 2e5}
    near(predicted("eligible_of_users", {}, **users), 0.035, 0.0)
    k = 0.5  # top share of a gamma: 1 - F_{k+1}(F_k^{-1}(1 - f))
    top = float(stats.gamma(k + 1).sf(stats.gamma(k).isf(0.1)))
    near(predicted("top_share", {"top": 0.1}, shape_month=0.2, shape_year=k), top, 0.0)


# --- in the report -----------------------------------------------------------------------------


def _material(found: list[str], withheld: bool = False) -> Any:
    row = {"row": "a", "data_set": "A survey, some figure", "meaning": "m", "unit": "share", "published": 0.5,
           "median": 0.4, "mcse": 0.01, "lower": 0.2, "upper": 0.6, "prob": 0.95, "kind": "eti", "p": 0.3,
           "source": "x", "locator": "Table 2", "status": "abstract"}  # fmt: skip
    frame = pd.DataFrame([{**row, "found": one} for one in found])
    return SimpleNamespace(tables={"facts": frame}, withheld=withheld, study=None)


def _filled(template: str, content: Any) -> str:
    for one in content.claims:
        template = template.replace(f"{{{one.name}}}", one.text)
    return template


def test_page_one_names_what_is_missed_and_the_chapter_where() -> None:
    material = _material(["within 50 %", "within 95 %", "above"])
    content = CHAPTER.make(material)
    assert _filled(line(material), content) == (
        "**It misses** 1 of 3 published figures kept out of the fit ({@facts}): A survey."
    )
    text = _filled(content.sections[0].blocks[0].text, content).replace("\u202f", " ")
    assert "3 published figures" in text
    assert "1 lie within the 50 %" in text
    assert "2 within the 95 %" in text
    assert "A survey, some figure (above)" in text
    assert [row[5].text for row in content.tables[0].rows] == ["within 50\u202f%", "within 95\u202f%", "above"]


def test_page_one_says_where_all_is_predicted_and_nothing_without_facts() -> None:
    material = _material(["within 50 %", "within 95 %"])
    assert _filled(line(material), CHAPTER.make(material)).startswith("**It predicts** what it was not fitted to")
    for nothing in (_material([]), _material(["above"], withheld=True), SimpleNamespace(tables={}, withheld=False)):
        assert line(nothing) == ""
        assert CHAPTER.make(nothing).sections == ()
