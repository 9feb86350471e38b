"""The joint model: the parts composed into one ordinary ``pm.Model``."""

from __future__ import annotations

import pymc as pm

from bayes.arguments import checked
from bayes.declared import Declared
from bayes.heroin.evidence import ENTERING
from bayes.heroin.model.design import design_of
from bayes.heroin.model.numbers import model_stamp, used_priors
from bayes.heroin.model.structure import Structure
from bayes.heroin.quantities import FORWARD, SWITCHED
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
    with pm.Model() as model:
        declared = Declared(study.priors, used_priors(chosen, design_of(study, chosen).terms))
        for table in ENTERING:
            table.add(study, chosen, declared)
        for name in (*FORWARD, *(own for own, switch in SWITCHED.items() if getattr(chosen, switch))):
            _ = declared[name]
        if not chosen.within_pool:
            pm.Deterministic("demand_beyond_pool", pm.math.constant(1.0))
    vars(model)["bayes_stamp"] = model_stamp(study, chosen)
    return model
