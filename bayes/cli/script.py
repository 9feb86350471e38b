"""``python question.py COMMAND``: a question of one's own through run, check, sensitivity, figures, report, calibrate.

A run of such a question is a folder with its fit, its projection, tables, and under ``inputs/`` its script and study.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import check_seed, checked
from bayes.cli.ending import ended
from bayes.errors import StudyError, UsageError, check_word
from bayes.question import Question, built

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from xarray import DataArray, Dataset, DataTree

    from bayes.outcomes import Outcomes
    from bayes.overrides import Overrides
    from bayes.study import Study

__all__ = ["main"]

MARK = "question.json"
"""File of a run that says which question made it, and how."""
CHANGES = "changes.json"
"""File beside a script that a run carries: what is changed whenever that script runs."""


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
    try:
        options = _parser(question).parse_args(arguments)
    except SystemExit as end:  # help was asked for, or this is no command
        if arguments is None:
            raise
        return int(end.code or 0)
    code = ended(_name(question), lambda: int(options.run(_changed(question, _changes(question, options)), options)))
    if arguments is None:
        sys.exit(code)
    return code


def _name(question: Question) -> str:
    return question.name or (question.script.stem if question.script else "question")


def _parser(question: Question) -> argparse.ArgumentParser:
    from bayes.cli.shared import quiet_argument

    place = Path("runs") / _name(question)
    parser = argparse.ArgumentParser(prog=f"python {_name(question)}.py", description=question.title or None)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    texts = {"run": (_run, "sample, check, project and print the answer"), "check": (_check, "the verdict of a run"),
             "sensitivity": (_sensitivity, "say what moves the answer"), "figures": (_figures, "draw the figures"),
             "report": (_report, "write the report"), "calibrate": (_calibrate, "check by simulation"),
             "tables": (_tables, "write the tables as one Excel workbook")}  # fmt: skip
    for name, (run, text) in texts.items():
        found = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        found.set_defaults(run=run)
        if name == "run":
            found.add_argument("--out", dest="folder", metavar="DIR", type=Path, default=place, help=f"default {place}")
        else:
            found.add_argument("folder", metavar="RUN", type=Path, nargs="?", default=place, help=f"default {place}")
        quiet_argument(found)
        _add_options(found, name)
    return parser


def _changes(question: Question, options: argparse.Namespace) -> Overrides:
    """What is changed in a question: what a run is asked for, or what the run at hand was made with."""
    from bayes.overrides import Overrides, parse_overrides, read_overrides

    if options.run is not _run:
        path = options.folder / MARK
        return Overrides(**json.loads(path.read_text(encoding="utf-8")).get("changes", {}) if path.is_file() else {})
    path = (question.script.parent if question.script else Path()) / CHANGES
    carried = Overrides(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else Overrides()
    filed = read_overrides(options.changes) if options.changes else Overrides()
    return carried.and_then(filed).and_then(parse_overrides(options.prior or (), options.set or ()))


def _changed(question: Question, changes: Overrides) -> Question:
    """The question with other priors, scenarios and settings of its study, and other data of its model."""
    from bayes.overrides import change_data, changed_study

    if not changes:
        return question
    study = _study(question)
    if study is None and (changes.priors or changes.settings):
        raise UsageError("this question has no study to change", found=[*changes.priors, *changes.settings],
                         allowed="data.NAME=NUMBER", fix="name one of the model's pm.Data")  # fmt: skip

    @wraps(question.model)
    def build(*given: Any) -> pm.Model:
        model = question.model(*given)
        change_data(model, changes)
        return model

    return replace(question, model=build, study=study and changed_study(study, changes))


def _add_options(parser: argparse.ArgumentParser, name: str) -> None:
    """The options of one command."""
    if name in ("run", "calibrate"):
        length = 500 if name == "calibrate" else 1000
        numbers = {"draws": length, "tune": length, "seed": 20070222}
        numbers |= {"simulations": 100} if name == "calibrate" else {"chains": 4}
        for key, number in numbers.items():
            parser.add_argument(f"--{key}", metavar="N", type=int, default=number, help=f"default {number}")
    if name == "run":
        texts = {"prior": "NAME=PRIOR", "set": "KEY=VALUE"}
        for key, form in texts.items():
            parser.add_argument(f"--{key}", metavar=form, action="append", help="change it; repeatable")
        parser.add_argument("--changes", metavar="FILE", type=Path, help="such changes in a TOML file")
    if name == "figures":
        from bayes.cli.drawing import add_options

        add_options(parser)
    if name == "report":
        parser.add_argument("--format", metavar="A,B", default="html,pdf", help="default html,pdf")
    if name == "sensitivity":
        parser.add_argument("--threshold", metavar="X", type=float, help="for tipping points, in the target's unit")


# --- what a question is made of ----------------------------------------------------------------


def _study(question: Question) -> Study | None:
    """The study of a question: read from its folder, which is relative to the script."""
    if not isinstance(question.study, str | Path):
        return question.study  # type: ignore[no-any-return]
    from bayes.study import read_study

    return read_study((question.script.parent if question.script else Path()) / question.study)


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
    words = question.words
    if study is None:
        return words
    labels = {name: one.label for name, one in study.scenarios.items() if getattr(one, "label", "")}
    units = {name: prior.unit for name, prior in study.priors.items()}
    return replace(words, labels={**labels, **words.labels}, units={**units, **words.units})


def _read(question: Question, folder: Path) -> tuple[DataTree, Dataset]:
    """The fit and the projection of a run of this question."""
    from bayes.elsewhere import fit_from
    from bayes.runfiles import read_futures

    if not (folder / MARK).is_file():
        raise StudyError("this is no run of a question", file=folder, fix="run first")
    made = json.loads((folder / MARK).read_text(encoding="utf-8"))
    if made["target"] != question.target or made["question"] != _name(question):
        raise StudyError("this run answers another question", file=folder, found=made["question"],
                         allowed=_name(question), fix="name a run of this question")  # fmt: skip
    return fit_from(folder / "fit.nc"), read_futures(folder)


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


def _run(question: Question, options: argparse.Namespace) -> int:
    from bayes.cli.shared import console, stage_of
    from bayes.diagnostics import check, with_verdict
    from bayes.files import check_place, replace_folder, write_text
    from bayes.netcdf import write_netcdf
    from bayes.outcomes import outcomes_of, projected
    from bayes.sampling import sample
    from bayes.tables import headline, parameter_table
    from bayes.terminal import print_answer, print_verdict

    _check_length(options)
    check_place(options.folder, MARK)
    stage, study = stage_of(options), _study(question)
    model, sampled = _models(question, study)
    words = _words(question, study)
    with stage("sampling"):
        fit = sample(sampled, draws=options.draws, tune=options.tune, chains=options.chains, rng=options.seed)
    with stage("projecting"):
        futures = projected(fit, outcomes_of(model, words, fit), words)
    verdict = check(fit, futures)
    fit, futures = with_verdict(fit, verdict), futures.assign_attrs(verdict=verdict.word)
    table = headline(futures, verdict.word)
    tables = {
        "checks": verdict.table(),
        "headline": table,
        "parameters": parameter_table(fit, verdict.word, study=study),
    }
    with replace_folder(options.folder, MARK) as scratch:
        write_netcdf(fit, scratch / "fit.nc")
        write_netcdf(futures, scratch / "futures.nc")
        _write(scratch / "tables", tables)
        _carry(question, scratch / "inputs", _changes(question, options))
        made = {key: getattr(options, key) for key in ("seed", "draws", "tune", "chains")}
        made |= {
            "changes": _changes(question, options).as_data(),
            "question": _name(question),
            "target": question.target,
            "versions": json.loads(fit.attrs["versions"]),
        }
        write_text(scratch / MARK, json.dumps(made, indent=2) + "\n")
    out = console()
    print_verdict(out, "diagnostics", verdict)
    print_answer(out, table, futures, verdict, options.folder)
    print(f"Files: {options.folder}")
    return 0 if verdict.passed else 1


def _carry(question: Question, folder: Path, changes: Overrides) -> None:
    """Copy the script and the study beside it, so that the run can be repeated where it is."""
    folder.mkdir()
    script = question.script
    if script is None or not script.is_file():
        return
    shutil.copyfile(script, folder / script.name)
    if changes:
        (folder / CHANGES).write_text(json.dumps(changes.as_data(), indent=2) + "\n", encoding="utf-8")
    if question.study is None:
        return
    place = script.parent / (question.study if isinstance(question.study, str | Path) else question.study.folder)
    if place.resolve().is_relative_to(script.parent.resolve()):
        left = shutil.ignore_patterns("__pycache__", "runs")
        target = folder / place.resolve().relative_to(script.parent.resolve())
        shutil.copytree(place, target, ignore=left, dirs_exist_ok=True)


def _check_length(options: argparse.Namespace) -> None:
    """Check how long the chains are, before anything is read."""
    for name, least in (("draws", 4), ("tune", 1), ("chains", 1)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name} is too small", key=f"--{name}", found=getattr(options, name),
                             allowed=f"{least} or more")  # fmt: skip
    check_seed(options.seed, "--seed")


def _write(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write tables by name."""
    from bayes.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        write_text(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))


def _check(question: Question, options: argparse.Namespace) -> int:
    from bayes.diagnostics import check

    verdict = check(*_read(question, options.folder))
    print(verdict)
    return 0 if verdict.passed else 1


def _sensitivity(question: Question, options: argparse.Namespace) -> int:
    from bayes.cli.shared import stage_of
    from bayes.outcomes import outcomes_of

    fit, futures = _read(question, options.folder)
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


def _figures(question: Question, options: argparse.Namespace) -> int:
    from bayes.cli.drawing import draw_all
    from bayes.diagnostics import check
    from bayes.report.material import Held
    from bayes.tables import evidence_table

    fit, futures = _read(question, options.folder)
    study, verdict = _study(question), check(fit, futures)
    evidence = None if study is None else evidence_table(fit, study, verdict.word)
    held = Held(options.folder, {}, lambda: fit, lambda: futures, read_model=lambda: _models(question, study)[0],
                own=question.figures, own_evidence=evidence, own_study=study,
                own_sensitivity=_sensitivity_tables(options.folder))  # fmt: skip
    return draw_all(held, verdict.word, options)


def _report(question: Question, options: argparse.Namespace) -> int:
    from bayes.cli.shared import stage_of
    from bayes.diagnostics import check
    from bayes.report import write_report
    from bayes.report.material import Cover, with_outcomes
    from bayes.report.write import check_report_formats

    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_report_formats(formats)
    fit, futures = _read(question, options.folder)
    study, (_, answer) = _study(question), with_outcomes(fit, futures, question.target)
    words = _words(question, study)
    units = {name: unit for name, unit in words.units.items() if name in fit["posterior"].data_vars}
    labels = {name: text for name, text in words.labels.items() if name in fit["posterior"].data_vars}
    labels[answer] = _answer_words(question, futures)
    cover = Cover(title=question.title or words.headed(question.target), labels=labels, units=units)
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


def _calibrate(question: Question, options: argparse.Namespace) -> int:
    from bayes.calibration import sbc, uniformity
    from bayes.cli.calibrating import ranks_text

    _read(question, options.folder)
    _, sampled = _models(question, _study(question))
    ranks = sbc(sampled, options.simulations, draws=options.draws, tune=options.tune, rng=options.seed,
                stage=lambda name: nullcontext())  # fmt: skip
    found, tables = uniformity(ranks), options.folder / "tables"
    _write(tables, {"calibration_ranks": ranks, "calibration": found})
    print(ranks_text(found, ranks, tables))
    return 0 if found["uniform"].all() else 1


def _tables(question: Question, options: argparse.Namespace) -> int:
    from bayes.workbook import write_workbook

    _read(question, options.folder)
    print(f"{len(write_workbook(options.folder, options.folder / 'tables.xlsx'))} tables: {options.folder}/tables.xlsx")
    return 0
