"""What moves the answer: every table of the sensitivity analyses, ranked and in the unit of the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayes.numbers import ABOVE_ZERO, KIND_WORDS, chance, money, number, per_cent, signed
from bayes.ranking import LAST_WORDS
from bayes.report.chapters.common import drawn, said, table
from bayes.report.contract import (
    Block,
    Bullets,
    Cell,
    Chapter,
    Claim,
    Content,
    Missing,
    Prose,
    Section,
    Table,
    TableBlock,
)
from bayes.report.material import Material
from bayes.report.numbers import cell, claim, count, interval_cell, move, move_cell, share, word
from bayes.runfiles import had_nothing
from bayes.sensitivity._variance import quoted
from bayes.sensitivity.suite import analyses
from bayes.sensitivity.summary import note_on_potentials, ranked_moves
from bayes.words import capital, spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHAPTER", "SCALE_WORDS"]

TOP = 10


def _chapter(material: Material) -> Content:
    """Ranked moves, shares of variance, tipping points, structures, budget and value of information."""
    found = {name: made for name in analyses() if (made := material.sensitivity(name)) is not None and len(made)}
    if "value" not in found and (own := material.sensitivity("evppi")) is not None and len(own):
        found["value"] = own
    if not found:
        fix = material.command("sensitivity", "pass sensitivity= to bayes.write_report")
        gap = material.lacks("the sensitivity analyses", "none was made of this run", fix)
        return Content((Section("sensitivity", CHAPTER.title, 2, (gap,)),))
    gaps = [_gap(material, name) for name in analyses() if name not in found]
    parts, more = ([part(material, found) for need, part in every if need in (*found, "")] for every in (_PARTS, _MORE))
    blocks, rest = ([block for part in every for block in part[0]] for every in (parts, more))
    sections = [Section("sensitivity", CHAPTER.title, 2, (*blocks, *gaps))]
    if rest:
        sections.append(Section("moves-in-full", "Sensitivity in full", 3, tuple(rest)))
    every = [*parts, *more]
    return Content(tuple(sections), tuple(c for p in every for c in p[1]), tuple(t for p in every for t in p[2]))


type Part = tuple[list[Block], list[Claim], list[Table]]
type Tables = Mapping[str, "pd.DataFrame"]


def _gap(material: Material, name: str) -> Missing:
    """One line for an analysis that is not there, with what would bring it."""
    one = analyses()[name]
    if material.folder is None:
        return material.lacks(one.title, f"it needs {one.brings}", f"pass sensitivity={{'{name}': table}}")
    tables = [material.folder / "tables" / "sensitivity" / f"{key}.csv" for key in one.tables or (name,)]
    if all(had_nothing(material.folder, path) for path in tables):
        return material.lacks(one.title, f"it needs {one.brings}")
    reason = f"it was not made of this run, and needs {one.brings}"
    return material.lacks(one.title, reason, material.command(f"sensitivity --only {name}"))


def _moves(material: Material, found: Tables) -> Part:
    ranked = ranked_moves(found, material.target.quantity)
    if not len(ranked):
        return [], [], []
    source, unit = "tables/sensitivity", material.target.unit
    claims = [count("moves.count", len(ranked), source), word("moves.order", LAST_WORDS, "ranking")]
    claims += [word("moves.unit", f" {unit}" if unit else "", source), word("moves.scenario", material.target.label)]
    where = ", in the scenario {moves.scenario}" if material.target.label else ""
    for i, row in enumerate(ranked.head(3).to_dict(orient="records")):
        claims += [word(f"moves.{i}.what", _worded(material, str(row["change"]), str(row["kind"])), source),
                   move(f"moves.{i}.by", row["by"], row["mcse"], unit, source, row["extra"])]  # fmt: skip
    text = (
        "Of {moves.count} changes tried, to priors, rows and structure, the largest moves the median by "
        "{moves.0.by}{moves.unit} ({moves.0.what}); the next by {moves.1.by} ({moves.1.what}) and {moves.2.by} "
        f"({{moves.2.what}}){where}."
    )
    blocks: list[Block] = [Prose(text)] if len(ranked) > 2 else []
    if "alternatives" in found and found["alternatives"]["group"].isin(["sceptical", "optimistic"]).any():
        blocks.append(drawn(material, "alternative priors", "tornado"))
    left = found.get("leave_one_out")
    groups = {} if left is None else dict(zip(left["change"], left["group"], strict=True))
    rows = [_move(material, row, groups) for row in ranked.to_dict(orient="records")]
    headings = ("Change", "Kind", ">Change of the median", "How")
    most, every = "The changes that move the median most", "Every change tried, by how far it moves the median"
    note = "{moves.order}"
    if apart := note_on_potentials(found):
        claims.append(word("moves.apart", apart, "powerscale.csv, note"))
        note += " With care: {moves.apart}."
    made = table("moves", most, headings, rows[:TOP], note)
    return [*blocks, TableBlock("moves")], claims, [made, table("allmoves", every, headings, rows, note)]


def _worded(material: Material, change: str, kind: str) -> str:
    """A change in words."""
    name, _, alternative = material.words.label(change).partition(": ")
    if kind == "prior":
        every = f"every prior at its {name.removeprefix('all ')} alternative"
        return f"the {alternative} prior of {name}" if alternative else every
    return (
        f"without {material.words.label(change)}"
        if kind == "without"
        else f"{kind} {spaced(change)}"
        if "doubled" in kind
        else spaced(change)
    )


def _move(material: Material, row: Mapping[Any, Any], groups: Mapping[str, str]) -> list[Cell]:
    """A line of the ranking; of what was left out, whether a row, a study or a kind of source."""
    kind = f"{groups.get(row['change'], 'row')} left out" if row["kind"] == "without" else str(row["kind"])
    by = move_cell(row["by"], row["mcse"], row["extra"])
    return [Cell(material.words.label(str(row["change"]))), Cell(kind), by, cell(str(row["method"]))]


SCALE_WORDS = {"target": "answer", "normal scores of the target": "answer's ranks (as normal scores)"}


def _variance(material: Material, found: Tables) -> Part:
    part = quoted(found["variance"])
    claims, source = [], "variance.csv, shapley"
    for i, row in enumerate(part.head(3).to_dict(orient="records")):
        name = material.words.label(str(row["input"]))
        claims += [word(f"share.{i}.what", name, source), share(f"share.{i}.of", row, source)]
    scale = str(part["scale"].iloc[0]) if "scale" in part and len(part) else "target"
    claims.append(word("share.scale", SCALE_WORDS.get(scale, scale), "variance.csv"))
    text = (
        "{@shapley} shares out the variance of the {share.scale} between the inputs: {share.0.what} "
        "{share.0.of}, {share.1.what} {share.1.of}, {share.2.what} {share.2.of}."
    )
    picture = drawn(material, "shares of the variance", "shapley")
    return [*([Prose(text)] if len(part) > 2 and not isinstance(picture, Missing) else []), picture], claims, []


def _tipping(material: Material, found: Tables) -> Part:
    rows = found["tipping"].to_dict(orient="records")
    tipped = [row for row in rows if row["value"] == row["value"]]
    unknown = sum(row["method"] == "not reached" for row in rows)
    lost = [count("tip.unknown", unknown, "tipping.csv")]
    beyond = "{tip.unknown} cannot be followed far enough with these draws; only a refit would tell." if unknown else ""
    if not tipped:
        none = f"As far as is known, no single quantity moves the answer so far as was asked. {beyond}".rstrip()
        return [Prose(none)], lost, []
    several, left = len({row["question"] for row in tipped}) > 1, len(rows) - len(tipped) - unknown
    claims = [word("tip.question", spaced(str(tipped[0]["question"])), "tipping.csv"),
              count("tip.none", left, "tipping.csv"), *lost]  # fmt: skip
    items = [_tipped(i, row, several, claims) for i, row in enumerate(tipped)]
    have = "quantity has" if left == 1 else "quantities have"
    others = f"{{tip.none}} other {have} no such value among those tried."
    one = "**Tipping points.** The {tip.question} with any one of these:"
    text = Prose("**Tipping points.** What would move the answer so far as is said in brackets:" if several else one)
    last = [*([Prose(others)] if left else []), *([Prose(f"Besides, {beyond}")] if unknown else [])]
    return [text, Bullets(tuple(items)), *last], claims, []


def _tipped(i: int, row: Mapping[Any, Any], several: bool, claims: list[Claim]) -> str:
    """One tipping point, with its question where there are several."""
    unit = f" {row['unit']}".rstrip()
    claims += [
        word(f"tip.{i}.lever", row["lever"], "tipping.csv"),
        word(f"tip.{i}.unit", unit, "tipping.csv"),
        claim(f"tip.{i}.value", row["value"], row["mcse"], unit.strip(), "tipping.csv"),
        claim(f"tip.{i}.now", row["current"], 0.0, unit.strip(), "tipping.csv"),
        *([word(f"tip.{i}.question", spaced(str(row["question"])), "tipping.csv")] if several else []),
    ]
    asked = f" ({{tip.{i}.question}})" if several else ""
    return f"{{tip.{i}.lever}} at {{tip.{i}.value}}{{tip.{i}.unit}} instead of {{tip.{i}.now}}{asked}"


def _structure(material: Material, found: Tables) -> Part:
    part = found["structure"]
    part = part[(part["quantity"] == material.target.quantity) & ~part["estimand_changed"]]
    low, high = part.loc[part["median"].idxmin()], part.loc[part["median"].idxmax()]
    claims = [
        claim("structure.low", low["median"], low["mcse_median"], material.target.unit, "structure.csv"),
        word("structure.low.what", low["change"], "structure.csv"),
        claim("structure.high", high["median"], high["mcse_median"], material.target.unit, "structure.csv"),
        word("structure.high.what", high["change"], "structure.csv"),
        count("structure.count", len(part) - 1, "structure.csv"),
    ]
    text = (
        f"Over {{structure.count}} other way{'' if len(part) == 2 else 's'} of building the model the median lies "
        "between {structure.low} ({structure.low.what}) and {structure.high} ({structure.high.what})."
    )
    said, more = _leaving(material, found["structure"])
    return [Prose(text), *said, drawn(material, "other structures of the model", "specification")], claims + more, []


def _leaving(material: Material, frame: pd.DataFrame) -> tuple[list[Block], list[Claim]]:
    """Variants with which rows of evidence leave, each beside the same variant with the evidence as fitted."""
    mine = frame[frame["quantity"] == material.target.quantity].set_index("change")
    claims: list[Claim] = []
    said: list[str] = []
    for name in mine.index:
        beside = f"{name}, evidence as fitted"
        if beside not in mine.index:
            continue
        key = f"leaves.{len(said)}"
        leave = _rows_in_words(material, str(mine.loc[name, "leaves"]))
        claims += [word(f"{key}.what", spaced(str(name)), "structure.csv"), word(f"{key}.rows", leave, "structure.csv")]
        for which, row in (("both", mine.loc[name]), ("form", mine.loc[beside])):
            by, mcse = float(row["d_median"]), float(row["mcse_d_median"])
            claims.append(move(f"{key}.{which}", by, mcse, material.target.unit, "structure.csv"))
        said.append(
            f"The variant “{{{key}.what}}” also removes evidence ({{{key}.rows}}). Together the two changes "
            f"move the median by {{{key}.both}}; with all the evidence kept it moves by {{{key}.form}}."
        )
    return [Prose(" ".join(said))] if said else [], claims


def _rows_in_words(material: Material, leaves: str) -> str:
    """Rows by table, as ``prepost: 9``, in words."""
    told = (one.partition(": ") for one in leaves.split(", "))
    return ", ".join(f"{count} row{'s' * (count != '1')} of “{material.words.label(name)}”" for name, _, count in told)


def _worlds(material: Material, found: Tables) -> Part:
    """Whole worlds and their mixture; which of them the headline is."""
    frame = found["worlds"]
    own, mixture = frame.iloc[:-1], frame.iloc[-1]
    low, high = own.loc[own["median"].idxmin()], own.loc[own["median"].idxmax()]
    claims = [
        count("worlds.count", len(own), "worlds.csv"),
        claim("worlds.mixture", mixture["median"], mixture["mcse_median"], material.target.unit, "worlds.csv"),
        word("worlds.interval", interval_cell(mixture).text, "worlds.csv"),
        _kind("worlds", frame),
    ]
    for key, row in (("low", low), ("high", high)):
        claims += [claim(f"worlds.{key}", row["median"], row["mcse_median"], material.target.unit, "worlds.csv"),
                   word(f"worlds.{key}.what", spaced(str(row["world"])), "worlds.csv")]  # fmt: skip
    text = (
        "**Worlds.** Choices that belong together move the answer further than one at a time: over {worlds.count} "
        "declared worlds the median lies between {worlds.low} ({worlds.low.what}) and {worlds.high} "
        "({worlds.high.what}). Their mixture has the median {worlds.mixture} ({worlds.interval}). The headline is the "
        "model of this run, not the mixture: weights are judgements, and stand in the study for a reader to change."
    )
    rows = [
        [Cell(spaced(str(r["world"])), below=str(r["words"])), Cell(per_cent(float(r["weight"]))),
         Cell(_stacked(r)),
         cell(r["median"], r["mcse_median"]), interval_cell(r), Cell(chance(float(r["above"])), float(r["above"]))]
        for r in frame.to_dict(orient="records")
    ]  # fmt: skip
    note = (
        "Intervals: {worlds.kind}. Stacking: weights from how well each world predicts every row of evidence from the "
        "others, with their standard deviation over rows drawn again (a Bayesian bootstrap) after ±; few rows tell "
        "little, and nothing of what no row bears on."
    )
    headings = ("World", ">Weight", ">Stacking", ">Median", ">Interval", f">{ABOVE_ZERO}")
    made = table("worlds", "The answer in whole worlds, and their mixture", headings, rows, note)
    return [Prose(text), TableBlock("worlds"), drawn(material, "the worlds", "worlds")], claims, [made]


def _stacked(row: Mapping[Any, Any]) -> str:
    """A stacking weight with its standard deviation, in per cent; nothing where it is not known."""
    if not math.isfinite(row["stacking"]):
        return ""
    return f"{per_cent(float(row['stacking']))} ± {per_cent(float(row['sd_stacking']))}"


def _decisions(material: Material, found: Tables) -> Part:
    """The choice in each world and structure: what is best, what is lost by choosing as the run would, and what it is
    worth to know more."""
    frame = material.sensitivity("decisions")
    if frame is None:
        return [], [], []
    unit = str(frame["unit"].iloc[0])

    def worth(row: Mapping[Any, Any], name: str) -> Cell:
        value, mcse = float(row.get(name, math.nan)), float(row.get(f"mcse_{name}", math.nan))
        return Cell(_written_worth(value, mcse, unit), value, mcse) if math.isfinite(value) else Cell("")

    rows = [
        [Cell(spaced(str(r["world"]))), Cell(material.words.label(str(r["best"]))),
         *(worth(r, name) for name in ("net_benefit", "loss", "perfect", "worth"))]
        for r in frame.to_dict(orient="records")
    ]  # fmt: skip
    study = str(frame["study"].iloc[0]) or "a study"
    claims = [word("decisions.chosen", material.words.label(str(frame["chosen"].iloc[0])), "decisions.csv"),
              word("decisions.unit", unit, "decisions.csv"),
              word("decisions.study", study, "decisions.csv")]  # fmt: skip
    text = (
        "**The choice, world by world.** The model of this run has the highest expected net benefit for "
        "“{decisions.chosen}”. {@decisions} says what is best in each world and, below their mixture, under each "
        "single choice of structure; what would be lost there by that choice; what perfect information would be worth, "
        "and what a {decisions.study} would be. Costs and benefits that the model does not hold are outside all of it."
    )
    headings = ("World or structure", "Best", ">Net benefit", ">Loss", ">Perfect information", ">The study")
    note = "Loss: of choosing as the run would, in that world. Numbers are rounded to their Monte Carlo errors."
    over = _over(material, "decisions", claims)
    caption = f"The choice in whole worlds and by structure ({{decisions.unit}}{',' * bool(over)}{over})"
    made = table("decisions", caption, headings, rows, note)
    return [Prose(text), *said(material, claims, "decisions"), TableBlock("decisions")], claims, [made]


def _budget(material: Material, found: Tables) -> Part:
    rows = found["budget"].to_dict(orient="records")
    first, last = rows[0], rows[-1]
    widest = max(rows[1:], key=lambda row: row["width_added"])
    largest = "The largest single addition is {budget.widest} ({budget.widest.by})."
    widening = largest if widest["width_added"] > 0 else "None of those after the first adds to it."
    claims = [
        claim("budget.first", first["width"], first["mcse_width"], material.target.unit, "budget.csv, width"),
        claim("budget.last", last["width"], last["mcse_width"], material.target.unit, "budget.csv, width"),
        word("budget.widest", widest["adds"], "budget.csv"),
        move("budget.widest.by", widest["width_added"], widest["mcse_width_added"], material.target.unit, "budget.csv"),
        word("budget.prob", per_cent(first["prob"]), "budget.csv"),
        word("budget.order", ", ".join(str(row["adds"]) for row in rows), "budget.csv"),
    ]
    plain = (
        "**Budget of uncertainty.** Sources are let in in this order: {budget.order}. At the first, with those after "
        "it held fixed, the {budget.prob} interval would be {budget.first} wide; the interval of this run is "
        f"{{budget.last}} wide. {widening} In another order each would add another width."
    )
    text = said(material, claims, "budget", plain)
    return [*text, drawn(material, "the budget of uncertainty", "budget")], claims, []


def _value(material: Material, found: Tables) -> Part:
    frame = found["value"]
    unit = material.words.unit_over_times(material.words.net_benefit)
    parts = frame[frame["quantity"] == "EVPPI"].sort_values("estimate", ascending=False)
    of = " {voi.unit}" if unit and not unit.startswith("GBP") else ""
    claims, sentences = [word("voi.unit", unit or "the unit of net benefit", "value.csv")], []
    over = _over(material, "voi", claims)
    if len(every := frame[frame["quantity"] == "EVPI"].sort_values("estimate", ascending=False)):
        claims.append(_worth("voi.all", every.iloc[0], unit))
        sentences.append(f"perfect information on everything would be worth {{voi.all}}{of}")
    if len(parts):
        claims += [_worth("voi.first", parts.iloc[0], unit),
                   word("voi.first.what", material.words.label(str(parts.iloc[0]["input"])), "value.csv")]  # fmt: skip
        sentences.append("perfect information on {voi.first.what} alone would be worth {voi.first}" + of)
    doubt, study = _doubt(frame, claims), _studies(frame, claims, unit)
    text = (
        f"**Value of information.** To somebody who chooses between the scenarios by expected net benefit{over}, "
        f"{'; '.join(sentences)}.{study}"
    )
    shown = frame[frame["estimate"] > 2 * frame["mcse"]]
    rows = [[Cell(str(r["quantity"])), Cell(material.words.label(str(r["input"]))), _worth_cell(r, unit),
             cell(str(r["method"]))] for r in shown.to_dict(orient="records")]  # fmt: skip
    note = f"Quantities whose value is within two Monte Carlo errors of zero are left out.{doubt}"
    caption = f"The value of information ({{voi.unit}}{',' * bool(over)}{over})"
    made = table("voi", caption, ("Quantity", "Of", ">Worth", "How"), rows, note)
    return [Prose(text + doubt), *said(material, claims, "value"), Prose("{@voi} has the rest.")], claims, [made]


def _doubt(frame: pd.DataFrame, claims: list[Claim]) -> str:
    """What speaks against the mean of the value of information, if anything does."""
    notes = [str(note) for note in frame["note"] if isinstance(note, str) and note] if "note" in frame else []
    first = frame.iloc[0].get("note")
    if not notes or not (isinstance(first, str) and first):  # an empty cell is read as a missing number
        return ""
    claims.append(word("voi.doubt", first, "value.csv"))
    return " With care: {voi.doubt}."


def _studies(frame: pd.DataFrame, claims: list[Claim], unit: str) -> str:
    """Which of the studies that were tried would be worth most."""
    tried = frame[frame["quantity"] == "EVSI"]
    known = tried.dropna(subset="estimate").sort_values("estimate", ascending=False)
    if not len(known):
        return (
            " The value of the studies tried is withheld: these draws do not tell it from nothing."
            if len(tried)
            else ""
        )
    first = known.iloc[0]
    claims += [_worth("voi.study", first, unit), word("voi.study.what", first["input"], "value.csv")]
    if float(first["estimate"]) > 2 * float(first["mcse"]):
        return " Of the studies tried, a {voi.study.what} would be worth most, {voi.study} before its own cost."
    return " None of the studies tried is worth more than two Monte Carlo errors of these values."


def _written_worth(estimate: float, mcse: float, unit: str) -> str:
    """A sum of money, in pounds where they are the unit."""
    return money(estimate, mcse) if unit.startswith("GBP") else number(estimate, mcse)


def _worth(name: str, row: pd.Series[Any], unit: str) -> Claim:
    estimate, mcse = float(row["estimate"]), float(row["mcse"])
    return Claim(name, _written_worth(estimate, mcse, unit), estimate, mcse, unit, f"value.csv, {row['quantity']}")


def _worth_cell(row: Mapping[Any, Any], unit: str) -> Cell:
    estimate, mcse = float(row["estimate"]), float(row["mcse"])
    return Cell(_written_worth(estimate, mcse, unit), estimate, mcse)


# --- in full ----------------------------------------------------------------------------------


def _powerscale(material: Material, found: Tables) -> Part:
    everything: list[Block] = [TableBlock("allmoves")] if len(ranked_moves(found, material.target.quantity)) else []
    if "powerscale" not in found:
        return everything, [], []
    frame = found["powerscale"].sort_values("cjs", ascending=False)
    rows = [
        [Cell(material.words.label(str(r["component"]))), Cell(str(r["role"])), cell(r["cjs"]), cell(r["khat"]),
         move_cell(r["d_median"], r["mcse_d_median"]), cell(r["diagnosis"])]
        for r in frame.to_dict(orient="records")
    ]  # fmt: skip
    made = table("powerscale", "Power-scaling: how far the answer moves when a prior or a block of evidence counts for "
                 "more", ("Component", "Role", ">Distance", ">k-hat", ">Median, per doubling", "Diagnosis"), rows,
                 "Distance: cumulative Jensen–Shannon distance of the answer's distribution.")  # fmt: skip
    return [*everything, TableBlock("powerscale")], [], [made]


def _left_out(material: Material, found: Tables) -> Part:
    frame = found["leave_one_out"]
    frame = frame[(frame["quantity"] == material.target.quantity) & (frame["method"] != "as fitted")]
    rows = [
        [Cell(material.words.headed(str(r["change"]))), Cell(str(r["group"])),
         cell(r["median"], r["mcse_median"]), interval_cell(r),
         Cell(signed(r["d_median"], r["mcse_d_median"])), cell(r["khat"] if math.isfinite(r["khat"]) else math.nan),
         cell(r["method"])]
        for r in frame.to_dict(orient="records")
    ]  # fmt: skip
    headings = ("Without", "Group", ">Median", ">Interval", ">Change", ">k-hat", "How")
    made = table("left-out", "The answer without each row, study and kind of source", headings, rows,
                 "Intervals: {left-out.kind}. No k-hat: nothing was reweighted.")  # fmt: skip
    return [TableBlock("left-out")], [_kind("left-out", frame)], [made]


def _kind(key: str, frame: pd.DataFrame) -> Claim:
    """Probability and kind of the intervals of a table."""
    prob, kind = float(frame["prob"].iloc[0]), str(frame["kind"].iloc[0])
    return word(f"{key}.kind", f"{per_cent(prob)} {KIND_WORDS.get(kind, kind)}s", "tables/sensitivity, prob and kind")


def _conflict(material: Material, found: Tables) -> Part:
    rows = [[Cell(material.words.headed(str(r["source"]))), Cell(chance(float(r["p"])), float(r["p"])),
             move_cell(r["pull"], r["mcse_pull"]), cell(r["method"])]
            for r in found["conflict"].sort_values("p").to_dict(orient="records")]  # fmt: skip
    note = "Pull is the median with the row minus the median without it. A large p does not prove agreement."
    headings = ("Row", ">p", ">Pull on the median", "How")
    made = table("conflict", "Each row against all the others", headings, rows, note)
    return [TableBlock("conflict")], [], [made]


def _times(material: Material) -> list[int]:
    """The times of a projection; none of one that has a single time."""
    times = [] if material.futures is None else material.futures["year"].values.tolist()
    return times if len(times) > 1 else []


def _over(material: Material, key: str, claims: list[Claim]) -> str:
    """Over which times net benefit is summed, where it is."""
    times = material.words.summed(material.words.net_benefit, _times(material))
    claims += [word(f"{key}.times", times, "futures.nc")] if times else []
    return f" over {{{key}.times}}" if times else ""


def _acceptability(material: Material, found: Tables) -> Part:
    blocks: list[Block] = [TableBlock("voi")] if "value" in found else []
    claims: list[Claim] = []
    tables: list[Table] = []
    if "acceptability" in found:
        blocks.append(drawn(material, "the acceptability curve", "acceptability"))
    if "plane" in found:
        rows = [
            [Cell(material.words.label(str(r["option"]))), Cell(material.words.label(str(r["quantity"]))),
             Cell(str(r["unit"])), cell(r["estimate"], r["mcse"]), interval_cell(r),
             Cell(chance(float(r["p_positive"])))]
            for r in found["plane"].to_dict(orient="records")
        ]  # fmt: skip
        words = material.words
        times = _times(material)
        rate = ", discounted" * bool(material.futures is not None and material.futures.attrs.get("discount_rate", 0))
        stocks = [name for name in (words.cost, words.target, words.net_benefit) if times and not words.added(name)]
        claims += [word("plane.times", words.all_of(times), "futures.nc")] if times else []
        summed = f"{rate}, over {{plane.times}}" if times and not stocks else rate
        last = f" Not summed over all {words.time}s, but of the last: {{plane.last}}." if stocks else ""
        claims.append(word("plane.last", ", ".join(map(words.label, stocks)), "inputs/question.json"))
        headings = ("Option", "Quantity", "Unit", ">Median", ">Interval", f">{capital(ABOVE_ZERO)}")
        tables.append(table("plane", f"Cost and effect of each option{summed}", headings, rows,
                            f"Intervals: {{plane.kind}}.{last}"))  # fmt: skip
        claims.append(_kind("plane", found["plane"]))
        blocks.append(TableBlock("plane"))
    return blocks, claims, tables


_PARTS = (("", _moves), ("variance", _variance), ("tipping", _tipping), ("structure", _structure), ("worlds", _worlds),
          ("budget", _budget), ("value", _value), ("worlds", _decisions))  # fmt: skip
"""What the chapter says, each with the analysis that it needs."""
_MORE = (("", _powerscale), ("leave_one_out", _left_out), ("conflict", _conflict), ("", _acceptability))
"""The same of the annex."""

CHAPTER = Chapter("sensitivity", "What moves the answer", _chapter, ("numbers",))
