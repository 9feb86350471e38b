"""A tape played by JavaScript gives the numbers that NumPy gives, operation by operation and for random graphs."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from bayes.report.whatif.player import PLAYED, lacking
from bayes.sampling.forward import data_of, drawing
from bayes.sampling.proof import TAPE, proved
from bayes.sampling.recorder import Unrecordable
from bayes.sampling.tape import Cell, Tape, play
from bayes.sampling.tree import SIZE

RTOL, N = 1e-9, 7

PLAY = """([tape, inputs]) => {
  const words = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const given = Object.fromEntries(Object.entries(inputs).map(([name, [numbers, shape]]) =>
    [name, valueOf(Float64Array.from(numbers, (x) => (typeof x === "string" ? words[x] : x)), shape)]));
  const plain = (x) => (Number.isFinite(x) ? x : Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");
  const found = openTape(JSON.parse(tape)).play(given);
  return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, [numbersOf(one).map(plain), one.shape]]));
}"""


@pytest.fixture(scope="module")
def player(browser):
    """A page with nothing but the player."""
    page = browser.new_page()
    folder = files("bayes.report.whatif") / "page"
    page.add_script_tag(content="\n".join((folder / f"{n}.js").read_text("utf-8") for n in ("special", "tape")))
    yield page
    page.close()


def in_page(player, tape, values):
    """What the page makes of a tape, as arrays by name."""

    def plain(x):
        return x if np.isfinite(x) else str(x)

    inputs = {n: [[plain(float(x)) for x in np.ravel(v)], list(np.shape(v))] for n, v in values.items()}
    found = player.evaluate(PLAY, [tape.text(), inputs])
    return {name: np.array(numbers, dtype=float).reshape(shape) for name, (numbers, shape) in found.items()}


def given():
    """A model with a variable of each kind, and draws of them."""
    rng = np.random.default_rng(5)
    with pm.Model(coords={"three": range(3)}) as model:
        pm.Normal("s"), pm.Normal("v", shape=3), pm.Normal("m", shape=(2, 3)), pm.Gamma("p", 2, 1)
        pm.Gamma("q", 2, 1, shape=3), pm.Beta("u", 2, 2), pm.Beta("w", 2, 2, shape=3), pm.Poisson("k", 4)
        pm.Data("index", np.array([2, 0, 2, 1])), pm.Data("x", [0.3, -1.2, 0.8]), pm.Data("on", np.array([1, 0, 1]))
    normal, gamma, beta = rng.normal, rng.gamma, rng.beta
    draws = {"s": normal(size=N), "v": normal(size=(N, 3)), "m": normal(size=(N, 2, 3)), "p": gamma(2, size=N),
             "q": gamma(2, size=(N, 3)), "u": beta(2, 2, size=N), "w": beta(2, 2, size=(N, 3)),
             "k": rng.poisson(4, size=N)}  # fmt: skip
    return model, draws


def recorded(expressions):
    """A tape of expressions of a model's variables, and its inputs."""
    model, draws = given()
    names = {**{name: model[name] for name in model.named_vars}, "pt": pt, "np": np, "pm": pm}
    with model:
        ends = [pm.Deterministic(f"e{i}", pt.as_tensor(eval(text, names))) for i, text in enumerate(expressions)]
    used = list(draws)
    how = proved(drawing(model, ends, used), draws)
    if how.how != TAPE:
        raise Unrecordable(expressions)
    return how.piece, {**draws, **data_of(model), SIZE: np.asarray(N)}


def agree(player, tape, values):
    found, wanted = in_page(player, tape, values), play(tape, values)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], np.asarray(value, dtype=float), rtol=RTOL, atol=1e-12, err_msg=name)
        assert found[name].shape == np.shape(value)


EXPRESSIONS = {
    "arithmetic": ("s + v", "m - s", "v * m", "m / q", "-v", "1 / p", "p ** v", "k % 3", "k // 2", "v % 0.7", "abs(m)",
                   "s + v + m + 1", "pt.add(s, p, u)", "k * 2 - 1", "k / 2", "pt.sign(m)", "pt.sqr(s)"),
    "curves": ("pt.exp(m)", "pt.log(q)", "pt.log1p(q)", "pt.expm1(v)", "pt.sqrt(q)", "pt.log2(p)", "pt.log10(p)",
               "pt.exp2(s)", "pt.sin(v)", "pt.cos(v)", "pt.tan(v)", "pt.arcsin(w)", "pt.arccos(w)", "pt.arctan(m)",
               "pt.arctan2(s, p)", "pt.sinh(v)", "pt.cosh(v)", "pt.tanh(m)", "pt.arcsinh(v)", "pt.arccosh(q + 1)",
               "pt.arctanh(w)", "pt.sigmoid(m)", "pt.softplus(m)", "pt.log1mexp(-q)", "pt.logaddexp(x, v)"),
    "steps": ("pt.floor(m)", "pt.ceil(m)", "pt.trunc(m)", "pt.round(m, mode='half_to_even')", "pt.clip(v, -0.5, s)",
              "pt.maximum(v, s)", "pt.minimum(m, v)", "pt.switch(v > s, v, m)", "pt.switch(pt.eq(k, 4), 1, 0)",
              "pt.lt(v, 0) & pt.ge(v, s)", "(v > 0) | pt.eq(on, 1)", "pt.xor(v > 0, s > 0)", "pt.invert(v > 0)",
              "pt.invert(k)",
              "pt.isnan(pt.log(v))", "pt.isinf(1 / pt.floor(w))", "pt.neq(k, 3)", "pt.le(v, x)",
              "pt.switch(s > 0, np.inf, v)", "pt.log(v)", "pt.cast(m, 'int8')", "pt.cast(q, 'float32') * 2"),
    "special": ("pt.gammaln(q)", "pt.gamma(q)", "pt.psi(q)", "pt.erf(m)", "pt.erfc(m)", "pt.erfinv(w)", "pt.erfcinv(w)",
                "pt.gammainc(p, q)", "pt.gammaincc(q, p)", "pt.gammaincinv(p, w)", "pt.gammainccinv(p, w)",
                "pt.betainc(p, q, w)", "pt.betaincinv(p, q, w)", "pm.math.invprobit(v)", "pm.math.probit(w)",
                "pt.gammaln(v)"),
    "shapes": ("v[0]", "v[-1]", "m[1]", "m[:, 0]", "m[:, ::-1]", "m[::-1, 1:]", "v[index]", "m[:, index]",
               "m[0, index]",
               "v[index[0]]", "x[index] * s", "m.T", "v[:, None] * v[None, :]", "pt.stack([s, p, u])",
               "pt.concatenate([v, q])", "pt.concatenate([m, m * s], axis=0)", "pt.full((2, 3), s)",
               "pt.ones_like(m) * s",
               "pt.zeros((3,)) + p", "m.reshape((3, 2))", "m.flatten()", "pt.repeat(v, 2)", "pt.tile(v, (2,))",
               "pt.roll(v, 1)", "pt.diff(v)", "pt.arange(3) * s", "pt.arange(v.shape[0]) * v", "pt.linspace(0, s, 5)",
               "pt.set_subtensor(v[0], 0.0)", "pt.set_subtensor(m[:, 1:], s)", "pt.inc_subtensor(v[1:], p)",
               "pt.tril(m)", "pt.eye(3) * s", "pt.outer(v, q).diagonal()", "pt.as_tensor([1.0, 2.0]) * s",
               "pt.set_subtensor(v[[2, 0]], 1.0)", "pt.broadcast_to(s, (2, 2))"),
    "sums": ("v.sum()", "m.sum(axis=0)", "m.sum(axis=1)", "m.sum()", "m.prod(axis=1)", "m.max(axis=0)", "m.min()",
             "v.mean()", "m.mean(axis=1)", "pt.var(v)", "pt.any(v > 0)", "pt.all(m > -1, axis=1)", "pt.cumsum(v)",
             "pt.cumsum(m, axis=0)", "pt.cumprod(q)", "pt.logsumexp(m, axis=1)", "pt.special.softmax(m, axis=-1)",
             "pt.special.log_softmax(m, axis=0)", "pt.dot(v, q)", "pt.dot(m, v)", "pt.dot(v, m.T)", "pt.dot(m, m.T)",
             "pt.dot(m, np.ones(3))", "(np.tri(3) * pt.exp(-(np.arange(3.0)) / p)).sum(axis=1)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_each_operation(player, kind):
    tape, values = recorded(EXPRESSIONS[kind])
    assert lacking(tape) == ()
    agree(player, tape, values)


LINKS = ("{a} + {b}", "{a} - 0.5 * {b}", "{a} * pt.tanh({b})", "pt.switch({a} > {b}, {a}, {b})",
         "pt.exp(-pt.sqr({a})) * {b}",
         "pt.maximum({a}, {b})", "pt.sqrt({a} ** 2 + 1) / (1 + {b} ** 2)", "pt.clip({a}, -1, 1) - {b}",
         "pt.sigmoid({a}) * {b}",
         "pt.logaddexp(x, {a} + {b} + v)", "pt.erf({a}) + {b}")  # fmt: skip
FOLDS = ("({a}).sum(axis=0)", "pt.cumsum({a}, axis=0)", "({a})[::-1]", "({a}) - ({a}).mean()",
         "pt.logsumexp({a}, axis=0)",
         "pt.special.softmax({a}, axis=0)")  # fmt: skip


def random_expression(rng, depth):
    """An expression of vectors and scalars that fits together."""
    if depth == 0:
        return str(rng.choice(["s", "v", "p", "q", "u", "w", "x", "m[1]", "v[index[1]]", "0.7"]))
    a, b = (random_expression(rng, depth - 1) for _ in range(2))
    if rng.uniform() < 0.25:
        return str(rng.choice(FOLDS)).format(a=f"(({a}) + v)")
    return str(rng.choice(LINKS)).format(a=f"({a})", b=f"({b})")


@pytest.mark.parametrize("seed", range(4))
def test_random_graphs(player, seed):
    rng = np.random.default_rng(seed)
    tape, values = recorded([random_expression(rng, 3) for _ in range(12)])
    assert lacking(tape) == ()
    agree(player, tape, values)


def test_what_the_page_plays_is_what_python_says_it_plays(player):
    assert set(player.evaluate("PLAYED")) == PLAYED


def test_what_is_lacking_is_said():
    x, size = Cell("input", {"name": "x"}), Cell("constant", {"dtype": "int64", "shape": [1]}, (), np.array([3]))
    drawn = Cell("draw", {"name": "normal", "dtype": "float64"}, (1, 0, 0))
    assert lacking(Tape((x, size, drawn, Cell("solve", {"of": "both", "vector": True}, (0, 0))), {})) == (
        "draw",
        "solve",
    )
    assert lacking(Tape((x, Cell("cast", {"dtype": "complex128"}, (0,))), {})) == ("complex128",)


def test_many_quantiles_of_the_gamma_distribution_come_from_a_table(player):
    """A table is used from 200 shapes with four probabilities each, and is as exact as what it stands for."""
    rng = np.random.default_rng(1)
    for low, high in ((0.08, 0.7), (0.4, 30.0)):
        shape, p = rng.uniform(low, high, size=(300, 1)), rng.uniform(size=(300, 12)) ** 2
        p[:, 0], p[:, 1], p[:, 2] = 0.0, 1.0, 1e-9
        k, x = Cell("input", {"name": "k"}), Cell("input", {"name": "p"})
        names = ("gammaincinv", "gammainccinv")
        cells = [Cell("ufunc", {"name": f"scipy.special.{n}", "dtype": "float64"}, (0, 1)) for n in names]
        tape, values = Tape((k, x, *cells), {"lower": 2, "upper": 3}), {"k": shape, "p": p}
        found, wanted = in_page(player, tape, values), play(tape, values)
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-7)


def test_only_what_depends_on_a_changed_input_is_played_again(player):
    x, y = Cell("input", {"name": "x"}), Cell("input", {"name": "y"})
    slow = Cell("ufunc", {"name": "exp", "dtype": "float64"}, (0,))
    tape = Tape((x, y, slow, Cell("ufunc", {"name": "add", "dtype": "float64"}, (2, 1))), {"z": 3})
    script = """(text) => {
      let count = 0;
      const kept = UFUNCS.exp;
      UFUNCS.exp = (a) => { count += 1; return kept(a); };
      const player = openTape(JSON.parse(text)), x = valueOf(Float64Array.of(0, 1), [2]);
      const at = (v) => numbersOf(player.play({ x, y: scalar(v) }).z)[0];
      const found = [at(1), at(2), count];
      player.play({ x: valueOf(Float64Array.of(3, 4), [2]), y: scalar(2) });
      UFUNCS.exp = kept;
      return [...found, count];
    }"""
    assert player.evaluate(script, tape.text()) == [2, 3, 2, 4]


def test_a_tape_is_strict_json():
    numbers = np.array([1.5, np.inf, -np.inf, np.nan, 0.1])
    tape = Tape((Cell("constant", {"dtype": "float64", "shape": [5]}, (), numbers),), {"y": 0})

    def refuse(word):
        raise AssertionError(word)

    json.loads(tape.text(), parse_constant=refuse)
    again = play(Tape.from_text(tape.text()), {})["y"]
    assert np.array_equal(again, numbers, equal_nan=True)
