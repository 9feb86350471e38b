"""Facts not fitted: published figures that no likelihood uses, each beside what the model predicts for it.

Rows stand in ``evidence/facts.csv`` (:class:`bayes.evidence.FactRow`). Which variables of a fit predict a figure, and
which further columns of its row that takes, says a :class:`Prediction` of the question, by the word in ``quantity``::

    facts = {"share_offending": Prediction(meaning="…", draw=share, columns=Window, lower=0, upper=1)}

For draw :math:`d` of the posterior the prediction is one published figure as the model would have produced it: of a new
study where studies differ, and with the sampling error of its people where the row says how many they were. With
:math:`v` the published figure and :math:`b = P(x < v) + P(x = v)/2`, the two-sided tail is :math:`p = 2 \\min(b, 1-b)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.errors import EvidenceError, StudyError, closest
from bayes.evidence import FactRow, once_more, unfit
from bayes.records import Place, record_of
from bayes.sheets import same
from bayes.study import Study, data_sets_behind_priors

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from xarray import DataTree

__all__ = ["TABLE", "Nothing", "Prediction", "check_facts", "facts_of", "facts_table"]

TABLE = "facts"
"""The table of evidence that holds them."""

MIDDLE, WIDE = 0.5, 0.95
"""Probabilities of the two ranges of a prediction."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A prediction that takes no further columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a fit predicts for published figures of one kind.

    Parameters
    ----------
    meaning
        What is predicted, in words.
    draw
        ``draw(draws, given, rng)``: variables of the posterior by name, draws first, and the row's further columns as
        a record; returns the figure predicted by each draw.
    columns
        The record of the further columns that its rows fill.
    unit
        What it is measured in.
    lower, upper
        What a figure of the kind can be.

    Examples
    --------
    >>> import numpy as np
    >>> coin = Prediction(meaning="share of heads", draw=lambda draws, given, rng: draws["p"], lower=0, upper=1)
    >>> coin.draw({"p": np.array([0.4, 0.6])}, Nothing(), np.random.default_rng(1)).tolist()
    [0.4, 0.6]
    """

    meaning: str
    draw: Callable[[Mapping[str, Any], Any, np.random.Generator], Any]
    columns: type = Nothing
    unit: str = ""
    lower: float = -math.inf
    upper: float = math.inf


def facts_of(study: Study | None) -> list[FactRow]:
    """Return the rows of a study that are compared with predictions."""
    found = () if study is None else study.evidence.get(TABLE, ())
    return [row for row in found if isinstance(row, FactRow) and row.use == "check"]


def check_facts(study: Study | None, predictions: Mapping[str, Prediction]) -> None:
    """Refuse facts that nothing predicts, that lack a number, or whose data the fit already uses.

    Raises
    ------
    EvidenceError
        With file, row and column.
    """
    rows = facts_of(study)
    if study is None or not rows:
        return
    path = study.folder / "evidence" / f"{TABLE}.csv"
    used = {same(row.data_set): f"row {row.row!r}" for name in study.evidence for row in study.rows(name)}
    used |= {same(name): f"prior {quantity!r}" for name, quantity in data_sets_behind_priors(study).items()}
    for row in rows:
        if row.data_set and same(row.data_set) in used:
            raise once_more(path, row, "one data set", row.data_set, used[same(row.data_set)])
        if row.quantity not in predictions:
            fix = closest(row.quantity, predictions) or "add its prediction to facts= of the question"
            raise unfit(row, path, "quantity", "nothing predicts such a figure", ", ".join(predictions) or "none", fix)
        one = predictions[row.quantity]
        if row.value is None or not one.lower <= row.value <= one.upper:
            raise unfit(row, path, "value", "this is no such figure", f"a number from {one.lower:g} to {one.upper:g}",
                        "correct it, or set use = excluded")  # fmt: skip
        _given(one, row, path)


def _given(one: Prediction, row: FactRow, path: Any = "") -> Any:
    """The filled further columns of a row, as the record of its prediction."""
    filled = {name: value for name, value in row.free.items() if value not in (None, "")}
    return record_of(one.columns, filled, Place(EvidenceError, path, row.row))


def facts_table(fit: DataTree, study: Study, predictions: Mapping[str, Prediction], verdict: str) -> pd.DataFrame:
    """Set every fact beside its posterior prediction, drawn with the seed of the fit.

    Returns
    -------
    DataFrame
        One row each: ``published``; ``median`` with ``mcse``; ``lower`` to ``upper`` (equal-tailed, probability
        ``prob``) and ``lower50`` to ``upper50`` of the posterior predictive; the two-sided tail ``p``; ``found``, where
        the published figure lies; source, locator, status and note.
    """
    import numpy as np
    import pandas as pd

    from bayes.summaries import interval, summarise

    posterior = fit["posterior"].to_dataset()
    shape = posterior.sizes["chain"], posterior.sizes["draw"]
    arrays = {str(name): array.transpose("chain", "draw", ...).values for name, array in posterior.data_vars.items()}
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in arrays.items()}
    rows, seed = [], int(fit.attrs.get("seed", 0))
    for i, row in enumerate(facts_of(study)):
        one, rng = predictions[row.quantity], np.random.default_rng([seed, i])
        try:
            drawn: NDArray[np.float64] = np.asarray(one.draw(draws, _given(one, row), rng), dtype=float).reshape(shape)
        except KeyError as missing:
            raise StudyError("the fit lacks a variable that a fact needs", table=row.row, key=row.quantity,
                             found=missing.args[0], allowed=sorted(draws),
                             fix="set use = excluded for this fact") from missing  # fmt: skip
        told = summarise(posterior[[]].assign(x=(("chain", "draw"), drawn)), prob=WIDE, kind="eti").iloc[0]
        value, middle = row.value or 0.0, interval(drawn, MIDDLE, "eti")
        below = float((drawn < value).mean() + (drawn == value).mean() / 2)
        rows.append({
            "row": row.row, "quantity": row.quantity, "meaning": one.meaning, "unit": one.unit, "published": value,
            "median": told["estimate"], "mcse": told["mcse"], **{end: told[end] for end in ("lower", "upper")},
            "prob": WIDE, "kind": "eti", "lower50": middle[0], "upper50": middle[1], "p": 2 * min(below, 1 - below),
            "found": _place(value, middle, (told["lower"], told["upper"])), "why": row.why,
            "source": row.source, "locator": row.locator, "status": row.status, "data_set": row.data_set,
            "note": row.note, "verdict": verdict,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _place(value: float, middle: tuple[float, float], wide: tuple[float, float]) -> str:
    """Where a published figure lies in its prediction."""
    if middle[0] <= value <= middle[1]:
        return "within 50 %"
    return "within 95 %" if wide[0] <= value <= wide[1] else "above" if value > wide[1] else "below"
