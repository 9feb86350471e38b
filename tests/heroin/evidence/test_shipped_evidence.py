"""The shipped evidence: how many rows, what they are computed from, and that every source can be found.

The figures on the right are those of the sources, as published; the arithmetic is done here again. A log ratio or a
standard error is written with three decimals, so it may differ by half a unit of the third: ``PRINTED``.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from bayes.heroin.study import load_study

STUDY = load_study()
ROWS: dict[str, Any] = {row.row: row for rows in STUDY.evidence.values() for row in rows}
PRINTED = 0.0005 * (1 + 1e-9)
ROUNDED = 0.005 * (1 + 1e-9)
"""Two decimals, where our own judgement is part of the error."""

ln = math.log


def test_rows_by_table_and_use() -> None:
    counts = {
        table: tuple(Counter(row.use for row in rows)[use] for use in ("likelihood", "provenance", "excluded"))
        for table, rows in STUDY.evidence.items()
    }
    assert counts == {
        "offending": (5, 4, 2),
        "trials": (9, 0, 8),
        "prepost": (6, 1, 9),
        "retention": (6, 0, 2),
        "coverage": (4, 0, 2),
        "ceiling": (1, 4, 0),
        "facts": (0, 0, 0),  # compared with what is predicted, never fitted
    }


# --- arithmetic on published figures ---------------------------------------------------------


def se_mean_log(mean: float, sd: float, n: int) -> float:
    """Delta method: the standard error of the log of a mean."""
    return sd / math.sqrt(n) / mean


def se_log_share(events: float, n: float) -> float:
    """Delta method: the standard error of the log of a binomial share."""
    return math.sqrt(1 / events - 1 / n)


def se_z(log_ratio: float, p: float) -> float:
    """The standard error that a two-sided p value implies."""
    from scipy.stats import norm

    return abs(log_ratio) / float(norm.isf(p / 2))


def se_interval(lower: float, upper: float) -> float:
    """The standard error that a 95 % interval of a ratio implies, with z rounded to 1.96 as published."""
    return (ln(upper) - ln(lower)) / 3.92


def var_log_total(total: float, persons: int, shape: float) -> float:
    """Variance of the log of a negative-binomial total: 1/T + 1/(n k)."""
    return 1 / total + 1 / (persons * shape)


ARM = 31  # people in each arm of PEPSA
K = 0.3  # our judgement of the gamma shape
EXACT: dict[str, tuple[float, float, float]] = {
    # row: (log ratio, standard error, tolerance of the standard error)
    "geneva": (ln(0.2 / 1.1), math.hypot(se_mean_log(0.2, 0.5, 27), se_mean_log(1.1, 1.3, 21)), PRINTED),
    "geneva_control": (ln(1.1 / 0.4), math.hypot(se_mean_log(1.1, 1.3, 21), se_mean_log(0.4, 0.7, 21)), PRINTED),
    "geneva_heroin": (ln(0.2 / 2.1), math.hypot(se_mean_log(0.2, 0.5, 27), se_mean_log(2.1, 2.2, 27)), PRINTED),
    "geneva_any": (ln(5 / 27 / (12 / 21)), math.hypot(se_log_share(5, 27), se_log_share(12, 21)), PRINTED),
    "geneva_review": (ln(0.32), se_interval(0.14, 0.78), PRINTED),
    "riott": (ln(0.05 / 0.11), math.hypot(se_z(ln(0.05), 0.001), se_z(ln(0.11), 0.003)), ROUNDED),
    "riott_oral": (ln(0.11), se_z(ln(0.11), 0.003), PRINTED),
    "naomi": (ln(38 / 115 / (58 / 111)), math.hypot(se_log_share(38, 115), se_log_share(58, 111)), PRINTED),
    "netherlands_inhaled": (
        ln((1 - 0.497) / (1 - 0.269)),
        math.hypot(se_log_share(0.503 * 117, 117), se_log_share(0.731 * 139, 139)),
        PRINTED,
    ),
    "netherlands_injected": (
        ln((1 - 0.555) / (1 - 0.312)),
        math.hypot(se_log_share(0.445 * 76, 76), se_log_share(0.688 * 98, 98)),
        PRINTED,
    ),
    "germany": (
        ln(0.39 / 0.55) - ln(0.55 / 0.58),
        math.sqrt(
            sum(se_log_share(s * n, n) ** 2 for s, n in ((0.39, 346), (0.55, 346), (0.55, 200), (0.58, 200)))
        ),
        PRINTED,
    ),
    "germany_methadone": (
        ln(0.55 / 0.58), math.hypot(se_log_share(0.55 * 200, 200), se_log_share(0.58 * 200, 200)), PRINTED
    ),
    "spain": (
        ln(5 / (7 + 10 + 0)), math.sqrt(var_log_total(5, ARM, K) + var_log_total(17, ARM, K)), ROUNDED
    ),
    "spain_methadone": (
        ln(17 / (21 + 4 + 4)), math.sqrt(var_log_total(17, ARM, K) + var_log_total(29, ARM, K)), PRINTED
    ),
    "vancouver_states": (-ln(2.61), se_interval(1.64, 4.14), PRINTED),
}  # fmt: skip


@pytest.mark.parametrize("row", EXACT)
def test_log_ratios_and_their_errors_follow_from_published_figures(row: str) -> None:
    y, se, tolerance = EXACT[row]
    assert ROWS[row].y == pytest.approx(y, abs=PRINTED)
    assert ROWS[row].se == pytest.approx(se, abs=tolerance)


STATED: dict[str, tuple[float, float]] = {
    # row: (log ratio, our stated standard error)
    "belgium_null": (0.0, 0.6),
    "switzerland": (ln(1 - 0.60), 0.3),
    "england_convictions": (ln(1 - 0.475), 0.3),  # 47 to 48 % fewer
    "teesside": (ln(1 - 0.60), 0.6),
}


@pytest.mark.parametrize("row", STATED)
def test_log_ratios_whose_errors_are_our_judgement_say_so(row: str) -> None:
    y, se = STATED[row]
    assert ROWS[row].y == pytest.approx(y, abs=PRINTED)
    assert (ROWS[row].se, ROWS[row].se_kind) == (se, "stated")
    assert "our judgement" in ROWS[row].why + ROWS[row].note


def test_every_log_ratio_of_the_likelihood_is_derived_here() -> None:
    used = {row.row for table in ("trials", "prepost") for row in STUDY.rows(table)}
    assert used <= set(EXACT) | set(STATED)
    assert {row for row in used if ROWS[row].se_kind == "stated"} == {*STATED, "spain", "spain_methadone"}


LOGS = {
    "netherlands_days": ln(2 / 14),
    "review_median": ln(0.45),
    "naomi_model": ln(85.9 * 0.781 / (87.7 * 0.898)),
    "riott_heroin_counts": ln(547 / 1731),
    "vancouver_days": ln(4 / 14.1),
    "swiss_muggings": ln(1 - 0.70),
    "widnes": ln(1 - 0.93),
    "norway_register": ln(0.2 / 0.4),
}


@pytest.mark.parametrize("row", LOGS)
def test_log_ratios_kept_for_their_story(row: str) -> None:
    assert ROWS[row].y == pytest.approx(LOGS[row], abs=PRINTED)
    assert ROWS[row].use != "likelihood"


SHARED = {
    "RIOTT oral arm, change": (se_z(ln(0.11), 0.003), PRINTED),
    "Germany methadone, change": (
        math.hypot(se_log_share(0.55 * 200, 200), se_log_share(0.58 * 200, 200)), PRINTED
    ),
    "PEPSA methadone, month 3": (math.sqrt(var_log_total(17, ARM, K)), ROUNDED),
}  # fmt: skip


@pytest.mark.parametrize("arm", SHARED)
def test_errors_shared_by_two_rows_of_one_arm(arm: str) -> None:
    rows = [row for table in ("trials", "prepost") for row in STUDY.rows(table) if row.shared_arm == arm]
    assert len(rows) == 2
    se, tolerance = SHARED[arm]
    assert [row.shared_se for row in rows] == [pytest.approx(se, abs=tolerance)] * 2


# --- counts, shares and ranges ---------------------------------------------------------------


def test_two_dutch_trials_of_the_published_sizes_give_the_published_intervals() -> None:
    """76 and 98 people an arm are inferred: they are those that reproduce 9.6 to 39.0 percentage points."""
    for (p, n), (q, m), width in (((0.497, 117), (0.269, 139), 34.6 - 11.0), ((0.555, 76), (0.312, 98), 39.0 - 9.6)):
        se = math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        assert 100 * 2 * 1.96 * se == pytest.approx(width, rel=0.02)


def test_both_arms_of_an_imbalanced_table_are_treated_alike() -> None:
    """2.1 charges before entry in one arm and 0.4 in the other: neither change is evidence, the contrast is."""
    assert ROWS["geneva_heroin"].use == ROWS["geneva_control"].use == "excluded"
    assert ROWS["geneva"].use == "likelihood"
    for row in ("geneva_heroin", "geneva_control"):
        assert "treated alike" in ROWS[row].why


def test_odds_and_shares_are_not_called_counts() -> None:
    assert ROWS["riott"].outcome == ROWS["riott_oral"].outcome == "odds"
    assert ROWS["vancouver_states"].outcome == "prevalence"
    assert STUDY.priors["bias_odds"].quantiles[0.5] < 0, "odds lie further from no effect"
    for before in (0.5, 0.9):  # the arithmetic under why
        odds = before / (1 - before)
        share = [ratio * odds / (1 + ratio * odds) for ratio in (0.05, 0.11)]
        overstated = ln(0.05 / 0.11) - ln(share[0] / share[1])
        assert overstated == pytest.approx({0.5: -0.056, 0.9: -0.317}[before], abs=PRINTED)


@pytest.mark.parametrize(
    ("row", "persons", "days", "value", "se"),
    [
        ("riott_baseline", 43, 30, 1_731, None),
        ("dtors_total", 1_380, 28, 1_380 * 10, None),
        ("dtors_any", 1_380, 30.4, 554, None),  # the previous month
        ("arrestees_200", None, None, 200, 0.4),
        ("arrestees_any_year", None, 365.25, 0.81, 0.25),
        ("newadam_442", None, None, 442, None),
        ("press_432", None, None, 432, None),
        ("nta_133", None, None, round(26_074 / 196), None),
        ("riott_interim", None, None, 40 * 365.25 / 30, None),
        ("middlesbrough_recorded", None, None, 300 / 20 / 2, None),
    ],
)
def test_offending(row: str, persons: int | None, days: float | None, value: float, se: float | None) -> None:
    found = ROWS[row]
    assert (found.persons, found.days, found.value, found.se) == (persons, days, value, se)


@pytest.mark.parametrize(
    ("row", "years", "retained", "entered"),
    [
        ("riott_26w", 0.5, 38, 43),
        ("switzerland_1y", 1, 1_378, 1_969),
        ("germany_2y", 2, 278, 515),
        ("middlesbrough_1y", 1, 7, 14),
        ("naomi_1y", 1, 77, 115),
        ("london_1y", 1, 33, 58),
        ("naomi_1y_any", 1, round(0.878 * 115), 115),
        ("germany_1y", 1, round(0.672 * 515), 515),
    ],
)
def test_retention(row: str, years: float, retained: int, entered: int) -> None:
    assert (ROWS[row].years, ROWS[row].retained, ROWS[row].entered) == (years, retained, entered)


@pytest.mark.parametrize(
    ("row", "patients", "clients"),
    [
        ("switzerland_cov", 1_300, 1_300 + 16_000),
        ("netherlands_cov", 668, 7_421),
        ("denmark_cov", 250, 7_000),
        ("germany_cov", round(0.01 * 79_400), 79_400),
    ],
)
def test_coverage(row: str, patients: int, clients: int) -> None:
    assert (ROWS[row].patients, ROWS[row].clients) == (patients, clients)


def test_the_ceiling_is_the_product_of_its_parts_rounded_outwards() -> None:
    """10 to 18 million acquisitive crimes of England and Wales, a third to a half drug related; England's share."""
    total, england = ROWS["drug_related_total"], 53_107_200 / 56_170_900
    assert ROWS["england_share"].lower == ROWS["england_share"].upper == pytest.approx(england, abs=0.00005)
    assert abs(47.837 / (47.837 + 2.881) - england) < 0.003  # mid-1990: the year matters little
    assert total.lower == 2.8e6 <= 3e6 * england <= 10e6 / 3 * england
    assert total.upper == 8.5e6 == pytest.approx(18e6 / 2 * england, abs=5e4)
    half = ROWS["crime_survey"].lower / 2  # burglary 6, vehicles 15, other theft 30 %: about half
    assert half + ROWS["shop_survey"].lower < 10e6 < half + ROWS["shop_survey"].upper
    assert half + ROWS["shop_survey"].upper == pytest.approx(18e6, rel=0.02)  # rounded to the million
    assert (ROWS["related_share"].lower, ROWS["related_share"].upper) == (0.333, 0.5)


# --- sources and statuses --------------------------------------------------------------------


def test_every_reference_can_be_looked_up() -> None:
    for reference in STUDY.references.values():
        assert reference.title
        assert reference.author
        assert reference.key == "toolkit" or reference.url.startswith(("http://", "https://")), reference.key
        assert not set("{}\\") & set(reference.title + reference.author), "plain UTF-8, ready to print"


def test_every_reference_is_used() -> None:
    """In a source, a setting, or a locator that names it for a second figure."""
    priors = [one for prior in STUDY.priors.values() for one in (prior, *prior.alternatives.values())]
    used = {one.source.key for one in priors} | {row.source for row in ROWS.values()}
    settings = STUDY.settings
    used |= {settings.press_source, settings.press_reduction_source, settings.discount_source}
    locators = " ".join([*(row.locator for row in ROWS.values()), *(one.source.locator for one in priors)])
    assert {key for key in STUDY.references if key not in used and key not in locators} == set()


def test_a_log_ratio_is_arithmetic_or_judgement_never_read() -> None:
    for row in (*STUDY.evidence["trials"], *STUDY.evidence["prepost"]):
        if row.y is not None:
            assert row.status in ("derived", "judgement"), row.row


def test_an_error_is_there_exactly_when_its_kind_is_known() -> None:
    for row in (*STUDY.evidence["trials"], *STUDY.evidence["prepost"]):
        assert (row.se is None) == (row.se_kind == "none"), row.row


def test_no_unverified_figure_enters() -> None:
    assert all(row.status != "recalled" for row in ROWS.values() if row.use == "likelihood")


def test_excluded_rows_and_provenance_say_why() -> None:
    assert all(len(row.why.split()) >= 3 for row in ROWS.values())


def test_reports_of_no_effect_without_numbers_are_not_dropped() -> None:
    """Leaving null trials out would select the significant ones."""
    null = ROWS["belgium_null"]
    assert (null.use, null.y, null.status) == ("likelihood", 0, "judgement")


# --- the study as a whole --------------------------------------------------------------------


def test_hashes_name_every_input_file() -> None:
    assert set(STUDY.hashes) == {
        "ceiling.toml", "delivery.toml", "money.toml", "offending.toml", "reduction.toml", "references.bib",
        "scenarios.toml", "worlds.toml", *(f"evidence/{table}.csv" for table in STUDY.evidence),
    }  # fmt: skip
    assert all(len(value) == 64 for value in STUDY.hashes.values())


def test_the_content_hash_follows_numbers_not_prose(copy: Any) -> None:
    assert copy.load().content_hash == STUDY.content_hash
    copy.edit_row("trials", "geneva", note="said better")
    copy.edit_row("trials", "geneva_any", y="-1")
    copy.append("offending.toml", "# a remark\n")
    assert copy.load().content_hash == STUDY.content_hash
    assert copy.load().hashes != STUDY.hashes
    copy.edit_row("trials", "geneva", y="-1.7")
    assert copy.load().content_hash != STUDY.content_hash


def test_a_study_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        STUDY.priors["fidelity"] = STUDY.priors["occupancy"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        ROWS["geneva"].y = 0
