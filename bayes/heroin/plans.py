"""A fit of a study without building its model, where everything that depends on structure is on disk."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayes.cache import key_of
from bayes.heroin.model.numbers import model_numbers, model_stamp, structure_hash
from bayes.heroin.model.structure import Structure
from bayes.sampling.fit import Plan
from bayes.study import Study

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["plan_of"]


def plan_of(study: Study, structure: Structure | None = None) -> Plan:
    """Return what sampling a study takes: its numbers, and the key of everything else.

    The key is the hash of the model's layout, of the code that builds and samples it, and of the versions and the
    processor that compile it. Its recipe and programs are those of ``bayes.sample(bayes.build_model(study))``, so the
    numbers of a fit are the same either way.

    Examples
    --------
    >>> from bayes import load_study
    >>> study = load_study()
    >>> plan_of(study).key == plan_of(study.with_priors({"tau_theta": "sceptical"})).key
    True
    """
    chosen = structure or Structure()
    numbers = model_numbers(study, chosen)
    key = key_of(structure_hash(numbers), compiled=True)
    return Plan(key, numbers.data, numbers.coords, model_stamp(study, chosen), partial(_built, study, chosen))


def _built(study: Study, structure: Structure) -> pm.Model:
    from bayes.heroin.model.joint import build_model

    return build_model(study, structure)
