"""Page one: the answer, the verdict, what it can and cannot say, what moves it, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.heroin.projection.names import named
from bayes.numbers import KIND_WORDS, NOT_APART_WORDS, chance, number, of_hundred, per_cent
from bayes.report.chapters.common import drawn
from bayes.report.chapters.projection import scenario_table
from bayes.report.chapters.sensitivity import SCALE_WORDS
from bayes.report.contract import (
    Banner,
    Block,
    Bullets,
    Chapter,
    Claim,
    Item,
    Missing,
    Prose,
    Section,
    Table,
    TableBlock,
    WhatIf,
)
from bayes.report.material import SECOND, Material
from bayes.report.numbers import claim, count, interval_claims, word
from bayes.sensitivity._variance import quoted
from bayes.summaries import PROB, summarise
from bayes.tables import scale_up

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chapter"]


def chapter(material: Material, items: Collection[Item], gaps: Sequence[tuple[Section, Missing]]) -> Chapter:
    """The first page."""
    claims = [
        word("answer.kind", f"{per_cent(PROB)} {KIND_WORDS['eti']}", "summaries"),
        word("digits.apart", NOT_APART_WORDS, "summaries"),
        word("annex.kind", f"{per_cent(PROB)} {KIND_WORDS['eti']}s", "summaries"),
    ]
    blocks: list[Block] = [_banner(material)]
    tables: list[Table] = []
    if material.withheld:
        blocks += _reasons(material, claims)
    elif material.target.scenario:
        tables.append(scenario_table(material))
        blocks += _projected(material, claims)
    elif material.target.quantity:
        blocks += _posterior(material, claims)
    else:
        blocks.append(material.lacks("the answer", "this fit was not projected over scenarios", "bayes project RUN"))
    sections = [Section("answer", "The answer", 1, tuple(blocks))]
    sections += [] if material.withheld else [_limits(material), _movers(material, claims)]
    sections += [_unmet(items, claims), _gaps(gaps, claims), _panel(material)]
    return Chapter(tuple(sections), tuple(claims), tuple(tables))


def _banner(material: Material) -> Block:
    if material.verdict.passed:
        return Banner(
            "Diagnostics: passed. The posterior draws met all {checks.count} checks ({@verdict}).",
            "good",
        )
    if material.withheld:
        return Banner(
            "Diagnostics: FAILED. The answer is withheld, because the draws do not represent the posterior.", "bad"
        )
    return Banner("Diagnostics: FAILED. These numbers are printed on demand and must not be relied on.", "bad")


def _reasons(material: Material, claims: list[Claim]) -> list[Block]:
    failures = material.verdict.failures
    for i, failure in enumerate(failures):
        claims += [
            word(f"failure.{i}", failure.name, "checks.csv"),
            word(f"failure.{i}.why", failure.text, "checks.csv"),
        ]
    claims.append(word("answer.force", "bayes report RUN --force"))
    return [
        Prose("What failed:"),
        Bullets(tuple(f"**{{failure.{i}}}:** {{failure.{i}.why}}" for i in range(len(failures)))),
        Prose(
            "More draws, or a look at the prior or the row that the chains disagree about, are the usual cure. "
            "{answer.force} prints the numbers under a red banner."
        ),
    ]


def _projected(material: Material, claims: list[Claim]) -> list[Block]:
    """The answer of a projection, in both units, beside the press arithmetic."""
    target, futures = material.target, material.futures
    assert futures is not None
    answer, second, patients, press = (
        material.answer(q) for q in (target.quantity, SECOND, "patient_years", "press_arithmetic")
    )
    assert answer is not None
    where = f"headline.csv, {target.scenario}, year {target.year}"
    claims += [
        word("answer.scenario", target.label, where),
        count("answer.year", target.year, where),
        *interval_claims("answer", answer, f"{where}, {target.quantity}"),
    ]
    lead = (
        "If prescribed heroin were scaled up as in the scenario **{answer.scenario}**, it would avoid "
        "**{answer.median}** self-reported offences in year {answer.year} ({answer.interval})"
    )
    if second is not None:
        claims += interval_claims("answer.victim", second, f"{where}, {SECOND}")
        lead += ", or **{answer.victim.median}** crimes as a survey of victims counts them ({answer.victim.range})"
    if patients is not None:
        claims += interval_claims("answer.patients", patients, f"{where}, patient_years")
    draws = np.asarray(futures[target.quantity].sel(scenario=target.scenario, year=target.year).values, dtype=float)
    return [
        Prose(f"{lead}.", "lead"),
        *_pressed(material, draws, press, claims),
        TableBlock("scenarios"),
        *_atom(material, claims),
        drawn(material, "the posterior as dots", "dots"),
    ]


def _atom(material: Material, claims: list[Claim]) -> list[Block]:
    """How often exactly nothing is avoided, and the range of the other draws."""
    futures, target = material.futures, material.target
    assert futures is not None
    table = scale_up(futures.sel(scenario=[target.scenario]), "")
    chosen = table[(table["quantity"] == target.quantity) & (table["year"] == str(target.year))]
    if not len(chosen):
        return []
    row, where = chosen.iloc[0], f"scale_up.csv, {target.scenario}, year {target.year}"
    claims += [
        *(word(f"atom.{name}", chance(float(row[f"p_{name}"])), where) for name in ("negative", "zero", "positive")),
        *interval_claims("atom", row, where),
    ]
    return [
        Prose(
            "Where no more patients come than are treated today, exactly nothing is avoided. Crime rises with "
            "probability {atom.negative}, nothing changes with {atom.zero}, and crime falls with {atom.positive}. "
            "Given that more patients come, the median is {atom.median} ({atom.interval})."
        )
    ]


def _pressed(material: Material, draws: np.ndarray, press: pd.Series[Any] | None, claims: list[Claim]) -> list[Block]:
    """Natural frequencies, and the press arithmetic."""
    threshold = 10.0 ** np.floor(np.log10(max(float(np.median(draws)), 1.0)))
    source = f"futures.nc, {material.target.scenario}"
    claims += [
        count("nf.of", 100),
        word("nf.none", of_hundred(float((draws <= 0).mean())), source),
        word("nf.more", of_hundred(float((draws > threshold).mean())), source),
        claim("nf.threshold", float(threshold), 0.0, material.target.unit, "a power of ten"),
    ]
    text = (
        "Of {nf.of} futures, all as credible as the next given evidence and priors, {nf.none} avoid nothing or add "
        "crimes, and {nf.more} avoid more than {nf.threshold}."
    )
    study, scenario = material.study, material.study and material.study.scenarios.get(material.target.scenario)
    if press is None or study is None or not scenario or not press["median"] > 0:
        return [Prose(text)]
    claims += [
        claim("press.sum", press["median"], 0.0, "offences", "press_arithmetic"),
        word("press.p", chance(float((draws > press["median"]).mean())), source),
        word("press.ratio", number(float(np.median(draws) / press["median"]), 0.01), source),
    ]
    if scenario.places is None:
        return [
            Prose(
                f"{text} The press arithmetic, places × {{press.offences}} × {{press.reduction}}, gives "
                "{press.sum}; the probability of as many is {press.p}."
            )
        ]
    claims.append(count("press.places", int(scenario.places), "scenarios.toml"))
    return [
        Prose(
            f"{text} The press arithmetic, {{press.places}} places × {{press.offences}} × {{press.reduction}}, "
            "gives {press.sum}; the probability of as many is {press.p}, and the median is {press.ratio} times "
            "that sum."
        )
    ]


def _posterior(material: Material, claims: list[Claim]) -> list[Block]:
    """The answer of any other fit: the posterior of its target."""
    name = material.target.quantity
    row = summarise(material.fit["posterior"].to_dataset(), variables=[name]).iloc[0].to_dict()
    claims += [
        word("answer.target", material.cover.labels.get(name) or named(name), name),
        word("answer.unit", material.target.unit or "no unit", name),
        *interval_claims("answer", row, f"posterior, {name}"),
        word("answer.positive", chance(float(row["p_positive"])), f"posterior, {name}"),
    ]
    return [
        Prose(
            "The posterior of **{answer.target}** has its median at **{answer.median}** ({answer.unit}; "
            "{answer.interval}); the probability that it is above zero is {answer.positive}.",
            "lead",
        ),
        drawn(material, "the posterior as dots", "dots"),
    ]


_WRITTEN = "Digits end where the Monte Carlo error of a number begins. {digits.apart}"


def _limits(material: Material) -> Section:
    if material.study is None or not material.target.scenario:
        items = (
            "It can say what the model, its prior and its data imply together, with the Monte Carlo error of each "
            "number.",
            "It cannot say that the model is right or that the data are.",
        )
        return Section("limits", "What it can and cannot say", 1, (Bullets(items), Prose(_WRITTEN)))
    return Section(
        "limits",
        "What it can and cannot say",
        1,
        (
            Bullets(
                (
                    "**It can say** what published evidence and stated priors imply together, how wide the answer is, "
                    "and which number to learn more about.",
                    "**It cannot say** that the evidence is right, that the trials' patients are like those a larger "
                    "programme would reach, or that a prior to which the answer is insensitive is true.",
                    "Health, deaths and the patients themselves are outside the model; so are single towns and years.",
                )
            ),
            Prose(_WRITTEN),
        ),
    )


def _movers(material: Material, claims: list[Claim]) -> Section:
    """What moves the answer most."""
    variance = material.sensitivity("variance")
    if variance is None or not len(variance) or len(quoted(variance)) < 3:
        gap = material.lacks(
            "what moves the answer most",
            "no analysis of the variance of this run",
            "bayes sensitivity RUN" if material.folder else "pass sensitivity= to bayes.write_report",
        )
        return Section("movers", "What moves it most", 1, (gap,))
    for i, row in enumerate(quoted(variance).head(3).to_dict(orient="records")):
        name = named(str(row["input"]))
        claims += [
            word(f"mover.{i}", name if i else f"{name[0].upper()}{name[1:]}", "variance.csv"),
            Claim(
                f"mover.{i}.share",
                per_cent(float(row["estimate"])),
                float(row["estimate"]),
                float(row["se"]),
                "share",
                "variance.csv, shapley",
            ),
        ]
    scale = str(quoted(variance)["scale"].iloc[0]) if "scale" in variance else "target"
    claims.append(word("mover.scale", SCALE_WORDS.get(scale, scale).rstrip(",") + ",", "variance.csv"))
    text = (
        "**{mover.0}** explains {mover.0.share} of the variance of the {mover.scale} **{mover.1}** "
        "{mover.1.share} and **{mover.2}** {mover.2.share} ({@sensitivity})."
    )
    return Section("movers", "What moves it most", 1, (Prose(text),))


def _unmet(items: Collection[Item], claims: list[Claim]) -> Section:
    """Items of the checklists that are not met, or that the author must write."""
    lines = []
    for status, start in (("not met", "**Not met:** "), ("author", "**The author must write:** ")):
        open_items = [item for item in items if item.status == status]
        for i, item in enumerate(open_items):
            claims.append(
                word(f"open.{status}.{i}", f"{item.text[0].lower()}{item.text[1:]} ({item.guideline} {item.label})")
            )
        if open_items:
            lines.append(start + "; ".join(f"{{open.{status}.{i}}}" for i in range(len(open_items))) + ".")
    claims += [count("open.met", sum(i.status == "met" for i in items)), count("open.all", len(items))]
    text = "{open.met} of {open.all} items of the reporting checklists are met ({@checklist})."
    return Section("open", "Open items of the reporting checklists", 1, (Prose(text), Bullets(tuple(lines))))


def _gaps(gaps: Sequence[tuple[Section, Missing]], claims: list[Claim]) -> Section:
    """What the run could not supply."""
    if not gaps:
        return Section("gaps", "What is missing", 1, (Prose("Nothing: the run supplied every part of the report."),))
    for i, (_, gap) in enumerate(gaps):
        name = f"{gap.what[:1].upper()}{gap.what[1:]}"
        claims += [
            word(f"gap.{i}", name),
            word(f"gap.{i}.why", gap.reason),
            word(f"gap.{i}.fix", gap.fix or "no command"),
        ]
    lines = tuple(
        f"**{{gap.{i}}}** ({{@{section.key}}}): {{gap.{i}.why}}. To make it: {{gap.{i}.fix}}."
        for i, (section, _) in enumerate(gaps)
    )
    return Section("gaps", "What is missing", 1, (Bullets(lines),))


def _panel(material: Material) -> Section:
    return Section("what-if", "What if", 1, (WhatIf(material.no_panel),))
