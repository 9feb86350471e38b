"""The report of a run or of any fit: computed once as plain data, written as HTML, PDF, Markdown and LaTeX.

::

    material ── chapters ── Report ─┬─ html   one self-contained page, with a live what-if
      (a run folder, or a fit)      ├─ pdf    paginated, set by typst
                                    └─ markdown, latex   the main tables

A report never fits, never changes a fit, and never loses a section silently: what is missing is said where it would
stand and on page one, with the command that makes it.
"""

from __future__ import annotations

from bayes.report.contract import Report
from bayes.report.write import FORMATS, report_of_run, write_report

__all__ = ["FORMATS", "Report", "report_of_run", "write_report"]
