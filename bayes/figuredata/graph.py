"""The graphical model as a table of boxes and arrows, read off any PyMC model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.figuredata.base import Rows

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

__all__ = ["graph"]

Parents = dict[str, set[str]]


@checked
def graph(model: pm.Model, *, outcomes: Mapping[str, Iterable[str]] | None = None) -> pd.DataFrame:
    """Tabulate the nodes and arrows of a model, small enough to be read.

    Data, variables that touch no other, and deterministic variables that nothing else uses or that only pass on to one
    observed
    variable or restate one variable are left out, with arrows led through them. Quantities of one kind with the same
    parents and children share a box.

    Parameters
    ----------
    model
        Any ``pm.Model``.
    outcomes
        Quantities computed after sampling: each with the names it is computed from; those absent from the model are
        ignored.

    Returns
    -------
    DataFrame
        ``layer`` node (box, name, label, kind: free, observed, deterministic, outcome, dims) or edge (source and target
        box).

    Raises
    ------
    UsageError
        If the model has no variables.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu")
    ...     _ = pm.Normal("y", mu, observed=[0.3, 0.9])
    >>> graph(model)["kind"].dropna().tolist()
    ['free', 'observed']
    """
    import pandas as pd

    parents, kinds = _read(model)
    if not parents:
        raise UsageError("this model has no variables", key="model", fix="give a pm.Model with free variables")
    keep: set[str] = set()
    for outcome, inputs in (outcomes or {}).items():
        wanted = {name for name in inputs if name in parents}
        if wanted:
            parents[outcome], kinds[outcome] = wanted, "outcome"
            keep |= {*wanted, outcome}
    _prune(parents, kinds, keep)
    boxes = _boxes(parents, kinds)
    dims = {name: ", ".join(map(str, d)) for name, d in model.named_vars_to_dims.items()}
    rows: Rows = [
        {
            "layer": "node",
            "box": boxes[n],
            "name": n,
            "label": n.replace("_", " "),
            "kind": kinds[n],
            "dims": dims.get(n, ""),
        }
        for n in parents
    ]
    edges = sorted({(boxes[p], boxes[n]) for n, found in parents.items() for p in found if boxes[p] != boxes[n]})
    rows += [{"layer": "edge", "source": a, "target": b} for a, b in edges]
    return pd.DataFrame(rows)


def _read(model: pm.Model) -> tuple[Parents, dict[str, str]]:
    """Parents and kind of each variable of the model, data led through."""
    from pymc.model_graph import ModelGraph

    observed = {v.name for v in model.observed_RVs}
    free = {v.name for v in model.free_RVs}
    found = {str(k): {str(p) for p in v} for k, v in ModelGraph(model).make_compute_graph().items()}
    data = {v.name for v in model.data_vars}
    parents = {name: {p for p in found[name] if p not in data} for name in found if name not in data}
    kinds = {n: "observed" if n in observed else "free" if n in free else "deterministic" for n in parents}
    return parents, kinds


def _prune(parents: Parents, kinds: dict[str, str], keep: set[str]) -> None:
    """Remove what only restates or passes on, leading arrows through, until nothing is left to remove."""
    while (gone := next((n for n in parents if _superfluous(n, parents, kinds, keep)), None)) is not None:
        through = parents.pop(gone)
        for found in parents.values():
            if gone in found:
                found.discard(gone)
                found.update(through)
    for name in [n for n in parents if kinds[n] == "deterministic" and len(parents[n]) == 1]:
        (parent,) = parents[name]
        if kinds[parent] == "free" and _children(parent, parents) == [
            name
        ]:  # a transformed variable: keep its natural scale
            parents[name], kinds[name] = parents.pop(parent), "free"
    for name in [n for n, found in parents.items() if not found and not _children(n, parents) and len(parents) > 1]:
        del parents[name]


def _superfluous(name: str, parents: Parents, kinds: Mapping[str, str], keep: set[str]) -> bool:
    if kinds[name] != "deterministic" or name in keep:
        return False
    used = _children(name, parents)
    return not used or len(parents[name]) <= 1 or (len(used) == 1 and kinds[used[0]] == "observed")


def _children(name: str, parents: Parents) -> list[str]:
    return [child for child, found in parents.items() if name in found]


def _boxes(parents: Parents, kinds: Mapping[str, str]) -> dict[str, str]:
    """Name of the box of each node: nodes of one kind with the same parents and children share the first one's."""
    children: dict[str, frozenset[str]] = {
        n: frozenset(c for c, found in parents.items() if n in found) for n in parents
    }
    first: dict[Any, str] = {}
    return {
        n: first.setdefault((kinds[n], frozenset(parents[n]), children[n]) if kinds[n] != "deterministic" else n, n)
        for n in parents
    }
