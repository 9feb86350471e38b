"""The chapters of a report, in order: each a file with its record ``CHAPTER``, read here.

Page one (:mod:`~bayes.report.chapters.answer`) and the checklists (:mod:`~bayes.report.chapters.checklist`) look at
what the others hold, and are written last.
"""

from importlib import import_module

from bayes.report.contract import Chapter

__all__ = ["CHAPTERS"]

NAMES = (
    "evidence", "priors", "methods", "synthesis", "projection", "sensitivity", "facts",
    "stress", "checks",
    "annex",
)  # fmt: skip
CHAPTERS: tuple[Chapter, ...] = tuple(import_module(f"{__name__}.{name}").CHAPTER for name in NAMES)
