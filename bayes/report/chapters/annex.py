"""The annex: every parameter, the model as a graph, the manifest, and how to run it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayes.inputs import INPUTS, read_inputs
from bayes.numbers import number
from bayes.report.chapters.common import drawn, table
from bayes.report.contract import (
    Block,
    Bullets,
    Cell,
    Chapter,
    Claim,
    Content,
    Prose,
    Section,
    Table,
    TableBlock,
)
from bayes.report.material import Material, large_arrays
from bayes.report.numbers import cell, word
from bayes.words import spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER"]


def _chapter(material: Material) -> Content:
    """Parameters, model, manifest and commands."""
    sections: list[Section] = []
    tables: list[Table] = []
    claims: list[Claim] = []
    parameters = material.tables.get("parameters")
    if parameters is not None and not material.withheld:
        tables.append(_parameters(parameters, material.words.labels))
        large = large_arrays(material.fit) if material.folder is None else {}
        claims.append(word("annex.large", ", ".join(f"{name} ({size:,} elements)" for name, size in large.items())))
        left_out = (Prose("Too large to be listed element by element: {annex.large}."),) if large else ()
        sections.append(Section("parameters", "Every parameter", 3, (TableBlock("parameters"), *left_out)))
    else:
        gap = material.lacks(
            "the parameters",
            "they are withheld because a check failed" if material.withheld else "this run has no table of parameters",
            material.command("report --force", "pass force=True") if material.withheld else "run again",
        )
        sections.append(Section("parameters", "Every parameter", 3, (gap,)))
    own = material.words.sentences.get("model.figures", "").split()
    if own:
        sections.append(Section("model", "The model as a graph", 3, (drawn(material, "the graph of the model", *own),)))
    tables.append(_manifest(material))
    rerun, words = _rerun(material)
    claims += words
    sections.append(Section("rerun", "Manifest, and how to run this again", 3, (*rerun, TableBlock("manifest"))))
    return Content(tuple(sections), tuple(claims), tuple(tables))


def _parameters(frame: pd.DataFrame, labels: Mapping[str, str]) -> Table:
    rows = []
    for row in frame.to_dict(orient="records"):
        prior = "–"
        if row["prior_q0.5"] == row["prior_q0.5"]:
            prior = f"{_quantile(row, 'prior', 0.5)} ({_ends(row, 'prior')})"
        rows.append([
            _parameter(str(row["parameter"]), labels), cell(row["unit"]), Cell(prior),
            Cell(_quantile(row, "posterior", 0.5), row["posterior_q0.5"]), Cell(_ends(row, "posterior")),
            *(Cell("–" if row[key] != row[key] else f"{row[key]:{digits}}")
              for key, digits in (("rhat", ".3f"), ("ess_bulk", ",.0f"), ("ess_tail", ",.0f"))),
        ])  # fmt: skip
    return table("parameters", "Every parameter, before and after the evidence",
                 ("Parameter", "Unit", ">Prior", ">Posterior median", ">Posterior interval", ">R-hat", ">ESS bulk",
                  ">ESS tail"), rows, "Prior: median and, in brackets, the interval of the same probability. All "
                 "intervals are {annex.kind}.")  # fmt: skip


def _quantile(row: Mapping[Any, Any], group: str, p: float) -> str:
    """A quantile with the digits that its error supports."""
    return number(row[f"{group}_q{p:g}"], row.get(f"{group}_mcse_q{p:g}", 0.0))


def _ends(row: Mapping[Any, Any], group: str) -> str:
    return f"{_quantile(row, group, 0.025)} to {_quantile(row, group, 0.975)}"


def _parameter(name: str, names: Mapping[str, str]) -> Cell:
    """A parameter in words, with its name in the files below; one without words of its own by that name."""
    first, bracket, label = name.partition("[")
    words = names.get(first)
    inside = names.get(label.removesuffix("]"), label.removesuffix("]"))
    return Cell(spaced(name)) if words is None else Cell(f"{words}[{inside}]" if bracket else words, below=name)


def _manifest(material: Material) -> Table:
    """What the run says of itself."""
    rows = []
    for key, value in material.manifest.items():
        if key in ("files", "timings", "inputs", "contents"):
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        rows.append([Cell(key.replace("_", " ")), Cell(text if value not in ([], {}) else "none")])
    for kind, files in (("input", "inputs"), ("result", "contents")):
        for file, digest in material.manifest.get(files, {}).items():
            rows.append([Cell(f"{kind} {file}"), Cell(f"SHA-256 {digest}")])
    return table(
        "manifest", "What was computed from what", ("Item", "Value"), rows or [[Cell("fit"), Cell("in memory")]]
    )


def _rerun(material: Material) -> tuple[list[Block], list[Claim]]:
    """The commands that make this report again."""
    if material.folder is None:
        return [
            Prose(
                "This report was written from a fit in memory; sample it again with the same seed, inputs and versions."
            )
        ], []
    record = read_inputs(material.folder / INPUTS) if (material.folder / INPUTS).is_dir() else None
    if record is None:
        return [Prose("This run carries no inputs; a new run of this version will.")], []
    ours = f"python {INPUTS}/{record.script}" if record.script else "bayes"
    claims = [
        word(
            "rerun.run",
            f"{ours} run --out again" if record.script else f"bayes run {INPUTS} --out again",
            "inputs/question.json",
        ),
        word("rerun.sensitivity", f"{ours} sensitivity again", "inputs/question.json"),
        word("rerun.report", f"{ours} report again", "inputs/question.json"),
        word("rerun.version", material.manifest.get("bayes", "–"), "manifest.json"),
        word("rerun.promise", material.manifest.get("reproducible", "–"), "manifest.json"),
    ]
    return [
        Prose(
            "This report belongs to a folder that also holds its inputs: the study as it was used, and the settings. "
            "In that folder, with version {rerun.version} of the toolkit, these commands make it again on any machine; "
            "commands elsewhere in this report write RUN for the folder:"
        ),
        Bullets(("{rerun.run}", "{rerun.sensitivity}", "{rerun.report}")),
        Prose("The promise is: {rerun.promise}.", "note"),
    ], claims


CHAPTER = Chapter("annex", "Every parameter, and how to run this again", _chapter)
