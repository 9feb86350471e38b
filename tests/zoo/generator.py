"""Random PyMC models, written as Python: what Hypothesis finds can be read, run, and kept as a named test."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from hypothesis import strategies as st

__all__ = ["built", "models"]

SHAPES = {"": (), "g": (3,), "h": (2,), "hg": (2, 3)}
"""Axes and lengths of everything in a model: a scalar, two vectors, and a matrix."""

REAL = ("Normal({r}, {p})", "StudentT(nu=5, mu={r}, sigma={p})", "Laplace({r}, {p})", "Logistic({r}, {p})",
        "Gumbel({r}, {p})", "SkewNormal(mu={r}, sigma={p}, alpha=2)", "AsymmetricLaplace(kappa=1.5, mu={r}, b={p})",
        "Cauchy({r}, {p})", "ExGaussian(mu={r}, sigma={p}, nu=1.5)", "Moyal({r}, {p})")  # fmt: skip
POSITIVE = ("HalfNormal({p})", "Exponential({p})", "Gamma({p}, {p})", "LogNormal({r}, 0.7)", "Weibull({p}, {p})",
            "InverseGamma({p}, {p})", "HalfCauchy({p})", "Wald(mu={p}, lam={p})", "HalfStudentT(nu=4, sigma={p})",
            "ChiSquared({p})", "Pareto({p}, {p})", "Rice(nu={p}, sigma={p})")  # fmt: skip
UNIT = ("Beta({p}, {p})", "Kumaraswamy({p}, {p})", "LogitNormal({r}, {p})", "Uniform(0, 1)")
BOUNDED = (
    "Uniform({r}, {r2})",
    "TruncatedNormal({r}, {p}, lower={r} - 1, upper={r2})",
    "Triangular({r}, {r2}, {r} + 0.1)",
)
WHOLE = ("Poisson({p})", "Bernoulli({u})", "Binomial(7, {u})", "NegativeBinomial({p}, {p})", "Geometric({u})",
         "ZeroInflatedPoisson({u}, {p})", "BetaBinomial(6, {p}, {p})")  # fmt: skip
BUILT = ("Censored({name}, pm.Normal.dist({r}, {p}), lower=-1, upper=1)",
         "NormalMixture({name}, [0.3, 0.7], mu=pt.stack([{s}, {s} + 1]), sigma=0.8)",
         "Truncated({name}, pm.Normal.dist({r}, {p}), lower=-1)")  # fmt: skip
VECTORS = ("MvNormal({name}, {r}, np.eye(3) * {s2})", "Dirichlet({name}, {p})",
           "ZeroSumNormal({name}, sigma={s2}, shape=3)",
           "GaussianRandomWalk({name}, mu={s}, sigma={s2}, init_dist=pm.Normal.dist(0, 1), shape=3)",
           "AR({name}, [0.4], sigma={s2}, init_dist=pm.Normal.dist(0, 1), shape=3)",
           "StickBreakingWeights({name}, {s2}, K=2)", "MvStudentT({name}, nu=6, mu={r}, scale=np.eye(3))")  # fmt: skip
"""Distributions of each domain. In braces: an expression that is real (r, r2 larger), positive (p), between 0 and 1
(u), or a scalar (s, and s2 positive)."""

LINKS = ("{a} + {b}", "{a} - 0.5 * {b}", "{a} * pt.tanh({b})", "pt.switch({a} > {b}, {a}, {b})", "pt.maximum({a}, {b})",
         "pt.add({a})", "pt.sqrt({a}**2 + 1) + {b}", "pt.clip({a}, -2, 2) - {b}")  # fmt: skip
REDUCE = (
    "{v}.sum()",
    "{v}.mean()",
    "{v}.max()",
    "{v}[0]",
    "{v}[-1]",
    "{v}[index[0]]",
    "pt.dot({v}, {v}) / 9",
    "pt.logsumexp({v})",
)
RESHAPE = (
    "{v}[index]",
    "pt.cumsum({v})",
    "{v}[::-1]",
    "{v} - {v}.mean()",
    "pt.sort({v})",
    "{v} * x",
    "pt.where(mask, {v}, 0.0)",
)


@dataclass
class Text:
    """A model as it is being written: its lines, and the real numbers named so far by their axes."""

    lines: list[str] = field(default_factory=list)
    real: dict[str, list[str]] = field(default_factory=lambda: {axes: [] for axes in SHAPES})

    def write(self, name: str, axes: str, line: str, *, whole: bool = False) -> None:
        self.lines.append(f"{name} = {line}")
        self.real[axes].append(f"{name} * 0.5" if whole else name)


@st.composite
def models(draw: st.DrawFn, most: int = 8) -> str:
    """Python that adds up to ``most`` variables, Potentials and Deterministics to an open model."""
    text = Text()
    text.lines.append('index = pm.Data("index", [2, 0, 2]); x = pm.Data("x", [0.3, -1.2, 0.8]); '
                      'mask = pm.Data("mask", [True, False, True])')  # fmt: skip
    for number in range(draw(st.integers(1, most))):
        kinds = ["free", "free", "free", "observed", "observed", "vector", "built", "deterministic", "potential",
                 "masked", "transformed", "unnamed"]  # fmt: skip
        _add(draw, text, f"v{number}", draw(st.sampled_from(kinds if number else ["free", "vector", "built"])))
    return "\n".join(text.lines)


def _add(draw: st.DrawFn, text: Text, name: str, kind: str) -> None:
    axes = draw(st.sampled_from(list(SHAPES)))
    if kind == "vector":
        body = _filled(draw, text, "g", draw(st.sampled_from(VECTORS)), name)
        text.write(name, "g", f"pm.{body}")
    elif kind == "built":
        body = _filled(draw, text, axes, draw(st.sampled_from(BUILT)), name)
        if "Mixture" in body:
            axes = ""
        text.write(name, axes, f"pm.{body[:-1]}{_shape(axes)})")
    elif kind == "deterministic":
        text.write(name, axes, f'pm.Deterministic("{name}", {_real(draw, text, axes)} + pt.zeros({SHAPES[axes]}))')
    elif kind == "unnamed":
        body = _filled(draw, text, axes, draw(st.sampled_from(REAL + POSITIVE)), name)
        line = body.replace("(", ".dist(", 1)
        text.lines.append(f'pm.Deterministic("{name}", 2 * pm.{line[:-1]}, shape={SHAPES[axes]}))')
    elif kind == "potential":
        text.lines.append(f'pm.Potential("{name}", -0.3 * ({_real(draw, text, axes)} - 0.4) ** 2)')
    elif kind == "transformed":
        _add_transformed(draw, text, name, axes)
    else:
        _add_plain(draw, text, name, axes, kind)


def _add_plain(draw: st.DrawFn, text: Text, name: str, axes: str, kind: str) -> None:
    domains = [REAL, REAL, POSITIVE, UNIT, WHOLE, BOUNDED]
    domain = draw(st.sampled_from(domains if kind == "free" else domains[:-1]))  # bounds that move may exclude data
    body = _filled(draw, text, axes, draw(st.sampled_from(domain)), name)
    body = body.replace("(", f'("{name}", ', 1)[:-1]
    seen = ""
    if kind != "free":
        values = _values(draw, domain, axes)
        seen = f", observed={values}"
        if kind == "masked" and axes:
            hidden = draw(st.lists(st.booleans(), min_size=3, max_size=3))
            where = f"np.full({SHAPES[axes]}, {hidden[: SHAPES[axes][-1]]})"
            seen = f", observed=np.ma.masked_array({values}, mask={where})"
    text.write(name, axes, f"pm.{body}{_shape(axes)}{seen})", whole=domain is WHOLE)


def _add_transformed(draw: st.DrawFn, text: Text, name: str, axes: str) -> None:
    if draw(st.booleans()):
        body = _filled(draw, text, "g", draw(st.sampled_from(REAL)), name).replace("(", f'("{name}", ', 1)[:-1]
        text.write(name, "g", f"pm.{body}, shape=3, transform=ordered, initval=np.array([-0.5, 0.2, 1.0]))")
    elif draw(st.booleans()):
        body = _filled(draw, text, axes, draw(st.sampled_from(REAL)), name).replace("(", f'("{name}", ', 1)[:-1]
        ends = draw(st.sampled_from(["-1.0, 1.5", "0.1, None", "None, 0.8"]))
        text.write(
            name, axes, f"pm.{body}{_shape(axes)}, transform=Interval({ends}), initval=np.full({SHAPES[axes]}, 0.5))"
        )
    else:
        body = _filled(draw, text, axes, draw(st.sampled_from(POSITIVE[:4] + UNIT[:2])), name)
        body = body.replace("(", f'("{name}", ', 1)[:-1]
        text.write(name, axes, f"pm.{body}{_shape(axes)}, default_transform=None)")


def _shape(axes: str) -> str:
    return f", dims={tuple(axes)}" if axes else ""


def _values(draw: st.DrawFn, domain: tuple[str, ...], axes: str) -> str:
    size = int(np.prod(SHAPES[axes]))
    if domain is WHOLE:
        numbers = [draw(st.integers(0, 1)) for _ in range(size)] if draw(st.booleans()) else [1] * size
    else:
        low, high = {REAL: (-2, 2), POSITIVE: (1, 3), UNIT: (0.1, 0.9)}[domain]
        numbers = [round(low + (high - low) * draw(st.integers(1, 9)) / 10, 3) for _ in range(size)]
    return f"np.array({numbers}).reshape({SHAPES[axes]})"


def _filled(draw: st.DrawFn, text: Text, axes: str, pattern: str, name: str) -> str:
    """A distribution with expressions for its parameters."""
    real = _real(draw, text, axes)
    for word, make in (
        ("{name}", lambda: f'"{name}"'), ("{r2}", lambda: f"{real} + {_positive(draw, text, axes)}"),
        ("{r}", lambda: real), ("{s2}", lambda: _positive(draw, text, "")), ("{s}", lambda: _real(draw, text, "")),
        ("{u}", lambda: f"pm.math.sigmoid({_real(draw, text, axes)})"),
    ):  # fmt: skip
        pattern = pattern.replace(word, make()) if word in pattern else pattern
    while "{p}" in pattern:
        pattern = pattern.replace("{p}", _positive(draw, text, axes), 1)
    return pattern


def _positive(draw: st.DrawFn, text: Text, axes: str) -> str:
    if draw(st.booleans()):
        return draw(st.sampled_from(["0.7", "1.0", "2", "3.5"])) if not axes else f"np.full({SHAPES[axes]}, 1.3)"
    real = _real(draw, text, axes)
    return draw(
        st.sampled_from(
            [f"(0.5 + pt.softplus({real}))", f"pt.exp(0.3 * pt.clip({real}, -3, 3))", f"(0.3 + pt.abs({real}))"]
        )
    )


def _real(draw: st.DrawFn, text: Text, axes: str, depth: int = 0) -> str:
    """A real expression with given axes."""
    own = text.real[axes]
    if depth > 1 or not any(text.real.values()) or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(own)) if own and draw(st.booleans()) else _constant(draw, axes)
    if axes in ("g", "h") and draw(st.booleans()) and text.real["hg"]:
        return f"({draw(st.sampled_from(text.real['hg']))}).{'mean(axis=0)' if axes == 'g' else 'sum(axis=1)'}"
    if axes == "g" and draw(st.booleans()) and own:
        return f"({draw(st.sampled_from(RESHAPE)).format(v=f'({draw(st.sampled_from(own))})')})"
    if axes == "" and draw(st.booleans()) and text.real["g"]:
        return f"({draw(st.sampled_from(REDUCE)).format(v='(' + draw(st.sampled_from(text.real['g'])) + ')')})"
    if axes == "hg" and draw(st.booleans()):
        return f"({_real(draw, text, 'h', depth + 1)} + pt.zeros(2))[:, None] + ({_real(draw, text, 'g', depth + 1)})"
    parts = {word: f"({_real(draw, text, axes, depth + 1)})" for word in "ab"}
    return f"({draw(st.sampled_from(LINKS)).format(**parts)})"


def _constant(draw: st.DrawFn, axes: str) -> str:
    number = draw(st.sampled_from(["0.0", "0.5", "-1.0", "1"]))
    return f"pt.constant({number})" if not axes else f"pt.constant(np.full({SHAPES[axes]}, {number}))"


def built(text: str) -> pm.Model:
    """The model that a text writes."""
    from pymc.distributions.transforms import Interval, ordered

    with pm.Model(coords={"g": list("abc"), "h": [0, 1]}) as model:
        exec(text, {"pm": pm, "pt": pt, "np": np, "Interval": Interval, "ordered": ordered})
    return model
