"""Fits that several tests share: the shipped study, sampled once a session."""

from __future__ import annotations

import os
import signal

import pytest

# Two workers share two cores: one thread each for small matrices. Set before NumPy is imported in the workers.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A process that a test starts says where it was if it crashes; pytest's own do so already.
os.environ.setdefault("PYTHONFAULTHANDLER", "1")

# A job in the background of a shell ignores interrupts, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
