"""The JSON Schema is the code's, accepts what ships, and refuses what reading refuses."""

from __future__ import annotations

import copy as copying
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bayes.errors import PriorError
from bayes.heroin.quantities import UNITS
from bayes.heroin.study import shipped_study
from bayes.priors import json_schema, parse_prior
from bayes.study import prior_files

FOLDER = shipped_study()
VALIDATOR = jsonschema.Draft202012Validator(json_schema(UNITS))
GOOD: dict[str, Any] = {
    "meaning": "a share",
    "unit": "share",
    "family": "Beta",
    "quantiles": {"q05": 0.1, "q95": 0.3},
    "source": {"key": "dwc2007", "locator": "p. 2", "kind": "press", "status": "secondary"},
    "why": "an example",
    "alternatives": {"sceptical": {"quantiles": {"q05": 0.01, "q95": 0.1}, "why": "less"}},
}


def changed(**path_to_value: Any) -> dict[str, Any]:
    """A good table with some values changed; ``None`` removes the key, and ``__`` goes down one table."""
    table = copying.deepcopy(GOOD)
    for path, value in path_to_value.items():
        *parents, last = path.split("__")
        at = table
        for parent in parents:
            at = at[parent]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return table


def test_the_shipped_schema_is_the_codes() -> None:
    shipped = json.loads((FOLDER / "prior.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(UNITS), "write it again as priors/README.md says"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(UNITS))


@pytest.mark.parametrize("path", prior_files(FOLDER), ids=lambda path: path.name)
def test_shipped_declarations_satisfy_the_schema_and_name_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./prior.schema.json\n")
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))] == []


def test_the_good_table_is_good_to_both() -> None:
    VALIDATOR.validate({"an_example": GOOD})
    assert parse_prior("an_example", GOOD).alternatives["sceptical"].quantiles[0.05] == 0.01


BAD: dict[str, dict[str, Any]] = {
    "unknown key": changed(mean=3),
    "missing meaning": changed(meaning=None),
    "blank why": changed(why="  "),
    "unknown unit": changed(unit="shares"),
    "unknown family": changed(family="Betta"),
    "family not a text": changed(family=["Beta"]),
    "unknown kind": changed(source__kind="paper"),
    "unknown status": changed(source__status="known"),
    "judgement of another status": changed(source__kind="judgement"),
    "unknown source key": changed(source__page=3),
    "source without locator": changed(source__locator=None),
    "source a text": changed(source="dwc2007"),
    "quantiles and parameters": changed(parameters={"alpha": 1, "beta": 2}),
    "neither": changed(quantiles=None),
    "empty quantiles": changed(quantiles={}),
    "one quantile for two parameters": changed(quantiles={"q50": 0.2}),
    "misnamed quantile": changed(quantiles={"p05": 0.1, "q95": 0.2}),
    "quantile of probability 0": changed(quantiles={"q00": 0.1, "q95": 0.2}),
    "quantile a text": changed(quantiles__q05="0.1"),
    "quantile a truth value": changed(quantiles__q05=True),
    "quantile outside the unit": changed(quantiles__q95=1.2),
    "quantile outside the family": changed(quantiles__q05=0),
    "alternative outside the unit": changed(alternatives__sceptical__quantiles__q05=-0.1),
    "foreign parameter": changed(quantiles=None, parameters={"alpha": 1, "beta": 2, "sigma": 1}),
    "missing parameter": changed(quantiles=None, parameters={"alpha": 1}),
    "parameter not positive": changed(quantiles=None, parameters={"alpha": 0, "beta": 2}),
    "alternative without why": changed(alternatives__sceptical__why=None),
    "alternative with a unit": changed(alternatives__sceptical__unit="share"),
    "alternative a number": changed(alternatives__sceptical=3),
    "alternatives a list": changed(alternatives=[]),
    "alternative misnamed": changed(alternatives={"Very Sceptical": GOOD["alternatives"]["sceptical"]}),
}


@pytest.mark.parametrize("table", BAD.values(), ids=BAD)
def test_schema_and_code_refuse_the_same(table: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({"an_example": table})
    with pytest.raises(PriorError):
        parse_prior("an_example", table, "some.toml", UNITS)


def test_misnamed_quantities_are_refused_by_both() -> None:
    assert not VALIDATOR.is_valid({"An example": GOOD})
    with pytest.raises(PriorError):
        parse_prior("An example", GOOD)
