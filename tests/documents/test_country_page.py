"""The page about a new country: what it tells the reader to write makes a study of that country, in its order."""

import csv
import re

import pytest

import bayes
from bayes.cli import main
from bayes.errors import EvidenceError, StudyError
from bayes.heroin.country import country_notes, numbers_of_country
from bayes.heroin.study import load_study
from tests.documents.test_reading_matter import text_of

BLOCKS = dict(re.findall(r"^<!-- dutch/(\S+) -->\n```toml\n(.*?)^```$", text_of("COUNTRY.md"), re.M | re.S))


@pytest.fixture
def dutch(tmp_path):
    assert main(["init", str(tmp_path / "dutch"), "--country", "Netherlands"]) == 0
    return tmp_path / "dutch"


def replace_tables(path, block):
    """Put each table of a block in the place of the one that has its name."""
    text = path.read_text(encoding="utf-8")
    for table in re.split(r"\n(?=\[)", block.strip()):
        name = re.escape(table.partition("\n")[0])
        text, found = re.subn(rf"^{name}\n.*?(?=^\[|\Z)", lambda _, new=table: new + "\n\n", text, flags=re.M | re.S)
        assert found == 1, name
    path.write_text(text, encoding="utf-8")


def exclude(path, row):
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    use, at = rows[0].index("use"), [line[0] for line in rows].index(row)
    rows[at][use] = "excluded"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)


def test_its_steps_make_a_study_of_the_country(dutch):
    with pytest.raises(StudyError, match="population"):
        load_study(dutch)
    replace_tables(dutch / "delivery.toml", BLOCKS["delivery.toml"])
    with pytest.raises(EvidenceError, match="netherlands_cov"):
        load_study(dutch)
    exclude(dutch / "evidence" / "coverage.csv", "netherlands_cov")
    with pytest.raises(StudyError, match="drug_related_total"):
        load_study(dutch)
    exclude(dutch / "evidence" / "ceiling.csv", "drug_related_total")
    assert any("everyone" in note for note in country_notes(load_study(dutch)))
    (dutch / "scenarios.toml").write_text(BLOCKS["scenarios.toml"], encoding="utf-8")
    study = load_study(dutch)
    assert country_notes(study) == []
    assert {one.country for one in numbers_of_country(study)} == {"Netherlands"}
    assert "Netherlands" in study.words.population
    assert "2017" in study.words.period
    assert bayes.build_model(study)["opioid_clients"] is not None


def test_its_table_lists_every_number_of_a_country():
    listed = re.findall(r"^\| `(\w+)` \| `(\S+)` \|", text_of("COUNTRY.md"), re.MULTILINE)
    told = [re.findall(r"\w+", one.place)[-1] for one in numbers_of_country(load_study())]
    assert [name for name, _ in listed] == [*told, "places"]
