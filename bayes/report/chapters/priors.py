"""The priors: declared, drawn and updated side by side, why each was chosen, and its alternatives."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes.numbers import level, number, per_cent, signed
from bayes.report.chapters.common import drawn, source_cell, table
from bayes.report.contract import Cell, Chapter, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.material import Material
from bayes.report.numbers import cell, count, word

if TYPE_CHECKING:
    import pandas as pd

    from bayes.priors import Prior

__all__ = ["CHAPTER"]


def _chapter(material: Material) -> Content:
    """Priors in brief, and every declaration in the annex."""
    study, parameters = material.study, material.tables["parameters"]
    alone = "{@moved} sets the quantiles of the prior, as drawn, beside those of the posterior."
    text = Prose(alone if study is None else _IN_BRIEF)
    blocks = text, drawn(material, "priors against posteriors", "priors"), TableBlock("moved")
    brief, moved = Section("priors", CHAPTER.title, 2, blocks), _moved(material, parameters)
    if study is None:
        return Content((brief,), (_levels(),), (moved,))
    judged = sum(prior.source.status == "judgement" for prior in study.priors.values())
    claims = (_levels(), count("priors.count", len(study.priors), "the study"),
              count("priors.judged", judged, "the study"), *_best(material, parameters))  # fmt: skip
    full = Section("allpriors", "Every prior, and its alternatives", 3,
                   (Prose(_IN_FULL), TableBlock("declared"), TableBlock("alternatives")))  # fmt: skip
    return Content((brief, full), claims, (moved, _declared(material, parameters), _alternatives(material)))


_IN_BRIEF = (
    "{priors.count} quantities have a declared prior; {priors.judged} of them are our judgement, with the reason "
    "stated beside the number. {@moved} sets what was declared beside what the model drew from it and what the "
    "evidence made of it, for the quantities that decide the answer; {@allpriors} does so for all, with the "
    "reasons. Contraction is the part of the prior's interquartile range that the evidence took away. "
    "The evidence said most about **{priors.best}** ({priors.best.contraction}) and next to nothing about "
    "{priors.unmoved} of the {priors.count}; on {priors.idle} more no row of evidence bears at all. There the "
    "answer repeats the prior."
)
_IN_FULL = (
    "The column of what was declared holds the quantiles on file, and that of what was drawn holds those of the "
    "model's own prior draws: if the code had another prior than the file, the two would differ. {@alternatives} says "
    "what each alternative does to the answer."
)


def _rows(parameters: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(row["parameter"]): row for row in parameters.to_dict(orient="records")}


def _contraction(row: dict[str, Any]) -> float:
    before, after = (row[f"{g}_q0.75"] - row[f"{g}_q0.25"] for g in ("prior", "posterior"))
    return 1 - after / before if before and before == before else math.nan


def _idle(material: Material) -> frozenset[str]:
    """Parameters that are drawn forward: prior and posterior draws of those with a prior of their own differ by chance.

    Of a declared quantity that says that no row of evidence bears on it. Without a study it cannot be told from a
    parameter drawn given others that evidence moved.
    """
    forward = [str(name) for name in json.loads(material.fit.attrs.get("forward_variables", "[]"))]
    names = frozenset(forward) | {name.removesuffix("_excess") for name in forward}
    return names if material.study is None else names & material.study.priors.keys()


def _best(material: Material, parameters: pd.DataFrame) -> tuple[Claim, ...]:
    """The quantity about which the evidence said most, how many it left alone, and how many it does not reach."""
    rows, idle = _rows(parameters), _idle(material)
    priors = material.study.priors if material.study else {}
    found = {name: _contraction(rows[name]) for name in priors if name in rows and name not in idle}
    known = {name: value for name, value in found.items() if not math.isnan(value)}
    best = max(known, key=lambda name: known[name], default="")
    taken, unmoved = per_cent(known.get(best, math.nan)), sum(value < 0.1 for value in known.values())
    return (
        word("priors.best", material.words.label(best) if best else "none of them", "parameters.csv"),
        word("priors.best.contraction", f"{taken} of its range taken away", "parameters.csv"),
        count("priors.unmoved", unmoved, "parameters.csv, contraction below a tenth"),
        count("priors.idle", sum(name in idle for name in priors), "fit.nc, forward_variables"),
    )


QUANTILES = (0.05, 0.5, 0.95)


def _quantiles(row: dict[str, Any], group: str) -> Cell:
    values = [(row.get(f"{group}_q{p:g}", math.nan), row.get(f"{group}_mcse_q{p:g}", 0.0)) for p in QUANTILES]
    return Cell(" · ".join(_short(*pair) for pair in values) if values[0][0] == values[0][0] else "–")


def _levels() -> Claim:
    return word("priors.quantiles", ", ".join(per_cent(p) for p in QUANTILES), "parameters.csv")


def _short(value: float, mcse: float) -> str:
    """Two digits, or fewer where its error supports no more."""
    if not value or not mcse:
        return number(float(f"{value:.2g}"))
    return number(value, max(mcse, 10.0 ** (math.floor(math.log10(abs(value))) - 1)))


def _moved(material: Material, parameters: pd.DataFrame) -> Table:
    """The quantities that decide the answer, before and after; nothing was taken away where no evidence bears."""
    priors, words, idle = material.study and material.study.priors, material.words, _idle(material)
    told = priors is not None
    rows = []
    for name, row in _rows(parameters).items():
        shown = not told or not words.shown or name in words.shown
        if shown and row["prior_q0.5"] == row["prior_q0.5"]:
            declared = priors.get(name) if priors else None
            rows.append([
                Cell(words.label(name), below=str(row["unit"] or "")), *([Cell(_told(declared))] if told else []),
                _quantiles(row, "prior"), _quantiles(row, "posterior"),
                Cell("none" if told else "–") if name in idle else Cell(per_cent(_contraction(row))),
            ])  # fmt: skip
    none = "None: no row of evidence bears on the quantity." if told else "–: drawn forward given the rest."
    headings = ("Quantity and unit", *([">Declared"] if told else []), ">Drawn", ">Posterior", ">Contraction")
    return table("moved", "Before and after the evidence: quantiles of the prior and of the posterior", headings, rows,
                 f"Quantiles at {{priors.quantiles}}. {none}")  # fmt: skip


def _told(prior: Prior | None) -> str:
    if prior is None:
        return "follows from others"
    return _stated(prior) if prior.quantiles else f"{prior.family}: {_stated(prior)}"


def _stated(prior: Prior) -> str:
    if not prior.quantiles:
        return ", ".join(f"{k} {v:g}" for k, v in prior.declared.items())
    if tuple(prior.quantiles) != QUANTILES:
        return ", ".join(f"{level(p)}: {number(v)}" for p, v in prior.quantiles.items())
    return " · ".join(number(v) for v in prior.quantiles.values())


def _declared(material: Material, parameters: pd.DataFrame) -> Table:
    rows, found = [], _rows(parameters)
    for name, prior in (material.study.priors if material.study else {}).items():
        row = found.get(name) or found.get(f"{name}_excess") or {}
        source = source_cell(material, prior.source.key, prior.source.locator)
        rows.append([
            Cell(material.words.label(name)), Cell(f"{prior.meaning} ({prior.unit})"),
            Cell(f"{prior.family}: {_stated(prior)}"), _quantiles(row, "prior"), _quantiles(row, "posterior"),
            replace(source, text=f"{source.text} ({prior.source.status})"), Cell(prior.why),
        ])  # fmt: skip
    headings = ("Quantity", "Meaning and unit", "Declared", ">Drawn", ">Posterior", "Source", "Why")
    return table("declared", "Every declared prior: on file, as drawn, with the evidence, and why", headings, rows,
                 "Quantiles as in {@moved}. Of quantities with a lower bound that is itself uncertain, drawn and "
                 "posterior are of the excess over that bound.")  # fmt: skip


def _alternatives(material: Material) -> Table:
    found = material.sensitivity("alternatives")
    moves: dict[str, dict[str, Any]] = {}
    if found is not None:
        part = found[(found["quantity"] == material.target.quantity)]
        moves = {str(row["change"]): row for row in part.to_dict(orient="records")}
    rows = []
    for name, prior in (material.study.priors if material.study else {}).items():
        for key, other in prior.alternatives.items():
            move = moves.get(f"{name}: {key}")
            effect = Cell("–") if move is None else Cell(signed(move["d_median"], move["mcse_d_median"]))
            rows.append([Cell(material.words.label(name)), Cell(key), Cell(f"{other.family}: {_stated(other)}"),
                         Cell(other.why), effect, cell("" if move is None else str(move["method"]))])  # fmt: skip
    headings = ("Quantity", "Alternative", "Declared", "Why", ">Change of the median", "How computed")
    caption = "Declared alternatives, and what each does to the median of the answer"
    return table("alternatives", caption, headings, rows)


CHAPTER = Chapter("priors", "Priors", _chapter, ("prior", "numbers"))
