r"""Priors from a synthesis: the effect in a new setting as a mixture that is easy to write down and to update.

The predictive law of a new effect (a meta-analytic-predictive prior, Neuenschwander et al. 2010, Clin. Trials 7:5) is
approximated by a few normal laws, fitted by the EM algorithm to its quantiles; of single arms, whose effects are log
odds, by a few beta laws of the probability. A robust prior adds a part that expects nothing in particular (Schmidli et
al. 2014, Biometrics 70:1023). How many people a prior is worth has several answers, each with its name:

``moment``
    :math:`\sigma^2 / \mathrm{var}`; for a probability, the sum of the parameters of the beta law of the same mean and
    variance.
``elir``
    The expected local information ratio, :math:`E[i(\pi)(\theta) / i_F(\theta)]` with :math:`i(\pi) = -\partial^2
    \log \pi` (Neuenschwander et al. 2020, Biometrics 76:578).
``morita``
    The information of the prior at its mode, less that of a vague law of the same mode and the worth of
    :data:`_VAGUE` people, over what one person is expected to tell there under the prior (Morita, Thall and Müller
    2008, Biometrics 64:595).

With counts or a normal estimate a mixture is updated in closed form: each part by itself, its weight times the
probability it gave to what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes.errors import UsageError, check_word
from bayes.files import toml_text
from bayes.quadrature import normalised

__all__ = ["MixturePrior", "beta_mixture", "normal_mixture", "robust"]

_STEPS = 2000
"""Steps of the EM algorithm, at most."""

_VAGUE = 0.01
"""How many people a vague law is worth."""

LOSS = 5e-4
"""Mean log density, in nats, that a mixture may lose to one of more parts."""

ESS = ("elir", "moment", "morita")


@dataclass(frozen=True, slots=True, eq=False)
class MixturePrior:
    """A mixture of normal or beta laws.

    Parameters
    ----------
    kind
        ``Normal`` or ``Beta``.
    weight
        Of each part, of sum 1.
    a, b
        Means and standard deviations, or the two parameters of the beta laws.

    Examples
    --------
    >>> prior = MixturePrior("Beta", np.ones(1), np.array([4.0]), np.array([16.0]))
    >>> prior.updated_by_counts(3, 10).a.tolist(), round(prior.effective_size("moment"), 6)
    ([7.0], 20.0)
    """

    kind: str
    weight: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def __post_init__(self) -> None:
        check_word(self.kind, ("Normal", "Beta"), "there is no such mixture", key="kind")

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        """Log density."""
        return np.asarray(np.logaddexp.reduce(self._joint(np.asarray(x)), -1))

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """Distribution function."""
        return np.asarray(self._parts().cdf(np.asarray(x)[..., None]) @ self.weight)

    def _parts(self) -> Any:
        from scipy import stats

        return stats.norm(self.a, self.b) if self.kind == "Normal" else stats.beta(self.a, self.b)

    def _joint(self, x: np.ndarray) -> np.ndarray:
        """Log of each part's weight and density, parts last; freezing the laws would cost more than the densities."""
        from scipy import stats

        law = stats.norm if self.kind == "Normal" else stats.beta
        return np.asarray(np.log(self.weight) + law.logpdf(x[..., None], self.a, self.b))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        mean, variance = self._parts().mean(), self._parts().var()
        centre = float(self.weight @ mean)
        return centre, float(self.weight @ (variance + (mean - centre) ** 2)) ** 0.5

    def updated_by_counts(self, events: int, total: int) -> MixturePrior:
        """Return the posterior after ``events`` of ``total``: of beta laws."""
        from scipy.special import betaln

        self._needs("Beta")
        if not 0 <= events <= total:
            raise UsageError("events are between 0 and the number of people", key="events", found=[events, total],
                             fix="correct them")  # fmt: skip
        a, b = self.a + events, self.b + total - events
        return MixturePrior(self.kind, normalised(np.log(self.weight) + betaln(a, b) - betaln(self.a, self.b)), a, b)

    def updated_by_normal(self, y: float, se: float) -> MixturePrior:
        """Return the posterior after an estimate with its standard error: of normal laws."""
        from scipy.stats import norm

        self._needs("Normal")
        precision = self.b**-2 + se**-2
        mean = (self.a * self.b**-2 + y * se**-2) / precision
        seen = norm.logpdf(y, self.a, np.hypot(self.b, se))
        return MixturePrior(self.kind, normalised(np.log(self.weight) + seen), mean, precision**-0.5)

    def effective_size(self, method: str = "elir", sigma: float | None = None) -> float:
        """Return how many people the prior is worth.

        Parameters
        ----------
        method
            ``elir``, ``moment`` or ``morita``.
        sigma
            Of normal laws: the standard deviation of what one person tells.
        """
        check_word(method, ESS, "there is no such effective sample size", key="method")
        if self.kind == "Normal" and not (sigma is not None and sigma > 0):
            raise UsageError("how many people a normal prior is worth depends on what one of them tells", key="sigma",
                             found=sigma, fix="give the standard deviation of one person's outcome")  # fmt: skip
        if method == "moment":
            mean, sd = self.moments()
            return mean * (1 - mean) / sd**2 - 1 if self.kind == "Beta" else float(sigma or 1) ** 2 / sd**2
        return self._elir(sigma) if method == "elir" else self._morita(sigma)

    def _information(self, x: np.ndarray) -> np.ndarray:
        """Minus the second derivative of the log density."""
        logs = self._joint(x)
        share = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
        if self.kind == "Normal":
            first, second = (self.a - x[:, None]) / self.b**2, -1 / self.b**2 + 0 * x[:, None]
        else:
            first = (self.a - 1) / x[:, None] - (self.b - 1) / (1 - x[:, None])
            second = -(self.a - 1) / x[:, None] ** 2 - (self.b - 1) / (1 - x[:, None]) ** 2
        slope = (share * first).sum(axis=1)
        return np.asarray(slope**2 - (share * (second + first**2)).sum(axis=1))

    def _elir(self, sigma: float | None) -> float:
        """The expectation over each part by Gauss-Legendre nodes between its extreme quantiles."""
        nodes, weights = np.polynomial.legendre.leggauss(400)
        total = 0.0
        for i, weight in enumerate(self.weight.tolist()):
            part = MixturePrior(self.kind, np.ones(1), self.a[i : i + 1], self.b[i : i + 1])
            low, high = (float(part._parts().ppf(p)[0]) for p in (1e-12, 1 - 1e-12))
            x = low + (high - low) * (nodes + 1) / 2
            ratio = self._information(x) * (x * (1 - x) if self.kind == "Beta" else float(sigma or 1) ** 2)
            total += weight * float(weights @ (np.exp(part.logpdf(x)) * ratio)) * (high - low) / 2
        return total

    def _morita(self, sigma: float | None) -> float:
        mode = self._mode()
        information = float(self._information(np.array([mode]))[0])
        if self.kind == "Normal":
            return information * float(sigma or 1) ** 2 - _VAGUE
        mean = self.moments()[0]
        vague = (_VAGUE * mode - 1) / mode**2 + (_VAGUE * (1 - mode) - 1) / (1 - mode) ** 2
        return (information - vague) / (mean / mode**2 + (1 - mean) / (1 - mode) ** 2)

    def _mode(self) -> float:
        """Where the density is largest."""
        from scipy.optimize import minimize_scalar

        spread = np.unique(self._parts().ppf(np.linspace(0.001, 0.999, 999)[:, None]))
        best = int(np.argmax(self.logpdf(spread)))
        ends = float(spread[max(best - 1, 0)]), float(spread[min(best + 1, len(spread) - 1)])
        found = minimize_scalar(lambda x: -float(self.logpdf(np.array(x))), bounds=ends, method="bounded",
                                options={"xatol": 1e-10 * (ends[1] - ends[0])})  # fmt: skip
        return float(found.x)

    def _needs(self, kind: str) -> None:
        if self.kind != kind:
            raise UsageError(f"this update is of {kind.lower()} laws", key="kind", found=self.kind, allowed=kind,
                             fix="fit the other kind of mixture")  # fmt: skip

    def text(self) -> str:
        """Return it on one line, as a synthesis reads it.

        >>> MixturePrior("Normal", np.array([0.8, 0.2]), np.array([-0.5, 0.0]), np.array([0.2, 2.0])).text()
        '0.8*Normal(-0.5, 0.2) + 0.2*Normal(0, 2)'
        """
        parts = [
            f"{w:.12g}*{self.kind}({a:.12g}, {b:.12g})" for w, a, b in zip(self.weight, self.a, self.b, strict=True)
        ]
        return " + ".join(parts) if len(parts) > 1 else parts[0].partition("*")[2]

    def toml(self, name: str, unit: str, source: str) -> str:
        """Return a declaration of a prior that a study accepts: its parts as PyMC's mixture, and how it came about."""
        kind = "NormalMixture" if self.kind == "Normal" else "Beta"
        if kind == "Beta" and len(self.weight) > 1:
            raise UsageError("a declaration holds one beta law, or normal ones", key="kind", found=self.text(),
                             fix="fit one part, or the log odds")  # fmt: skip
        numbers: dict[str, Any] = {"alpha": float(self.a[0]), "beta": float(self.b[0])}
        if kind != "Beta":
            parts = {"w": self.weight, "mu": self.a, "sigma": self.b}
            numbers = {key: [round(v, 10) for v in values.tolist()] for key, values in parts.items()}
        said = {"meaning": source, "unit": unit, "family": "Beta" if kind == "Beta" else "pymc.NormalMixture",
                "parameters": numbers, "why": "a mixture fitted to the predictive law of a synthesis"}  # fmt: skip
        return f"[{toml_text(name)}]\n" + "".join(f"{key} = {toml_text(value)}\n" for key, value in said.items())

    def pymc(self, name: str) -> str:
        """Return a line of Python that adds it to a PyMC model."""
        w, a, b = (repr([float(f"{v:.10g}") for v in values]) for values in (self.weight, self.a, self.b))
        if self.kind == "Normal":
            return f'pm.NormalMixture("{name}", w={w}, mu={a}, sigma={b})'
        return f'pm.Mixture("{name}", w={w}, comp_dists=pm.Beta.dist(alpha={a}, beta={b}))'


def robust(prior: MixturePrior, share: float, vague: tuple[float, float]) -> MixturePrior:
    """Return a prior of which a share expects nothing in particular: a normal law, or a beta law, of two numbers.

    >>> robust(MixturePrior("Beta", np.ones(1), np.array([4.0]), np.array([16.0])), 0.2, (1, 1)).weight.tolist()
    [0.8, 0.2]
    """
    if not 0 < share < 1:
        raise UsageError(
            "the robust part is a share", key="share", found=share, allowed="between 0 and 1", fix="give 0.2"
        )
    return MixturePrior(prior.kind, np.r_[prior.weight * (1 - share), share], np.r_[prior.a, vague[0]],
                        np.r_[prior.b, vague[1]])  # fmt: skip


def normal_mixture(points: np.ndarray, parts: int | None = None) -> MixturePrior:
    """Return the mixture of normal laws nearest to points that stand for a law, such as its quantiles.

    Parameters
    ----------
    parts
        How many laws; by default the fewest, up to 4, that lose no more than :data:`LOSS` to 4 of them.
    """
    return _chosen("Normal", np.asarray(points, dtype=float), parts)


def beta_mixture(probabilities: np.ndarray, parts: int | None = None) -> MixturePrior:
    """Return the mixture of beta laws nearest to points that stand for a law of a probability."""
    return _chosen("Beta", np.clip(np.asarray(probabilities, dtype=float), 1e-12, 1 - 1e-12), parts)


def _chosen(kind: str, points: np.ndarray, parts: int | None) -> MixturePrior:
    tried = [_fitted(kind, points, k) for k in ([parts] if parts else range(1, 5))]
    likely = [float(one.logpdf(points).mean()) for one in tried]
    return next(one for one, found in zip(tried, likely, strict=True) if found >= max(likely) - LOSS)


def _fitted(kind: str, points: np.ndarray, parts: int) -> MixturePrior:
    """EM from parts that share a middle and differ in width, which is what a predictive law looks like."""
    mean, sd = float(points.mean()), float(points.std())
    width = sd * 2.0 ** (np.arange(parts) - (parts - 1) / 2)
    prior = _moments(kind, np.full(parts, 1 / parts), np.full(parts, mean), width)
    last = -np.inf
    for _ in range(_STEPS):
        logs = prior._joint(points)
        each = np.logaddexp.reduce(logs, axis=1)
        share = np.exp(logs - each[:, None])
        mass = share.sum(axis=0)
        mean_of = share.T @ points / mass
        spread = np.sqrt((share * (points[:, None] - mean_of) ** 2).sum(axis=0) / mass)
        prior = _moments(kind, mass / mass.sum(), mean_of, np.maximum(spread, 1e-6 * sd))
        if each.sum() - last < 1e-9 * len(points):
            break
        last = float(each.sum())
    return prior


def _moments(kind: str, weight: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> MixturePrior:
    """Parts with these moments: the likeliest normal laws, and for beta laws those of the same mean and variance."""
    if kind == "Normal":
        return MixturePrior(kind, weight, mean, sd)
    size = np.maximum(mean * (1 - mean) / np.minimum(sd, 0.999 * np.sqrt(mean * (1 - mean))) ** 2 - 1, 1e-3)
    return MixturePrior(kind, weight, mean * size, (1 - mean) * size)
