"""The joint model: the parts composed into one ordinary ``pm.Model``."""

from __future__ import annotations

import pymc as pm

from bayes.arguments import checked
from bayes.declared import Declared
from bayes.heroin.evidence.ceiling import add_ceiling
from bayes.heroin.evidence.coverage import add_coverage
from bayes.heroin.evidence.offending import add_offending
from bayes.heroin.evidence.retention import add_retention
from bayes.heroin.model.numbers import model_stamp, used_priors
from bayes.heroin.model.reduction import add_reduction, design
from bayes.heroin.model.structure import Structure
from bayes.heroin.quantities import FORWARD
from bayes.study import Study

__all__ = ["build_model"]


@checked
def build_model(study: Study, structure: Structure | None = None) -> pm.Model:
    """Build the joint model of a study: an ordinary ``pm.Model`` with named dims.

    Every free variable comes from a declared prior; priors and evidence enter as data. Structure and numbers are
    separate: two studies with the same rows and families give the same graph.

    Parameters
    ----------
    study
        What :func:`bayes.load_study` returned.
    structure
        Which variant; the default is random effects, all biases, drift, targeting and ceiling.

    Examples
    --------
    >>> import bayes
    >>> model = bayes.build_model(bayes.load_study())
    >>> "offences_per_user_year" in model.named_vars
    True
    """
    chosen = structure or Structure()
    changes = study.rows("prepost") if chosen.drift else []
    frame = design(study.rows("trials"), changes, chosen.biases)
    with pm.Model() as model:
        declared = Declared(study.priors, used_priors(chosen, frame.terms))
        offset = add_offending(study.rows("offending"), declared)["offset"]
        add_reduction(frame, declared, chosen.effects, chosen.drift, chosen.collapse)
        add_coverage(study.rows("coverage"), declared)
        add_retention(study.rows("retention"), declared)
        add_ceiling(study.rows("ceiling"), declared, offset, chosen.ceiling)
        _add_programme(declared, chosen.targeting)
    vars(model)["bayes_stamp"] = model_stamp(study, chosen)
    return model


def _add_programme(declared: Declared, targeting: bool) -> None:
    """Add what no evidence row informs: it is drawn forward from its declared prior."""
    for name in FORWARD:
        _ = declared[name]
    if targeting:
        _ = declared["targeting_strength"]
