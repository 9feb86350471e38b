"""What is said of the shipped question: every quantity has its unit, and a projection carries it all."""

from dataclasses import fields, replace

from bayes.heroin.quantities import NAMES, UNIT_OF
from bayes.heroin.question import QUESTION
from bayes.heroin.words import WORDS, words_of_study
from bayes.plans import Asked
from bayes.words import Words, words_of


def test_a_projection_carries_the_words_of_its_study(shipped_futures, shipped_study):
    words = words_of(shipped_futures)
    assert words == words_of_study(shipped_study) == shipped_study.words == Words.from_text(words.text())
    assert (words.target, words.headline, words.stress) == ("offences_avoided", "hardcore", ("everyone",))
    assert words.label("p1000") == "1,000 places"
    assert {name: words.unit(name) for name in shipped_futures.data_vars} == dict(UNIT_OF)
    assert words.unit(words.reference[1]) == words.unit(words.target)


def test_a_question_with_words_of_its_own_keeps_them(shipped_study):
    """Where and when are those of the study only in words that do not say so themselves."""
    own = replace(WORDS, title="My title", population="people in Leeds", labels={**WORDS.labels, "mu_theta": "mine"})
    told = words_of_study(shipped_study, own)
    assert (told.title, told.population, told.label("mu_theta")) == ("My title", "people in Leeds", "mine")
    assert told.period == shipped_study.words.period
    mine = {f.name: getattr(own, f.name) for f in fields(Words)}
    assert Asked(replace(QUESTION, **mine), shipped_study).words == told


def test_every_name_in_the_words_is_one_of_the_model_or_the_projection(shipped_fit, shipped_futures, shipped_study):
    fitted = (*shipped_fit["posterior"].data_vars, *shipped_fit["observed_data"].data_vars)
    known = {*fitted, *shipped_futures.data_vars, *shipped_study.priors}
    assert {*NAMES, *WORDS.inputs, *WORDS.shown} <= known
    outcomes = {WORDS.target, *WORDS.beside, WORDS.size, WORDS.reference[1], WORDS.cost, WORDS.net_benefit}
    outcomes |= {*WORDS.undefined, *WORDS.ratios, *(name for pair in WORDS.ratios.values() for name in pair)}
    assert outcomes <= set(shipped_futures.data_vars)


def test_a_projection_of_an_older_version_says_what_it_is_about():
    import xarray as xr

    old = xr.Dataset({"patients": ("draw", [1.0]), "offences": ("draw", [1.0], {"unit": "offences"})},
                     attrs={"quantities": '["offences", "crimes"]', "headline": "few", "cost": "money"})  # fmt: skip
    words = words_of(old)
    assert (words.target, words.beside, words.headline, words.cost) == ("offences", ("crimes",), "few", "money")
    assert words.unit("offences") == "offences"


def test_every_row_that_enters_is_called_in_words(shipped_study):
    """By what it is, as the evidence files say; no two alike."""
    study = shipped_study
    rows = [row.row for table in study.evidence for row in study.rows(table)]
    words = [study.words.label(row) for row in rows]
    assert study.words.label("germany_cov") == "German patients, 2018"
    assert len(set(words)) == len(rows)
    assert not set(words) & {*rows, *(row.replace("_", " ") for row in rows)}
