"""``acceptability``: of the scenarios that are compared with present patients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.figures._acceptability import FIGURE as ANY
from bayes.figures._acceptability import acceptability_of_run

if TYPE_CHECKING:
    import pandas as pd

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE"]


def _of_run(run: Gallery) -> pd.DataFrame:
    from bayes.figures.gallery import Absent

    present = set(run.futures["scenario"].values.tolist())
    options = [n for n, s in run.study.scenarios.items() if n in present and not s.stress and s.against == "today"]
    if not options:
        raise Absent("no scenario of this run is compared with present patients", fix="name the study with --study")
    return acceptability_of_run(run, options)


FIGURE = replace(ANY, needs=("futures", "study"), of_run=_of_run)
