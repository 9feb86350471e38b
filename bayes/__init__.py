"""A Bayesian uncertainty toolkit for policy questions.

Sourced priors and published evidence go in; a posterior, a verdict on it, and credible ranges for what a policy would
do come out. The shipped question::

    import bayes
    study   = bayes.load_study()                        # the shipped priors, evidence and scenarios
    model   = bayes.build_model(study)                  # an ordinary pm.Model
    fit     = bayes.sample(model, rng=20070222)         # an ordinary xarray.DataTree
    bayes.check(fit).require()                          # raises, naming what failed
    futures = bayes.project(fit, study)                 # Dataset(chain, draw, scenario, year)
    print(bayes.summarise(futures, prob=0.95))

Names are resolved when first used, so that importing the package loads no numerical library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from bayes import calibration, figures, sensitivity, synthesis
    from bayes.cli.script import main
    from bayes.declared import add_priors
    from bayes.diagnostics import Check, Verdict, check
    from bayes.errors import BayesError, CheckFailed, InputError
    from bayes.heroin.model import Structure, build_model
    from bayes.heroin.projection import horizon_total, project
    from bayes.heroin.study import load_study
    from bayes.question import Distortion, Lever, Question, Variant, World
    from bayes.report import write_report
    from bayes.runs import load_fit
    from bayes.sampling import sample
    from bayes.study import Study, read_study
    from bayes.summaries import summarise

_HOME = {"BayesError": "bayes.errors", "CheckFailed": "bayes.errors", "InputError": "bayes.errors",
         "Lever": "bayes.question", "Question": "bayes.question", "Variant": "bayes.question",
         "World": "bayes.question", "Distortion": "bayes.question",
         "main": "bayes.cli.script", "Study": "bayes.study", "load_study": "bayes.heroin.study",
         "read_study": "bayes.study", "Structure": "bayes.heroin.model", "add_priors": "bayes.declared",
         "build_model": "bayes.heroin.model", "sample": "bayes.sampling", "load_fit": "bayes.runs",
         "Check": "bayes.diagnostics", "Verdict": "bayes.diagnostics", "check": "bayes.diagnostics",
         "project": "bayes.heroin.projection", "horizon_total": "bayes.heroin.projection",
         "summarise": "bayes.summaries", "write_report": "bayes.report"}  # fmt: skip
_NAMESPACES = ("calibration", "figures", "sensitivity", "synthesis")

__all__ = ["BayesError", "Check", "CheckFailed", "Distortion", "InputError", "Lever", "Question", "Structure", "Study",
           "Variant", "Verdict", "World", "__version__", "add_priors", "build_model", "calibration", "check", "figures",
           "horizon_total", "load_fit", "load_study", "main", "project", "read_study", "sample", "sensitivity",
           "summarise", "synthesis", "write_report"]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _NAMESPACES:
        return import_module(f"bayes.{name}")
    raise AttributeError(f"module 'bayes' has no attribute {name!r}; available: {', '.join(sorted(__all__))}")


def __dir__() -> list[str]:
    return sorted(__all__)
