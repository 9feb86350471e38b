"""Nothing enters twice: every 'do not count twice' rule of the evidence, enforced by code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bayes.errors import EvidenceError, InputError, PriorError
from bayes.heroin.study import load_study

Refused = Callable[..., InputError]
SE = {"se": "0.5", "se_kind": "stated"}

TWINS: dict[str, tuple[str, str, dict[str, str], str]] = {
    # what: (table, excluded row, cells it would need to be complete, where its data already are)
    "442 stands behind the 432, which is the prior": (
        "offending", "newadam_442", {"se": "0.4"}, "prior 'offences_per_user_year'"),
    "the 432 itself": ("offending", "press_432", {"se": "0.4"}, "prior 'offences_per_user_year'"),
    "133 a year is the survey of entrants again": ("offending", "nta_133", {"se": "0.4"}, "row 'dtors_total'"),
    "40 a month is superseded by 1,731 in 30 days": (
        "offending", "riott_interim", {"se": "0.4"}, "row 'riott_baseline'"),
    "the review ratio 0.32 is Geneva again": ("trials", "geneva_review", {}, "row 'geneva'"),
    "Geneva's shares beside its counts": ("trials", "geneva_any", {}, "row 'geneva'"),
    "Geneva's heroin arm beside its contrast": ("prepost", "geneva_heroin", {}, "row 'geneva'"),
    "1,731 to 547 beside 1,731": ("prepost", "riott_heroin_counts", SE, "row 'riott_baseline'"),
    "Vancouver's days beside its charges": ("prepost", "vancouver_days", SE, "row 'vancouver_states'"),
    "Dutch days beside the two Dutch trials": ("prepost", "netherlands_days", {}, "row 'netherlands_inhaled'"),
    "Dutch damage beside the Dutch trials": (
        "trials", "netherlands_damage", {**SE, "y": "-1"}, "row 'netherlands_inhaled'"),
    "NAOMI in any treatment beside NAOMI on heroin": ("retention", "naomi_1y_any", {}, "row 'naomi_1y'"),
    "Swiss muggings beside Swiss offences": ("prepost", "swiss_muggings", SE, "row 'switzerland'"),
    "Middlesbrough's 541 to 3 beside its 60 %": (
        "prepost", "middlesbrough_counts", {**SE, "y": "-5"}, "row 'teesside'"
    ),
    "Norwegian convictions stand behind mu_gamma": ("prepost", "norway_register", SE, "prior 'mu_gamma'"),
    "the rough half stands behind offset_all_users": (
        "offending", "half_no_crime", {"persons": "100", "days": "365", "value": "50"}, "prior 'offset_all_users'"),
    "Germany after one year beside two": ("retention", "germany_1y", {}, "row 'germany_2y'"),
    "Switzerland in 2021 beside the mid 2000s": (
        "coverage", "switzerland_2021", {"clients": "20000"}, "'switzerland_cov'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("table", "row", "cells", "through"), TWINS.values(), ids=TWINS)
def test_an_excluded_twin_cannot_be_switched_on(
    copy: Any, refused: Refused, table: str, row: str, cells: dict[str, str], through: str
) -> None:
    copy.edit_row(table, row, use="likelihood", **cells)
    error = refused(EvidenceError, f"{table}.csv", table=row, key="use", found=through, says="counted twice")
    assert "set use = provenance or use = excluded" in str(error.fix)


def test_a_twin_may_take_the_place_of_its_twin(copy: Any) -> None:
    copy.edit_row("trials", "geneva", use="excluded")
    copy.edit_row("trials", "geneva_any", use="likelihood")
    assert "geneva_any" in {row.row for row in copy.load().rows("trials")}


def test_composites_are_marked_so_that_their_bias_applies() -> None:
    trials = {row.row: row for row in load_study().evidence["trials"]}
    assert trials["naomi"].outcome == "composite"
    assert trials["netherlands_inhaled"].outcome == trials["netherlands_injected"].outcome == "composite"


def test_the_1731_carry_no_poisson_error(copy: Any, refused: Refused) -> None:
    """They enter as a negative-binomial total; the spurious standard error has no place to stand."""
    (row,) = [row for row in load_study().rows("offending") if row.row == "riott_baseline"]
    assert (row.measure, row.se) == ("total", None)
    copy.edit_row("offending", "riott_baseline", se="0.05")
    refused(EvidenceError, "offending.csv", table="riott_baseline", key="se", found="0.05")


def test_no_register_of_40_000_is_a_population() -> None:
    study = load_study()
    numbers = {q for prior in study.priors.values() for q in prior.quantiles.values()}
    numbers |= {getattr(row, "clients", None) for row in study.evidence["coverage"]}
    assert 40_000 not in numbers
    assert study.priors["opioid_clients"].quantiles[0.5] == 133_555
    assert "opiate or crack users" in study.priors["population"].meaning
    assert "England" in study.priors["population"].meaning


def test_two_rows_of_one_data_set_in_two_tables(copy: Any, refused: Refused) -> None:
    copy.edit_row("retention", "riott_26w", data_set="Swiss Programme 1994-2000,  Retention")
    refused(EvidenceError, "retention.csv", table="switzerland_1y", key="use", found="row 'riott_26w'")


def test_two_contrasts_of_one_study(copy: Any, refused: Refused) -> None:
    copy.add_row("trials", "naomi", row="naomi_again", data_set="another account of NAOMI")
    refused(EvidenceError, "trials.csv", table="naomi_again", found="row 'naomi'", says="one contrast of a study")


def test_two_changes_of_one_arm(copy: Any, refused: Refused) -> None:
    copy.add_row("prepost", "teesside", row="teesside_again", data_set="another account of Teesside")
    refused(EvidenceError, "prepost.csv", table="teesside_again", found="row 'teesside'", says="heroin arm of a study")


def test_data_behind_an_alternative_prior_are_used_up_too(copy: Any, refused: Refused) -> None:
    copy.replace(
        "ceiling.toml",
        "parameters = { alpha = 1.0, beta = 15.0 }",
        'source = { key = "hansard2008dec", locator = "a third", kind = "parliament", status = "secondary", '
        'data_set = "victim surveys and drug-related share, England and Wales" }\n'
        "parameters = { alpha = 1.0, beta = 15.0 }",
    )
    refused(EvidenceError, "ceiling.csv", table="drug_related_total", found="prior 'countable_share'")


def test_one_statement_stands_behind_one_prior(copy: Any, refused: Refused) -> None:
    """The refractory share of 5 to 10 % stands behind the eligible pool, and not behind demand too."""
    study = load_study()
    named = {name: prior.source.data_set for name, prior in study.priors.items() if prior.source.key != "toolkit"}
    assert all(named.values()), "what was read somewhere names its data, so that the law can hold"
    copy.replace(
        "delivery.toml",
        'source    = { key = "toolkit", locator = "reasoned under why", kind = "judgement", status = "judgement" }',
        'source    = { key = "byford2013", locator = "introduction", kind = "trial", status = "judgement", '
        'data_set = "Refractory share of people  in treatment, 5-10 %" }',
    )  # fmt: skip
    refused(PriorError, "delivery.toml", table="eligible_share", key="source.data_set", found="prior 'mu_coverage'",
            says="counted twice")  # fmt: skip


def test_a_prior_and_its_alternatives_may_share_a_data_set(copy: Any) -> None:
    copy.replace(
        "delivery.toml", "[eligible_share.alternatives.optimistic]",
        "[eligible_share.alternatives.optimistic]\n"
        'source = { key = "byford2013", locator = "introduction", kind = "trial", status = "judgement", '
        'data_set = "refractory share of people in treatment, 5-10 %" }',
    )  # fmt: skip
    assert "optimistic" in copy.load().priors["eligible_share"].alternatives


SHARED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    # what: (cells of geneva_control, what the message says)
    "an arm in two rows that do not say so": (
        {"shared_arm": "", "shared_se": ""}, {"key": "shared_arm", "allowed": "Geneva control, month 6"}),
    "a misspelt arm": ({"shared_arm": "Geneva control"}, {"key": "shared_arm", "found": "Geneva control"}),
    "two sizes of one shared error": (
        {"shared_se": "0.3"}, {"key": "shared_se", "found": "0.3", "allowed": "0.258, as in row 'geneva'"}),
    "the arm of another study": (
        {"shared_arm": "PEPSA methadone, month 3", "shared_se": "0.41"}, {"key": "shared_arm", "says": "two studies"}),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "message"), SHARED.values(), ids=SHARED)
def test_arms_shared_by_two_rows(copy: Any, refused: Refused, cells: dict[str, str], message: dict[str, str]) -> None:
    copy.edit_row("prepost", "geneva_control", use="likelihood", **cells)
    refused(EvidenceError, "prepost.csv", **message)


def test_a_shared_error_is_less_than_the_errors_it_is_part_of(copy: Any, refused: Refused) -> None:
    for table, row in (("trials", "geneva"), ("prepost", "geneva_control")):  # 0.502^2 > 0.546 * 0.461: no covariance
        copy.edit_row(table, row, use="likelihood", shared_se="0.502")
    refused(EvidenceError, "prepost.csv", table="geneva_control", key="shared_se", says="not a covariance")
