"""Sampling in another process: the same numbers, its errors here, no process left, and no JAX in this one."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import psutil
import pytest

import bayes
from bayes.errors import BayesError, UsageError
from bayes.heroin.plans import plan_of
from bayes.sampling.fit import Plan, compile_ahead, draws_of, sample_plan
from bayes.sampling.nuts import DRAWS
from bayes.sampling.process import worker
from bayes.sampling.recipe import stored_recipe
from bayes.workers import Threads, process
from tests.sampling.pair import LENGTH, plan_of_pair


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def wrong_model():
    raise UsageError("no such model", key="model", found="this", allowed="that", fix="give that")


def dying_model():
    import os

    os.kill(os.getpid(), signal.SIGKILL)


def test_another_process_draws_the_same_numbers():
    """The shipped study's."""
    plan = plan_of(bayes.load_study())
    here = sample_plan(plan, LENGTH, 5)
    told = []
    with worker() as elsewhere:
        there = sample_plan(plan, LENGTH, 5, elsewhere=elsewhere, advance=lambda *made: told.append(made))
    whole = LENGTH.chains * (LENGTH.tune + LENGTH.draws)
    assert told[-1] == (whole, whole, DRAWS)
    assert there.attrs == here.attrs
    for group in here.children:
        assert here[group].to_dataset().identical(there[group].to_dataset()), group


@pytest.mark.parametrize(("model", "error", "words"), [
    (wrong_model, UsageError, "no such model.*key 'model'|key 'model'.*no such model"),
    (dying_model, BayesError, "ended without an answer"),
])  # fmt: skip
def test_what_goes_wrong_there_is_raised_here(model, error, words):
    before = children()
    with worker() as elsewhere, pytest.raises(error, match=words) as caught:
        elsewhere(Plan(None, {}, {}, {}, model), LENGTH, 1, "numpyro")
    assert children() <= before
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert str(caught.value).count("do:") == (error is UsageError)
    assert not str(caught.value).endswith("..")


def test_where_nothing_is_on_disk_one_process_proves_while_another_compiles(monkeypatch, tmp_path):
    """The numbers are the same, and nothing is compiled a second time."""
    from bayes.sampling.fit import is_prepared

    plan = plan_of_pair()
    here = draws_of(plan, LENGTH, 5)
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path))
    assert not is_prepared(plan, LENGTH)
    with worker() as elsewhere:
        there = elsewhere(plan, LENGTH, 5, "numpyro")
    assert is_prepared(plan, LENGTH)
    for group, values in here.groups.items():
        for name, array in values.items():
            np.testing.assert_array_equal(there.groups[group][name], array)
    kept = {path: path.stat().st_ino for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.suffix for path in kept} == {".bin", ".exe", ".json"}
    with worker() as elsewhere:
        elsewhere(plan, LENGTH, 6, "numpyro")
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*") if path.is_file()} == kept


def test_a_program_compiled_before_the_proof_is_the_one_that_is_proved():
    """Each block of the recipe has its program, held under what it computes; another form of it has none."""
    plan, held = plan_of(bayes.load_study()), {}
    with Threads(1) as pool:
        compile_ahead(plan, LENGTH, held, pool.go_on)
    blocks = stored_recipe(plan.key).blocks
    assert held.keys() == {(block, LENGTH.tune) for block in blocks}
    assert (replace(blocks[0], wide=True), LENGTH.tune) not in held
    here, there = draws_of(plan, LENGTH, 5), draws_of(plan, LENGTH, 5, kept=held)
    for name, values in here.groups["posterior"].items():
        np.testing.assert_array_equal(there.groups["posterior"][name], values)


def test_what_cannot_be_compiled_ahead_is_said_by_the_proof():
    """A discrete variable: the error names it, as everywhere."""
    plan = Plan("discrete", {}, {}, {}, discrete_model)
    with worker() as elsewhere, pytest.raises(UsageError, match="NUTS cannot sample discrete variables"):
        elsewhere(plan, LENGTH, 1, "numpyro")


def discrete_model():
    import pymc as pm

    with pm.Model() as model:
        pm.Normal("y", pm.Bernoulli("z", 0.5), 1.0, observed=0.3)
    return model


def test_a_cache_that_cannot_be_written_costs_time_only(monkeypatch, tmp_path):
    plan, blocked = plan_of_pair(), tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("BAYES_CACHE", str(blocked))
    with worker() as elsewhere:
        there = elsewhere(plan, LENGTH, 5, "numpyro")
    assert there.groups["posterior"]["mu"].shape == (2, 100)


def test_another_process_reads_a_call_larger_than_a_pipe_and_its_prints_are_no_answer():
    numbers = np.arange(1e6)
    with process("numpy") as other:
        assert other.call(np.sum, numbers) == numbers.sum()
    with process() as other:
        assert other.call(print, "to standard error") is None


def test_a_process_whose_answer_nobody_reads_says_nothing(capfd):
    """As where the process that asked was killed a moment ago."""
    for telling, asked in ((False, len), (True, told)):
        with process() as one:
            one.running.stdout.close()
            one.ask(asked, "abc", telling=telling)
            one.running.wait(60)
        assert capfd.readouterr().err == ""


def told(text, advance):
    advance(1, 2, text)


def test_a_process_that_is_not_needed_ends_too():
    before = children()
    with worker():
        assert len(children() - before) == 1
    assert children() <= before


def test_an_error_in_between_ends_the_process():
    before = children()
    with pytest.raises(KeyboardInterrupt), worker():
        raise KeyboardInterrupt
    assert children() <= before


def test_a_study_can_be_sent_to_another_process():
    study = bayes.load_study().with_priors({"tau_theta": "sceptical"})
    assert pickle.loads(pickle.dumps(study)) == study
    found = pickle.loads(pickle.dumps(partial(draws_of, plan_of(study)))).args[0]
    for name, values in plan_of(study).data.items():
        np.testing.assert_array_equal(found.data[name], values)


def test_statistics_of_arrays_do_not_bring_jax():
    """SciPy asks of every array whether it is JAX's, and ArviZ's placeholder would answer by importing it."""
    program = (
        "import sys, numpy as np; from bayes.tails import tail_shape; tail_shape(np.random.default_rng(1)."
        "normal(size=(4, 500))); print('jax._src' in sys.modules); import jax; print(jax.numpy.ones(2).sum())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "2.0"]


def unpicklable():
    error = ValueError("said")
    error.reason = lambda: 0
    raise error


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd():
    raise Odd("one", "two")


def test_what_an_error_says_arrives_even_if_the_error_cannot():
    for function, said in ((unpicklable, "ValueError: said"), (odd, "Odd: one and two")):
        with process() as other, pytest.raises(BayesError, match=said):
            other.call(function)
    with process() as other, pytest.raises(EOFError):
        other.call(pickle.loads, b"")


def test_a_process_that_ended_before_it_was_asked_is_one_clear_error():
    def asked_too_late(size):
        with process() as other:
            other.running.kill()
            other.running.wait()
            other.call(len, b"x" * size)

    for size in (10, 10**6):
        with pytest.raises(BayesError, match="ended without an answer"):
            asked_too_late(size)
    with pytest.raises(ModuleNotFoundError), process("no_such_module") as other:
        other.call(len, b"")


def test_places_on_the_path_that_are_no_text_are_passed_over(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    with process() as other:
        assert other.call(len, "four") == 4
