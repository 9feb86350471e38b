"""The chapters of a report, in order: each a file with its record ``CHAPTER``, read here.

Page one (:mod:`~bayes.report.chapters.answer`) and the checklists (:mod:`~bayes.report.chapters.checklist`) look at
what the others hold, and are written last.
"""

from bayes.report.chapters import annex, checks, evidence, priors, projection, sensitivity, synthesis
from bayes.report.contract import Chapter

__all__ = ["CHAPTERS"]

CHAPTERS: tuple[Chapter, ...] = (
    evidence.CHAPTER,
    priors.CHAPTER,
    synthesis.CHAPTER,
    projection.CHAPTER,
    sensitivity.CHAPTER,
    checks.CHAPTER,
    annex.CHAPTER,
)
