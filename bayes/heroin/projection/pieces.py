"""The pieces of a projection, each with a closed form."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bayes.heroin.scenarios import Scenario, Settings

__all__ = ["AT_ONCE", "LEAST", "discount", "people_served", "press_arithmetic", "ramp", "targeting_gain", "top_share"]

LEAST = 1e-9
"""Share of the pool below which the gain rises no further: less than a person of any country."""

AT_ONCE = 1e-6
"""Years: a build-up of less than half a minute is a step."""


def ramp(scenario: Scenario, years: int) -> np.ndarray:
    r"""Return the built share of a scenario's places, averaged over each year.

    Linear: :math:`u(\tau) = \mathrm{clip}((\tau - s)/d, 0, 1)`. Logistic: 1 % at the start and 99 % after :math:`d`
    years, :math:`u(\tau) = 1/(1 + e^{-k(\tau - s - d/2)})`, :math:`k = 2 \log(99)/d`. The average over year :math:`t`
    is the exact integral from :math:`t-1` to :math:`t`.

    Returns
    -------
    ndarray
        (year,), between 0 and 1.

    Examples
    --------
    >>> ramp(Scenario("s", "S", places=100, years_to_full=2), 3).tolist()
    [0.25, 0.75, 1.0]
    """
    x = np.arange(years + 1, dtype=float) - scenario.start_year
    d = scenario.years_to_full
    if d < AT_ONCE:
        integral = np.maximum(x, 0)
    elif scenario.ramp == "linear":
        integral = np.where(x < d, np.maximum(x, 0) ** 2 / (2 * d), x - d / 2)
    else:
        k = 2 * np.log(99) / d
        integral = np.logaddexp(0, k * (x - d / 2)) / k
    return np.diff(integral)


def top_share(f: np.ndarray, shape: np.ndarray) -> np.ndarray:
    r"""Return the share of all offences committed by the most active share ``f`` of people.

    :math:`L = 1 - F_{k+1}(F_k^{-1}(1 - f))` for offending Gamma(k) between people, :math:`F_k` the regularised lower
    incomplete gamma function. ``f`` and ``shape`` broadcast.

    Examples
    --------
    >>> float(top_share(np.array(1.0), np.array(0.3)))
    1.0
    """
    from scipy.special import gammaincc, gammainccinv

    return np.asarray(gammaincc(shape + 1, gammainccinv(shape, f)))


def targeting_gain(f: np.ndarray, shape: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return mean offending of those served, relative to the pool: ``1 - w + w L(f)/f``.

    1 when everyone is served or nothing is targeted; above 1 when the heaviest offenders come first.
    """
    share, k, w = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (np.clip(f, LEAST, 1.0), shape, strength)))
    gain = np.ones(share.shape)
    some = (share < 1) & (w > 0)  # elsewhere the gain is 1, and the inverse costs most of a projection
    gain[some] = 1 - w[some] + w[some] * _shares(share[some], k[some]) / share[some]
    return gain


def _shares(f: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return top_share(f, shape) if f.size > _KEPT else _top_share_again(f.tobytes(), shape.tobytes())


_KEPT = 50_000
"""Values of a top share that is kept: 64 of them take 77 MB at most."""


@lru_cache(maxsize=64)
def _top_share_again(f: bytes, shape: bytes) -> np.ndarray:
    """Return top shares from memory: today's patients are the same in every scenario and most analyses."""
    return top_share(np.frombuffer(f), np.frombuffer(shape))


def people_served(places: np.ndarray, occupancy: np.ndarray, demand: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Return people in treatment: filled places, but no more than demand and than there are opiate users."""
    return np.asarray(np.minimum(np.minimum(places * occupancy, demand), users))


def discount(rate: float, years: int) -> np.ndarray:
    """Return discount factors ``(1 + rate)**-(t - 1)`` for years 1 to ``years``: the first year counts in full.

    >>> discount(0.035, 2).round(4).tolist()
    [1.0, 0.9662]
    """
    return np.asarray((1 + rate) ** -np.arange(years, dtype=float))


def press_arithmetic(places: np.ndarray, settings: Settings) -> np.ndarray:
    """Return places x offences x reduction, the newspaper's sum, for comparison only."""
    return np.asarray(places * settings.press_offences * settings.press_reduction)
