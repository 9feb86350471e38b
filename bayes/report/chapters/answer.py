"""Page one: the question, the answer, the verdict, what it can and cannot say, what moves it, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bayes.numbers import ABOVE_ZERO, KIND_WORDS, NOT_APART_WORDS, chance, number, of_hundred, per_cent
from bayes.report.chapters import facts
from bayes.report.chapters.common import drawn, said, table
from bayes.report.chapters.projection import scenario_table
from bayes.report.chapters.sensitivity import SCALE_WORDS
from bayes.report.contract import (
    Banner,
    Block,
    Bullets,
    Cell,
    Claim,
    Content,
    Item,
    Missing,
    Prose,
    Section,
    Table,
    TableBlock,
    WhatIf,
)
from bayes.report.material import Material
from bayes.report.numbers import cell, claim, count, interval_cell, interval_claims, share, word
from bayes.sensitivity._variance import quoted
from bayes.summaries import PROB, summarise
from bayes.tables import ROUNDED, rounded_in, scale_up
from bayes.words import capital

__all__ = ["chapter"]


def chapter(material: Material, items: Collection[Item], gaps: Sequence[tuple[Section, Missing]]) -> Content:
    """The first page."""
    claims = [
        word("answer.kind", f"{per_cent(PROB)} {KIND_WORDS['eti']}", "summaries"),
        word("digits.apart", NOT_APART_WORDS, "summaries"),
        word("annex.kind", f"{per_cent(PROB)} {KIND_WORDS['eti']}s", "summaries"),
    ]
    blocks: list[Block] = [_banner(material), *_asked(material, claims)]
    tables: list[Table] = []
    if material.withheld:
        blocks += _reasons(material, claims)
    elif material.projected:
        tables.append(scenario_table(material))
        blocks += _projected(material, claims)
    elif material.target.quantity:
        tables.append(_posterior_table(material))
        blocks += _posterior(material, claims)
    else:
        blocks.append(material.lacks("the answer", "this fit was not projected over scenarios", "bayes project RUN"))
    sections = [Section("answer", "The answer", 1, tuple(blocks))]
    sections += [] if material.withheld else [_limits(material, claims), _movers(material, claims)]
    sections += [_gaps(gaps, claims), Section("what-if", "What if", 1, (WhatIf(material.no_panel),)),
                 _unmet(items, claims)]  # fmt: skip
    return Content(tuple(sections), tuple(claims), tuple(tables))


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


def _asked(material: Material, claims: list[Claim]) -> list[Block]:
    """For whom and when the question is asked, and what is compared with what."""
    words, told = material.words, list[str]()
    if words.population:
        claims.append(word("asked.population", words.population))
        told.append("about **{asked.population}**")
    if words.period:
        claims.append(word("asked.period", words.period))
        told.append("about **{asked.period}**")
    text = [Prose(f"The question is {' and '.join(told)}.")] if told else []
    return _joined([*text, *said(material, claims, "compared")])


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Paragraphs of text as one; other blocks after it."""
    text = " ".join(block.text for block in blocks if isinstance(block, Prose))
    return [*([Prose(text)] if text else []), *(block for block in blocks if not isinstance(block, Prose))]


def _reasons(material: Material, claims: list[Claim]) -> list[Block]:
    failures = material.verdict.failures
    for i, failure in enumerate(failures):
        claims += [
            word(f"failure.{i}", failure.name, "checks.csv"),
            word(f"failure.{i}.why", material.words.worded(failure.text), "checks.csv"),
        ]
    claims.append(word("answer.force", material.command("report --force", "force=True in bayes.write_report")))
    return [
        Prose("What failed:"),
        Bullets(tuple(f"**{{failure.{i}}}:** {{failure.{i}.why}}" for i in range(len(failures)))),
        Prose(
            "More draws, or a look at the prior or the row that the chains disagree about, are the usual cure. "
            "{answer.force} prints the numbers under a red banner."
        ),
    ]


def _projected(material: Material, claims: list[Claim]) -> list[Block]:
    """The answer of a projection, in the question's sentence or a plain one."""
    target, futures = material.target, material.futures
    assert futures is not None
    answer = material.answer(target.quantity)
    assert answer is not None
    where = f"headline.csv, {target.scenario}, {material.words.time or 'answer'} {target.year}"
    unit = material.words.unit(target.quantity)
    claims += [
        word("answer.scenario", target.label, where),
        word("answer.when", material.when, where),
        word("answer.target", material.words.label(target.quantity), where),
        word("answer.unit", f" {unit}" if unit else "", where),
        count("answer.year", target.year, where),
        *interval_claims("answer", answer, f"{where}, {target.quantity}"),
        word("answer.positive", chance(float(answer["p_positive"])), where),
    ]
    scenario = "In the scenario **{answer.scenario}**, the" if futures.sizes["scenario"] > 1 else "The"
    plain = (
        f"{scenario} median of {{answer.target}}{{answer.when}} is **{{answer.median}}**{{answer.unit}} "
        f"({{answer.interval}}); the {ABOVE_ZERO} is {{answer.positive}}."
    )
    draws = np.asarray(futures[target.quantity].sel(scenario=target.scenario, year=target.year).values, dtype=float)
    return [
        *said(material, claims, "lead", plain, "lead"),
        *_joined([*_frequencies(material, draws, claims), *_naive(material, draws, claims)]),
        TableBlock("scenarios"),
        *_atom(material, claims),
        *_rounding(material, claims),
        drawn(material, "the posterior as dots", "dots"),
    ]


def _atom(material: Material, claims: list[Claim]) -> list[Block]:
    """How often the answer is exactly zero, and the range of the other draws."""
    futures, target = material.futures, material.target
    assert futures is not None
    found = scale_up(futures.sel(scenario=[target.scenario]), "")
    chosen = found[(found["quantity"] == target.quantity) & (found["year"] == str(target.year))]
    if not len(chosen):
        return []
    row, where = chosen.iloc[0], f"scale_up.csv, {target.scenario}, year {target.year}"
    given = str(row["note"])
    claims += [
        *(word(f"atom.{name}", chance(float(row[f"p_{name}"])), where) for name in ("negative", "zero", "positive")),
        *interval_claims("atom", row, where),
        word("atom.given", capital(given), where),
    ]
    plain = (
        "In some draws the answer is exactly zero. It is below zero with probability {atom.negative}, zero with "
        "{atom.zero}, and above zero with {atom.positive}. {atom.given}, the median is {atom.median} ({atom.interval})."
    )
    return said(material, claims, "atom", plain)


def _rounding(material: Material, claims: list[Claim]) -> list[Block]:
    """In which scenarios the answer is zero but for rounding."""
    frame = material.tables.get("headline")
    names = [] if frame is None else rounded_in(frame, material.target.quantity, str(material.target.year))
    if not names:
        return []
    claims.append(word("answer.rounded", ", ".join(map(material.words.label, names)), "headline.csv, note"))
    return [Prose(f"{{answer.rounded}}: {ROUNDED}.", "note")]


def _frequencies(material: Material, draws: np.ndarray, claims: list[Claim]) -> list[Block]:
    """How many of a hundred futures have nothing or less, and how many more than a round number below the median."""
    middle, source = float(np.median(draws)), f"futures.nc, {material.target.scenario}"
    threshold = 10.0 ** np.floor(np.log10(middle)) if middle > 0 else 0.0
    claims += [
        count("nf.of", 100),
        word("nf.none", of_hundred(float((draws <= 0).mean())), source),
        word("nf.more", of_hundred(float((draws > threshold).mean())), source),
        claim("nf.threshold", threshold, 0.0, material.target.unit, source),
    ]
    plain = (
        "Of {nf.of} futures, all as credible as the next given evidence and priors, {nf.none} have {answer.target} at "
        "zero or below, and {nf.more} have more than {nf.threshold}{answer.unit}."
    )
    return said(material, claims, "frequencies", plain)


def _naive(material: Material, draws: np.ndarray, claims: list[Claim]) -> list[Block]:
    """The naive sum that is shown for comparison, beside the answer."""
    reference = material.words.reference
    row = material.answer(reference[1]) if reference else None
    if row is None or not row["median"] > 0:
        return []
    source = f"headline.csv, {reference[1]}"
    claims += [
        word("naive.words", capital(reference[0]), source),
        claim("naive.sum", row["median"], 0.0, material.words.unit(reference[1]), source),
        word("naive.p", chance(float((draws > row["median"]).mean())), source),
        word("naive.ratio", number(float(np.median(draws) / row["median"]), 0.01), source),
    ]
    plain = (
        "{naive.words}, a sum shown for comparison only, gives {naive.sum}; the probability of more is {naive.p}, and "
        "the median of the answer is {naive.ratio} times that sum."
    )
    return said(material, claims, "naive", plain)


def _posterior(material: Material, claims: list[Claim]) -> list[Block]:
    """The answer of any other fit: the posterior of its target."""
    name = material.target.quantity
    row = summarise(material.fit["posterior"].to_dataset(), variables=[name]).iloc[0].to_dict()
    claims += [
        word("answer.target", material.words.label(name), name),
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
        TableBlock("posterior"),
        drawn(material, "the posterior as dots", "dots"),
    ]


MOST = 20
"""Single numbers of a fit in the table of the first page."""


def _posterior_table(material: Material) -> Table:
    """The target and other single numbers of a fit."""
    source = material.fit["posterior"].to_dataset()
    names = [str(n) for n, array in source.data_vars.items() if set(array.dims) == {"chain", "draw"}]
    names = [material.target.quantity, *(name for name in names if name != material.target.quantity)][:MOST]
    rows = [
        [Cell(material.words.label(str(row["variable"]))),
         cell(row["unit"] or material.words.unit(str(row["variable"]))), cell(row["estimate"], row["mcse"]),
         interval_cell(row), Cell(chance(float(row["p_positive"])))]
        for row in summarise(source, variables=names).to_dict(orient="records")
    ]  # fmt: skip
    headings = ("Quantity", "Unit", ">Median", ">Interval", f">{capital(ABOVE_ZERO)}")
    return table("posterior", "The posterior of the target and of other single numbers of the fit", headings, rows,
                 "Intervals: {annex.kind}.")  # fmt: skip


_WRITTEN = "Digits end where the Monte Carlo error of a number begins. {digits.apart}"
_CAN = (
    "**It can say** what the evidence, the model and the stated priors imply together, how wide the answer is, and "
    "which number to learn more about.\n"
    "**It cannot say** that the evidence or the model is right, or that a prior to which the answer is insensitive is "
    "true."
)


def _limits(material: Material, claims: list[Claim]) -> Section:
    lines = said(material, claims, "limits", _CAN)
    items = [line for block in lines if isinstance(block, Prose) for line in block.text.split("\n")]
    items += [found] if (found := facts.line(material)) else []
    claims.append(word("cite", _cited(material), "manifest.json"))
    cite = Prose(f"{_WRITTEN} Cite as: {{cite}}")
    return Section("limits", "What it can and cannot say", 1, (Bullets(tuple(items)), cite))


def _cited(material: Material) -> str:
    """How this report is cited: author, title, and what tells this result from another."""
    title = material.words.title or "Report on a Bayesian fit"
    parts = [part for part in (material.cover.author, title, ", ".join(material.stamps)) if part]
    return " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts)


def _movers(material: Material, claims: list[Claim]) -> Section:
    """What moves the answer most."""
    variance = material.sensitivity("variance")
    if variance is None or not len(variance) or len(quoted(variance)) < 3:
        gap = material.lacks(
            "what moves the answer most",
            "no analysis of the variance was made of this run"
            if variance is None
            else "fewer than three inputs vary that the answer starts from (a vector is one)",
            material.command("sensitivity", "pass sensitivity= to bayes.write_report") if variance is None else "",
        )
        return Section("movers", "What moves it most", 1, (gap,))
    for i, row in enumerate(quoted(variance).head(3).to_dict(orient="records")):
        name = material.words.label(str(row["input"]))
        claims += [
            word(f"mover.{i}", name if i else capital(name), "variance.csv"),
            share(f"mover.{i}.share", row, "variance.csv, shapley"),
        ]
    scale = str(quoted(variance)["scale"].iloc[0]) if "scale" in variance else "target"
    claims.append(word("mover.scale", SCALE_WORDS.get(scale, scale), "variance.csv"))
    text = (
        "**{mover.0}** explains {mover.0.share} of the variance of the {mover.scale}, **{mover.1}** "
        "{mover.1.share} and **{mover.2}** {mover.2.share} ({@sensitivity})."
    )
    return Section("movers", "What moves it most", 1, (Prose(text),))


def _unmet(items: Collection[Item], claims: list[Claim]) -> Section:
    """Items of the checklists that are not met, and those that the author must write, each a line of a list."""
    blocks: list[Block] = [Prose("{open.met} of {open.all} items of the reporting checklists are met ({@checklist}).")]
    for status, start in (("not met", "**Not met:**"), ("author", "**The author must write:**")):
        found = [item for item in items if item.status == status]
        names = [f"open.{status}.{i}" for i in range(len(found))]
        claims += [word(name, f"{i.text} ({i.guideline} {i.label})") for name, i in zip(names, found, strict=True)]
        blocks += [Prose(start), Bullets(tuple(f"{{{name}}}" for name in names))] if found else []
    claims += [count("open.met", sum(i.status == "met" for i in items)), count("open.all", len(items))]
    return Section("open", "Open items of the reporting checklists", 1, tuple(blocks))


def _gaps(gaps: Sequence[tuple[Section, Missing]], claims: list[Claim]) -> Section:
    """What the run could not supply."""
    if not gaps:
        return Section("gaps", "What is missing", 1, (Prose("Nothing: the run supplied every part of the report."),))
    lines = []
    for i, (section, gap) in enumerate(gaps):
        claims += [
            word(f"gap.{i}", capital(gap.what)),
            word(f"gap.{i}.why", gap.reason),
            word(f"gap.{i}.fix", gap.fix),
        ]
        fix = f" To make it: {{gap.{i}.fix}}." if gap.fix else ""
        lines.append(f"**{{gap.{i}}}** ({{@{section.key}}}): {{gap.{i}.why}}.{fix}")
    return Section("gaps", "What is missing", 1, (Bullets(tuple(lines)),))
