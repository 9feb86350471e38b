"""A study is about one country: its numbers say which, another country's are named, and what hardly fits is told."""

import re
import shutil

import pytest

from bayes.cli import main
from bayes.errors import StudyError
from bayes.heroin.country import PEOPLE, country_notes, numbers_of_country
from bayes.heroin.study import load_study, shipped_study


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(shipped_study(), tmp_path / "study")


def changed(folder, file, old, new):
    path = folder / file
    text = re.sub(old, new, path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def of(folder, quantity, **values):
    """Give one prior other values."""
    for key, value in values.items():
        changed(folder, "delivery.toml", rf"(^\[{quantity}\]\n.*?^{key} +=)[^\n]*", rf"\g<1> {value}")


def test_the_shipped_study_is_of_england_and_nothing_in_it_is_odd():
    study = load_study()
    found = numbers_of_country(study)
    assert len(found) == len(PEOPLE) + 1
    assert {one.country for one in found} == {study.settings.country} == {"England"}
    assert country_notes(study) == []
    assert "England" in study.words.population
    assert "two-thousands" in study.words.period


def test_users_of_one_country_and_clients_of_another_are_refused_by_name(folder):
    of(folder, "opioid_clients", country='"Scotland"')
    with pytest.raises(StudyError) as error:
        load_study(folder)
    assert error.value.key == "country"
    assert "opioid_clients (delivery.toml): Scotland" in str(error.value)
    assert "population" not in str(error.value.found)


def test_a_number_that_does_not_say_its_country_is_named(folder):
    changed(folder, "evidence/ceiling.csv", r",England$", ",")
    with pytest.raises(StudyError, match=r"drug_related_total \(evidence/ceiling.csv\): no country"):
        load_study(folder)


def test_without_a_country_in_the_settings_numbers_of_two_are_still_refused(folder):
    changed(folder, "scenarios.toml", r"^country [^\n]*\n", "")
    assert load_study(folder).words.population == "people who depend on heroin or another opiate"
    of(folder, "opioid_clients", country='"Scotland"')
    with pytest.raises(StudyError, match="opioid_clients"):
        load_study(folder)


def test_older_studies_that_name_no_country_are_read(folder):
    changed(folder, "scenarios.toml", r"^(country|period) [^\n]*\n", "")
    changed(folder, "delivery.toml", r"^country [^\n]*\n", "")
    changed(folder, "evidence/ceiling.csv", r",(country|England|)$", "")
    assert {one.country for one in numbers_of_country(load_study(folder))} == {""}


@pytest.mark.parametrize(
    ("quantity", "quantiles", "said"),
    [
        ("opioid_clients", "{ q50 = 29000, q95 = 31900 }", "29k opioid clients are only 10% of 281k opiate users"),
        ("opioid_clients", "{ q50 = 29000, q95 = 31900 }", "everyone has 327,000 places, above the 145k times 5"),
        ("opioid_clients", "{ q50 = 300000, q95 = 310000 }", "300k opioid clients are more than 281k opiate users"),
        ("current_patients", "{ q05 = 200000, q95 = 210000 }", "205k present patients are more than 134k opioid"),
    ],
)
def test_numbers_that_hardly_fit_one_country_are_told(folder, quantity, quantiles, said):
    of(folder, quantity, quantiles=quantiles)
    assert any(said in note for note in country_notes(load_study(folder)))


def test_check_tells_them_and_passes(folder, capsys):
    changed(folder, "scenarios.toml", r"places        = 1000\n", "places        = 500000\n")
    assert main(["priors", "check", str(folder)]) == 0
    told = capsys.readouterr()
    assert told.err == ("bayes: note: the scenario p1000 has 500,000 places, above the 343k opiate or crack users: "
                        "are both of one country?\n")  # fmt: skip
    assert told.out.startswith("England: 327k opiate or crack users; ")


def test_a_study_of_another_country_says_which_numbers_are_its_own_and_is_refused_until_they_are(tmp_path, capsys):
    own = tmp_path / "own"
    assert main(["init", str(own), "--country", 'Côte "d\'Ivoire"']) == 0
    told = capsys.readouterr().out
    assert all(f"[{name}]" in told for name in PEOPLE)
    assert "drug_related_total" in told
    assert "England" in told
    assert main(["run", str(own), "--quiet"]) == 2
    assert capsys.readouterr().err.count("England") == len(PEOPLE) + 1
    changed(own, "delivery.toml", '"England"', "'''Côte \"d'Ivoire\"'''")
    changed(own, "evidence/ceiling.csv", ",England$", ',"Côte ""d\'Ivoire"""')
    assert "Côte" in load_study(own).words.population
