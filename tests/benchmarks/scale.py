"""Large studies from a shell: 1,000 rows of evidence, 200 quantities, 1,000 or 10,000 scenarios.

One command, not collected by pytest; exit code 1 if a run fails or misses its truth::

    python tests/benchmarks/scale.py [rows] [quantities] [scenarios] [scenarios=10000]

Without a word, all of the first three. Every case is a new process with default draws and empty caches. Rows and
results are simulated from a known truth. The table has wall and processor seconds and the peak of resident memory, of
one run on this machine, as the operating system counts them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.scale.large import TRUTH, larger_study, study_of_rows, with_evidence

SHIPPED = 6
COPIES = 36
"""Of 28 likelihood rows: 1,008."""
LIMIT = 4.0
"""Posterior standard deviations between a truth and its mean: of 22 truths one by chance in 700 runs."""

RUN = 'import sys; from bayes.cli import main; raise SystemExit(main(["run", *sys.argv[1:], "--json"]))'


@dataclass(frozen=True, slots=True)
class Measured:
    """One process: exit code, seconds, kilobytes, and what is said of its result."""

    case: str
    code: int
    wall: float
    cpu: float
    peak: int
    said: str

    @property
    def line(self) -> str:
        """A line of the table."""
        return (f"{self.case:<20} {self.code:>4} {self.wall:>8.1f} {self.cpu:>8.1f} "
                f"{self.peak / 2**20:>8.2f}  {self.said}")  # fmt: skip


def measured(case: str, command: list[str], scratch: Path) -> tuple[Measured, str]:
    """Run a process with empty caches; children it waits for count too."""
    out = scratch / f"{case.replace(' ', '-')}.out"
    environment = {**os.environ, "BAYES_CACHE": str(scratch / f"cache-{case.replace(' ', '-')}")}
    start = time.perf_counter()
    with out.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, env=environment)
        _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    text = out.read_text()
    seconds = time.perf_counter() - start
    return Measured(case, code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss, ""), text


def of_rows(scratch: Path) -> Measured:
    """A run of 1,008 rows; the truth they were simulated from is found."""
    study = with_evidence(scratch / "rows", study_of_rows(COPIES).evidence)
    run = scratch / "rows-run"
    found, text = measured("1,008 rows", [sys.executable, "-c", RUN, str(study), "--out", str(run)], scratch)
    if found.code:
        return said(found, text)
    import xarray as xr

    posterior = xr.open_datatree(run / "fit.nc")["posterior"]
    names = [name for name in TRUTH if name in posterior]
    z = {name: abs(float(posterior[name].mean()) - TRUTH[name]) / float(posterior[name].std()) for name in names}
    worst = max(z, key=lambda name: z[name])
    missed = z[worst] > LIMIT
    words = f"{json.loads(text)['verdict']}; truth of {len(z)} found, worst {z[worst]:.1f} sd ({worst})"
    return said(found, words, 1 if missed else 0)


def of_scenarios(scratch: Path, count: int) -> Measured:
    """A run with so many scenarios over ten years."""
    study = larger_study(scratch / f"scenarios-{count}", count - SHIPPED, None)
    run = scratch / f"scenarios-{count}-run"
    case = f"{count:,} scenarios"
    found, text = measured(case, [sys.executable, "-c", RUN, str(study), "--out", str(run)], scratch)
    if not text:
        return found
    document = json.loads(text)
    failed = "; ".join(f"{c['name']}: {c['text']}" for c in document["checks"] if not c["passed"])
    return said(found, f"{document['verdict']}{': ' if failed else ''}{failed}")


def of_quantities(scratch: Path) -> Measured:
    """Two hundred declared priors in a model of one's own, sampled, checked and summarised."""
    tests = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/scale/test_quantities.py"]
    found, text = measured("200 quantities", [sys.executable, *tests], scratch)
    return said(found, (text.strip().splitlines() or [""])[-1])


def said(found: Measured, words: str, code: int = 0) -> Measured:
    """The same with what is said of it."""
    return Measured(found.case, found.code or code, found.wall, found.cpu, found.peak, words[:200])


def main(words: list[str]) -> int:
    """Run the cases named, and print their table."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        print(f"{'case':<20} {'exit':>4} {'wall s':>8} {'cpu s':>8} {'peak GiB':>8}")
        for word in words or ["rows", "quantities", "scenarios"]:
            name, _, count = word.partition("=")
            case = {"rows": of_rows, "quantities": of_quantities}.get(name)
            results.append(case(scratch) if case else of_scenarios(scratch, int(count or 1000)))
            print(results[-1].line, flush=True)
    return int(np.any([result.code for result in results]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
