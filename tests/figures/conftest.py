"""A small synthetic run: every variable of the shipped model as plain random draws, no sampler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

CHAINS, DRAWS = 2, 250
SETTINGS = ("Alpha", "Beta", "Gamma")


def _draws(rng: np.random.Generator, widen: float) -> dict[str, np.ndarray]:
    """Scalar variables as (chain, draw); ``widen`` multiplies the spread (a prior is wider than its posterior)."""
    shape = (CHAINS, DRAWS)

    def log(median: float, sd: float) -> np.ndarray:
        return median * np.exp(widen * sd * rng.normal(size=shape))

    theta, gamma = -0.7 + widen * 0.3 * rng.normal(size=shape), -0.3 + widen * 0.4 * rng.normal(size=shape)
    return {
        "offences_per_user_year": log(360.0, 0.35),
        "drift": np.exp(gamma),
        "rate_ratio": np.exp(0.8 * theta),
        "occupancy": rng.beta(30, 3, size=shape),
        "coverage_new": rng.beta(2, 30, size=shape),
        "opioid_clients": log(134e3, 0.06),
        "opiate_users": log(282e3, 0.02),
        "current_patients": log(370.0, 0.12),
        "eligible_share": log(0.07, 0.2),
        "shape_year": log(0.24, 0.15),
        "targeting_strength": rng.beta(1, 5, size=shape),
        "offset_all_users": -1.4 + widen * 0.5 * rng.normal(size=shape),
        "countable_share": rng.beta(2, 8, size=shape),
        "mean_stay": log(4.3, 0.2),
        "programme_cost": log(13e3, 0.2),
        "cost_per_offence": log(200.0, 0.8),
        "mu_theta": theta * 0.5 - 0.35,
        "tau_theta": np.abs(widen * 0.2 * rng.normal(size=shape)),
        "theta_new": theta,
        "mu_gamma": gamma * 0.5,
        "tau_gamma": np.abs(widen * 0.3 * rng.normal(size=shape)),
        "gamma_new": gamma,
        "retention_scale": log(3.7, 0.12),
        "retention_shape": log(0.8, 0.1),
    }


def _dataset(values: dict[str, Any], coords: dict[str, Any] | None = None) -> xr.Dataset:
    made = {k: v if isinstance(v, tuple) else (("chain", "draw"), v) for k, v in values.items()}
    return xr.Dataset(made, coords={"chain": range(CHAINS), "draw": range(DRAWS), **(coords or {})})


def synthetic_fit(verdict: str = "passed") -> xr.DataTree:
    """A fit in ArviZ's groups with the shipped model's names."""
    rng = np.random.default_rng(7)
    effects = [f"theta: {s}" for s in SETTINGS] + [f"gamma: {s}" for s in SETTINGS]
    theta = -0.6 + 0.3 * rng.normal(size=(CHAINS, DRAWS, 3))
    gamma = -0.3 + 0.3 * rng.normal(size=(CHAINS, DRAWS, 3))
    rows = ["alpha", "beta", "gamma"]
    three = ("chain", "draw", "effect_row")
    coords = {
        "group_effect": effects,
        "effect_row": rows,
        "country": ["Switzerland"],
        "retention_row": ["first", "second"],
    }
    posterior = _dataset(
        {
            **_draws(rng, 1.0),
            "effect": (("chain", "draw", "group_effect"), np.concatenate([theta, gamma], axis=2)),
            "log_ratio_fitted": (three, theta + np.array([0.0, 0.2, -0.3])),
            "coverage": (("chain", "draw", "country"), rng.beta(80, 1000, size=(CHAINS, DRAWS, 1))),
        },
        coords,
    )
    fitted = posterior["log_ratio_fitted"].values
    predictive = _dataset(
        {
            "log_ratio": (three, fitted + 0.4 * rng.normal(size=fitted.shape)),
            "retention": (("chain", "draw", "retention_row"), rng.binomial(40, 0.7, size=(CHAINS, DRAWS, 2))),
        },
        coords,
    )
    observed = xr.Dataset(
        {"log_ratio": ("effect_row", [-1.7, -0.5, 0.9]), "retention": ("retention_row", [31, 26])},
        coords={k: coords[k] for k in ("effect_row", "retention_row")},
    )
    constant = xr.Dataset(
        {
            "log_ratio__observed": ("effect_row", [-1.7, -0.5, 0.1]),
            "log_ratio__se": ("effect_row", np.sqrt([0.3, 0.05, 0.4])),
            "retention__observed": ("retention_row", [31, 26]),
            "retention__entered": ("retention_row", [40, 40]),
            "retention__years": ("retention_row", [0.5, 1.0]),
        },
        coords={k: coords[k] for k in ("effect_row", "retention_row")},
    )
    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "prior": _dataset(_draws(rng, 2.5)),
            "posterior_predictive": predictive,
            "observed_data": observed,
            "constant_data": constant,
        }
    )
    sampled = ["offences_per_user_year", "shape_year", "countable_share", "mu_theta", "tau_theta", "retention_scale"]
    tree.attrs |= {"verdict": verdict, "inputs": "{}", "mcmc_variables": json.dumps(sampled)}
    return tree


def synthetic_futures(verdict: str = "passed") -> xr.Dataset:
    """A projection of three scenarios over four years, skewed, with some draws at or below zero."""
    rng = np.random.default_rng(11)
    size = (CHAINS, DRAWS, 1, 1)
    places = np.array([1000.0, 10_000.0, 300_000.0])[:, None]
    built = places * np.array([0.25, 0.75, 1.0, 1.0])
    rate = 150 * np.exp(0.9 * rng.normal(size=size)) - 12.0
    avoided = np.where(rng.random(size=size) < 0.03, 0.0, rate * built**0.8)
    share = rng.beta(2, 8, size=size)
    dims = ("chain", "draw", "scenario", "year")
    data = {
        "offences_avoided": (dims, avoided, {"unit": "offences"}),
        "victim_crimes_avoided": (dims, avoided * share, {"unit": "victim-counted crimes"}),
        "programme_cost": (dims, np.broadcast_to(1.3e4 * built, avoided.shape), {"unit": "GBP"}),
        "press_arithmetic": (dims, np.broadcast_to(built * 432 * 0.6, avoided.shape), {"unit": "offences"}),
    }
    coords = {
        "chain": range(CHAINS),
        "draw": range(DRAWS),
        "scenario": ["p1000", "hardcore", "everyone"],
        "year": [1, 2, 3, 4],
        "label": ("scenario", ["1,000 places", "10,000 'hardcore'", "Stress: 300,000"]),
        "stress": ("scenario", [False, False, True]),
    }
    from bayes.heroin.words import WORDS

    attrs = {"verdict": verdict, "discount_rate": 0.035, "words": WORDS.text()}
    return xr.Dataset(data, coords=coords, attrs=attrs)


EVIDENCE = pd.DataFrame(
    {
        "table": ["trials"] * 3 + ["retention"] * 2,
        "row": ["alpha", "beta", "gamma", "first", "second"],
        "group": [*SETTINGS, "Alpha", "Beta"],
        "use": "likelihood",
        "scale": ["log ratio"] * 3 + ["persons"] * 2,
    }
)

STAMP = {"draws": CHAINS * DRAWS, "chains": CHAINS, "verdict": "passed"}


def sensitivity_tables() -> dict[str, pd.DataFrame]:
    """Tidy tables as the sensitivity analyses write them."""
    names = [
        "offences per person",
        "change that comparators show too",
        "effect in a new programme",
        "demand (coverage)",
        "occupancy",
    ]
    k = np.arange(5)
    share = 0.5 * np.exp(-k / 1.5) - 0.01
    wtp = np.linspace(0, 400, 21)
    p = 1 / (1 + np.exp(-(wtp - 120) / 40))
    variants = pd.DataFrame(
        [
            {
                "variant": f"{e}/{d}",
                "estimate": 4e5 + 1e5 * i + 5e4 * j,
                "lower": 2e4,
                "upper": 2e6 + 1e5 * i,
                "effects": e,
                "drift": d,
            }
            for i, e in enumerate(("random", "common", "t"))
            for j, d in enumerate(("on", "off"))
        ]
    )
    variants.loc[0, "variant"] = "default"
    interval = {"prob": 0.95, "kind": "eti"}
    return {
        "tornado": pd.DataFrame(
            {
                "input": names,
                "lower_change": -4e5 * np.exp(-k),
                "upper_change": 9e5 * np.exp(-k / 2),
                "unit": "offences",
            }
        ),
        "variance": pd.DataFrame(
            {
                "input": names,
                "measure": "shapley",
                "estimate": share,
                "lower": share - 0.03,
                "upper": share + 0.03,
                "prob": 0.95,
                "kind": "confidence",
            }
        ),
        "budget": pd.DataFrame(
            {
                "step": ["sampling error only", "+ between settings", "+ drift", "+ demand"],
                "lower": [3e5, 2e5, 9e4, 1e4],
                "estimate": [5e5] * 4,
                "upper": [8e5, 9e5, 1.4e6, 2.4e6],
                "unit": "offences",
            }
            | interval
        ),
        "specification": variants.assign(unit="offences", **interval),
        "worlds": pd.DataFrame(
            {
                "world": ["as_fitted", "small_studies", "sceptic", "mixture"],
                "weight": [0.5, 0.3, 0.2, 1.0],
                "estimate": [5e5, 3.6e5, 1.2e5, 3.9e5],
                "lower": [3e3, 0.0, -2e4, 0.0],
                "upper": [1.8e6, 1.5e6, 6e5, 1.7e6],
                "unit": "offences",
            }
            | interval
        ),
        "acceptability": pd.concat(
            [
                pd.DataFrame(
                    {"willingness_to_pay": wtp, "option": "10,000 places", "probability": p, "optimal": p > 0.45}
                ),
                pd.DataFrame(
                    {"willingness_to_pay": wtp, "option": "as today", "probability": 1 - p, "optimal": p <= 0.45}
                ),
            ]
        ),
        "conflict": pd.DataFrame(
            {
                "source": ["alpha", "beta", "gamma", "first", "second"],
                "p_below": [0.1, 0.35, 0.5, 0.7, 0.2],
                "p_at_most": [0.1, 0.35, 0.5, 0.8, 0.3],
            }
        ),
        "voi": pd.DataFrame(
            {
                "quantity": ["EVPI"] + ["EVPPI"] * 3,
                "input": ["(all)", *names[:3]],
                "estimate": [2.4e7, 1.5e7, 9e6, 2e5],
                "mcse": 4e5,
            }
        ),
    }


@pytest.fixture(scope="session")
def fit() -> xr.DataTree:
    return synthetic_fit()


@pytest.fixture(scope="session")
def futures() -> xr.Dataset:
    return synthetic_futures()


@pytest.fixture(scope="session")
def tables(fit: xr.DataTree, futures: xr.Dataset) -> dict[str, pd.DataFrame]:
    """The table of every figure, by the name of its function."""
    from bayes import figures, load_study
    from bayes.heroin import figures as own

    words = {"alpha": "first trial", "beta": "second trial"}
    nodes = [
        ("a", "rate of offending", "free"),
        ("b", "effect", "free"),
        ("c", "between studies", "deterministic"),
        ("d", "counts", "observed"),
        ("e", "avoided", "outcome"),
    ]
    graph = pd.DataFrame(
        [{"layer": "node", "box": box, "name": label, "label": label, "kind": kind} for box, label, kind in nodes]
        + [
            {"layer": "edge", "source": a, "target": b}
            for a, b in (("a", "c"), ("b", "c"), ("c", "d"), ("a", "e"), ("c", "e"))
        ]
    )
    more = {name: table.assign(**STAMP) for name, table in sensitivity_tables().items()}
    found = {
        **{name: getattr(figures, name).table(futures) for name in ("posterior", "ridge", "fan", "exceedance", "dots")},
        **{name: getattr(own, name).table(fit) for name in ("heterogeneity", "retention", "concentration")},
        **{name: getattr(own, name).table(fit, EVIDENCE) for name in ("forest", "funnel")},
        **{name: own.places.table(fit, load_study(), points=9) for name in ("places", "returns")},
        "left_out": left_out_table(),
        "priors": figures.priors.table(fit),
        "predictive": figures.predictive.table(fit, labels=words),
        "chains": figures.chains.table(fit),
        "model": graph.assign(**STAMP),
        "shapley": more["variance"],
        "loo_pit": figures.loo_pit.table(more["conflict"]),
        "acceptability": figures.acceptability.table(more["acceptability"], voi=more["voi"]),
    }
    return found | {name: more[name] for name in ("tornado", "budget", "specification", "worlds")}


def left_out_table() -> pd.DataFrame:
    """A synthesis of twelve rows, without each in turn."""
    import numpy as np

    from bayes.synthesis import LogRatios, synthesise
    from bayes.synthesis.plotted import influence_table

    rng = np.random.default_rng(2)
    labels = tuple(f"A trial of somebody {i}" for i in range(12))
    rows = LogRatios(labels, rng.normal(-0.5, 0.3, 12), rng.uniform(0.1, 0.5, 12))
    return influence_table(synthesise(rows))


def draw(name: str, table: pd.DataFrame, width: str | float | None = None, style: str = "journal") -> Any:
    """Draw a figure of any question, or of the shipped one."""
    from bayes import figures
    from bayes.heroin import figures as own

    return getattr(figures if name in figures.FIGURES else own, name)(table, width=width, style=style)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run folder with fit, projection, tables and manifest, of the shipped study by its hash."""
    return write_run(tmp_path / "run")


def write_run(folder: Path, verdict: str = "passed") -> Path:
    from bayes.heroin.question import QUESTION
    from bayes.inputs import INPUTS, inputs_hash, posed, write_inputs

    (folder / "tables" / "sensitivity").mkdir(parents=True)
    synthetic_fit(verdict).to_netcdf(folder / "fit.nc", engine="netcdf4")
    synthetic_futures(verdict).to_netcdf(folder / "futures.nc", engine="netcdf4")
    EVIDENCE.to_csv(folder / "tables" / "evidence.csv", index=False)
    write_inputs(posed(QUESTION), folder / INPUTS, {})
    manifest = {"verdict": verdict, "inputs_hash": inputs_hash(folder / INPUTS), "structure": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
