"""Whole processes from a shell: ``bayes run`` against the usual routes to the same posterior.

One command, not collected by pytest; exit code 1 if two posteriors disagree::

    python tests/benchmarks/whole_process.py [REPEATS [REPEATS OF THE OTHERS]]

Every route is a new process that reads the study, samples 4 x (1,000 + 1,000) and writes its draws; those in Python
also compute log likelihood, log prior and predictive draws, as ``bayes run`` does before it projects and tabulates.
``cold`` starts from empty caches, ``warm`` is a second run with a changed prior of the same structure. JAGS runs until
its smallest bulk effective sample size is that of ``bayes run``. Wall and processor seconds are the operating system's;
memory is that of a process and all it started, shared pages counted once (``Pss`` of Linux), asked for every 0.2 s.
The second table is of sampling alone, warm-up included: smallest bulk effective sample sizes per processor second.
Medians and ratios of one run on one machine. Posteriors are compared by the medians of all parameters on which
evidence bears, in units of the Monte Carlo error of their difference. A route whose program is not
installed is named as absent.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks import bugs

LIMIT = 4.0
"""Monte Carlo errors between two posteriors: of 150 differences one is beyond it by chance in 100 runs."""

OURS = """
import sys; from bayes.cli import main
raise SystemExit(main(["run", sys.argv[1], "--quiet", "--out", sys.argv[2]]))
"""

THEIRS = """
import sys, warnings; warnings.simplefilter("ignore")
import pymc as pm, bayes
from pathlib import Path
study = bayes.load_study(sys.argv[1]); model = bayes.build_model(study); route = sys.argv[3]
with model:
    if route == "nutpie directly":
        import nutpie
        fit = nutpie.sample(nutpie.compile_pymc_model(model), draws=1000, tune=1000, chains=4, cores=2, seed=1,
                            target_accept=0.97, progress_bar=False)
    else:
        sampler = {"PyMC's own sampler": "pymc", "NumPyro through PyMC": "numpyro"}[route]
        fit = pm.sample(1000, tune=1000, chains=4, cores=2, random_seed=1, target_accept=0.97, progressbar=False,
                        nuts_sampler=sampler)
    mode = {"compile_kwargs": {"mode": "JAX"}} if route.startswith("NumPyro") else {}
    pm.compute_log_likelihood(fit, progressbar=False, **mode)
    pm.compute_log_prior(fit, progressbar=False, **mode)
    for extra in (pm.sample_posterior_predictive(fit, random_seed=1, progressbar=False),
                  pm.sample_prior_predictive(1000, random_seed=1)):
        for group in extra.children:
            if group not in fit.children:
                fit[group] = extra[group]
Path(sys.argv[2]).mkdir(); fit.to_netcdf(f"{sys.argv[2]}/fit.nc", engine="netcdf4")
"""

SAMPLING = """
import sys, time, warnings; warnings.simplefilter("ignore")
import numpy as np, bayes
from arviz_stats.base import array_stats
from bayes.heroin.model import Structure
study, names, repeats = bayes.load_study(sys.argv[1]), sys.argv[3].split(","), int(sys.argv[4])
if sys.argv[2] == "nutpie":
    import nutpie
    compiled = nutpie.compile_pymc_model(bayes.build_model(study, Structure(collapse=False)))
    def sampled(seed):
        return nutpie.sample(compiled, draws=1000, tune=1000, chains=4, cores=2, seed=seed, target_accept=0.97,
                             progress_bar=False)["posterior"]
else:
    from bayes.heroin.plans import plan_of
    from bayes.sampling import fit as sampling
    from bayes.sampling.nuts import Length
    plan, length = plan_of(study, Structure(collapse=sys.argv[2] == "collapsed")), Length(1000, 1000, 4, 0.97)
    recipe, load, kept = sampling._recipe(plan), sampling.load_program, {}
    sampling.load_program = lambda key, *rest: kept[key] if key in kept else kept.setdefault(key, load(key, *rest))
    def sampled(seed):
        return sampling._chains(plan, recipe, length, np.random.default_rng(seed), "numpyro").points
at = {"chain_axis": 0, "draw_axis": 1, "method": "bulk"}
for seed in range(repeats + 1):
    start = time.process_time()
    draws = sampled(seed)
    seconds = time.process_time() - start
    if seed:  # the first time loads programs
        least = min(float(array_stats.ess(np.reshape(draws[n], (4, 1000)), **at)) for n in names)
        print(least, seconds)
"""

PYTHON = ("NumPyro through PyMC", "nutpie directly", "PyMC's own sampler")


@dataclass(frozen=True)
class Cost:
    """Wall and processor seconds and peak memory (MB) of a process and what it started."""

    wall: float
    cpu: float
    memory: float


def cost(command: list[str], environment: dict[str, str], folder: Path) -> Cost:
    """Run a process and ask the system what it took."""
    start = time.perf_counter()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        peak = Peak(process.pid)
        peak.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        peak.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]} failed:\n{(folder / 'log.txt').read_text()[-2000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, peak.megabytes)


class Peak(threading.Thread):
    """Watches the memory of a process and all it started until it ends."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.megabytes = process, 0.0

    def run(self) -> None:
        """Ask again and again."""
        with suppress(psutil.Error):
            whole = psutil.Process(self.process)
            while whole.is_running() and whole.status() != psutil.STATUS_ZOMBIE:
                members = [whole, *whole.children(recursive=True)]
                self.megabytes = max(self.megabytes, sum(map(shared_once, members)) / 2**20)
                time.sleep(0.2)


def shared_once(process: psutil.Process) -> float:
    """Bytes of a process, each shared page divided by how many share it; none if it has ended."""
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


def changed_study(folder: Path) -> Path:
    """The shipped study with another width of one prior: same structure, other numbers."""
    from bayes.heroin.study import shipped_study

    study = folder / "changed"
    shutil.copytree(shipped_study(), study)
    path = study / "offending.toml"
    text = path.read_text()
    new = text.replace("q05 = 108, q50 = 432, q95 = 1728", "q05 = 109, q50 = 432, q95 = 1712.147", 1)
    assert new != text, "the prior to be changed is not there any more"
    path.write_text(new)
    return study


def environment(cache: Path) -> dict[str, str]:
    """Every cache in one folder, one thread for small matrices."""
    cache.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "BAYES_CACHE": str(cache / "bayes"),
            "PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}",
            "NUMBA_CACHE_DIR": str(cache / "numba"), "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2])}  # fmt: skip


def python(code: str, study: Path, out: Path, cache: Path, route: str) -> Cost:
    """One run of a route in Python."""
    return cost([sys.executable, "-c", code, str(study), str(out), route], environment(cache), cache)


def write_programs(folder: Path, study: Path) -> list[str]:
    """Stan's and JAGS's program and data in a folder; returns the names of the parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    data, families, terms = bugs.data_of(study)
    stan, jags = bugs.programs(families, terms)
    files = {"model.stan": stan, "model.bug": jags, "data.R": bugs.r_dump(data, True),
             "stan.R": bugs.r_dump(data, False), "fit.R": bugs.FIT_STAN}  # fmt: skip
    for i in range(1, 5):
        files[f"init{i}.R"] = f'.RNG.name <- "base::Mersenne-Twister"\n.RNG.seed <- {i}\n'
    for name, text in files.items():
        if not (folder / name).is_file() or (folder / name).read_text() != text:
            (folder / name).write_text(text)  # an unchanged model.stan keeps its compiled code
    return bugs.names(families)


def rstan(folder: Path, study: Path, seed: int) -> Cost:
    """One run of RStan; its compiled program stays beside the text."""
    wanted = write_programs(folder, study)
    command = ["Rscript", "fit.R", "model.stan", "stan.R", str(folder), ",".join(wanted), str(seed)]
    return cost(command, environment(folder / "cache"), folder)


def has_rstan() -> bool:
    """Whether R and RStan are installed."""
    asked = ["Rscript", "-e", "library(rstan)"]
    return bool(shutil.which("Rscript")) and subprocess.run(asked, capture_output=True).returncode == 0


def jags(folder: Path, study: Path, least: float) -> tuple[Cost, int]:
    """JAGS for as many draws a chain as its smallest effective sample size needs to be ``least``."""
    wanted, keep = write_programs(folder, study), 10_000
    while True:
        (folder / "run.cmd").write_text(bugs.jags_script(folder, wanted, max(1000, keep // 10), keep))
        spent = cost(["jags", "run.cmd"], environment(folder / "cache"), folder)
        reached = smallest(bugs.read_coda(folder))
        if reached >= least:
            return spent, keep
        keep = int(keep * max(1.2, 1.1 * least / reached))


def smallest(draws: dict[str, np.ndarray]) -> float:
    """Smallest bulk effective sample size of scalars (chain, draw)."""
    from arviz_stats.base import array_stats

    return min(float(array_stats.ess(v, chain_axis=0, draw_axis=1, method="bulk")) for v in draws.values())


def draws_of(folder: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of a route that wrote NetCDF; a shifted variable's excess under its own name."""
    import xarray as xr

    with xr.open_datatree(folder / "fit.nc", engine="netcdf4") as tree:
        found = tree["posterior"].to_dataset().load()
    return {n: found[f"{n}_excess" if f"{n}_excess" in found else n].transpose("chain", "draw").values for n in names}


def draws_of_stan(folder: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of RStan's files."""
    import pandas as pd

    chains = [pd.read_csv(folder / f"chain{i}.csv") for i in range(1, 5)]
    return {name: np.stack([chain[name].to_numpy() for chain in chains]) for name in names}


def agreement(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> tuple[float, str]:
    """Largest difference of medians in units of its Monte Carlo error, and whose it is."""
    from arviz_stats.base import array_stats

    def gap(name: str) -> float:
        errors = [float(array_stats.mcse(draws[name], chain_axis=0, draw_axis=1, method="quantile", prob=0.5))
                  for draws in (one, two)]  # fmt: skip
        return abs(float(np.median(one[name]) - np.median(two[name]))) / float(np.hypot(*errors))

    worst = max(one, key=gap)
    return gap(worst), worst


def show(name: str, cold: list[Cost], warm: list[Cost], base: float, note: str) -> None:
    """One line of the table."""
    middle = statistics.median
    first = f"{middle(c.wall for c in cold):9.1f}{middle(c.cpu for c in cold):9.1f}" if cold else f"{'–':>9}{'–':>9}"
    wall, cpu = middle(c.wall for c in warm), middle(c.cpu for c in warm)
    peaks = "".join(f"{max(c.memory for c in some):8.0f}" if some else f"{'–':>8}" for some in (cold, warm))
    print(f"{name:22}{first}{wall:9.1f}{cpu:9.1f}{base / wall:8.2f}{peaks}  {note}", flush=True)


def whole(root: Path, ours: int, theirs: int) -> tuple[bool, dict[str, list[tuple[float, float]]]]:
    """Print the table of whole processes; whether all agree, and RStan's efficiency if it is there."""
    from bayes.heroin.study import shipped_study

    study, shipped, agreed = changed_study(root), shipped_study(), True
    found: dict[str, list[tuple[float, float]]] = {}
    heads = f"{'cold':>9}{'':9}{'warm':>9}{'':9}{'ours /':>8}{'cold MB':>8}{'warm MB':>8}"
    print(f"{'':22}{heads}  medians of {ours}, of {theirs}")
    print(
        f"{'route':22}{'wall s':>9}{'cpu s':>9}{'wall s':>9}{'cpu s':>9}{'theirs':>8}{'peak':>8}{'peak':>8}  agreement"
    )
    names = write_programs(root / "programs", study)
    base, reference = 0.0, {}
    for route in ("bayes run", *PYTHON):
        if route.startswith("nutpie") and importlib.util.find_spec("nutpie") is None:
            print(f"{route:22} absent")
            continue
        cold, warm, code = [], [], OURS if route == "bayes run" else THEIRS
        folder, repeats = route.split()[0].removesuffix("'s").lower(), ours if code == OURS else theirs
        for i in range(repeats):
            cache = root / f"{folder}-{i}"
            cold.append(python(code, shipped, cache / "cold", cache, route))
            warm.append(python(code, study, cache / "warm", cache, route))
        draws = draws_of(root / f"{folder}-0" / "warm", names)
        reference = reference or draws
        base = base or statistics.median(c.wall for c in warm)
        gap, worst = agreement(reference, draws) if draws is not reference else (0.0, "")
        agreed &= gap < LIMIT
        note = f"{gap:.1f} MCSE ({worst})" if worst else f"min. bulk ESS {smallest(draws):,.0f}"
        show(route, cold, warm, base, note)
    least = smallest(reference)
    if has_rstan():
        cold = [rstan(root / f"stan-{i}", shipped, i + 1) for i in range(theirs)]
        warm = [rstan(root / f"stan-{i}", study, i + 1) for i in range(theirs)]
        draws = draws_of_stan(root / "stan-0", names)
        gap, worst = agreement(reference, draws)
        agreed &= gap < LIMIT
        show("RStan, uncollapsed", cold, warm, base, f"{gap:.1f} MCSE ({worst})")
        found["RStan, uncollapsed"] = [
            (smallest(draws_of_stan(root / f"stan-{i}", names)), float((root / f"stan-{i}/seconds.txt").read_text()))
            for i in range(theirs)
        ]
    else:
        print(f"{'RStan, uncollapsed':22} absent")
    if shutil.which("jags"):
        runs = [jags(root / f"jags-{i}", study, least) for i in range(theirs)]
        draws = bugs.read_coda(root / "jags-0")
        gap, worst = agreement(reference, draws)
        agreed &= gap < LIMIT
        note = f"{gap:.1f} MCSE ({worst}); {runs[0][1]:,} draws a chain for ESS {least:,.0f}"
        show("JAGS, uncollapsed", [], [c for c, _ in runs], base, note)
    else:
        print(f"{'JAGS, uncollapsed':22} absent")
    return agreed, found


def efficiency(root: Path, found: dict[str, list[tuple[float, float]]], repeats: int) -> None:
    """Print smallest bulk effective sample size per processor second of sampling."""
    names = (
        "mu_theta,mu_gamma,mu_coverage,offset_entrants,offset_arrestees,offset_all_users,bias_prevalence,"
        "tau_theta,tau_gamma,sigma_study,shape_month,shape_year,retention_scale,retention_shape,tau_coverage"
    )
    routes = {"ours": "collapsed", "ours, uncollapsed": "uncollapsed"}
    if importlib.util.find_spec("nutpie"):
        routes["nutpie, uncollapsed"] = "nutpie"
    for name, kind in routes.items():
        command = [sys.executable, "-c", SAMPLING, str(root / "changed"), kind, names, str(repeats)]
        out = subprocess.run(command, text=True, check=True, capture_output=True, env=environment(root / "bayes-0"))
        found[name] = [(float(a), float(b)) for a, b in (line.split() for line in out.stdout.splitlines())]
    print(f"\n{'sampling alone':22}{'min. ESS':>10}{'cpu s':>8}{'ESS/s':>8}{'ours /':>9}  medians over seeds")
    base = statistics.median(least / seconds for least, seconds in found["ours"])
    for name, runs in sorted(found.items()):
        least, seconds = (statistics.median(column) for column in zip(*runs, strict=True))
        rate = statistics.median(least / seconds for least, seconds in runs)
        print(f"{name:22}{least:10,.0f}{seconds:8.2f}{rate:8.0f}{base / rate:9.1f}  {len(runs)}")


def main() -> int:
    """Print both tables."""
    ours, theirs = ([int(word) for word in sys.argv[1:]] * 2 or [5, 5])[:2]
    with tempfile.TemporaryDirectory() as scratch:
        agreed, found = whole(Path(scratch), ours, theirs)
        efficiency(Path(scratch), found, ours)
    if not agreed:
        print(f"\nposteriors differ by more than {LIMIT:g} Monte Carlo errors", file=sys.stderr)
    return 0 if agreed else 1


if __name__ == "__main__":
    raise SystemExit(main())
