"""The panel as text: markup, style, script and data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bayes.diagnostics import Verdict
from bayes.errors import UsageError
from bayes.report.whatif.carried import Live, carried, reason_against
from bayes.words import headline

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["Panel", "panel"]

SCRIPTS = ("special", "tape", "families", "weights", "words", "state", "answer", "controls", "picture", "view")
"""Script files in the order in which they are joined: each uses only those before it, but for functions."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The parts of the what-if, for a page to put in their places.

    Parameters
    ----------
    html
        A ``<section id="what-if">`` without scripts, styles or handlers.
    css
        Its style; colours are the page's ``--ink --paper --muted --rule --accent --warn --card``.
    js
        One script, to stand after the section and the data.
    data_json
        For ``<script type="application/json" id="what-if-data">``: safe inside a script element.
    """

    html: str
    css: str
    js: str
    data_json: str


def panel(live: Live, fit: DataTree, futures: Dataset, verdict: Verdict) -> Panel:
    """Make the live what-if of a fit.

    Parameters
    ----------
    live
        The question: the calculation of its outcomes, its words and its priors.
    fit, futures
        A fit of its model, and the projection over every scenario.
    verdict
        Of the fit; the panel of one that failed says so above every number.

    Raises
    ------
    UsageError
        If the page cannot compute the outcomes (:func:`reason_against`), or the fit lacks what they start from.

    Examples
    --------
    >>> study = bayes.load_study()
    >>> found = panel(study.schema.live(fit, study), fit, futures, bayes.check(fit))
    >>> found.html.startswith('<section id="what-if"')
    True
    """
    reason = reason_against(live, fit)
    if reason:
        raise UsageError(reason, key="outcomes", fix="leave the panel out")
    data = carried(live, fit, futures, headline(futures))
    return Panel(_markup(data, verdict), _page_file("panel.css"), _script(), _embedded(data))


def _markup(data: Mapping[str, Any], verdict: Verdict) -> str:
    """The section, every text of a file escaped."""
    from jinja2 import Environment

    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_page_file("panel.html"))
    names = ("scenarios", "priors", "rules", "apart", "controls", "rows", "scheme", "time", "scenario_word", "command",
             "without", "follows")  # fmt: skip
    return template.render(
        **{name: data[name] for name in names}, default=data["default_scenario"], percent=f"{100 * data['prob']:g}",
        draws=data["chains"] * data["draws_per_chain"],
        failures=[f"{check.name}: {check.text}" for check in verdict.failures],
    ).strip()  # fmt: skip


def _script() -> str:
    """The script files as one strict function: nothing but ``whatIf`` is left in the page."""
    parts = "\n".join(_page_file(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


@lru_cache(maxsize=32)
def _page_file(name: str) -> str:
    return (files("bayes.report.whatif") / "page" / name).read_text(encoding="utf-8")


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that can stand inside a script element: nothing in it opens or closes an element."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
