"""A PyMC distribution: a normal vector whose rows covary in small clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.random.op import RandomVariable

from bayes.clusters import draw_clusters, factor, forward

__all__ = ["ClusterNormal", "places_of"]


class ClusterNormalRV(RandomVariable):  # type: ignore[misc]
    """Its draws: mean (row), covariance (cluster, place, place) and members (cluster, place) to a vector (row)."""

    name = "cluster_normal"
    signature = "(n),(m,k,k),(m,k)->(n)"
    dtype = "floatX"
    _print_name = ("ClusterNormal", "\\operatorname{ClusterNormal}")

    def _supp_shape_from_params(self, dist_params: Sequence[Any], param_shapes: Any = None) -> tuple[Any, ...]:
        return (dist_params[0].shape[-1],) if param_shapes is None else (param_shapes[0][-1],)

    @classmethod
    def rng_fn(cls, rng: np.random.Generator, *args: Any) -> np.ndarray:
        """Draw vectors: ``mean, covariance, members, size``."""
        mean, cov, members, size = args
        batch = np.broadcast_shapes(np.shape(mean)[:-1], np.shape(cov)[:-3]) if size is None else size
        return draw_clusters(rng, tuple(int(n) for n in batch), mean, cov, members)


class ClusterNormal(pm.Continuous):  # type: ignore[misc]
    r"""A normal vector with a covariance of small blocks: the density of ``MvNormal``, at a cost linear in its rows.

    Parameters
    ----------
    mu
        Mean (row).
    cov
        Covariance (cluster, place, place); a place without a row has one on the diagonal and zeros beside it.
    members
        Row at each place (cluster, place), -1 for none; numbers, each row once.

    Examples
    --------
    >>> y = ClusterNormal.dist(np.zeros(3), np.stack([np.eye(2)] * 2), np.array([[0, 2], [1, -1]]))
    >>> float(pm.logp(y, np.ones(3)).eval().round(4))
    -4.2568
    """

    rv_op = ClusterNormalRV()

    @classmethod
    def dist(cls, mu: Any, cov: Any, members: np.ndarray, *, shape: Any = None) -> Any:
        """Return a random variable outside any model."""
        given = [pt.as_tensor_variable(mu), pt.as_tensor_variable(cov), pt.as_tensor_variable(members)]
        return super().dist(given, shape=shape)

    def support_point(rv, size: Any, mu: Any, cov: Any, members: Any) -> Any:
        """A point of high density."""
        return mu

    def logp(value: Any, mu: Any, cov: Any, members: Any) -> Any:
        """Log density of the whole vector."""
        members = members.data
        root = factor(cov, members.shape[1])
        z = forward(root, places_of(value - mu, members))
        logs = [pt.log(root[i][i]) * (members[:, i] >= 0) for i in range(members.shape[1])]
        squares = sum((x**2).sum(-1) / 2 + log.sum(-1) for x, log in zip(z, logs, strict=True))
        return -squares - (members >= 0).sum() * np.log(2 * np.pi) / 2


def places_of(x: Any, members: np.ndarray) -> list[Any]:
    """Return a vector (…, row) as a list over places, of arrays (…, cluster), zero where there is no row."""
    return [x[..., column] * (column >= 0) for column in members.T]
