"""What a report is made from: a run folder, or a fit in memory. Nothing here fits, samples or changes a fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import check_fields
from bayes.diagnostics import LARGE, Check, Verdict, check, elements
from bayes.errors import StudyError, UsageError, check_word
from bayes.figures.gallery import Absent, Gallery, gallery_of
from bayes.files import read_table
from bayes.question import Question
from bayes.report.contract import Missing
from bayes.runfiles import has_futures, read_manifest, was_made
from bayes.study import Study
from bayes.summaries import element_names, holds_draws
from bayes.tables import evidence_table, headline, parameter_table
from bayes.words import Words, study_words, words_of
from bayes.words import headline as headline_scenario

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

    from bayes.report.whatif import Live

__all__ = ["Held", "Material", "Target", "material_of_fit", "material_of_run", "with_outcomes"]


@dataclass(frozen=True, slots=True)
class Target:
    """What the answer is: a quantity, and of a projection its scenario and year."""

    quantity: str
    unit: str
    scenario: str = ""
    label: str = ""
    year: int = 0


@dataclass(frozen=True, slots=True)
class Cover:
    """What the writer of a report says of it.

    Parameters
    ----------
    title, author
        Printed at its head.
    labels, units
        Words and units of variables, by name.
    force
        Print the numbers although a check failed.
    """

    title: str = ""
    author: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    force: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class Held(Gallery):
    """A gallery of a fit in memory: its tables are handed over instead of read."""

    own_evidence: pd.DataFrame | None = None
    own_study: Study | None = None
    own_sensitivity: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def study(self) -> Study:
        """The study that was handed over."""
        if self.own_study is None:
            raise Absent("no study was given with this fit", fix="pass study= to bayes.write_report")
        return self.own_study

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The table of evidence of the study."""
        if self.own_evidence is None:
            raise Absent("no study was given with this fit", fix="pass study= to bayes.write_report")
        return self.own_evidence

    def sensitivity(self, *names: str) -> pd.DataFrame:
        """Return the first of some tables of sensitivity that was handed over."""
        for name in names:
            if name in self.own_sensitivity:
                return self.stamped(self.own_sensitivity[name])
        raise Absent("no such table of sensitivity was given", fix=f"pass sensitivity={{'{names[0]}': table}}")


@dataclass(frozen=True, eq=False)
class Material:
    """Everything chapters read.

    Parameters
    ----------
    gallery
        Fit, projection, study and tables, each read once and drawn from.
    target
        The quantity of the answer.
    verdict
        Of the diagnostics.
    tables
        Finished tables by name: ``headline``, ``parameters``, ``evidence``, ``checks`` as far as they exist.
    manifest
        What the run says of itself; empty for a fit in memory.
    folder
        The run folder, or None.
    withheld
        Whether the answer is held back.
    cover
        Title, author, words and units, as far as they were given.
    question
        The question of a run; None for a fit in memory.
    """

    gallery: Gallery
    target: Target
    verdict: Verdict
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
    folder: Path | None = None
    withheld: bool = False
    cover: Cover = field(default_factory=Cover)
    question: Question | None = None

    @property
    def fit(self) -> DataTree:
        """The fit."""
        return self.gallery.fit

    @property
    def stamps(self) -> list[str]:
        """Version, seed and inputs, as far as they are known."""
        told = {"bayes": self.manifest.get("bayes"), "seed": self.manifest.get("seed"),
                "inputs": str(self.manifest.get("fit_hash") or "")[:12]}  # fmt: skip
        return [f"{name} {value}" for name, value in told.items() if value not in (None, "")]

    @property
    def made(self) -> date | None:
        """The day, in UTC, on which the run was written; None for a fit in memory."""
        if self.folder is None:
            return None
        return datetime.fromtimestamp((self.folder / "manifest.json").stat().st_mtime, UTC).date()

    @cached_property
    def futures(self) -> Dataset | None:
        """The projection, or None."""
        found: Dataset | None = self.gallery.known("futures")
        return found

    @cached_property
    def study(self) -> Study | None:
        """The study of the fit, or None."""
        found: Study | None = self.gallery.known("study")
        return found

    @cached_property
    def live(self) -> Live | None:
        """What the live what-if is made from, or None."""
        if not self.projected:
            return None
        if self.study is not None and self.study.schema.live is not None:
            found: Live = self.study.schema.live(self.fit, self.study)
            return found
        if self.question is None or self.folder is None or self.question.project is not None:
            return None
        from bayes.inputs import asked_of
        from bayes.report.whatif import live_of

        return live_of(asked_of(self.folder, self.question), self.fit)

    @cached_property
    def no_panel(self) -> str:
        """Why the report has no live what-if; empty where it has one."""
        if self.withheld:
            return "withheld because a check failed"
        if self.question is not None and self.question.project is not None:
            return "the outcomes of this question are computed by a function, which a page cannot play"
        if self.live is None:
            return "the panel needs a question and its projection"
        from bayes.report.whatif import reason_against

        return reason_against(self.live, self.fit)

    @cached_property
    def words(self) -> Words:
        """What is said of the question: the words of its projection or of its study, and those that were given."""
        found = self.gallery.words
        target, title = self.target.quantity or found.target, self.cover.title or found.title
        return replace(found, target=target, title=title, labels={**found.labels, **self.cover.labels},
                       units={**found.units, **self.cover.units})  # fmt: skip

    @property
    def projected(self) -> bool:
        """Whether the answer is an outcome of a projection."""
        return bool(self.target.scenario) and self.futures is not None

    @property
    def when(self) -> str:
        """The time of the answer in words, with a blank before them; empty where outcomes have no times."""
        timed = self.words.time and self.futures is not None and self.futures.sizes["year"] > 1
        return f" in {self.words.moment(self.target.year)}" if timed else ""

    def command(self, text: str, otherwise: str = "") -> str:
        """Write a command with its run; in words or code where this report was written from a fit in memory."""
        first, _, rest = text.partition(" ")
        return otherwise if self.question is None else f"{self.question.program} {first} RUN {rest}".strip()

    def sensitivity(self, name: str) -> pd.DataFrame | None:
        """Return a table of sensitivity that was made from this fit and projection, or None."""
        found: pd.DataFrame | None = self.gallery.known((name,))
        return found

    def kept(self, name: str) -> pd.DataFrame | None:
        """Return a table that was made of this run later, or None where there is none of the run as it stands."""
        if name in self.tables and self.folder and not was_made(self.folder, self.folder / "tables" / f"{name}.csv"):
            return None
        return self.tables.get(name)

    def answer(self, quantity: str, scenario: str | None = None, year: str | None = None) -> pd.Series[Any] | None:
        """Return the row of the headline for a quantity, in the scenario and year of the answer unless named."""
        if "headline" not in self.tables:
            return None
        table = self.tables["headline"]
        found = table[
            (table["quantity"] == quantity)
            & (table["scenario"] == (scenario or self.target.scenario))
            & (table["year"].astype(str) == (year or str(self.target.year)))
        ]
        return None if found.empty else found.iloc[0]

    def lacks(self, what: str, reason: str, fix: str = "") -> Missing:
        """Say what is missing; in commands RUN stands for the run folder, wherever a reader keeps it."""
        return Missing(what, reason, fix)


def material_of_run(folder: Path, question: Question, *, force: bool = False) -> Material:
    """Read a run folder.

    Raises
    ------
    StudyError
        If it is not one, or its verdict does not belong to its fit.
    """
    manifest = read_manifest(folder)
    gallery = gallery_of(folder, question)
    fit = gallery.fit
    if fit.attrs.get("verdict") != manifest.get("verdict"):
        raise StudyError("the manifest and the fit of this run differ in their verdict", file=folder / "manifest.json",
                         found=manifest.get("verdict"), allowed=fit.attrs.get("verdict"), fix="run again")  # fmt: skip
    tables = {path.stem: read_table(path) for path in sorted((folder / "tables").glob("*.csv"))}
    verdict = _verdict(tables, folder)
    projected = has_futures(folder) and "headline" in tables
    target = _target_of(gallery.futures, None) if projected else Target("", "")
    withheld = not verdict.passed and not force
    return Material(gallery, target, verdict, tables, manifest, folder, withheld, question=question)


def _verdict(tables: Mapping[str, pd.DataFrame], folder: Path) -> Verdict:
    if "checks" not in tables:
        raise StudyError("this run has no table of checks", file=folder / "tables" / "checks.csv", fix="run again")
    return Verdict(tuple(Check(str(r["check"]), None if pd.isna(r["passed"]) else str(r["passed"]) == "True",
                               float(r["value"]), float(r["threshold"]), str(r["text"]))
                         for r in tables["checks"].to_dict(orient="records")))  # fmt: skip


def material_of_fit(
    fit: DataTree,
    futures: Dataset | None = None,
    *,
    study: Study | None = None,
    target: str | None = None,
    sensitivity: Mapping[str, pd.DataFrame] | None = None,
    cover: Cover = Cover(),
) -> Material:
    """Make ready a fit in memory: it is checked and tabulated, and left as it is.

    Raises
    ------
    UsageError
        If there is no such target, or none is named and the fit has several.
    """
    verdict = check(fit, futures)
    fit = _with_units(fit, cover.units)
    if futures is not None and not _speaks(futures):
        fit, target = with_outcomes(fit, futures, target)
        futures = None
    found = _target_of(fit if futures is None else futures, target)
    units = {} if study is None else study_words(study.words, study).units
    tables = {"checks": verdict.table(), "parameters": parameter_table(_listed(fit), verdict.word, units=units)}
    tables |= {name: table for name, table in (sensitivity or {}).items() if name == "calibration"}
    evidence = None if study is None else evidence_table(fit, study, verdict.word)
    if evidence is not None:
        tables["evidence"] = evidence
    if futures is not None and found.scenario:
        tables["headline"] = headline(futures, verdict.word)
    marked = fit.copy(deep=False)
    marked.attrs["verdict"] = verdict.word
    inputs = json.loads(fit.attrs.get("inputs", "{}"))
    manifest = {"verdict": verdict.word, **_made_of(fit), "structure": inputs.get("structure", {}),
                "fit_hash": inputs.get("study", "")}  # fmt: skip
    own = () if study is None else study.schema.figures()
    held = Held(Path(), manifest, lambda: marked, lambda: _given(futures), own=own, own_evidence=evidence,
                said=None if study is None else study.words, own_study=study,
                own_sensitivity=sensitivity or {})  # fmt: skip
    return Material(held, found, verdict, tables, manifest, None, not verdict.passed and not cover.force, cover)


_STAMPS = ("seed", "sampler", "draws", "tune", "chains", "reproducible", "inference_library", "sampling_time")
"""What fits say of themselves: ours, and those of PyMC."""


def _made_of(fit: DataTree) -> dict[str, Any]:
    """Seed, sampler and versions, as far as the fit states them."""
    attrs = {**fit["posterior"].attrs, **fit.attrs}
    found = {key: attrs[key].item() if hasattr(attrs[key], "item") else attrs[key] for key in _STAMPS if key in attrs}
    if "versions" in attrs:
        found["versions"] = json.loads(str(attrs["versions"]))
    elif "inference_library_version" in attrs:
        found["versions"] = {str(attrs["inference_library"]): str(attrs["inference_library_version"])}
    return found


def _with_units(fit: DataTree, units: Mapping[str, str]) -> DataTree:
    """The fit with the units that were given."""
    posterior = fit["posterior"].to_dataset()
    for name in units:
        check_word(name, list(map(str, posterior.data_vars)), "there is no such variable", key="units")
    again = fit.copy(deep=False)
    again["posterior"] = posterior.assign({n: posterior[n].assign_attrs(unit=unit) for n, unit in units.items()})
    return again


def with_outcomes(fit: DataTree, futures: Dataset, target: str | None) -> tuple[DataTree, str]:
    """A fit whose posterior holds every element of a quantity of somebody's own projection; and which is the answer.

    That is the headline where the projection names one, and the last of every other dim.
    """
    names = [str(name) for name, found in futures.data_vars.items() if holds_draws(found)]
    if target is not None:
        check_word(target, names, "there is no such target", key="target")
    elif len(names) != 1:
        raise UsageError("name the quantity of the answer", key="target", allowed=names, fix="pass target=NAME")
    array, posterior = futures[target or names[0]].transpose("chain", "draw", ...), fit["posterior"].to_dataset()
    if any(array.sizes[dim] != posterior.sizes[dim] for dim in ("chain", "draw")):
        raise UsageError("projection and fit have different draws", key="futures", found=dict(array.sizes),
                         fix="project the draws of this fit")  # fmt: skip
    values = np.asarray(array.values, dtype=float).reshape(*array.shape[:2], -1)
    dims = [str(dim) for dim in array.dims[2:]]
    at = [array.sizes[dim] - 1 for dim in dims]
    if "scenario" in dims and "scenario" in array.coords:
        at[dims.index("scenario")] = list(array["scenario"].values).index(headline_scenario(futures))
    every = element_names(array)
    again = fit.copy(deep=False)
    again["posterior"] = posterior.assign(
        {name: (("chain", "draw"), values[..., i], dict(array.attrs)) for i, name in enumerate(every)}
    )
    return again, every[int(np.ravel_multi_index(at, array.shape[2:])) if at else 0]


def _listed(fit: DataTree) -> DataTree:
    """The fit without arrays that are too large to be listed element by element."""
    listed = fit.copy(deep=False)
    listed["posterior"] = fit["posterior"].to_dataset().drop_vars(list(large_arrays(fit)))
    return listed


def large_arrays(fit: DataTree) -> dict[str, int]:
    """Return the variables that are not listed element by element, and how many elements they have."""
    sizes = {str(name): elements(array) for name, array in fit["posterior"].data_vars.items()}
    return {name: size for name, size in sizes.items() if size > LARGE}


def _given(futures: Dataset | None) -> Dataset:
    if futures is None:
        raise StudyError("no projection was given with this fit", fix="pass futures= to bayes.write_report")
    return futures


def _speaks(futures: Dataset) -> bool:
    """Whether a dataset is a projection of a question: it has scenarios and times, and says what it is about."""
    return {"scenario", "year"} <= set(futures.dims) and bool({"words", "quantities"} & set(futures.attrs))


def _target_of(data: Any, name: str | None) -> Target:
    """The quantity of the answer: of a projection that of its words in its headline scenario; of a fit, as named."""
    from bayes.figures.series import label
    from bayes.words import headline

    if "scenario" in getattr(data, "dims", ()):
        quantity = name or words_of(data).target
        check_word(quantity, list(map(str, data.data_vars)), "there is no such target", key="target")
        scenario = headline(data)
        unit = str(data[quantity].attrs.get("unit", ""))
        return Target(quantity, unit, scenario, label(data, scenario), int(data["year"].values[-1]))
    source = data["posterior"].to_dataset() if "posterior" in getattr(data, "children", ()) else data
    scalars = [str(n) for n, a in source.data_vars.items() if set(a.dims) == {"chain", "draw"}]
    if name is None and len(scalars) != 1:
        raise UsageError("name the quantity of the answer", key="target", allowed=scalars, fix="pass target=NAME")
    quantity = name or scalars[0]
    check_word(quantity, scalars, "there is no such target", key="target",
               otherwise="name a scalar variable of the posterior")  # fmt: skip
    return Target(quantity, str(source[quantity].attrs.get("unit", "")))
