"""Every public function, given what it does not take for each of its arguments: an error of ours, or a result."""

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

import bayes
from bayes.figures import Figure
from bayes.sensitivity import Change, Lever, Source, Step

PLACES = ("bayes", "bayes.sensitivity", "bayes.calibration", "bayes.figures", "bayes.heroin.figures", "bayes.numbers",
          "bayes.summaries", "bayes.synthesis")  # fmt: skip
NOT_HERE = {
    "bayes.figures.PaperFigure": "a matplotlib Figure, whose arguments are matplotlib's",
    "bayes.figures.Figure": "a record of a figure, which its file makes",
    "bayes.Study": "a record that only bayes.load_study makes",
    "bayes.synthesis.Synthesis": "a record that only bayes.synthesis.synthesise makes",
    "bayes.synthesis.Found": "a record that only bayes.synthesis.answered makes",
}
RNG = np.random.default_rng(1)


def _model():
    with pm.Model() as model:
        pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=[0.3, 0.9])
    return model


@pytest.fixture(scope="module")
def held(tmp_path_factory, shipped_fit, shipped_futures):
    """What each argument takes, by name."""
    folder = tmp_path_factory.mktemp("held")
    with pm.Model():
        pass
    model = _model()
    fit = bayes.sample(model, draws=100, tune=100, chains=2, rng=1)
    mu = shipped_fit["posterior"]["mu_theta"].isel(draw=slice(0, 50))
    inputs = pd.DataFrame(RNG.normal(size=(200, 2)), columns=["a", "b"])
    benefit = pd.DataFrame({"stay": 0.0, "go": inputs["a"]})
    change = Change("shift", log_ratio={"mu": 0.1 * mu.values})
    changes = bayes.sensitivity.compare({"mu": mu}, [change])
    sheet = folder / "trials.csv"
    sheet.write_text("study,y,se,e1,e2,n1,n2\na,0.1,0.2,1,2,10,10\nb,0.2,0.2,2,3,10,10\n")
    return {
        "fit": shipped_fit.isel(draw=slice(0, 50)), "data": fit, "model": model, "study": bayes.load_study(),
        "futures": shipped_futures.isel(draw=slice(0, 50)), "quantity": "offences_avoided",
        "targets": {"mu": mu}, "target": mu, "priors": {}, "inputs": inputs, "output": inputs["a"],
        "net_benefit": benefit, "simulate": lambda x, generator: x[["a"]], "parameter": inputs["a"], "sd": 1.0,
        "sizes": [10], "costs": benefit, "effects": benefit, "willingness_to_pay": [1.0], "low": -1.0, "high": 1.0,
        "steps": [Step("one", mu.values)], "changes": [change], "sources": [Source(change, np.full((4, 50, 2), 0.5))],
        "levers": [Lever("shift", "u", -3, 3, lambda v: (mu.values + v, None))], "variants": [change],
        "below": np.full((4, 50, 2), 0.5), "table": changes,
        "ranks": pd.DataFrame({"quantity": "mu", "rank": [1, 5], "draws": 99}),
        "rows": bayes.synthesis.LogRatios(("a", "b"), np.array([0.1, 0.2]), np.array([0.2, 0.2])),
        "run_a": folder, "run_b": folder, "path": folder / "report.md", "folder": folder, "name": "x", "figure": None,
        "draws": 20, "tune": 50, "chains": 1, "simulations": 1, "value": 1.0, "values": mu.values, "kind": "eti",
        "share": 0.5, "pounds": 1.0,
        "worlds": pd.DataFrame({"world": ["a", "mixture"], "weight": 0.5, "median": 1.0, "lower": 0.0, "upper": 2.0,
                                "unit": "cases", "prob": 0.95, "kind": "eti"}),
        "prob": 0.5, "p": 0.5, "q": (0.5,), "mcse": 0.1, "y": "y", "se": "se", "events": ["e1", "e2"],
        "total": ["n1", "n2"], "labels": ("a", "b"), "evidence": pd.DataFrame(), "conflict": pd.DataFrame(),
        "scenarios": None, "unit": "u", "at": lambda v: (mu.values + v, None), "change": change,
        "distortions": [],
        "question": bayes.Question(model=_model, target="mu"), "structure": "fixed", "a": None, "b": None,
        "time": ["n1", "n2"], "columns": bayes.synthesis.Columns(y="y", se="se"),
        "arms": [["y", "y"], ["se", "se"], ["n1", "n2"]],
        "found": bayes.synthesis.synthesise(
            bayes.synthesis.LogRatios(("a", "b", "c"), (0.1, 0.2, 0.4), (0.2, 0.2, 0.3))),
        "asked": bayes.synthesis.Asked(), "sigma": 1.0,
        "array": mu, "texts": ["20k"], "passed": True, "threshold": 1.0, "text": "t", "checks": (), "problem": "p",
        "label": "a", "form": ".2f", "width": 1.0,
    }  # fmt: skip


def _wrong(held):
    """What people hand over by mistake."""
    return {
        "None": None, "int": 3, "float": 0.5, "text": "nonsense", "missing path": Path("missing/fit.nc"),
        "DataFrame": pd.DataFrame({"a": [1.0]}), "Dataset": xr.Dataset({"a": ("x", [1.0])}),
        "Dataset of draws": held["fit"]["posterior"].to_dataset(), "empty Dataset": xr.Dataset(),
        "empty tree": xr.DataTree(), "dict": {"a": 1}, "list": [1, "a", None], "array": np.zeros(3),
        "model": held["model"], "fit": held["fit"], "study": held["study"], "object": object(),
    }  # fmt: skip


def _public():
    for place in PLACES:
        module = import_module(place)
        for name in module.__all__:
            found = getattr(module, name)
            if (
                callable(found)
                and not (inspect.isclass(found) and issubclass(found, Exception))
                and f"{place}.{name}" not in NOT_HERE
            ):
                yield pytest.param(found, id=f"{place}.{name}")
            if isinstance(found, Figure):
                yield pytest.param(found.table, id=f"{place}.{name}.table")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", list(_public()))
def test_wrong_arguments_are_refused_by_name(function, held, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["question.py"])
    known = inspect.signature(function).parameters
    needed = {name: held[name] for name, p in known.items() if p.default is p.empty}
    raw = {}
    for name in known:
        for kind, wrong in _wrong(held).items():
            try:
                function(**{**needed, **({"draws": 20, "tune": 20} if "tune" in known else {}), name: wrong})
            except bayes.BayesError:
                pass
            except (Exception, SystemExit) as error:
                if (function, getattr(error, "code", 0)) == (bayes.main, 2):  # a command line without a command
                    continue
                raw[f"{name}={kind}"] = f"{type(error).__name__}: {str(error)[:80]}"
    assert not raw, "\n".join(f"{key}: {text}" for key, text in raw.items())
