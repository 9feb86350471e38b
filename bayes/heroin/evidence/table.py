"""What a table of evidence is to the shipped question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.evidence import Table

if TYPE_CHECKING:
    import numpy as np

    from bayes.declared import Declared, Part
    from bayes.heroin.laws import Floats, Law
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["Evidence", "added", "counts"]


def _nothing(study: Study, structure: Structure, declared: Declared | None = None) -> None:
    """Add nothing: this table enters the model together with another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Table):
    """A table of evidence, and how its rows enter the model.

    Parameters
    ----------
    informs
        A variable of the component of the model that its rows bear on.
    part
        Its numbers, labels and layout, without PyMC; None where the structure leaves it out. What is not data is
        layout, so two studies with the same layout have the same graph, whatever their numbers.
    add
        Adds its likelihood to the model on the context stack; by default another table's does.
    law
        The law of a row at draws of the model, where rows have nothing of their own: weights can leave it out.
    place
        Where among the tables it is added.
    """

    informs: str = ""
    part: Callable[[Study, Structure], Part | None] = _nothing
    add: Callable[[Study, Structure, Declared], None] = _nothing
    law: Callable[[Any, Mapping[str, Floats]], Law] | None = None
    place: int = 99


def counts(rows: Sequence[Any], name: str, columns: tuple[str, str]) -> dict[str, np.ndarray]:
    """Return a part and a whole of each row, as data of the model."""
    import numpy as np

    part, whole = (np.array([getattr(row, c) for row in rows], dtype=np.int32) for c in columns)
    return {f"{name}__observed": part, f"{name}__{columns[1]}": whole}


def added(part: Part, dim: str) -> dict[str, Any]:
    """Add labels and numbers of a part to the model, and return the numbers by the last word of their name."""
    import pymc as pm

    for name, labels in part.coords.items():
        pm.modelcontext(None).add_coord(name, labels)
    return {name.rsplit("__", 1)[1]: pm.Data(name, value, dims=dim) for name, value in part.data.items()}
