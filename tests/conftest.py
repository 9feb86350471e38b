"""Fits that several tests share: the shipped study, sampled once a session."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import signal
import sys
from pathlib import Path

import pytest

from bayes.workers import collect_seldom
from tests.studies import copy, refused  # noqa: F401  (fixtures of every room)

# Two workers share two cores: one thread each for small matrices. Set before NumPy is imported in the workers.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Whoever is told to write no byte code compiles some two thousand modules anew: seconds for each process of each test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Workers hold many graphs. Collecting garbage as often as Python does took a third of their time.
collect_seldom()

# A process that a test starts says where it was if it crashes; pytest's own do so already.
os.environ.setdefault("PYTHONFAULTHANDLER", "1")

# A job in the background ignores interrupts and hang-ups, and so would the commands that tests end.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)


HERE = Path(__file__).parent
QUICK, LONG = (frozenset(part.split()) for part in (HERE / "quick.txt").read_text("utf-8").split("but not"))
"""Modules whose tests take a second or so each at the most, together a minute; and the tests in them that take more."""
SLOW = {"shipped_fit", "shipped_run", "finished_run", "failed_run", "browser", "address", "ran", "ranks",
        "thousand", "zoo", "soak"}  # fmt: skip
"""Fixtures that take longer to get ready, and marks; a test of a quick module that bears one is not quick."""


def pytest_ignore_collect(collection_path, config):
    """With ``-m quick`` no other module is imported."""
    name = str(collection_path.relative_to(HERE)) if collection_path.is_relative_to(HERE) else ""
    return True if config.option.markexpr == "quick" and name.endswith(".py") and name not in QUICK else None


FIRST = ("report/test_shipped.py", "questions/test_whole.py", "heroin/sensitivity/test_case.py",
         "browser/test_panel.py", "documents/test_notebooks.py", "zoo/test_selection.py", "zoo/test_generator.py",
         "heroin/model/test_structure_fits.py", "sampling/test_sampling.py")  # fmt: skip
"""Modules that take a minute or more, the longest first: begun last, they would leave one processor idle."""


def pytest_collection_modifyitems(items):
    """Put the longest modules first, and mark the quick tests."""
    order = {HERE / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(FIRST)))
    for item in items:
        if not item.path.is_relative_to(HERE):  # of a run that a test starts
            continue
        name = str(item.path.relative_to(HERE))
        slow = SLOW & {*item.fixturenames, *(mark.name for mark in item.iter_markers())}
        if name in QUICK and not slow and f"{name}::{getattr(item, 'originalname', '')}" not in LONG:
            item.add_marker("quick")


FIRST = ["scenario", "year", "quantity", "unit", "mean", "median", "lower", "upper", "prob", "kind", "mcse_mean",
         "p_positive"]  # fmt: skip
"""Columns that a table of the answer begins with."""
SHORT = ["--draws", "100", "--tune", "100", "--chains", "2", "--quiet"]
"""The length of short runs: one for all, so that they share their compiled programs. The diagnostics fail: code 1."""


def soaked(number):
    """How many of something a soak makes: as many, or the share of them in SOAK_SHARE, one at the least."""
    return max(1, round(number * float(os.environ.get("SOAK_SHARE", "1"))))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """A run one of whose workers has crashed is no success, whatever the others find."""
    if error:
        node.config.pluginmanager.getplugin("dsession").shouldstop = f"worker {node.gateway.id} has crashed"


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    """End the run at once, and the other workers, when a worker has crashed in a test."""
    if report.when == "???":
        pytest.exit(str(report.longrepr), returncode=1)


def run_once(tmp_path_factory, name, *options):
    """A run of the shipped study, and what it printed: made by the first worker that asks for it, the other waits."""
    from bayes.cli import main

    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    place = place / f"run {name}"
    place.mkdir(exist_ok=True)
    folder, printed = place / name, place / "printed.txt"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            with contextlib.redirect_stdout(io.StringIO()) as out:
                assert main(["run", "--quiet", *options, "--out", str(folder)]) == 0
            printed.write_text(out.getvalue(), encoding="utf-8")
    return folder, printed.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The shipped study run, analysed in full and reported, through the command line. Not to be changed."""
    return run_once(tmp_path_factory, "finished", "--report")[0]


@pytest.fixture(scope="session")
def shipped_study():
    """Priors, evidence and scenarios as shipped."""
    import bayes

    return bayes.load_study()


@pytest.fixture(scope="session")
def shipped_model(shipped_study):
    """The joint model of the shipped study."""
    import bayes

    return bayes.build_model(shipped_study)


@pytest.fixture(scope="session")
def shipped_fit(shipped_model):
    """The shipped study sampled with every default: 4 chains of 1,000 draws. Not to be changed in place."""
    import bayes

    return bayes.sample(shipped_model)


@pytest.fixture(scope="session")
def shipped_futures(shipped_fit, shipped_study):
    """The shipped scenarios on the shipped fit. Not to be changed in place."""
    import bayes

    return bayes.project(shipped_fit, shipped_study)
