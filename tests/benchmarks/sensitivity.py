"""What sensitivity costs, in fits, in one run on one machine.

One command, not collected by pytest::

    python tests/benchmarks/sensitivity.py [REPEATS]

``everything`` is a whole process: power-scaling, alternatives, leave one out, structure, tipping points, variance,
budget and conflict of the shipped study, refits where the weights fail and at tipping points. A fit is a whole process
too, ``bayes fit --refit``. CPU seconds (user and system, children included) stand beside wall time, because others may
share the machine. The rest is timed within this process, after its imports. Medians.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BAYES = [sys.executable, "-m", "bayes"]
ANALYSES = "powerscale,alternatives,leave_one_out,structure,tipping,variance,budget,conflict"

type Cost = tuple[float, float]


def process(*arguments: str) -> Cost:
    """Wall and CPU seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*BAYES, *arguments], check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def inside(work: Callable[[], object]) -> Cost:
    """Wall and CPU seconds of a call."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


def median(costs: list[Cost]) -> Cost:
    """Medians of wall and of CPU."""
    wall, cpu = zip(*costs, strict=True)
    return statistics.median(wall), statistics.median(cpu)


def work_inside(run: Path) -> dict[str, tuple[Callable[[], object], str]]:
    """Calls by name, with the bar each is under."""
    import numpy as np
    import pandas as pd

    from bayes.heroin.question import QUESTION
    from bayes.heroin.sensitivity import answer_of
    from bayes.inputs import asked_of
    from bayes.runs import load_fit
    from bayes.sensitivity import alternatives, evppi, variance_indices
    from bayes.sensitivity.case import Request

    case = answer_of(asked_of(run, QUESTION), load_fit(run), Request(folder=run))
    single = {name: prior for name, prior in case.study.priors.items() if prior.alternatives}
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(4000, 12)), columns=[f"x{i}" for i in range(12)])
    y = np.asarray(x @ np.arange(1, 13)) + np.asarray(x["x0"] * x["x1"])
    z = pd.DataFrame(rng.normal(size=(10_000, 10)), columns=[f"z{i}" for i in range(10)])
    options = pd.DataFrame({"a": z["z0"] + z["z1"] * z["z2"], "b": z["z3"], "nothing": 0.0})

    def declared() -> object:
        table = alternatives(case.fit, {case.quantity: case.targets[case.quantity]}, single,
                             retarget=case.targets_with)  # fmt: skip
        assert len(table) > 20
        return table

    return {
        "alternative priors, 20 and more": (declared, "0.5 fits"),
        "variance, 12 inputs x 4,000 draws": (lambda: variance_indices(x, y), "2 s"),
        "EVPPI, 10 inputs x 10,000 draws": (lambda: evppi(z, options), "5 s"),
    }


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        for _ in range(2):  # the second finds every program compiled
            process("run", "--quiet", "--out", str(run))
            process("sensitivity", str(run), "--quiet", "--only", ANALYSES)
        pairs = [
            (process("fit", "--refit", "--quiet", "--out", str(Path(scratch) / "fit")),
             process("sensitivity", str(run), "--quiet", "--only", ANALYSES))
            for _ in range(repeats)
        ]  # fmt: skip
        fit, every = median([one for one, _ in pairs]), median([two for _, two in pairs])
        rows = {"a fit (bayes fit --refit)": (fit, ""), "everything (bayes sensitivity)": (every, "2 fits")}
        for name, (work, bar) in work_inside(run).items():
            work()
            rows[name] = (median([inside(work) for _ in range(repeats)]), bar)
    print(f"{'':36}{'wall s':>8}{'CPU s':>8}{'fits, wall':>12}{'fits, CPU':>11}  bar       medians of {repeats}")
    for name, ((wall, cpu), bar) in rows.items():
        print(f"{name:36}{wall:8.2f}{cpu:8.2f}{wall / fit[0]:12.2f}{cpu / fit[1]:11.2f}  {bar}")


if __name__ == "__main__":
    main()
