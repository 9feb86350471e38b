"""One mistake in a declared prior: one message that says file, table, key, found, allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayes.errors import InputError, PriorError, StudyError
from bayes.priors import read_priors

OFF, D, C, R, M = "offending.toml", "delivery.toml", "ceiling.toml", "reduction.toml", "money.toml"
MAIN = "offences_per_user_year"
Q = "q05 = 108, q50 = 432, q95 = 1728"
BETA = "alpha = 1.0, beta = 4.0"

MISTAKES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    # name: (file, old text, new text, what the message says)
    "unknown key": (
        OFF, "meaning   =", "meening   =",
        {"table": MAIN, "key": "meening", "allowed": "meaning", "says": "did you mean 'meaning'?"},
    ),
    "missing key": (
        OFF, 'unit      = "offences/person-year"\n', "", {"table": MAIN, "key": "unit", "says": "add unit"}
    ),
    "blank text": (
        OFF, 'unit      = "offences/person-year"', 'unit = " "', {"table": MAIN, "key": "unit", "found": "' '"}
    ),
    "misspelt family": (
        OFF, 'family    = "LogNormal"', 'family = "LogNormale"',
        {"table": MAIN, "key": "family", "found": "LogNormale", "allowed": "HalfNormal", "says": "'LogNormal'?"},
    ),
    "misspelt unit": (
        OFF, "offences/person-year", "offences/person-years",
        {"table": MAIN, "key": "unit", "found": "person-years", "says": "did you mean 'offences/person-year'?"},
    ),
    "another unit than the model's": (
        OFF, 'unit      = "offences/person-year"', 'unit = "offences/year"',
        {"table": MAIN, "key": "unit", "found": "offences/year", "allowed": "offences/person-year"},
    ),
    "quantiles out of order": (
        OFF, Q, "q05 = 432, q50 = 108, q95 = 1728",
        {"table": MAIN, "key": "quantiles", "found": "'q05': 432", "says": "put them in order"},
    ),
    "equal quantiles": (OFF, Q, "q05 = 108, q50 = 108", {"table": MAIN, "key": "quantiles", "says": "must rise"}),
    "quantile outside the unit": (
        D, "q05 = 0.5, q95 = 0.95", "q05 = 0.5, q95 = 1.2",
        {"table": "occupancy", "key": "quantiles.q95", "found": "1.2", "allowed": "0 to 1"},
    ),
    "quantile outside the family": (
        OFF, Q, "q05 = 0, q50 = 432",
        {"table": MAIN, "key": "quantiles.q05", "found": "0", "allowed": "greater than 0"},
    ),
    "quantile misnamed": (
        OFF, Q, "q5 = 108, q50 = 432", {"table": MAIN, "key": "quantiles.q5", "allowed": "q05, q50", "says": "rename"}
    ),
    "quantile given twice": (
        OFF, Q, "q05 = 108, q50 = 432, q500 = 433", {"table": MAIN, "key": "quantiles.q500", "says": "stands twice"}
    ),
    "too few quantiles": (
        OFF, Q, "q50 = 432", {"table": MAIN, "key": "quantiles", "says": "LogNormal needs 2 quantiles or more"}
    ),
    "a fit that misses by more than 1 %": (
        OFF, Q, "q05 = 108, q50 = 440, q95 = 1728",
        {"table": MAIN, "key": "quantiles", "found": "'q50': 440", "allowed": "at most 1%", "says": "misses by"},
    ),
    "an alternative that no member fits": (
        OFF, "q05 = 216, q50 = 432, q95 = 864", "q05 = 216, q50 = 800, q95 = 864",
        {"table": f"{MAIN}.alternatives.optimistic", "key": "quantiles", "found": "'q50': 800"},
    ),
    "a shifted lognormal with the wrong skew": (
        D, "q025 = 325945, q50 = 327466, q975 = 343424", "q025 = 325945, q50 = 340000, q975 = 343424",
        {"table": "population", "key": "quantiles", "found": "'q025': 325945", "says": "longer upper"},
    ),
    "a family that leaves its unit": (
        D, 'family    = "Beta"\nquantiles = { q05 = 0.5, q95 = 0.95 }',
        'family    = "Normal"\nquantiles = { q05 = 0.5, q95 = 0.95 }',
        {"table": "occupancy", "key": "family", "found": "outside", "allowed": "0 to 1", "says": "share"},
    ),
    "a truth value for a number": (OFF, Q, "q05 = true, q50 = 432", {"key": "quantiles.q05", "found": "True"}),
    "a text for a number": (OFF, Q, 'q05 = "108", q50 = 432', {"key": "quantiles.q05", "found": "'108'"}),
    "not a number": (OFF, Q, "q05 = nan, q50 = 432", {"key": "quantiles.q05", "found": "nan", "says": "finite"}),
    "infinite": (OFF, Q, "q05 = 108, q50 = inf", {"key": "quantiles.q50", "found": "inf", "says": "finite"}),
    "a number beyond double precision": (
        OFF, Q, "q05 = 108, q50 = 1" + "0" * 400, {"key": "quantiles.q50", "says": "finite"}
    ),
    "no numbers": (
        OFF, f"quantiles = {{ {Q} }}\n", "", {"table": MAIN, "key": "quantiles", "says": "give one of the two"}
    ),
    "quantiles and parameters": (
        C, f"parameters = {{ {BETA} }}", f"parameters = {{ {BETA} }}\nquantiles = {{ q05 = 0.1, q95 = 0.2 }}",
        {"table": "countable_share", "key": "quantiles", "found": "parameters", "says": "one of the two"},
    ),
    "numbers not in a table": (C, f"{{ {BETA} }}", "1.0", {"key": "parameters", "found": "1.0", "says": "alpha = …"}),
    "foreign parameter": (
        C, BETA, "alfa = 1.0, beta = 4.0",
        {"key": "parameters.alfa", "allowed": "alpha, beta", "says": "did you mean 'alpha'?"},
    ),
    "missing parameter": (C, BETA, "alpha = 1.0", {"table": "countable_share", "key": "parameters.beta"}),
    "parameter not positive": (
        C, BETA, "alpha = 0, beta = 4.0", {"key": "parameters.alpha", "allowed": "greater than 0"}
    ),
    "unknown source": (
        OFF, '"dwc2007"', '"dwc2008"',
        {"table": MAIN, "key": "source.key", "found": "dwc2008", "allowed": "dwc2007", "says": "did you mean 'dwc20"},
    ),
    "unknown status": (
        OFF, 'status = "secondary"', 'status = "secondry"',
        {"table": MAIN, "key": "source.status", "allowed": "secondary", "says": "did you mean 'secondary'?"},
    ),
    "unknown kind": (OFF, 'kind = "press"', 'kind = "pres"', {"table": MAIN, "key": "source.kind", "allowed": "press"}),
    "unknown key of a source": (
        OFF, 'locator = "news', 'page = "1", locator = "news',
        {"table": MAIN, "key": "source.page", "allowed": "locator"},
    ),
    "source without a locator": (
        OFF, 'locator = "news item of 22 Feb 2007", ', "", {"table": MAIN, "key": "source.locator"}
    ),
    "a judgement by another name": (
        C, 'status = "judgement"', 'status = "primary"',
        {"table": "countable_share", "key": "source.status", "found": "primary", "allowed": "judgement"},
    ),
    "alternative without a reason": (
        C, 'why        = "Few self-reported offences have a victim who would count them."\n', "",
        {"table": "countable_share.alternatives.sceptical", "key": "why"},
    ),
    "unknown family of an alternative": (
        C, "parameters = { alpha = 1.0, beta = 15.0 }", 'family = "Betta"\nparameters = { alpha = 1.0, beta = 15.0 }',
        {"table": "countable_share.alternatives.sceptical", "key": "family", "says": "did you mean 'Beta'?"},
    ),
    "unknown source of an alternative": (
        C, "parameters = { alpha = 1.0, beta = 15.0 }",
        'source = { key = "nobody", locator = "p. 1", kind = "press", status = "secondary" }\n'
        "parameters = { alpha = 1.0, beta = 15.0 }",
        {"table": "countable_share.alternatives.sceptical", "key": "source.key", "found": "nobody"},
    ),
    "unknown quantity": (
        C, "[countable_share]", "[countable_shares]\n[countable_share]", {"table": "countable_shares", "key": "meaning"}
    ),
    "misnamed quantity": (R, "[fidelity]", '["Fidelity 2"]', {"table": "Fidelity 2", "says": "lower case"}),
    "a % sign": (
        OFF, "\n[offset_entrants]", "\nx = 60%\n[offset_entrants]", {"says": "numbers take no % sign: write 0.60"}
    ),
    "malformed TOML": (OFF, "[offset_entrants]", "[offset_entrants", {"found": "line", "says": "not valid TOML"}),
    "a table twice": (OFF, "[offset_entrants]", f"[{MAIN}]", {"says": "not valid TOML"}),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_prior(
    copy: Any, refused: Callable[..., InputError], file: str, old: str, new: str, message: dict[str, str]
) -> None:
    copy.replace(file, old, new)
    refused(PriorError, file, **message)


def test_a_quantity_the_model_does_not_have(copy: Any, refused: Callable[..., InputError]) -> None:
    text = (copy.folder / C).read_text(encoding="utf-8")
    copy.append(C, text.replace("countable_share", "countable_shares").replace("#:schema", "#"))
    refused(
        PriorError, C, table="countable_shares", found="countable_shares", allowed="countable_share",
        says="did you mean 'countable_share'?",
    )  # fmt: skip


def test_a_missing_quantity(copy: Any, refused: Callable[..., InputError]) -> None:
    (copy.folder / C).write_text("# nothing declared\n", encoding="utf-8")
    refused(StudyError, "study", table="countable_share", allowed="share", says="add [countable_share]")


def test_a_quantity_declared_in_two_files(copy: Any, refused: Callable[..., InputError]) -> None:
    (copy.folder / "more.toml").write_text((copy.folder / C).read_text(encoding="utf-8"), encoding="utf-8")
    refused(PriorError, "more.toml", table="countable_share", found="also in ceiling.toml", says="remove one")


def test_a_quantity_outside_any_table(copy: Any, refused: Callable[..., InputError]) -> None:
    copy.replace(M, "[programme_cost]", "gbp = 3\n[programme_cost]")
    refused(PriorError, M, table="gbp", found="3", says="under a heading")


def test_a_file_that_is_not_utf8(copy: Any, refused: Callable[..., InputError]) -> None:
    (copy.folder / OFF).write_bytes("[größe]".encode("latin-1"))
    refused(StudyError, OFF, found="byte 0xf6 at offset 3", allowed="UTF-8", says="save it again")


def test_a_byte_order_mark_is_harmless(copy: Any) -> None:
    before = copy.load().content_hash
    (copy.folder / OFF).write_bytes(b"\xef\xbb\xbf" + (copy.folder / OFF).read_bytes())
    assert copy.load().content_hash == before


def test_a_missing_file_of_priors() -> None:
    with pytest.raises(StudyError, match="this file is missing"):
        read_priors(Path("nowhere.toml"))


def test_an_unknown_alternative_or_quantity(copy: Any) -> None:
    study = copy.load()
    with pytest.raises(PriorError, match="did you mean 'sceptical'"):
        study.with_priors({MAIN: "skeptical"})
    with pytest.raises(PriorError, match="none is declared"):
        study.with_priors({"opioid_clients": "sceptical"})
    with pytest.raises(PriorError, match=f"did you mean '{MAIN}'"):
        study.with_priors({"offences_per_user": "sceptical"})
