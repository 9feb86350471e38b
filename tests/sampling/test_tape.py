"""A tape gives the numbers of the graph it was recorded from, keeps every bit on disk, and knows what it cannot do."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors

import bayes
from bayes.heroin.model import Structure
from bayes.sampling.forward import NUMPY, batched, data_of, densities, drawing, recorded, starting
from bayes.sampling.partition import core_of
from bayes.sampling.recipe import Recipe
from bayes.sampling.recorder import Unrecordable, record
from bayes.sampling.tape import Tape, play
from bayes.sampling.tree import SIZE
from tests.forward import recipe_in_use

N = 40
STRUCTURES = {
    "shipped": Structure(), "t": Structure(effects="t"), "uncollapsed": Structure(collapse=False),
    "bare": Structure(effects="common", drift=False, biases=(), targeting=False, ceiling=False),
}  # fmt: skip


@pytest.fixture(scope="module", params=STRUCTURES)
def model(request, shipped_study) -> pm.Model:
    return bayes.build_model(shipped_study, STRUCTURES[request.param])


@pytest.fixture(scope="module")
def recipe(model) -> Recipe:
    return recipe_in_use(model)


def by_pytensor(outputs, inputs, values, seed: int) -> dict[str, np.ndarray]:
    """The same graph by PyTensor's own operations, each random node with the generator the tape would give it."""
    generators = [v for v in ancestors(outputs.values()) if isinstance(v, SharedVariable) and v not in inputs
                  and isinstance(v.get_value(borrow=True), np.random.Generator)]  # fmt: skip
    order = {node.inputs[0]: i for i, node in enumerate(
        n for n in pytensor.graph.traversal.toposort(list(outputs.values())) if n.inputs[0] in generators)}  # fmt: skip
    for variable, i in order.items():
        spawned = np.random.SeedSequence(seed).spawn(len(order))[i]
        variable.set_value(np.random.Generator(np.random.PCG64(spawned)))
    given = [v for v in inputs if not isinstance(v, SharedVariable)]
    function = pytensor.function(given, list(outputs.values()), mode=NUMPY, on_unused_input="ignore")
    return dict(zip(outputs, function(*(values[inputs[v]] for v in given)), strict=True))


def test_every_piece_of_every_structure_is_a_tape_with_the_numbers_of_pytensor(model, recipe) -> None:
    """Draws, densities and starting points, to 1e-9 relative: linear algebra may order its sums differently."""
    values = {**data_of(model), SIZE: np.asarray(N)}
    everything = drawing(model, [*model.unobserved_RVs, *model.observed_RVs], [])
    free = [v.name for v in model.free_RVs]
    found = [everything, densities(model, [*model.observed_RVs, *model.free_RVs], free), starting(core_of(model))]
    drawn: dict[str, np.ndarray] = {}
    for calculation in found:
        batch, data = batched(calculation), {v: v.name for v in calculation.model.data_vars}
        at = {**values, **{name: np.broadcast_to(v, (N, *v.shape[1:])) for name, v in drawn.items()}}
        ours = play(recorded(batch, calculation.model, batch.outputs), at, 5)
        theirs = by_pytensor(batch.outputs, {**batch.inputs, **data}, at, 5)
        for name in batch.outputs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)
        drawn |= ours
    assert recipe.slow == {}


def test_a_recipe_read_back_plays_the_same_bits(model, recipe) -> None:
    text = recipe.text()
    again = Recipe.from_text(text)
    assert again.text() == text
    values = {**data_of(model), SIZE: np.asarray(N)}
    for seed in (1, 2):
        one, two = (r.pieces["before"](values, seed) for r in (recipe, again))
        assert set(one) == set(two)
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    assert any(not np.array_equal(recipe.pieces["before"](values, 1)[n], one[n]) for n in one)  # seeds differ


def test_what_is_not_known_is_refused_and_not_guessed() -> None:
    x = pt.vector("x")
    with pytest.raises(Unrecordable):
        record({"y": pt.sort(x)}, {x: "x"})
    with pytest.raises(Unrecordable):
        record({"y": x + pytensor.shared(1.0)}, {x: "x"})
    with pytest.raises(Unrecordable):
        record({"y": x + 1}, {})


def test_a_tape_names_functions_from_closed_lists_only() -> None:
    from bayes.sampling.tape import Cell

    for cell in (Cell("ufunc", {"name": "load", "dtype": "float64"}, (0,)), Cell("system", {}, (0,)),
                 Cell("ufunc", {"name": "scipy.special.__loader__", "dtype": "float64"}, (0,))):  # fmt: skip
        with pytest.raises(KeyError):
            play(Tape((Cell("input", {"name": "x"}), cell), {"y": 1}), {"x": np.zeros(2)})


def test_a_parameter_out_of_range_is_an_error_as_in_pytensor() -> None:
    with pm.Model() as built:
        s = pm.Data("s", -1.0)
        pm.Normal("x", 0, s)
    batch = batched(densities(built, [built["x"]], ["x"]))
    tape = recorded(batch, built, batch.outputs)
    with pytest.raises(bayes.BayesError, match="sigma > 0"):
        tape({"x": np.zeros(3), "s": np.asarray(-1.0)}, None)
