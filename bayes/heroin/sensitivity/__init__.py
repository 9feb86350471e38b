"""What sensitivity analysis has to know of the shipped study: its targets, rows, levers, structures and steps."""

from __future__ import annotations

from bayes.heroin.sensitivity.question import Case, default_scenario
from bayes.heroin.sensitivity.suite import ANALYSES, TOGETHER, Question, analyse, load_case

__all__ = ["ANALYSES", "TOGETHER", "Case", "Question", "analyse", "default_scenario", "load_case"]
