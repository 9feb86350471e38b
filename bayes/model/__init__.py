"""The model, part by part: functions that add named, dimensioned variables to a ``pm.Model``."""

from bayes.model.joint import Structure, add_priors, build_model, fit_hash

__all__ = ["Structure", "add_priors", "build_model", "fit_hash"]
