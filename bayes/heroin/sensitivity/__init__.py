"""What sensitivity analysis has to know of the shipped study: its targets, rows, levers, structures and steps."""

from __future__ import annotations

from bayes.heroin.sensitivity.answer import Answer, default_scenario
from bayes.heroin.sensitivity.case import answer_of, case_of

__all__ = ["Answer", "answer_of", "case_of", "default_scenario"]
