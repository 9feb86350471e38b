"""Whole processes from a shell: ``bayes run`` against the usual routes to the same posterior.

One command, not collected by pytest::

    python tests/benchmarks/whole_process.py [REPEATS]

Every route is a new process that reads the study, builds the model, samples 4 x (1,000 + 1,000), computes log
likelihood, log prior and predictive draws, and writes NetCDF. ``cold`` starts from empty caches, ``warm`` is a second
run with a changed prior of the same structure. Medians and ratios of one run on one machine; never a test. Posteriors
are compared in units of their Monte Carlo error.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = """
import sys; from bayes.cli import main
raise SystemExit(main(["run", sys.argv[1], "--quiet", "--out", sys.argv[2]]))
"""

THEIRS = """
import sys, warnings; warnings.simplefilter("ignore")
import pymc as pm, bayes
study = bayes.load_study(sys.argv[1]); model = bayes.build_model(study); route = sys.argv[3]
with model:
    if route == "nutpie directly":
        import nutpie
        fit = nutpie.sample(nutpie.compile_pymc_model(model), draws=1000, tune=1000, chains=4, cores=2, seed=1,
                            target_accept=0.97, progress_bar=False)
    else:
        sampler = {"PyMC default": None, "PyMC's own sampler": "pymc", "NumPyro through PyMC": "numpyro"}[route] named
        = {} if sampler is None else {"nuts_sampler": sampler} fit = pm.sample(1000, tune=1000, chains=4, cores=2,
        random_seed=1, target_accept=0.97, progressbar=False, **named)
    mode = {"compile_kwargs": {"mode": "JAX"}} if route.startswith("NumPyro") else {}
    pm.compute_log_likelihood(fit, progressbar=False, **mode)
    pm.compute_log_prior(fit, progressbar=False, **mode)
    for extra in (pm.sample_posterior_predictive(fit, random_seed=1, progressbar=False, **mode),
                  pm.sample_prior_predictive(1000, random_seed=1, **mode)):
        for group in extra.children:
            if group not in fit.children:
                fit[group] = extra[group]
from pathlib import Path
Path(sys.argv[2]).mkdir(); fit.to_netcdf(f"{sys.argv[2]}/fit.nc", engine="h5netcdf")
"""

ROUTES = ("bayes run", "NumPyro through PyMC", "nutpie directly", "PyMC's own sampler")


def changed_study(folder: Path) -> Path:
    """The shipped study with another width of one prior: same structure, other numbers."""
    from bayes.study import shipped_study

    study = folder / "changed"
    shutil.copytree(shipped_study(), study)
    path = study / "offending.toml"
    text = path.read_text()
    path.write_text(text.replace("q05 = 108, q50 = 432, q95 = 1728", "q05 = 109, q50 = 432, q95 = 1712.147", 1))
    return study


def seconds(route: str, study: Path, out: Path, cache: Path) -> float:
    """Wall time of one whole process."""
    environment = {**os.environ, "BAYES_CACHE": str(cache / "bayes"), "PYTENSOR_FLAGS": f"base_compiledir={cache /
    'pytensor'}",
                   "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
                   "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}  # fmt: skip
    code = OURS if route == "bayes run" else THEIRS
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, study, out, route], check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def agreement(one: Path, two: Path) -> float:
    """Largest difference of posterior means of the sampled scalars, in units of its Monte Carlo error."""
    import numpy as np
    import xarray as xr
    from arviz_stats import mcse

    fits = [xr.open_datatree(p / "fit.nc", engine="h5netcdf")["posterior"].to_dataset() for p in (one, two)]
    names = ["mu_theta", "mu_gamma", "mu_coverage", "offset_entrants", "retention_shape", "bias_untreated"]
    errors = [mcse(f[names], sample_dims=["chain", "draw"]) for f in fits]
    return max(float(abs(fits[0][n].mean() - fits[1][n].mean()) / np.hypot(errors[0][n], errors[1][n])) for n in names)


def main() -> None:
    """Print the table."""
    from bayes.study import shipped_study

    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'route':24}{'cold':>9}{'warm':>9}{'warm ratio':>12}{'agreement':>12}   seconds; medians of {repeats}")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        study, base, reference = changed_study(root), 0.0, None
        for route in ROUTES:
            cold, warm = [], []
            for i in range(repeats):
                cache = root / f"{route}-{i}"
                cold.append(seconds(route, shipped_study(), cache / "cold", cache))
                warm.append(seconds(route, study, cache / "warm", cache))
            base = base or statistics.median(warm)
            here = root / f"{route}-0" / "cold"
            reference = reference or here
            gap = f"{agreement(reference, here):.1f} MCSE" if here != reference else "–"
            print(
                f"{route:24}{statistics.median(cold):9.1f}{statistics.median(warm):9.1f}"
                f"{statistics.median(warm) / base:12.2f}{gap:>12}",
                flush=True,
            )


if __name__ == "__main__":
    main()
