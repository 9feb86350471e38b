"""``python question.py COMMAND``: a question of one's own through run, check, sensitivity, figures, report, calibrate.

A run of such a question is a folder with its fit, its projection, tables, and under ``inputs/`` its script and study.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bayes.arguments import checked
from bayes.question import Question

__all__ = ["main"]


@checked
def main(question: Question, arguments: Sequence[str] | None = None) -> int:
    """Run one command of a question and return its exit code: 0 done, 1 a check failed, 2 bad input or usage, 3 the
    machine failed.

    Parameters
    ----------
    question
        The question.
    arguments
        As on the command line; those of the process by default, which then ends with the exit code.

    Examples
    --------
    >>> import bayes, pymc as pm
    >>> def build():
    ...     with pm.Model() as model:
    ...         rate = pm.Gamma("rate", 2, 1)
    ...         pm.Poisson("count", rate, observed=[3], dims=None)
    ...         pm.Deterministic("cases", 10 * rate)
    ...     return model
    >>> question = bayes.Question(model=build, target="cases", units={"cases": "cases/year"})
    >>> bayes.main(question, ["run", "--out", "counted", "--quiet"])
    Verdict of the diagnostics: passed
    ...
    0
    """
    from bayes.cli.entry import main as command

    try:
        code = command(arguments, question)
    except SystemExit as end:  # help was asked for, or this is no command
        if arguments is None:
            raise
        return int(end.code or 0)
    if arguments is None:
        sys.exit(code)
    return code
