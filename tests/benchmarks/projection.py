"""Projection of many scenarios with its quantiles: seconds, memory, and how both grow.

One command, not collected by pytest::

    python tests/benchmarks/projection.py [--all]

Draws and scenarios are made up, the arithmetic is the shipped study's; every year has another share of places built, so
that none is computed once for several. Beside the seconds stands the time to copy the result, the draws of the offences
avoided, once in memory. ``--all`` adds the quantiles of every quantity. Each row is a process of its own, import
excluded and the table of gains included; memory is the peak of that process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

FULL = (4000, 10_000, 10)
SIZES = (FULL, (2000, 10_000, 10), (4000, 5_000, 10), (4000, 10_000, 5), (1000, 1_000, 10))
TYPICAL = {
    "offences_per_user_year": 150.0, "drift": 0.85, "rate_ratio": 0.4, "coverage_new": 0.05,
    "opioid_clients": 140_000.0, "eligible_share": 0.08, "shape_year": 0.4, "offset_all_users": -1.5,
    "current_patients": 350.0, "opiate_users": 280_000.0, "countable_share": 0.15, "mean_stay": 4.0,
    "programme_cost": 13_000.0, "cost_per_offence": 200.0,
}  # fmt: skip
Q = (0.025, 0.5, 0.975)


def problem(draws: int, scenarios: int, years: int) -> tuple[Any, Any]:
    """Draws of every input and a study of many scenarios."""
    import xarray as xr

    import bayes
    from bayes.heroin.scenarios import Scenario

    rng, shape = np.random.default_rng(1), (4, draws // 4)
    values = {name: value * np.exp(rng.normal(0, 0.3, shape)) for name, value in TYPICAL.items()}
    values |= {"occupancy": rng.beta(20, 2, shape), "targeting_strength": rng.random(shape)}
    data: dict[str, Any] = {name: (("chain", "draw"), array) for name, array in values.items()}
    data["coverage"] = (("chain", "draw", "country"), rng.beta(5, 60, (*shape, 1)))
    posterior = xr.Dataset(data, coords={"chain": range(4), "draw": range(shape[1]), "country": ["Switzerland"]})
    made = [Scenario(f"s{i}", f"S {i}", places=places, years_to_full=float(years), demand_cap=i % 2 == 0)
            for i, places in enumerate(np.geomspace(100, 400_000, scenarios).tolist())]  # fmt: skip
    shipped = bayes.load_study()
    study = replace(shipped, scenarios=MappingProxyType({s.name: s for s in made}),
                    settings=replace(shipped.settings, horizon_years=years))  # fmt: skip
    return xr.DataTree.from_dict({"posterior": posterior}), study


def measured(size: tuple[int, int, int]) -> dict[str, float]:
    """Seconds and peak memory of one projection with its quantiles."""
    from bayes.heroin.projection import projection_of
    from bayes.outcomes import quantiles_of

    fit, study = problem(*size)
    start = time.perf_counter()
    quantiles_of(projection_of(fit, study), Q)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def copied(size: tuple[int, int, int]) -> dict[str, float]:
    """Seconds to copy the draws of one quantity once, in pieces where it would not fit twice."""
    piece = np.ones((size[1] // 10, size[2], size[0]))
    into = np.ones_like(piece)
    start = time.perf_counter()
    for _ in range(10):
        np.copyto(into, piece)
    return {"seconds": time.perf_counter() - start}


def apart(*arguments: object) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, json.dumps(arguments)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def row(size: tuple[int, int, int]) -> None:
    """Print one row: the best of three projections, and of three copies."""
    runs = [apart(size, Q) for _ in range(3)]
    copy, best = min(apart(size)["seconds"] for _ in range(3)), min(run["seconds"] for run in runs)
    memory = max(run["MiB"] for run in runs)
    print(f"{size[0]:7,}{size[1]:11,}{size[2]:7}{best:9.2f}{copy:9.2f}{memory:9,.0f}", flush=True)


def main() -> None:
    """Print the table."""
    print(f"{'draws':>7}{'scenarios':>11}{'years':>7}{'seconds':>9}{'copy':>9}{'MiB':>9}")
    for size in SIZES:
        row(size)


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("["):
        task = json.loads(sys.argv[1])
        print(json.dumps(measured(*task) if len(task) == 2 else copied(*task)))
    else:
        main()
