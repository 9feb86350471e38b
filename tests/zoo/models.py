"""Small models of every kind that users of PyMC write, each with what is right for it.

A model is a function that adds variables to an open ``pm.Model``; :func:`kind` enters it in :data:`ZOO` under its
name. What a model means is what PyMC means by it; an entry says only what is not the ordinary case: which word a
refusal has, and which groups cannot be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pymc.dims as pmd
import pytensor
import pytensor.tensor as pt
from pymc.distributions.transforms import Chain, CircularTransform, Interval, LogTransform, ordered
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.random.op import RandomVariable

__all__ = ["PRIOR", "ZOO", "Kind"]

PRIOR = ("prior", "prior_predictive")


@dataclass(frozen=True, slots=True)
class Kind:
    """A model and what is expected of it.

    Parameters
    ----------
    build
        Makes the model.
    refused
        A word of the refusal by the default sampler; None where it is sampled.
    left
        Groups that cannot be made, with the reason in the attribute ``left_out``.
    sampled
        The variables that are sampled together, where that is the point of the model.
    short
        Whether it is in the ordinary tests.
    posterior
        Whether its posterior is compared with that of ``pm.sample``.
    by_pymc
        Whether ``sampler="pymc"`` samples what the default refuses.
    inside
        Which draws of the prior, arrays (draw, …) by name, lie in the range of the transforms.
    """

    build: Callable[[], pm.Model]
    refused: str | None = None
    left: tuple[str, ...] = ()
    sampled: tuple[str, ...] | None = None
    short: bool = False
    posterior: bool = False
    by_pymc: bool = False
    inside: Callable[[Mapping[str, np.ndarray]], np.ndarray] | None = None


ZOO: dict[str, Kind] = {}


def kind(
    coords: Mapping[str, Any] | None = None, check_bounds: bool = True, **expected: Any
) -> Callable[[Callable[[], Any]], None]:
    """Enter a model under the name of the function that writes it."""

    def enter(body: Callable[[], Any]) -> None:
        def build() -> pm.Model:
            with pm.Model(coords=coords, check_bounds=check_bounds) as model:
                changed = body()
            return changed if isinstance(changed, pm.Model) else model

        ZOO[body.__name__] = Kind(build, **expected)

    return enter


GROUPS = {"g": ["a", "b", "c"]}
Y = np.array([1.2, 0.1, 2.3, 0.7, 1.9, -0.4, 1.1, 0.8])
X = np.array([-1.5, -1.0, -0.5, -0.1, 0.2, 0.6, 1.1, 1.7])
COUNTS = np.array([2, 0, 4, 1, 3, 0, 6, 2])
OF_GROUP = np.array([0, 1, 2, 0, 1, 2, 0, 1])
POSITIVE = np.array([0.4, 1.7, 0.9, 2.8, 0.2, 1.1, 3.5, 0.8])
SHARES = np.array([0.12, 0.55, 0.33, 0.71, 0.48, 0.09, 0.63, 0.27])
PAIRS = np.array([[0.5, 1.1], [-0.3, 0.2], [1.4, 0.9], [0.2, -0.8], [-1.1, -0.4], [0.8, 1.9]])


def masked(*values: Any) -> Any:
    return np.ma.masked_invalid(np.array(values, dtype=float))


# --- what bears on what ------------------------------------------------------------------------


@kind(sampled=("mu", "sigma", "beyond"), posterior=True, short=True, inside=lambda d: (d["beyond"] > 1.5).all(1))
def imputed_censoring() -> None:
    mu, sigma = pm.Normal("mu", 2, 2), pm.HalfNormal("sigma", 2)
    pm.Normal("beyond", mu, sigma, transform=Interval(1.5, None), shape=3)
    pm.Normal("y", mu, sigma, observed=Y[Y < 1.5])


@kind(sampled=("mu", "left"), posterior=True, inside=lambda d: (d["left"] < 0.5).all(1))
def imputed_censoring_below() -> None:
    mu = pm.Normal("mu", 0, 2)
    pm.Gumbel("left", mu, 1.0, transform=Interval(None, 0.5), shape=2, initval=[-0.5, -0.5])
    pm.Gumbel("y", mu, 1.0, observed=Y[Y > 0.5])


@kind(sampled=("mu", "sorted"), posterior=True, inside=lambda d: (np.diff(d["sorted"]) > 0).all(1))
def ordered_leaf() -> None:
    mu = pm.Normal("mu", 0, 2)
    pm.Normal("sorted", mu * np.array([1.0, 2.0, 3.0]), 1, transform=ordered, shape=3, initval=[-1.0, 0.0, 1.0])
    pm.Normal("y", mu, 1, observed=Y)


@kind(sampled=("kept",), posterior=True, inside=lambda d: (d["kept"] > 0.5) & (d["kept"] < 2))
def restricted_leaf_alone() -> None:
    pm.Normal("kept", 0, 1, transform=Interval(0.5, 2.0), initval=1.0)
    pm.Normal("free", 0, 1)


@kind(sampled=("slope", "sigma"), posterior=True, short=True, inside=lambda d: (d["slope"] > 0) & (d["slope"] < 1))
def restricted_parent() -> None:
    slope = pm.Normal("slope", 0, 2, transform=Interval(0.0, 1.0), initval=0.5)
    sigma = pm.HalfCauchy("sigma", 1)
    pm.Normal("y", slope * X, sigma, observed=Y)


@kind(sampled=("cut",), posterior=True, inside=lambda d: d["cut"][:, 0] < d["cut"][:, 1])
def ordered_parent() -> None:
    cut = pm.Normal("cut", [-1.0, 1.0], 2.0, transform=ordered, shape=2, initval=[-1.0, 1.0])
    pm.OrderedLogistic("grade", eta=0.5 * X, cutpoints=cut, observed=[0, 1, 1, 2, 1, 2, 2, 2])


@kind(sampled=("mu",), posterior=True, short=True)
def child_of_observed() -> None:
    mu = pm.Normal("mu", 0, 5)
    y = pm.Normal("y", mu, 1, observed=Y)
    pm.Normal("z", y.mean(), 0.1)
    pm.Deterministic("centre", y.mean())


@kind(sampled=("mu",))
def grandchild_of_observed() -> None:
    mu = pm.Normal("mu", 0, 5)
    y = pm.Normal("y", mu, 1, observed=Y)
    z = pm.Normal("z", y.max(), 0.5)
    pm.Gamma("w", pm.math.exp(z), 1.0)


@kind(sampled=("mu", "rho"), posterior=True)
def observed_child_of_observed() -> None:
    mu, rho = pm.Normal("mu", 0, 5), pm.Uniform("rho", -1, 1)
    first = pm.Normal("first", mu, 1, observed=Y)
    pm.Normal("second", rho * first, 1, observed=Y[::-1].copy())


@kind(sampled=("mu", "slope"), posterior=True)
def sampled_child_of_observed() -> None:
    mu = pm.Normal("mu", 0, 5)
    first = pm.Normal("first", mu, 1, observed=Y)
    slope = pm.Normal("slope", first.mean(), 1)
    pm.Normal("second", slope * X, 1, observed=Y)


@kind(sampled=("mu",), posterior=True, short=True)
def masked_array() -> None:
    mu = pm.Normal("mu", 0, 5)
    pm.Normal("y", mu, 1, observed=masked(np.nan, 9.0, 1, 2, 3, 4))


@kind(GROUPS)
def masked_array_with_parameters() -> None:
    effect, sigma = pm.Normal("effect", 0, 1, dims="g"), pm.HalfNormal("sigma", 1)
    y = pm.Normal("y", effect[OF_GROUP], sigma, observed=masked(1.2, np.nan, 2.3, 0.7, np.nan, -0.4, 1.1, 0.8))
    pm.Deterministic("total", y.sum())
    pm.Normal("after", y.mean(), 1)


@kind(posterior=True)
def masked_regressor() -> None:
    centre = pm.Normal("centre", 0, 1)
    x = pm.Normal("x", centre, 1, observed=masked(-1.0, np.nan, 0.5, np.nan, 1.5, 0.3, -0.6, 0.2))
    slope = pm.Normal("slope", 0, 1)
    pm.Normal("y", slope * x, 0.5, observed=Y)


@kind(posterior=True)
def masked_positive() -> None:
    rate = pm.Gamma("rate", 2, 2)
    pm.Exponential("wait", rate, observed=masked(0.4, np.nan, 0.9, 2.8, np.nan))


@kind(sampled=("rate",))
def masked_counts() -> None:
    rate = pm.Gamma("rate", 2, 1)
    pm.Poisson("count", rate, observed=np.ma.masked_equal([2, 0, -1, 4, -1], -1))


@kind(posterior=True)
def masked_rows_of_multivariate() -> None:
    mu = pm.Normal("mu", 0, 2, shape=2)
    seen = PAIRS.copy()
    seen[2] = np.nan
    pm.MvNormal("y", mu, np.array([[1.0, 0.4], [0.4, 1.0]]), observed=np.ma.masked_invalid(seen))


@kind(posterior=True)
def masked_entries_of_multivariate() -> None:
    mu = pm.Normal("mu", 0, 2, shape=2)
    seen = PAIRS.copy()
    seen[2, 0] = seen[4, 1] = np.nan
    pm.MvNormal("y", mu, np.array([[1.0, 0.4], [0.4, 1.0]]), observed=np.ma.masked_invalid(seen))


@kind()
def masked_dirichlet() -> None:
    weight = pm.HalfNormal("weight", 3, shape=3)
    seen = np.array([[0.2, 0.3, 0.5], [np.nan] * 3, [0.6, 0.1, 0.3]])
    pm.Dirichlet("share", weight, observed=np.ma.masked_invalid(seen))


@kind(sampled=("mu",), short=True)
def potential_beside_discrete() -> None:
    mu = pm.Normal("mu", 0, 5)
    pm.Normal("y", mu, 1, observed=Y)
    pm.Potential("pull", -0.1 * mu**2)
    pm.Poisson("k", 3)


@kind(refused="discrete", by_pymc=True)
def potential_on_discrete() -> None:
    k = pm.Poisson("k", 3)
    pm.Potential("pull", -0.5 * (k - 2.0) ** 2)


@kind(sampled=("a", "b"), posterior=True)
def potential_ties_what_is_free() -> None:
    a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1)
    pm.Potential("tie", -2.0 * (a - b) ** 2)
    pm.Normal("c", a + b, 0.1)


@kind()
def potential_of_data_alone() -> None:
    mu = pm.Normal("mu", 0, 1)
    x = pm.Data("x", X)
    pm.Potential("constant", -(x**2).sum())
    pm.Normal("y", mu, 1, observed=Y)


@kind(posterior=True)
def potential_of_vectors() -> None:
    b = pm.Normal("b", 0, 1, shape=4)
    pm.Potential("smooth", -3.0 * (b[1:] - b[:-1]) ** 2)
    pm.Normal("y", b[OF_GROUP], 1, observed=Y)


@kind(refused="discrete", by_pymc=True)
def discrete_parent() -> None:
    k = pm.Poisson("k", 3)
    pm.Normal("y", k, 1, observed=[2.5, 3.0])


@kind(refused="discrete", by_pymc=True)
def discrete_switch_of_observed() -> None:
    when, before, after = pm.DiscreteUniform("when", 0, 7), pm.Exponential("before", 1), pm.Exponential("after", 1)
    pm.Poisson("count", pm.math.switch(np.arange(8) < when, before, after), observed=COUNTS)


@kind(sampled=("mu",), short=True)
def indexed_by_a_drawn_number() -> None:
    mu = pm.Normal("mu", 0, 1, shape=3)
    pm.Normal("y", mu[OF_GROUP], 1, observed=Y)
    z = pm.Categorical("z", [0.2, 0.3, 0.5], shape=4)
    pm.Deterministic("chosen", mu[z])
    pm.Normal("new", mu[z], 0.5)


@kind()
def indexed_rows_by_a_drawn_number() -> None:
    m = pm.Normal("m", 0, 1, shape=(3, 2))
    z, k = pm.Categorical("z", [0.2, 0.3, 0.5]), pm.Bernoulli("k", 0.4, shape=2)
    pm.Deterministic("row", m[z])
    pm.Deterministic("both", m[z, k])
    pm.Normal("y", m.sum(axis=1)[OF_GROUP], 1, observed=Y)


@kind()
def size_by_a_drawn_number() -> None:
    n = pm.Binomial("n", 20, 0.5)
    p = pm.Beta("p", 2, 2)
    pm.Binomial("k", n, p)
    pm.Binomial("seen", 10, p, observed=4)


@kind(short=True)
def unnamed_variable() -> None:
    mu = pm.Normal("mu", 0, 5)
    pm.Normal("y", mu, 1, observed=Y)
    pm.Deterministic("noise", pm.Normal.dist(0, 1))


@kind()
def unnamed_variable_with_parents() -> None:
    mu = pm.Normal("mu", 0, 5)
    pm.Normal("y", mu, 1, observed=Y)
    noise = pm.Normal.dist(mu, 0.3, shape=3)
    pm.Deterministic("replicate", noise)
    pm.Deterministic("twice", 2 * noise)
    pm.Deterministic("other", pm.Poisson.dist(pm.math.exp(mu)))


@kind(refused="density")
def unnamed_variable_as_parameter() -> None:
    mu = pm.Normal("mu", pm.Normal.dist(0, 1), 1)
    pm.Normal("y", mu, 1, observed=Y)


# --- starting values ---------------------------------------------------------------------------


@kind(posterior=True)
def initial_value() -> None:
    mu = pm.Normal("mu", 0, 5, initval=1.0)
    pm.Normal("y", mu, 1, observed=Y)


@kind()
def initial_values_of_kinds() -> None:
    a = pm.Gamma("a", 2, 1, initval="prior")
    b = pm.Normal("b", 0, 1, shape=3, initval=np.array([0.1, 0.2, 0.3]))
    c = pm.Beta("c", 2, 2, initval="support_point")
    d = pm.Normal("d", a, 1, initval=0.5)
    pm.Normal("leaf", 0, 1, initval=3.0)
    pm.Normal("y", a + b[OF_GROUP] + c + d, 1, observed=Y)


@kind(posterior=True)
def start_outside_support() -> None:
    a = pm.Normal("a", 0, 10)
    pm.Potential("cut", pt.switch(a > 0.2, 0.0, -np.inf))
    pm.Normal("y", a, 10, observed=Y)


@kind(refused="start")
def start_outside_an_interval() -> None:
    pm.Normal("kept", 0, 1, transform=Interval(0.5, 2.0))


@kind(refused="discrete", by_pymc=True)
def masked_counts_that_others_need() -> None:
    rate = pm.Gamma("rate", 2, 1)
    count = pm.Poisson("count", rate, observed=np.ma.masked_equal([2, 0, -1, 4, -1], -1))
    pm.Normal("y", count, 1, observed=Y[:5])


@kind(refused="start")
def no_start_at_all() -> None:
    a = pm.Normal("a", 0, 1)
    pm.Potential("cut", pt.switch(a > 1e6, 0.0, -np.inf))
    pm.Normal("y", a, 1, observed=Y)


@kind(refused="start")
def data_outside_support() -> None:
    rate = pm.Exponential("rate", 1)
    pm.Exponential("wait", rate, observed=[-1.0, 2.0])


# --- what cannot be drawn, or has no density ---------------------------------------------------


@kind(left=PRIOR, posterior=True, short=True)
def flat() -> None:
    mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
    pm.Normal("y", mu, sigma, observed=Y)


@kind(left=PRIOR)
def flat_vector_under_others() -> None:
    mu = pm.Flat("mu", shape=3)
    effect = pm.Normal("effect", mu, 1)
    pm.Normal("y", effect[OF_GROUP], 1, observed=Y)
    pm.Normal("new", mu.sum(), 1)


@kind(left=PRIOR, posterior=True)
def intrinsic_autoregression() -> None:
    neighbours = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    phi, sigma = pm.ICAR("phi", W=neighbours), pm.HalfNormal("sigma", 1)
    pm.Poisson("count", pm.math.exp(sigma * phi[[0, 1, 2, 3, 0, 1, 2, 3]]), observed=COUNTS)


@kind(posterior=True)
def conditional_autoregression() -> None:
    neighbours = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    alpha, tau = pm.Beta("alpha", 2, 2), pm.Gamma("tau", 2, 2)
    phi = pm.CAR("phi", mu=np.zeros(4), W=neighbours, alpha=alpha, tau=tau)
    pm.Normal("y", phi[[0, 1, 2, 3, 0, 1, 2, 3]], 1, observed=Y)


def _shifted_logp(value: Any, mu: Any) -> Any:
    return -0.5 * ((value - mu) / 2.0) ** 2 - np.log(2.0) - 0.5 * np.log(2 * np.pi)


def _shifted_random(mu: Any, rng: np.random.Generator | None = None, size: Any = None) -> Any:
    return (rng or np.random.default_rng()).normal(mu, 2.0, size=size)


@kind(posterior=True)
def own_density_and_sampler() -> None:
    mu = pm.Normal("mu", 0, 1)
    a = pm.CustomDist("a", mu, logp=_shifted_logp, random=_shifted_random)
    pm.CustomDist("y", a, logp=_shifted_logp, random=_shifted_random, observed=Y)
    pm.CustomDist("leaf", mu, logp=_shifted_logp, random=_shifted_random, shape=2)


@kind(left=("posterior_predictive", "prior_predictive"))
def own_density_of_observed() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.CustomDist("y", mu, logp=_shifted_logp, observed=Y)


@kind(left=PRIOR, short=True)
def own_density_of_free() -> None:
    mu = pm.Normal("mu", 0, 1)
    a = pm.CustomDist("a", mu, logp=_shifted_logp)
    pm.Normal("y", a, 1, observed=Y)


@kind(left=PRIOR)
def own_density_of_leaf() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=Y)
    pm.CustomDist("leaf", mu, logp=_shifted_logp)


@kind(posterior=True)
def own_distribution_from_others() -> None:
    def skewed(mu: Any, size: Any) -> Any:
        return pm.math.exp(pm.Normal.dist(mu, 0.5, size=size))

    mu = pm.Normal("mu", 0, 1)
    a = pm.CustomDist("a", mu, dist=skewed)
    pm.CustomDist("y", pm.math.log(a), dist=skewed, observed=POSITIVE)
    pm.CustomDist("leaf", mu, dist=skewed)


@kind(refused="density")
def own_sampler_without_density() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.CustomDist("y", mu, random=_shifted_random, observed=Y)


@kind(refused="y")
def simulator() -> None:
    mu = pm.Normal("mu", 0, 5)
    pm.Simulator("y", lambda rng, m, size: rng.normal(m, 1, size=size), mu, epsilon=1, observed=Y)


@kind(refused="shape", by_pymc=True)
def interpolated_parent() -> None:
    grid = np.linspace(-3, 3, 50)
    shape = pm.Interpolated("shape", grid, np.exp(-np.abs(grid)))
    pm.Normal("y", shape, 1, observed=Y)


@kind()
def interpolated_leaf() -> None:
    grid = np.linspace(0, 4, 50)
    mu = pm.Normal("mu", 0, 1)
    pm.Interpolated("leaf", grid, grid * np.exp(-grid))
    pm.Normal("y", mu, 1, observed=Y)


class BlackBox(Op):
    """A square that only NumPy knows."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        x = pt.as_tensor(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = np.asarray(inputs[0] ** 2)


class WithGradient(BlackBox):
    """The same with a derivative in PyTensor, though not in JAX."""

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
        return [2 * inputs[0] * cotangents[0]]


@kind(refused="y", by_pymc=True)
def black_box() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", BlackBox()(mu), 1, observed=Y)


@kind(refused="y", by_pymc=True)
def own_operation_with_gradient() -> None:
    mu = pm.HalfNormal("mu", 1)
    pm.Normal("y", WithGradient()(mu), 1, observed=Y)


@kind(posterior=True)
def black_box_of_deterministic() -> None:
    mu = pm.Normal("mu", 0, 1, shape=2)
    pm.Normal("y", mu.sum(), 1, observed=Y)
    squared = pm.Deterministic("squared", BlackBox()(mu))
    pm.Normal("new", squared, 1)


class NotNormal(RandomVariable):
    """An exponential above a bound that calls itself normal."""

    name = "normal"
    signature = "(),()->()"
    dtype = "floatX"
    _print_name = ("Normal", "Normal")

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, low: Any, scale: Any, size: Any) -> Any:
        return low + rng.exponential(scale, size)


class Above(pm.Continuous):
    rv_op = NotNormal()

    @classmethod
    def dist(cls, low: Any, scale: Any, **others: Any) -> Any:
        return super().dist([pt.as_tensor(low), pt.as_tensor(scale)], **others)

    def support_point(rv: Any, size: Any, low: Any, scale: Any) -> Any:
        return pt.full(size, low + scale) if not pm.distributions.shape_utils.rv_size_is_none(size) else low + scale

    def logp(value: Any, low: Any, scale: Any) -> Any:
        return pt.switch(value > low, -(value - low) / scale - pt.log(scale), -np.inf)


@kind(posterior=True)
def own_variable_named_normal() -> None:
    low = pm.Normal("low", -2, 1)
    Above("y", low, 1.0, observed=Y)
    pm.Deterministic("noise", Above.dist(low, 2.0))


@kind()
def own_variable_named_normal_as_leaf() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=Y)
    Above("leaf", 0.0, 2.0, initval=1.0)


# --- transforms --------------------------------------------------------------------------------


@kind(posterior=True)
def no_transform() -> None:
    s, p = pm.HalfNormal("s", 1, default_transform=None), pm.Beta("p", 2, 2, default_transform=None)
    pm.HalfNormal("leaf", s, default_transform=None)
    pm.Normal("y", p, 0.5 + s, observed=Y)


@kind(posterior=True)
def bounds_from_parents() -> None:
    top = pm.Gamma("top", 5, 2)
    u = pm.Uniform("u", 0, top)
    pm.Uniform("leaf", u, u + top)
    pm.TruncatedNormal("cut", u, 1, lower=0, upper=top)
    pm.Normal("y", u, 1, observed=Y)


@kind(sampled=("mu", "leaf"), inside=lambda d: d["leaf"] > 0.5 * d["mu"], posterior=True)
def restricting_leaf_with_bounds_from_parents() -> None:
    mu = pm.Normal("mu", 1, 1)
    above = Interval(bounds_fn=lambda rng, size, mu, sigma: (0.5 * mu, None))
    pm.Normal("leaf", mu, 1, transform=above, initval=3.0)
    pm.Normal("y", mu, 1, observed=Y)


@kind(inside=lambda d: (np.diff(d["steps"]) > 0).all(1))
def ordered_prior_alone() -> None:
    pm.Normal("steps", 0, 1, shape=3, transform=ordered, initval=[-1.0, 0.0, 1.0])


@kind(inside=lambda d: (np.diff(d["rise"]) > 0).all(1), posterior=True)
def chained_transform() -> None:
    rise = pm.Gamma("rise", 2, 1, shape=3, transform=ordered, initval=[0.5, 1.0, 2.0])
    pm.Normal("y", rise[OF_GROUP], 1, observed=Y)


@kind(inside=lambda d: (np.diff(d["rise"])[:, 0] > 0) & (np.abs(np.log(d["wait"])) < 1))
def chain_of_transforms() -> None:
    steps = Chain([LogTransform(), ordered])
    rise = pm.Gamma("rise", 2, 1, shape=2, default_transform=None, transform=steps, initval=[0.5, 2.0])
    pm.Exponential("wait", rise[0], transform=Interval(-1.0, 1.0))  # of its logarithm
    pm.Normal("y", rise.sum(), 1, observed=Y)


@kind()
def directions() -> None:
    where = pm.VonMises("where", 0.3, 2.0)
    pm.VonMises("leaf", where, 1.0)
    turn = pm.Uniform("turn", -np.pi, np.pi, transform=CircularTransform())
    pm.Normal("y", pm.math.cos(where) + pm.math.sin(turn), 1, observed=Y)


@kind(posterior=True)
def zero_sum() -> None:
    effect = pm.ZeroSumNormal("effect", sigma=1.5, shape=3)
    pm.ZeroSumNormal("leaf", sigma=pm.HalfNormal("s", 1), shape=(2, 3), n_zerosum_axes=2)
    pm.Normal("y", 0.8 + effect[OF_GROUP], 0.7, observed=Y)


@kind(posterior=True)
def logit_normal_shapes() -> None:
    mu = pm.Normal("mu", 0, 1, shape=2)
    p = pm.LogitNormal("p", mu, [0.5, 1.0], shape=(3, 2))
    pm.LogitNormal("leaf", mu, 1.0)
    pm.Binomial("k", 10, p[:, 0], observed=[3, 6, 8])


@kind()
def stick_breaking() -> None:
    alpha = pm.Gamma("alpha", 2, 1)
    w = pm.StickBreakingWeights("w", alpha, K=3)
    pm.NormalMixture("y", w, mu=np.arange(4.0) - 1, sigma=0.7, observed=Y)


@kind()
def simplex_leaf() -> None:
    weight = pm.HalfNormal("weight", 2, shape=3)
    pm.Dirichlet("share", weight + 0.5, shape=(2, 3))
    pm.Normal("y", weight[OF_GROUP], 1, observed=Y)


# --- matrices and vectors ----------------------------------------------------------------------


@kind(posterior=True)
def cholesky_factor() -> None:
    chol, _, _ = pm.LKJCholeskyCov("chol", n=2, eta=2, sd_dist=pm.Exponential.dist(1.0))
    pm.MvNormal("y", np.zeros(2), chol=chol, observed=PAIRS)


@kind()
def cholesky_factor_packed_leaf() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.LKJCholeskyCov("chol", n=3, eta=1, sd_dist=pm.HalfNormal.dist(1.0, shape=3), compute_corr=False)
    pm.Normal("y", mu, 1, observed=Y)


@kind(left=PRIOR, posterior=True)  # PyMC itself draws matrices that are not positive definite
def correlations() -> None:
    corr = pm.LKJCorr("corr", n=3, eta=2)
    pm.MvNormal("y", np.zeros(3), corr, observed=np.c_[PAIRS, PAIRS[:, 0] * 0.3])


@kind()
def correlations_leaf() -> None:
    pm.LKJCorr("corr", n=2, eta=1.5)
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=Y)


@kind()
def multivariate_leaves() -> None:
    mu = pm.Normal("mu", 0, 1, shape=2)
    cov = np.array([[1.0, 0.3], [0.3, 0.5]])
    pm.Normal("y", mu[0], 1, observed=Y)
    pm.MvNormal("mvn", mu, cov, shape=(3, 2))
    pm.MvStudentT("mvt", nu=7, mu=mu, scale=cov)
    pm.MatrixNormal("matrix", mu=np.zeros((2, 3)), rowcov=cov, colcov=np.eye(3))
    pm.KroneckerNormal("kron", mu=np.zeros(4), covs=[cov, np.eye(2)])
    pm.Multinomial("votes", n=12, p=[0.2, 0.3, 0.5])
    pm.DirichletMultinomial("urn", n=9, a=[1.0, 2.0, 3.0])


@kind()
def wishart_leaf() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Wishart("scatter", nu=6, V=np.array([[1.0, 0.3], [0.3, 0.5]]))
    pm.Normal("y", mu, 1, observed=Y)


@kind()
def batch_of_multivariate() -> None:
    centre = pm.Normal("centre", 0, 1, shape=(3, 2))
    pm.MvNormal("y", centre, np.eye(2) * 0.5, observed=PAIRS[:3])


# --- time series -------------------------------------------------------------------------------


@kind()
def autoregression() -> None:
    rho, sigma = pm.Normal("rho", 0.5, 0.3), pm.HalfNormal("sigma", 1)
    pm.AR("path", rho, sigma, init_dist=pm.Normal.dist(0, 2), shape=6)
    pm.AR("y", rho, sigma, init_dist=pm.Normal.dist(0, 2), observed=Y)


@kind()
def autoregression_latent() -> None:
    rho = pm.Normal("rho", 0, 0.5, shape=3)
    path = pm.AR("path", rho, 0.5, constant=True, init_dist=pm.Normal.dist(0, 1, shape=2), shape=8)
    pm.Normal("y", path, 0.5, observed=Y)


@kind(posterior=True)
def random_walk() -> None:
    step = pm.HalfNormal("step", 1)
    level = pm.GaussianRandomWalk("level", mu=0.1, sigma=step, init_dist=pm.Normal.dist(0, 2), shape=8)
    pm.Normal("y", level, 0.5, observed=Y)


@kind()
def random_walk_leaf() -> None:
    step = pm.HalfNormal("step", 1)
    pm.GaussianRandomWalk("y", sigma=step, init_dist=pm.Normal.dist(0, 2), observed=Y)
    pm.GaussianRandomWalk("other", sigma=step, init_dist=pm.Normal.dist(0, 2), steps=4)
    pm.MvGaussianRandomWalk(
        "pair", mu=[0.0, 0.1], cov=np.eye(2), init_dist=pm.MvNormal.dist([0, 0], np.eye(2)), steps=3
    )


@kind()
def stochastic_differential_equation() -> None:
    rate = pm.HalfNormal("rate", 1)
    pm.EulerMaruyama("path", dt=0.1, sde_fn=lambda x, r: (-r * x, 0.5), sde_pars=[rate], shape=8,
                     init_dist=pm.Normal.dist(0, 1))  # fmt: skip
    pm.Normal("y", rate, 1, observed=Y)


@kind()
def garch() -> None:
    omega, alpha = pm.HalfNormal("omega", 1), pm.Uniform("alpha", 0, 0.5)
    pm.GARCH11("y", omega=0.1 + omega, alpha_1=alpha, beta_1=0.3, initial_vol=1.0, observed=Y)


@kind(posterior=True)
def loop() -> None:
    rate = pm.Beta("rate", 2, 2)
    start = pt.constant(0.5, dtype="float64")
    path = pytensor.scan(lambda x, r: x + r * (3.0 - x), outputs_info=start, non_sequences=[rate], n_steps=8,
                         return_updates=False)  # fmt: skip
    pm.Deterministic("path", path)
    pm.Normal("y", path, 1, observed=Y)


@kind()
def local_level() -> None:
    step, noise = pm.HalfNormal("step", 0.5), pm.HalfNormal("noise", 0.5)
    raw = pm.Normal("raw", 0, 1, shape=8)
    level = pm.Deterministic("level", pt.cumsum(step * raw))
    pm.Normal("y", level, noise, observed=Y)
    pm.Normal("next", level[-1] + step * pm.Normal("shock", 0, 1), noise)


# --- mixtures and parts ------------------------------------------------------------------------


@kind(posterior=True)
def normal_mixture() -> None:
    w = pm.Dirichlet("w", np.ones(2) * 3)
    mu = pm.Normal("mu", [0.0, 2.0], 0.5)
    pm.NormalMixture("y", w, mu=mu, sigma=0.6, observed=Y)
    pm.NormalMixture("leaf", w, mu=mu, sigma=0.6)


@kind(posterior=True)
def mixture_of_kinds() -> None:
    w, s = pm.Beta("w", 2, 2), pm.HalfNormal("s", 1)
    parts = [pm.Exponential.dist(1.0), pm.LogNormal.dist(0.0, s + 0.1)]
    pm.Mixture("y", pt.stack([w, 1 - w]), parts, observed=POSITIVE)


@kind(posterior=True)
def zero_inflated() -> None:
    psi, mu = pm.Beta("psi", 2, 2), pm.Gamma("mu", 3, 1)
    pm.ZeroInflatedPoisson("y", psi, mu, observed=COUNTS)
    pm.ZeroInflatedNegativeBinomial("leaf", psi, mu, alpha=2.0)
    pm.ZeroInflatedBinomial("other", psi, 6, 0.4, shape=2)


@kind()
def hurdle() -> None:
    psi, alpha = pm.Beta("psi", 2, 2), pm.Gamma("alpha", 3, 1)
    pm.HurdleGamma("y", psi, alpha, 1.0, observed=np.where(COUNTS == 0, 0.0, POSITIVE))
    pm.HurdleLogNormal("leaf", psi, 0.0, 1.0)
    pm.HurdlePoisson("count", psi, alpha, observed=COUNTS)


@kind(posterior=True)
def truncated() -> None:
    mu, sigma = pm.Normal("mu", 0, 1), pm.HalfNormal("sigma", 1)
    pm.Truncated("y", pm.Normal.dist(mu, sigma), lower=-0.5, upper=2.5, observed=Y)
    pm.Truncated("leaf", pm.Gamma.dist(2.0, 1.0), lower=0.5, upper=3)
    pm.Truncated("whole", pm.Poisson.dist(3.0), lower=1)


@kind()
def truncated_parent() -> None:
    a = pm.Truncated("a", pm.Normal.dist(0, 1), lower=0.2)
    pm.Normal("y", a, 1, observed=Y)


@kind(posterior=True)
def censored() -> None:
    mu, sigma = pm.Normal("mu", 0, 2), pm.HalfNormal("sigma", 2)
    pm.Censored("y", pm.Normal.dist(mu, sigma), lower=0.0, upper=1.5, observed=np.clip(Y, 0.0, 1.5))


@kind()
def censored_leaf() -> None:
    mu = pm.Normal("mu", 0, 2)
    pm.Normal("y", mu, 1, observed=Y)
    pm.Censored("leaf", pm.Normal.dist(mu, 1), lower=0.0, upper=1.5)


@kind(inside=lambda d: d["cut"][:, 0] < d["cut"][:, 1], posterior=True)
def ordered_logistic() -> None:
    cut = pm.Normal("cut", 0, 1.5, shape=2, transform=ordered, initval=[-1.0, 1.0])
    slope = pm.Normal("slope", 0, 1)
    pm.OrderedLogistic("grade", eta=slope * X, cutpoints=cut, observed=[0, 1, 0, 2, 1, 2, 2, 1])


@kind()
def ordered_probit() -> None:
    slope = pm.Normal("slope", 0, 1)
    pm.OrderedProbit("grade", eta=slope * X, cutpoints=np.array([-0.5, 0.7]), observed=[0, 1, 0, 2, 1, 2, 2, 1])


@kind()
def dirichlet_multinomial() -> None:
    share, conc = pm.Dirichlet("share", np.ones(3)), pm.LogNormal("conc", 1, 1)
    pm.DirichletMultinomial("urn", n=[9, 6], a=share * conc, observed=[[2, 3, 4], [0, 1, 5]])


# --- names -------------------------------------------------------------------------------------


@kind(short=True)
def awkward_names() -> None:
    a = pm.Normal("1|g", 0, 1)
    b = pm.Normal("bs(x, df=4)", 0, 1, shape=4)
    c, d = pm.HalfNormal("a,b", 1), pm.Normal("1st", 0, 1)
    e, f = pm.Normal("x::y", 0, 1), pm.Normal("[0]", 0, 1)
    pm.Deterministic("b[1]", b[1])
    pm.Normal("new [x] {y}", a, 1)
    pm.Normal('y\' ~ "q"', a + b.sum() + d + e + f, 1 + c, observed=Y)


@kind({"g (x)": ["a", "b", "c"], "1|row": list(range(8))})
def awkward_dims() -> None:
    a = pm.Normal("a", 0, 1, dims="g (x)")
    pm.Normal("lambda", 0, 1, dims="g (x)")
    pm.Normal("y", a[OF_GROUP], 1, dims="1|row", observed=pm.Data("seen: y", Y, dims="1|row"))


@kind()
def underscored_names() -> None:
    a, b = pm.Normal("_a", 0, 1), pm.Normal("__b", 0, 1)
    pm.Deterministic("_sum", a + b)
    pm.Normal("_new", a, 1)
    pm.Normal("_y", a + b, 1, observed=Y)


@kind()
def names_of_the_engine() -> None:
    a, b = pm.Normal("size", 0, 1), pm.Normal("draws", 0, 1)
    c = pm.Normal("lp", 0, 1, shape=2)
    pm.Normal("inside", a, 1)
    pm.Normal("observed", a + b + c.sum(), 1, observed=Y)
    pm.Normal("prior", pm.HalfNormal("0", 1), 1)


@kind(posterior=True)
def submodels() -> None:
    def part(name: str) -> Any:
        with pm.Model(name=name):
            mu = pm.Normal("mu", 0, 1)
            pm.Deterministic("twice", 2 * mu)
            pm.Normal("leaf", mu, 1)
        return mu

    pm.Normal("y", part("first") + part("second"), 1, observed=Y)


# --- data --------------------------------------------------------------------------------------


@kind(short=True, posterior=True)
def data_as_mask() -> None:
    mask = pm.Data("mask", np.array([True, False, True]))
    mu = pm.Normal("mu", 0, 1, shape=3)
    pm.Deterministic("kept", mu[mask])
    pm.Normal("y", mu[mask].sum(), 1, observed=Y)


@kind()
def data_as_index() -> None:
    index, where = pm.Data("index", OF_GROUP), pm.Data("where", np.array(1))
    mu = pm.Normal("mu", 0, 1, shape=3)
    pm.Deterministic("one", mu[where])
    pm.Normal("new", mu[index], 0.5)
    pm.Normal("y", mu[index], 1, observed=Y)


@kind()
def data_as_slice() -> None:
    n = pm.Data("n", np.array(2))
    mu = pm.Normal("mu", 0, 1, shape=4)
    pm.Deterministic("first", mu[:n])
    pm.Normal("new", mu[n:], 1)
    pm.Normal("y", mu[:n].sum(), 1, observed=Y)


@kind()
def data_as_shape() -> None:
    n = pm.Data("n", np.array(3))
    mu = pm.Normal("mu", 0, 1, shape=n)
    pm.Normal("new", 0, 1, shape=(n, 2))
    pm.Deterministic("ones", pt.ones(n) * mu.sum())
    pm.Normal("y", mu.sum(), 1, observed=Y)


@kind()
def data_as_steps_and_powers() -> None:
    n, powers = pm.Data("n", np.array(3)), pm.Data("powers", np.array([1, 2, 3]))
    x = pm.Data("x", X)
    b = pm.Normal("b", 0, 1, shape=3)
    pm.Normal("y", (x[:, None] ** powers * b).sum(axis=1) / n, 1, observed=Y)
    pm.Deterministic("grid", pt.arange(n) * b)


@kind()
def data_set_to_another_length() -> pm.Model:
    x, y = pm.Data("x", X[:5]), pm.Data("seen", Y[:5])
    slope = pm.Normal("slope", 0, 1)
    pm.Normal("y", slope * x, 1, observed=y, shape=x.shape)
    model = pm.modelcontext(None)
    pm.set_data({"x": X, "seen": Y}, model=model)
    return model


@kind({"row": np.arange(5)})
def data_with_dims_set_to_another_length() -> pm.Model:
    x, y = pm.Data("x", X[:5], dims="row"), pm.Data("seen", Y[:5], dims="row")
    slope = pm.Normal("slope", 0, 1)
    effect = pm.Normal("effect", 0, 1, dims="row")
    pm.Deterministic("line", slope * x + effect, dims="row")
    pm.Normal("new", slope * x, 1, dims="row")
    pm.Normal("y", slope * x + effect, 1, observed=y, dims="row")
    model = pm.modelcontext(None)
    pm.set_data({"x": X, "seen": Y}, coords={"row": np.arange(8)}, model=model)
    return model


@kind(GROUPS)
def deterministics_of_data() -> None:
    x = pm.Data("x", X)
    pm.Deterministic("centre", x.mean())
    pm.Deterministic("constant", pt.constant(np.arange(3.0)), dims="g")
    mu = pm.Normal("mu", pm.Deterministic("spread", x.std()), 1)
    pm.Normal("y", mu, 1, observed=Y)


@kind()
def integers_in_special_functions() -> None:
    counts = pm.Data("counts", COUNTS)
    rate = pm.Gamma("rate", 2, 1)
    pm.Potential("poisson", (counts * pt.log(rate) - rate - pt.gammaln(counts + 1)).sum())
    pm.Deterministic("choose", pt.gammaln(counts + rate) - pt.gammaln(COUNTS + 1))


@kind()
def whole_numbers_observed() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 2, observed=COUNTS)
    pm.Bernoulli("b", logit_p=mu, observed=COUNTS > 1)


@kind()
def scalar_observed_and_empty() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=1.3)
    pm.Normal("none", mu, 1, observed=np.zeros(0))
    pm.Normal("nobody", mu, 1, shape=0)


@kind()
def sums_of_one_argument() -> None:
    mu = pm.Normal("mu", 0, 1, shape=3)
    pm.Deterministic("one", pt.add(mu))
    pm.Normal("y", pt.add(mu.sum()) * pt.mul(mu[0]), 1, observed=Y)


@kind(refused="inibatch")
def minibatch() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=pm.Minibatch(np.tile(Y, 10), batch_size=16), total_size=80)


@kind(posterior=True)
def scaled_likelihood() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=Y, total_size=40)


@kind({"day": np.array(["2024-02-28", "2024-02-29", "2024-03-01"], dtype="datetime64[D]"), "k": [1.5, 2.5]})
def dates_as_labels() -> None:
    level = pm.Normal("level", 0, 1, dims=("day", "k"))
    pm.Normal("new", level, 1, dims=("day", "k"))
    pm.Normal("y", level.sum(axis=1)[OF_GROUP], 1, observed=Y)


@kind()
def gaps_in_a_table() -> None:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=pd.Series([0.3, np.nan, 1.2, np.nan], name="seen"))
    pm.Normal("pair", mu, 2, observed=pd.DataFrame({"a": [1.0, np.nan], "b": [0.5, 0.1]}))


@kind()
def whole_and_true_deterministics() -> None:
    mu = pm.Normal("mu", 0, 1, shape=3)
    k = pm.Poisson("k", 2)
    pm.Deterministic("positive", mu > 0)
    pm.Deterministic("how many", (mu > 0).sum() + k)
    pm.Deterministic("parity", pt.eq(k % 2, 0))
    pm.Normal("y", mu[OF_GROUP], 1, observed=Y)


# --- little or much ----------------------------------------------------------------------------


@kind(sampled=())
def nothing_observed() -> None:
    s = pm.HalfNormal("s", 1)
    x = pm.Normal("x", 0, s, shape=2)
    pm.Deterministic("total", x.sum())


@kind(sampled=())
def nothing_free() -> None:
    pm.Normal("y", 0, 1, observed=Y)
    pm.Deterministic("two", pt.constant(2.0))


@kind(sampled=())
def nothing_for_nuts() -> None:
    k = pm.Poisson("k", 3)
    pm.Binomial("n", k, 0.5)
    pm.Normal("y", 0, 1, observed=Y)


@kind(refused="random variable")
def nothing_at_all() -> None:
    pm.Data("x", X)


@kind(GROUPS)
def vectors_alone() -> None:
    b = pm.Normal("b", 0, 1, dims="g")
    pm.Deterministic("total", b.sum())
    pm.Normal("y", b.mean(), 1, observed=Y)


@kind(sampled=())
def every_continuous_distribution() -> None:
    for name, parameters in CONTINUOUS.items():
        getattr(pm, name)(name, **parameters)


@kind(refused="polyagamma")
def polya_gamma_without_its_package() -> None:
    weight = pm.PolyaGamma("weight", 1, 0.5)
    pm.Normal("y", weight, 1, observed=Y)


@kind(sampled=())
def every_discrete_distribution() -> None:
    for name, parameters in WHOLE.items():
        getattr(pm, name)(name, **parameters)


@kind()
def every_continuous_distribution_sampled() -> None:
    total = sum(getattr(pm, name)(name, **parameters) for name, parameters in CONTINUOUS.items()
                if name not in ("Cauchy", "Moyal"))  # fmt: skip
    pm.Normal("y", total, 10, observed=Y)


CONTINUOUS: dict[str, dict[str, Any]] = {
    "Normal": {"mu": 0.5, "sigma": 2}, "TruncatedNormal": {"mu": 0, "sigma": 1, "lower": -1, "upper": 2},
    "HalfNormal": {"sigma": 2}, "SkewNormal": {"mu": 1, "sigma": 2, "alpha": 3}, "Uniform": {"lower": -1, "upper": 2},
    "Beta": {"alpha": 2, "beta": 3}, "Kumaraswamy": {"a": 2, "b": 3}, "Exponential": {"lam": 2},
    "Laplace": {"mu": 1, "b": 2}, "StudentT": {"nu": 5, "mu": 1, "sigma": 2}, "Cauchy": {"alpha": 0, "beta": 1},
    "HalfCauchy": {"beta": 1}, "Gamma": {"alpha": 2, "beta": 3}, "InverseGamma": {"alpha": 4, "beta": 3},
    "Weibull": {"alpha": 2, "beta": 1}, "HalfStudentT": {"nu": 5, "sigma": 1}, "LogNormal": {"mu": 0, "sigma": 0.5},
    "ChiSquared": {"nu": 4}, "Wald": {"mu": 1, "lam": 2}, "Pareto": {"alpha": 4, "m": 1},
    "ExGaussian": {"mu": 0, "sigma": 1, "nu": 2}, "VonMises": {"mu": 0.3, "kappa": 2},
    "Triangular": {"lower": 0, "upper": 3, "c": 1}, "Gumbel": {"mu": 0, "beta": 1}, "Logistic": {"mu": 0, "s": 1},
    "LogitNormal": {"mu": 0, "sigma": 1}, "Rice": {"nu": 1, "sigma": 1}, "Moyal": {"mu": 0, "sigma": 1},
    "AsymmetricLaplace": {"kappa": 2, "mu": 0, "b": 1},
}  # fmt: skip
"""Parameters of each univariate continuous distribution."""

WHOLE: dict[str, dict[str, Any]] = {
    "Binomial": {"n": 9, "p": 0.4}, "BetaBinomial": {"n": 9, "alpha": 2, "beta": 3}, "Bernoulli": {"p": 0.3},
    "Poisson": {"mu": 3}, "NegativeBinomial": {"mu": 3, "alpha": 2}, "Geometric": {"p": 0.3},
    "DiscreteUniform": {"lower": 1, "upper": 6}, "HyperGeometric": {"N": 20, "k": 8, "n": 6},
    "DiscreteWeibull": {"q": 0.8, "beta": 1.2}, "Categorical": {"p": [0.2, 0.3, 0.5]},
    "ZeroInflatedPoisson": {"psi": 0.7, "mu": 3}, "DiracDelta": {"c": 4},
}  # fmt: skip
"""Parameters of each univariate discrete distribution."""


# --- well-known models -------------------------------------------------------------------------

EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


@kind({"school": list("ABCDEFGH")})
def eight_schools_centred() -> None:
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
    theta = pm.Normal("theta", mu, tau, dims="school")
    pm.Normal("effect", theta, ERRORS, observed=EFFECTS, dims="school")
    pm.Normal("new", mu, tau)


@kind({"school": list("ABCDEFGH")}, posterior=True)
def eight_schools() -> None:
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
    raw = pm.Normal("raw", 0, 1, dims="school")
    theta = pm.Deterministic("theta", mu + tau * raw, dims="school")
    pm.Normal("effect", theta, ERRORS, observed=EFFECTS, dims="school")


@kind()
def horseshoe() -> None:
    tau, local = pm.HalfCauchy("tau", 0.5), pm.HalfCauchy("local", 1, shape=3)
    raw = pm.Normal("raw", 0, 1, shape=3)
    b = pm.Deterministic("b", raw * tau * local)
    pm.Normal("y", np.c_[X, X**2, np.sin(X)] @ b, pm.HalfNormal("sigma", 1), observed=Y)


@kind(GROUPS, posterior=True)
def varying_slopes() -> None:
    chol, _, sds = pm.LKJCholeskyCov("chol", n=2, eta=2, sd_dist=pm.Exponential.dist(1.0), store_in_trace=False)
    raw = pm.Normal("raw", 0, 1, shape=(3, 2))
    b = pm.Deterministic("b", pt.dot(raw, chol.T))
    pm.Deterministic("sds", sds)
    pm.Normal("y", 1 + b[OF_GROUP, 0] + b[OF_GROUP, 1] * X, 0.7, observed=Y)


@kind(posterior=True)
def logistic_regression() -> None:
    a, b = pm.Normal("a", 0, 1.5), pm.Normal("b", 0, 1.5)
    pm.Bernoulli("y", logit_p=a + b * X, observed=(Y > 0.9).astype(int))


@kind(GROUPS)
def negative_binomial_regression() -> None:
    effect = pm.Normal("effect", 0, pm.HalfNormal("tau", 1), dims="g")
    alpha = pm.Exponential("alpha", 1)
    pm.NegativeBinomial("y", mu=pm.math.exp(0.5 + effect[OF_GROUP]), alpha=alpha, observed=COUNTS)


@kind(posterior=True)
def survival_with_a_potential() -> None:
    alpha, beta = pm.Gamma("alpha", 3, 2), pm.LogNormal("beta", 0, 1)
    pm.Weibull("event", alpha, beta, observed=POSITIVE[:5])
    pm.Potential("beyond", -((POSITIVE[5:] / beta) ** alpha).sum())
    pm.Weibull("new", alpha, beta)


@kind(posterior=True)
def robust_regression() -> None:
    nu, s = pm.Gamma("nu", 2, 0.1), pm.HalfNormal("s", 1)
    pm.StudentT("y", nu=nu + 1, mu=pm.Normal("b", 0, 1) * X, sigma=s, observed=Y)


@kind()
def beta_regression() -> None:
    b, kappa = pm.Normal("b", 0, 1), pm.HalfNormal("kappa", 10)
    pm.Beta("y", mu=pm.math.sigmoid(b * X), nu=kappa + 2, observed=SHARES)


@kind()
def gaussian_process() -> None:
    length, scale = pm.InverseGamma("length", 4, 3), pm.HalfNormal("scale", 1)
    gp = pm.gp.Marginal(cov_func=scale**2 * pm.gp.cov.ExpQuad(1, ls=length))
    gp.marginal_likelihood("y", X=X[:, None], y=Y, sigma=0.5)
    gp.conditional("f_new", np.array([[0.0], [0.5]]))


@kind(posterior=True)
def gaussian_process_latent() -> None:
    gp = pm.gp.Latent(cov_func=pm.gp.cov.Matern32(1, ls=pm.Gamma("length", 3, 2)))
    f = gp.prior("f", X=X[:, None])
    pm.Poisson("y", pm.math.exp(f), observed=COUNTS)


@kind()
def gaussian_process_basis() -> None:
    gp = pm.gp.HSGP(m=[4], c=1.5, cov_func=pm.gp.cov.ExpQuad(1, ls=pm.Gamma("length", 3, 2)))
    f = gp.prior("f", X=X[:, None])
    pm.Normal("y", f, 0.5, observed=Y)


@kind(posterior=True)
def gradient_in_the_model() -> None:
    a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1)
    slope = pt.grad(pt.sum(pt.exp(a * b) + a**2), a)
    pm.Deterministic("slope", slope)
    pm.Normal("y", slope, 1, observed=Y)
    pm.Potential("prior", 0.5 * pt.log(1 + slope**2))


@kind()
def solved_system() -> None:
    a = pm.Normal("a", 0, 1, shape=2)
    matrix = pt.eye(2) * 2 + pt.outer(a, a)
    pm.Deterministic("solved", pt.linalg.solve(matrix, a))
    pm.Deterministic("volume", pt.log(pt.linalg.det(matrix)))
    pm.MvNormal("y", a, matrix, observed=PAIRS)


@kind()
def assembled_vectors() -> None:
    a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1, shape=3)
    v = pt.concatenate([a[None], b, pt.zeros(1)])
    v = pt.set_subtensor(v[4], b.max())
    pm.Deterministic("order", pt.sort(v))
    pm.Deterministic("clipped", pt.clip(pt.cumsum(v), -1, 1))
    pm.Deterministic("which", pt.argmax(b))
    pm.Normal("new", pt.switch(a > 0, v[0], pt.logsumexp(v)), 1)
    pm.Normal("y", v[OF_GROUP], 1, observed=Y)


@kind({"row": np.arange(8), "g": ["a", "b", "c"]}, refused="XTensorVariable")
def named_axes() -> None:
    x = pmd.Data("x", X, dims="row")
    slope, sigma = pmd.Normal("slope", 0, 1, dims="g"), pmd.HalfNormal("sigma", 1)
    line = pmd.Deterministic("line", x * slope.mean("g"))
    pmd.Normal("y", line, sigma, observed=pmd.as_xtensor(Y, dims=("row",)))
    pmd.Normal("new", slope, sigma, dims="g")


@kind()
def intervention() -> pm.Model:
    a = pm.Normal("a", 0, 1)
    b = pm.Normal("b", a, 1)
    pm.Normal("y", a + b, 1, observed=Y)
    return pm.do(pm.modelcontext(None), {"b": 0.7})


@kind()
def observed_afterwards() -> pm.Model:
    a = pm.Normal("a", 0, 1)
    pm.Normal("b", a, 1)
    pm.Normal("y", a, 1, shape=8)
    return pm.observe(pm.modelcontext(None), {"y": Y})


@kind(check_bounds=False)
def no_checks_of_bounds() -> None:
    s = pm.HalfNormal("s", 1)
    pm.Gamma("leaf", 2, s)
    pm.Normal("y", 0, s, observed=Y)


@kind(refused="submodel")
def a_submodel_alone() -> pm.Model:
    with pm.Model(name="part") as part:
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("y", mu, 1, observed=Y)
        pm.Normal("leaf", 0, 1)
    return part


@kind()
def two_parts_that_do_not_meet() -> None:
    a, b = pm.Normal("a", 0, 1), pm.HalfNormal("b", 1)
    pm.Normal("y", a, 1, observed=Y)
    pm.Exponential("z", b, observed=POSITIVE)
    pm.Normal("both", a * b, 1)
