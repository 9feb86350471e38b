"""What analyses of sensitivity take: draws by chain and draw, targets of them by name, and the densities of a fit.

A fit of ``pm.sample``, nutpie, Bambi or Stan has no group ``log_prior`` and often no ``log_likelihood``. Where its
model is given both are computed from it, at the draws of the fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes.arguments import check_shape, described
from bayes.errors import UsageError, check_word

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

__all__ = ["GROUPS", "draws_of", "targets_from", "top_priors", "with_densities"]

GROUPS = ("log_likelihood", "log_prior")
"""Groups of a fit that say how likely each draw is."""


def draws_of(draws: Any, key: str = "draws") -> NDArray[np.float64]:
    """Return draws (chain, draw) of a DataArray or an array.

    Raises
    ------
    UsageError
        If they are something else.

    Examples
    --------
    >>> draws_of([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    dims = set(getattr(draws, "dims", ("chain", "draw")))
    if hasattr(draws, "data_vars") or hasattr(draws, "children") or dims != {"chain", "draw"}:
        raise UsageError("a target is one number a draw", key=key, found=described(draws),
                         allowed="an array (chain, draw)", fix="select one element of it")  # fmt: skip
    if hasattr(draws, "dims"):
        draws = draws.transpose("chain", "draw").values
    try:
        values = np.asarray(draws, dtype=float)
    except (TypeError, ValueError):
        raise UsageError("draws are numbers", key=key, found=described(draws),
                         allowed="an array (chain, draw)") from None  # fmt: skip
    check_shape(values, ("chain", "draw"), key)
    return values


def targets_from(targets: Any, fit: Any = None) -> dict[str, Any]:
    """Return targets by name: a mapping or ``Dataset`` of draws, one DataArray, or names of variables of the fit.

    Raises
    ------
    UsageError
        If there is none, or one is not a number a draw.
    """
    from xarray import DataArray, Dataset, DataTree

    names = [targets] if isinstance(targets, str) else targets
    if fit is not None and isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        posterior = fit["posterior"].data_vars
        for name in names:
            check_word(name, list(map(str, posterior)), "there is no such target", key="targets")
        targets = {name: posterior[name] for name in names}
    if isinstance(targets, DataArray):
        targets = {str(targets.name or "target"): targets}
    if not isinstance(targets, Mapping) or isinstance(targets, DataTree) or not len(targets):
        raise UsageError("targets are draws by name", key="targets", found=described(targets),
                         allowed="a mapping of names to draws (chain, draw)",
                         fix='give them as {"NAME": fit["posterior"]["NAME"]}')  # fmt: skip
    found = dict(targets.data_vars) if isinstance(targets, Dataset) else dict(targets)
    for name, draws in found.items():
        draws_of(draws, str(name))
    return {str(name): draws for name, draws in found.items()}


def with_densities(fit: DataTree, model: pm.Model | None, groups: Sequence[str] = GROUPS) -> DataTree:
    """Return a fit with the groups ``log_likelihood`` and ``log_prior``, those it lacks computed by its model.

    Raises
    ------
    UsageError
        If it lacks one and no model is given, or its variables are not those of the model.
    """
    lacking = [name for name in groups if name not in fit.children]
    if not lacking:
        return fit
    if model is None:
        raise UsageError("the fit lacks what this analysis weighs draws by", key=", ".join(lacking),
                         found=list(fit.children), allowed=" and ".join(groups),
                         fix="pass model=, the pm.Model of this fit, or sample it with bayes.sample")  # fmt: skip
    from bayes.sampling.forward import coords_of, log_densities
    from bayes.sampling.tree import tree_of

    values = _free_values(fit, model)
    posterior, found = fit["posterior"], {"log_likelihood": model.observed_RVs, "log_prior": model.free_RVs}
    lead = [posterior.sizes[dim] for dim in ("chain", "draw")]
    coords = coords_of(model) | {dim: np.asarray(posterior[dim]).tolist() for dim in ("chain", "draw")}
    again = fit.copy(deep=False)
    for name in lacking:
        if not found[name]:
            raise UsageError("this model has no variable of this kind", key=name, found=list(model.named_vars))
        arrays = log_densities(model, found[name], values)
        shaped = {key: array.reshape(*lead, *array.shape[1:]) for key, array in arrays.items()}
        again[name] = tree_of({name: shaped}, model.named_vars_to_dims, coords)[name]
    return again


def _free_values(fit: DataTree, model: pm.Model) -> dict[str, NDArray[Any]]:
    """Draws (draw, …) of the free variables of a model."""
    posterior, shapes = fit["posterior"].data_vars, model.eval_rv_shapes()
    values = {}
    for variable in model.free_RVs:
        name = str(variable.name)
        array = np.asarray(posterior[name].transpose("chain", "draw", ...).values) if name in posterior else None
        if array is None or array.shape[2:] != tuple(shapes[name]):
            raise UsageError("this fit is not of this model", key=name,
                             found="no such variable" if array is None else array.shape[2:],
                             allowed=f"draws of the shape {tuple(map(int, shapes[name]))}",
                             fix="give the model that was sampled")  # fmt: skip
        values[name] = array.reshape(-1, *array.shape[2:]).astype(variable.dtype)
    return values


def top_priors(model: pm.Model) -> list[str]:
    """Return the free variables whose prior depends on no other variable."""
    from pytensor.graph.traversal import ancestors

    free = set(model.free_RVs)
    return [str(v.name) for v in model.free_RVs if not free & (set(ancestors([v])) - {v})]
