"""Tables of a run are computed once: what is asked again is read, and anything else is not taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from bayes.sensitivity import suite
from bayes.sensitivity.case import Analysis, Request
from bayes.words import Words


@pytest.fixture
def computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Requests for which the one analysis here was computed."""
    found: list[Request] = []

    def run(case: object, request: Request) -> dict[str, pd.DataFrame]:
        found.append(request)
        return {"counted": pd.DataFrame({"number": [len(found)]})}

    monkeypatch.setenv("BAYES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(suite, "analyses", lambda: {"counted": Analysis(run, "", "")})
    return found


def asked(folder: Path, home: tuple[str, str] | None = ("bayes.heroin.question", "QUESTION"), **named: Any) -> int:
    """The number in the table of a run."""
    question = SimpleNamespace(home=home)
    case = SimpleNamespace(asked=SimpleNamespace(question=question), place={}, fit=SimpleNamespace(attrs={}),
                           words=None, target="x")  # fmt: skip
    again = named.pop("recompute", False)
    request = replace(Request(folder=folder), **named)
    found = suite.analyse_run(request, lambda request: case, ["counted"], jobs=1, recompute=again)  # type: ignore[arg-type, return-value]
    assert (folder / "tables" / "sensitivity" / "counted.csv").is_file()
    return int(found.tables["counted"]["number"].iloc[0])


def a_run(folder: Path, content: str = "a") -> Path:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"contents": {"fit.nc": content}, "inputs_hash": "b"}))
    return folder


def test_the_same_of_the_same_run_is_computed_once(tmp_path: Path, computed: list[Request]) -> None:
    assert [asked(a_run(tmp_path / "one")), asked(a_run(tmp_path / "copy"))] == [1, 1]
    assert len(computed) == 1


def test_another_run_another_request_and_recompute_are_computed(tmp_path: Path, computed: list[Request]) -> None:
    run = a_run(tmp_path / "one")
    found = [asked(run), asked(a_run(tmp_path / "other", "c")), asked(run, refit=False), asked(run, year=3)]
    assert found == [1, 2, 3, 4]
    assert [asked(run, recompute=True), asked(run)] == [5, 5]


@pytest.mark.parametrize("home", [None, ("study_of_mine", "question"), ("bayesian", "question")])
def test_code_outside_this_package_is_run_again(tmp_path: Path, computed: list[Request], home: Any) -> None:
    run = a_run(tmp_path / "one")
    assert [asked(run, home), asked(run, home)] == [1, 2]


@pytest.mark.parametrize(
    ("times", "said"), [((2010, 2015, 2020), "3 years of 2010 to 2020"), ((1, 2, 3), "all 3 years"), ((1,), "")]
)
def test_a_table_that_is_summed_says_over_which_times(
    monkeypatch: pytest.MonkeyPatch, times: tuple[int, ...], said: str
) -> None:
    """Of each row its own outcome counts: of a stock nothing is summed."""
    plane, other = pd.DataFrame({"quantity": ["cost", "effect", "net_benefit", "EVPI"]}), pd.DataFrame([1.0])
    made = {"plane": plane, "curve": other, "moves": other}
    record = Analysis(lambda case, request: made, "", "", tuple(made), ("plane", "curve"))
    monkeypatch.setattr(suite, "analyses", lambda: {"choice": record})
    words = Words(target="cases", cost="cost", net_benefit="worth",
                  units={"cost": "GBP/year", "cases": "cases", "worth": "GBP/year"})  # fmt: skip
    case = SimpleNamespace(place={}, fit=SimpleNamespace(attrs={}), words=words, times=times)
    found = suite.analyse(case, "choice", Request(folder=Path()))  # type: ignore[arg-type]
    assert found["plane"]["times"].tolist() == [said, "", said, said]
    assert found["curve"]["times"].tolist() == [said]
    assert "times" not in found["moves"]
