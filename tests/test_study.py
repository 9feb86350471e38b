"""A study of anybody's question: any priors, tables, scenarios and settings, all of them optional, and checked."""

from __future__ import annotations

import csv
import io
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes.errors import InputError
from bayes.heroin.study import SCHEMA, load_study, shipped_study
from bayes.overrides import changed_study, parse_overrides
from bayes.study import Study, read_study, study_notes

FILES = {
    "evidence/trials.csv": "row,cases,persons,latitude,design,source,use\n"
    "madras,505,88391,13,cluster,tb1980,likelihood\nlondon,62,13598,52.5,randomised,,\nhaiti,8,,18,randomised,,excluded\n",
    "evidence/areas.csv": "row,camera,burglaries\nmill road,yes,12\nhigh street,no,31\n",
    "scenarios.toml": "[settings]\nincidence = 0.002\nyears = 3\nheadline = 'wide'\n"
    "[scenarios.narrow]\nlabel = 'One in ten'\ncoverage = 0.1\n"
    "[scenarios.wide]\ncoverage = 0.9\nboost = true\nkind = 'all'\n",
    "effect.toml": "[log_rr]\nmeaning = 'effect'\nunit = 'log ratios'\nfamily = 'Normal'\n"
    "parameters = { mu = 0, sigma = 1 }\nwhy = 'wide'\n"
    "source = { key = 'tb1980', locator = 'p. 1', kind = 'trial', status = 'primary' }\n",
    "references.bib": "@misc{tb1980, title = {Trial of BCG}}\n",
}


def written(folder: Path, **changed: str | None) -> Path:
    """A study folder with some files changed (name with ``_`` for ``/`` and ``.``) or left out (None)."""
    for name, text in FILES.items():
        text = changed.get(name.replace("/", "_").replace(".", "_"), text)
        if text is not None:
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return read_study(written(tmp_path))


def test_rows_are_records_and_columns_arrays(study: Study) -> None:
    madras, london = study.rows("trials")
    assert (madras.row, madras.cases, madras.latitude, madras.design, madras.group) == (
        "madras", 505, 13, "cluster", "madras"
    )  # fmt: skip
    assert (london.use, london.source, london.why) == ("likelihood", "", "")
    assert study.column("trials", "cases").dtype.kind == "i"
    assert study.column("trials", "latitude").tolist() == [13.0, 52.5]
    assert study.column("areas", "row").tolist() == ["mill road", "high street"]
    assert study.column("areas", "camera").tolist() == ["yes", "no"]
    frame = study.frame("trials")
    assert frame["persons"].tolist() == [88391, 13598]
    with pytest.raises((AttributeError, TypeError)):
        madras.cases = 3


def test_scenarios_settings_and_references(study: Study) -> None:
    wide, narrow = study.scenarios["wide"], study.scenarios["narrow"]
    assert (narrow.label, narrow.coverage, wide.label, wide.boost, wide.kind) == (
        "One in ten",
        0.1,
        "wide",
        True,
        "all",
    )
    assert (study.settings.incidence, study.settings.years, study.settings.headline) == (0.002, 3, "wide")
    assert [hasattr(one, "boost") for one in (wide, narrow)] == [True, False]
    with pytest.raises(InputError, match="did you mean 'coverage'"):
        _ = wide.covrage
    with pytest.raises(InputError, match="did you mean 'trials'"):
        study.rows("trial")
    assert study.planned("coverage").tolist() == [0.1, 0.9]
    with pytest.raises(InputError, match=r"table \[narrow\], key 'boost'"):
        study.planned("boost")
    assert set(study.references) == {"tb1980"}


def test_it_goes_to_another_process(study: Study) -> None:
    again = pickle.loads(pickle.dumps(study))
    assert again.content_hash == study.content_hash
    assert again.rows("trials") == study.rows("trials")
    assert again.scenarios["wide"].coverage == 0.9


@pytest.mark.parametrize("gone", ["evidence_trials_csv", "scenarios_toml", "effect_toml"])
def test_every_part_is_optional(tmp_path: Path, gone: str) -> None:
    found = read_study(written(tmp_path, **{gone: None}))
    assert found.content_hash


def test_a_folder_without_any_file_is_a_study(tmp_path: Path) -> None:
    found = read_study(tmp_path)
    assert (dict(found.priors), dict(found.evidence), dict(found.scenarios), dict(found.hashes)) == ({}, {}, {}, {})


def test_units_are_free_text_and_a_near_miss_is_told(study: Study) -> None:
    assert study_notes(study) == ["effect.toml, [log_rr]: unit 'log ratios': did you mean 'log ratio'?"]
    assert study_notes(load_study()) == []


def test_a_prior_of_an_open_study_may_name_no_source(tmp_path: Path) -> None:
    told = "\n".join(line for line in FILES["effect.toml"].split("\n") if not line.startswith("source"))
    prior = read_study(written(tmp_path, effect_toml=told, references_bib=None, evidence_trials_csv=None)).priors[
        "log_rr"
    ]
    assert (prior.source.key, prior.source.locator, prior.source.status) == ("", "not given", "judgement")


def test_content_hash_is_of_numbers_not_of_prose(tmp_path: Path) -> None:
    base = read_study(written(tmp_path / "a")).content_hash
    told = FILES["evidence/trials.csv"].replace("tb1980", "").replace("\nhaiti,8", "\nhaiti,9")
    assert read_study(written(tmp_path / "b", evidence_trials_csv=told)).content_hash == base
    other = FILES["evidence/trials.csv"].replace("505", "506")
    assert read_study(written(tmp_path / "c", evidence_trials_csv=other)).content_hash != base
    wider = FILES["scenarios.toml"].replace("0.9", "0.95")
    assert read_study(written(tmp_path / "d", scenarios_toml=wider)).content_hash != base


T, S, E = "evidence_trials_csv", "scenarios_toml", "effect_toml"
MISTAKES: dict[str, tuple[dict[str, str | None], tuple[str, ...]]] = {
    "a misspelt column": ({T: "row,sorce\na,tb1980\n"}, ("trials.csv", "'sorce'", "did you mean 'source'")),
    "no column row": ({T: "name,cases\na,3\n"}, ("trials.csv", "key 'row'", "missing")),
    "a row twice": ({T: "row,cases\na,3\na,4\n"}, ("trials.csv", "[a]", "stands twice")),
    "a row twice in two tables": ({T: "row,cases\nmill road,3\n"}, ("mill road", "also in")),
    "a word among numbers": ({T: "row,cases\na,3\nb,NA\nc,5\n"}, ("[b]", "'cases'", "'NA'", "empty the cell")),
    "a decimal comma among numbers": ({T: 'row,y\na,0.3\nb,"0,4"\nc,1\n'}, ("[b]", "write 0.4")),
    "per cent everywhere": ({T: "row,share\na,40%\nb,50%\n"}, ("[a]", "'share'", "write 0.40")),
    "thousands among semicolons": ({T: "row;cases\na;3.000\n"}, ("line 2", "[a]", "'cases'", "write 3000")),
    "not finite": ({T: "row,y\na,0.3\nb,1e999\nc,1\n"}, ("[b]", "'y'", "not finite")),
    "a ragged line": ({T: "row,y\na,0.3,4\n"}, ("line 2", "3 cells")),
    "a use that is none": ({T: "row,use\na,likelyhood\n"}, ("'use'", "did you mean 'likelihood'")),
    "a status that is none": ({T: "row,status\na,known\n"}, ("'status'", "primary")),
    "an unverified figure": ({T: "row,status\na,recalled\n"}, ("never enters a likelihood",)),
    "a data set twice": ({T: "row,data_set\na,Madras\nb,madras\n"}, ("counted twice", "row 'a'")),
    "a source not on file": ({T: "row,source\na,tb1981\n"}, ("trials.csv", "[a]", "did you mean 'tb1980'")),
    "a source and no references": ({"references_bib": None}, ("references.bib", "missing")),
    "a source of a setting": ({S: "[settings]\nrate = 3\nrate_source = 'who'\n"}, ("rate_source", "'who'", "tb1980")),
    "a headline that is none": ({S: "[settings]\nheadline = 'b'\n[scenarios.a]\nx = 1\n"}, ("headline", "allowed: a")),
    "a misspelt label": ({S: "[scenarios.a]\nlable = 'A'\n"}, ("scenarios.a", "did you mean 'label'")),
    "a list": ({S: "[scenarios.a]\nx = [1, 2]\n"}, ("scenarios.a", "'x'", "a number, a text, true or false")),
    "a number that is none": ({S: "[settings]\nx = nan\n"}, ("'x'", "finite")),
    "a table that is none": ({S: "[scenario.a]\nx = 1\n"}, ("did you mean 'scenarios'",)),
    "a misnamed scenario": ({S: "[scenarios.'A b']\nx = 1\n"}, ("lower case",)),
    "a misnamed key": ({S: "[scenarios.a]\n'Big X' = 1\n"}, ("lower case", "Big X")),
    "a prior without a reason": ({E: FILES["effect.toml"].replace("why = 'wide'\n", "")}, ("log_rr", "'why'")),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_error_that_says_where(tmp_path: Path, name: str) -> None:
    changed, says = MISTAKES[name]
    with pytest.raises(InputError) as caught:
        read_study(written(tmp_path, **changed))
    said = str(caught.value)
    assert [one for one in says if one not in said] == [], said
    assert "do:  " in said


def test_an_empty_cell_of_a_number_is_refused_as_a_column_and_kept_in_a_frame(tmp_path: Path) -> None:
    found = read_study(written(tmp_path, evidence_trials_csv="row,cases\na,3\nb,\n"))
    assert np.isnan(found.frame("trials")["cases"][1])
    with pytest.raises(InputError, match="this cell is empty"):
        found.column("trials", "cases")


def test_changes_reach_free_values(study: Study) -> None:
    def changed(*settings: str) -> Any:
        return changed_study(study, parse_overrides(["log_rr=Normal(0, 2)"], settings))

    found = changed("coverage=0.5", "wide.boost=false", "years=5")
    assert [one.coverage for one in found.scenarios.values()] == [0.5, 0.5]
    assert (found.scenarios["wide"].boost, found.settings.years) == (False, 5)
    assert found.scenarios["wide"].label == "wide [coverage=0.5] [boost=false]"
    assert found.priors["log_rr"].parameters == {"mu": 0.0, "sigma": 2.0}
    for setting, says in {"covrage=1": "did you mean 'coverage'", "narrow.boost=true": "no such field",
                          "coverage=much": "another kind", "wide.boost=perhaps": "another kind",
                          "wyde.coverage=1": "did you mean 'wide'"}.items():  # fmt: skip
        with pytest.raises(InputError, match=says):
            changed(setting)


def test_the_shipped_study_is_held_to_its_schema_and_is_also_an_open_one() -> None:
    held, free = read_study(shipped_study(), SCHEMA), read_study(shipped_study())
    assert held == load_study()
    assert set(free.priors) == set(held.priors)
    assert [row.y for row in free.rows("trials")] == [row.y for row in held.rows("trials")]
    assert free.column("coverage", "clients").tolist() == held.column("coverage", "clients").tolist()
    assert free.scenarios["hardcore"].places == held.scenarios["hardcore"].places


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8).filter(
    lambda text: (
        text == text.strip()
        and not any(c.isdecimal() or c == "%" for c in text)  # digits of any script are numbers
        and text.lower() not in {"nan", "inf"}
    )
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_is_what_is_read(data: st.DataObject) -> None:
    """Any numbers, whole ones and words, as columns of any names: the arrays are the very same."""
    size = data.draw(st.integers(1, 6))
    kinds = {"whole": st.integers(-(2**53), 2**53), "number": st.floats(allow_nan=False, allow_infinity=False),
             "word": WORDS}  # fmt: skip
    columns = {f"{kind} {i}": data.draw(st.lists(values, min_size=size, max_size=size))
               for kind, values in kinds.items() for i in range(data.draw(st.integers(0, 2)))}  # fmt: skip
    out = io.StringIO()
    csv.writer(out).writerows([["row", *columns], *([f"r{i}", *(values[i] for values in columns.values())]
                                                    for i in range(size))])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = read_study(written(Path(folder), evidence_trials_csv=out.getvalue(), evidence_areas_csv=None))
        assert {name: found.column("trials", name).tolist() for name in columns} == columns
        assert found.frame("trials")[list(columns)].to_dict("list") == columns
