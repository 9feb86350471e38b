"""``python question.py COMMAND``: a question of one's own through run, check, sensitivity, figures, report, calibrate.

A run of such a question is a folder with its fit, its projection, tables, and under ``inputs/`` its script and study.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import UsageError, check_word
from bayes.question import Question, built

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from xarray import DataArray, Dataset, DataTree

    from bayes.outcomes import Outcomes
    from bayes.study import Study

__all__ = ["asked_here", "main", "report_own", "sensitivity_own"]


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


def asked_here(options: argparse.Namespace) -> Question:
    """Return the question with the study that a run carries, and with the data of its model as they were changed."""
    from bayes.inputs import asked_of
    from bayes.overrides import change_data

    case = asked_of(options.folder, options.question)

    @wraps(case.question.model)
    def build(*given: Any) -> pm.Model:
        model = case.question.model(*given)
        change_data(model, case.changes)
        return model

    return replace(case.question, model=build, study=case.study)


# --- what a question is made of ----------------------------------------------------------------


def _study(question: Question) -> Study | None:
    """The study of a question."""
    return question.study  # type: ignore[no-any-return]


def _models(question: Question, study: Study | None, structure: Any = None) -> tuple[pm.Model, pm.Model]:
    """The whole model, and what of it is sampled."""
    from bayes.outcomes import outcome_names, without

    if question.project is not None:
        raise UsageError("a script's commands take outcomes from the model", key="project", found=question.project,
                         fix="add the outcomes as pm.Deterministic, and leave project out")  # fmt: skip
    model = built(question, study, structure)
    return model, without(model, outcome_names(model, question.words))


def _words(question: Question, study: Study | None) -> Any:
    """The words of a question, with the labels and units of its study."""
    from bayes.words import study_words

    return study_words(question.words, study)


def _read(folder: Path) -> tuple[DataTree, Dataset]:
    """The fit and the projection of a run."""
    from bayes.runfiles import read_fit, read_futures

    return read_fit(folder), read_futures(folder)


def _answer(question: Question, futures: Dataset) -> DataArray:
    """The target in the headline scenario, at the last time."""
    names = [str(one) for one in futures["scenario"].values]
    name = question.headline or names[0]
    check_word(name, names, "there is no such scenario", key="headline")
    return futures[question.target].sel(scenario=name).isel(year=-1)


def _answer_words(question: Question, futures: Dataset) -> str:
    """What the answer is, in words: the target, its scenario and its time."""
    from bayes.words import words_of

    words, found = words_of(futures), _answer(question, futures)
    scenario = f", {found['label'].item()}" if futures.sizes["scenario"] > 1 else ""
    when = f", {words.time} {int(found['year'])}" if words.time and futures.sizes["year"] > 1 else ""
    return words.headed(question.target) + scenario + when


# --- commands ----------------------------------------------------------------------------------


def _write(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write tables by name."""
    from bayes.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        write_text(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))


def sensitivity_own(question: Question, options: argparse.Namespace) -> int:
    """Run the analyses of a question and write their tables."""
    from bayes.cli.shared import stage_of
    from bayes.outcomes import outcomes_of

    fit, futures = _read(options.folder)
    study, stage = _study(question), stage_of(options)
    model, _ = _models(question, study)
    outcomes = outcomes_of(model, _words(question, study), fit)
    made: dict[str, pd.DataFrame] = {}
    for name, analysis in _ANALYSES.items():
        with stage(name):
            table = analysis(question, study, fit, futures, outcomes, options)
        if table is not None and len(table):
            made[name] = table
        else:
            print(f"left out: {name}: {_BRINGS[name]}")
    folder = options.folder / "tables" / "sensitivity"
    _write(folder, made)
    print(_moves(question, made, futures))
    print(f"Files: {folder}")
    return 0


def _moves(question: Question, tables: dict[str, pd.DataFrame], futures: Dataset) -> str:
    """What moves the median of the answer most, and the shares of its variance."""
    from bayes.numbers import compact
    from bayes.ranking import LAST_WORDS
    from bayes.sensitivity.commands import ranked_moves
    from bayes.sensitivity.variance import quoted
    from bayes.words import words_of

    words, unit = words_of(futures), words_of(futures).unit(question.target)
    lines = [f"What moves {words.label(question.target)} (change of the median, {unit or 'as measured'}):"]
    for row in ranked_moves(tables, question.target).head(10).itertuples():
        lines.append(f"  {words.label(str(row.change)):44} {row.kind:18} {compact(row.by, row.mcse):>10}  {row.method}")
    if "variance" in tables:
        shares = quoted(tables["variance"]).head(5)
        told = ", ".join(f"{words.label(row.input)} {row.estimate:.0%}" for row in shares.itertuples())
        lines.append(f"Shapley shares of the variance of the {shares['scale'].iloc[0]}: {told}.")
    return "\n".join([*lines, LAST_WORDS])


def _powerscale(question: Question, study: Any, fit: Any, futures: Any, outcomes: Any, options: Any) -> pd.DataFrame:
    from bayes.sensitivity import powerscale

    return powerscale(fit, target=_answer(question, futures))


def _variance(question: Question, study: Any, fit: Any, futures: Any, outcomes: Outcomes, options: Any) -> Any:
    import numpy as np

    from bayes.sensitivity import variance_indices

    inputs, y = _inputs(fit, outcomes), np.ravel(_answer(question, futures).values)
    return variance_indices(inputs, y, scale="auto") if len(inputs.columns) and np.ptp(y) else None


def _inputs(fit: DataTree, outcomes: Outcomes) -> pd.DataFrame:
    """Single numbers that the outcomes start from and that vary, one column each."""
    import numpy as np
    import pandas as pd

    scalars = {name: np.ravel(np.asarray(fit["posterior"][name])) for name in outcomes.given
               if fit["posterior"][name].ndim == 2}  # fmt: skip
    return pd.DataFrame({name: values for name, values in scalars.items() if np.ptp(values)})


def _leave_one_out(question: Question, study: Any, fit: Any, futures: Any, outcomes: Any, options: Any) -> Any:
    from dataclasses import replace

    from bayes.sampling.fit import plan_of_model
    from bayes.sensitivity import Change, leave_one_out
    from bayes.sensitivity.deletion import row_changes
    from bayes.sensitivity.refits import layout

    if "log_likelihood" not in fit.children and question.marginals is None:
        return None
    _, sampled = _models(question, study)
    kept: dict[Any, Any] = {}

    def without(label: str) -> Any:
        return lambda _: _refitted(question, fit, futures, outcomes, (sampled, kept, (), (label,)))

    plan = plan_of_model(sampled)
    known = layout(plan, kept).owners(plan.coords)  # rows whose names are labels of a dim, and so can leave a fit
    if question.marginals is not None:
        rows = question.marginals(fit, study)
        changes = [Change(name, "row", {"row": -values}) for name, values in rows.items()]
    else:
        changes = row_changes(fit)
    labels = {one.name: one.name.partition("[")[2][:-1] if "row" not in one.log_ratio else one.name for one in changes}
    changes = [replace(one, refit=without(labels[one.name])) if labels[one.name] in known else one for one in changes]
    return leave_one_out(fit, {question.target: _answer(question, futures)}, changes=changes)


def _refitted(
    question: Question, fit: DataTree, futures: Dataset, outcomes: Outcomes,
    change: tuple[pm.Model, Any, Sequence[str], Sequence[str]],
) -> dict[str, DataArray]:  # fmt: skip
    """The answer of a model sampled again: the model, a memory, names of what changed, labels of rows left out."""
    from bayes.sensitivity.refits import refit

    sampled, kept, changed, without = change
    found = refit(sampled, fit, changed, without=without, wanted=outcomes.given, kept=kept)
    moved = {name: found[name].transpose("chain", "draw", ...).values for name in outcomes.given if name in found}
    target = _moved(question, fit, futures, outcomes, moved)
    return {question.target: target.assign_attrs(found.attrs)}


def _alternatives(question: Question, study: Any, fit: Any, futures: Any, outcomes: Any, options: Any) -> Any:
    from bayes.sensitivity import alternatives

    declared = {} if study is None else {name: one for name, one in study.priors.items() if one.alternatives}
    if not declared:
        return None
    target = _answer(question, futures)

    def retarget(drawn: Any) -> dict[str, Any]:
        return {question.target: _moved(question, fit, futures, outcomes, drawn)}

    def again(chosen: Any, components: Sequence[str]) -> dict[str, DataArray]:
        _, sampled = _models(question, study.with_priors(chosen))
        return _refitted(question, fit, futures, outcomes, (sampled, {}, [*components, *chosen], ()))

    _, sampled = _models(question, study)
    direct = _only_the_answer_uses(sampled, outcomes, declared, json.loads(fit.attrs.get("forward_variables", "[]")))
    return alternatives(fit, {question.target: target}, declared, retarget=retarget if direct else None, refit=again)


def _only_the_answer_uses(
    sampled: pm.Model, outcomes: Outcomes, names: Collection[str], forward: Sequence[str]
) -> bool:
    """Whether no other variable is drawn given those drawn forward: then outcomes alone have to be computed again.

    Elsewhere (an effect of a new setting drawn given its spread, a variable declared with a shift) draws are weighted.
    """
    from pytensor.graph.traversal import ancestors

    drawn = {name for name in names if {name, f"{name}_excess"} & {*forward}}
    behind = {str(other.name) for v in sampled.free_RVs for other in ancestors([v]) if other is not v}
    return drawn <= {*outcomes.given} - behind


def _moved(question: Question, fit: DataTree, futures: Dataset, outcomes: Outcomes, changed: Any) -> DataArray:
    """The answer with other draws (chain, draw) of some variables, or one value for all."""
    import numpy as np

    from bayes.outcomes import given_values, played

    values, like = dict(given_values(fit, outcomes.given)), _answer(question, futures)
    for name, draws in changed.items():
        if name in values:
            shape = values[name].shape
            values[name] = np.broadcast_to(np.reshape(draws, shape if np.size(draws) > 1 else ()), shape)
    data = {name: np.full_like(outcomes.data[name], draws) for name, draws in changed.items() if name in outcomes.data}
    found = played(outcomes, values, like.size, data)[question.target]
    place = outcomes.scenarios.index(str(like["scenario"].values))
    return like.copy(data=found[:, place, -1].reshape(like.shape))


def _structure(question: Question, study: Any, fit: Any, futures: Any, outcomes: Any, options: Any) -> Any:
    from bayes.outcomes import outcomes_of, projected
    from bayes.sampling import sample
    from bayes.sensitivity import Change, structure

    changes, words = [], _words(question, study)
    for name, variant in question.variants.items():
        model, sampled = _models(question, study, variant.structure)
        sizes = fit["posterior"].sizes
        other = sample(sampled, draws=sizes["draw"], chains=sizes["chain"], rng=int(fit.attrs["seed"]))
        target = _answer(question, projected(other, outcomes_of(model, words, other), words))
        changes.append(Change(name, variant.choice, targets={question.target: target}, note=variant.note,
                              estimand_changed=variant.estimand_changed))  # fmt: skip
    if not changes:
        return None
    table = structure({question.target: _answer(question, futures)}, changes)
    return table.assign(method=table["method"].replace("redrawn", "refitted"))


def _tipping(question: Question, study: Any, fit: Any, futures: Any, outcomes: Outcomes, options: Any) -> Any:
    import numpy as np

    from bayes.sensitivity import Lever, tipping

    def lever(one: Any) -> Any:
        def at(value: float) -> tuple[Any, None]:
            return _moved(question, fit, futures, outcomes, {one.name: value}).values, None

        known = [*outcomes.given, *outcomes.data]
        if one.name not in known:
            raise UsageError("a lever moves what the answer starts from", key="levers", found=one.name, allowed=known)
        now = fit["posterior"][one.name].values if one.name in outcomes.given else outcomes.data[one.name]
        return Lever(one.label or one.name, one.unit, one.low, one.high, at, float(np.median(now)))

    if not question.levers:
        return None
    levers = [lever(one) for one in question.levers]
    return tipping(_answer(question, futures), levers, threshold=options.threshold)


def _evppi(question: Question, study: Any, fit: Any, futures: Any, outcomes: Outcomes, options: Any) -> Any:
    import numpy as np
    import pandas as pd

    from bayes.sensitivity import evppi

    if not question.net_benefit:
        return None
    benefit = futures[question.net_benefit].isel(year=-1)
    options_ = {str(s): np.ravel(benefit.sel(scenario=s).values) for s in benefit["scenario"].values}
    return evppi(_inputs(fit, outcomes), pd.DataFrame(options_).assign(nothing=0.0))


_ANALYSES = {"powerscale": _powerscale, "variance": _variance, "leave_one_out": _leave_one_out,
             "alternatives": _alternatives, "structure": _structure, "tipping": _tipping, "evppi": _evppi}  # fmt: skip

_BRINGS = {"powerscale": "a prior or an observed variable",
           "variance": "a target that varies with a number it starts from",
           "leave_one_out": "an observed variable with a row dim",
           "alternatives": "alternatives of a prior of the study",
           "structure": "structures=: other structures of the model",
           "tipping": "levers=: numbers to move, as Lever(name=…, low=…, high=…)",
           "evppi": "net_benefit=: the outcome that counts money gained less money spent"}  # fmt: skip
"""What would bring an analysis that a question has not."""


def _sensitivity_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The finished tables of sensitivity of a run, by name."""
    import pandas as pd

    return {path.stem: pd.read_csv(path) for path in sorted((folder / "tables" / "sensitivity").glob("*.csv"))}


def report_own(question: Question, options: argparse.Namespace) -> int:
    """Write the report of a question."""
    from bayes.cli.shared import stage_of
    from bayes.diagnostics import check
    from bayes.report import write_report
    from bayes.report.material import Cover, with_outcomes
    from bayes.report.write import check_report_formats

    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_report_formats(formats)
    fit, futures = _read(options.folder)
    study, (_, answer) = _study(question), with_outcomes(fit, futures, question.target)
    words = _words(question, study)
    units = {name: unit for name, unit in words.units.items() if name in fit["posterior"].data_vars}
    labels = {name: text for name, text in words.labels.items() if name in fit["posterior"].data_vars}
    labels[answer] = _answer_words(question, futures)
    live = _live(question, study, fit, futures)
    cover = Cover(title=question.title or words.headed(question.target), labels=labels, units=units, live=live)
    tables = _sensitivity_tables(options.folder)
    for table in tables.values():
        for column in {"input", "component", "change"} & set(table):
            table[column] = table[column].map(words.label, na_action="ignore")
        if "quantity" in table:
            table["quantity"] = table["quantity"].replace(question.target, answer)
    written = []
    for one in formats:
        with stage_of(options)(f"writing {one}"):
            written.append(write_report(options.folder / f"report.{one}", fit, futures, study=study,
                                        target=question.target, sensitivity=tables, cover=cover))  # fmt: skip
    passed = check(fit, futures).passed
    print(f"Diagnostics: {'passed' if passed else 'failed'}. Report: {', '.join(map(str, written))}")
    return 0 if passed else 1


def _live(question: Question, study: Study | None, fit: DataTree, futures: Dataset) -> Any:
    """What the live what-if of the report is made from, or why there is none."""
    from bayes.report.whatif import live_of

    if question.project is not None:
        return "the outcomes of this question are computed by a function, which a page cannot play"
    live = live_of(question, _words(question, study), _models(question, study)[0], fit, study)
    return replace(live, futures=futures)
