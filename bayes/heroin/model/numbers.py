"""All numbers of the model of a study, and its structure, without building it: no PyMC."""

from __future__ import annotations

from collections.abc import Sequence

from bayes.declared import Part, priors_part
from bayes.heroin.evidence import ENTERING
from bayes.heroin.model.design import design_of
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.model.structure import Structure
from bayes.heroin.quantities import ALL
from bayes.provenance import canonical, digest
from bayes.study import Study

__all__ = ["model_numbers", "model_stamp", "structure_hash", "used_priors"]


def model_numbers(study: Study, structure: Structure | None = None) -> Part:
    """Return the data and labels that :func:`bayes.build_model` gives its model, and the layout of every part."""
    chosen = structure or Structure()
    used = used_priors(chosen, design_of(study, chosen).terms)
    made = {table.row.__name__: table.part(study, chosen) for table in ENTERING}
    parts = {"priors": priors_part(study.priors, used), **{name: part for name, part in made.items() if part}}
    data = {name: value for part in parts.values() for name, value in part.data.items()}
    coords = {name: labels for part in parts.values() for name, labels in part.coords.items()}
    layout = {name: dict(part.layout) for name, part in parts.items()}
    return Part(data, coords, {"structure": chosen.as_data(), **layout})


def structure_hash(numbers: Part) -> str:
    """Return the SHA-256 of the layout and the shapes of a model: with the code, everything in it but its numbers."""
    shapes = {name: [str(value.dtype), *value.shape] for name, value in numbers.data.items()}
    lengths = {name: len(labels) for name, labels in numbers.coords.items()}
    return digest(canonical([dict(numbers.layout), shapes, lengths]))


def model_stamp(study: Study, structure: Structure) -> dict[str, object]:
    """Return what a fit of the model was made from, as plain data."""
    return {"study": fit_hash(study), "files": dict(study.hashes), "structure": structure.as_data()}


def used_priors(chosen: Structure, terms: Sequence[str]) -> list[str]:
    """Return the quantities of the model in a fixed order: the layout of ``prior_parameters``."""
    off = {"biases", "small_studies"}
    used = [q.name for q in ALL if q.role == "prior" and q.when not in off and chosen.uses(q.when)]
    at = used.index("fidelity")
    return [*used[:at], *terms, *used[at:]]
