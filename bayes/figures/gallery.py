"""The figures of a run: which there are, what each needs, and drawing them one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes.errors import StudyError, UsageError, check_word, closest
from bayes.figures import FIGURES, figure
from bayes.figures.canvas import STYLES, PaperFigure, width_mm
from bayes.figures.record import Figure
from bayes.files import read_table
from bayes.inputs import INPUTS, asked_of, carried_study, check_untouched
from bayes.runfiles import had_nothing, read_fit, read_futures, read_manifest, was_made
from bayes.study import Study
from bayes.words import Words, words_of

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset, DataTree

    from bayes.question import Question

__all__ = ["Absent", "Gallery", "check_plan", "gallery_of"]


def gallery_of(run: Path, question: Question) -> Gallery:
    """Return what a run folder of a question offers to figures.

    Raises
    ------
    StudyError
        If it is no run, or its inputs were changed since it was made.
    """
    manifest = read_manifest(run)
    if (run / INPUTS).is_dir():
        check_untouched(run)

    def model() -> pm.Model:
        case, drawn = asked_of(run, question), question.drawn
        return case.sampled if drawn is None else drawn(case.study, case.structure)

    return Gallery(run, manifest, partial(read_fit, run), partial(read_futures, run),
                   read_study=partial(carried_study, run, question.reads), read_model=model,
                   own=question.own_figures(), said=question.words, program=question.program)  # fmt: skip


class Absent(UsageError):
    """A run lacks what a figure is drawn from."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """What a run offers to figures; everything is read once, when first needed, and nothing is fitted.

    Parameters
    ----------
    folder
        A run folder, with its tables.
    manifest
        What it says of itself; empty for draws that are no run.
    read_fit, read_futures
        Read the fit and the projection, or hand over what is in memory.
    read_study, read_model
        Read the study the run was made from, and build the model that was sampled; each where the question has one.
    own
        Figures that the question brings: beside those of any question, and before one of the same name.
    said
        Words of the question, for draws whose projection carries none.
    program
        How the commands of the question are called.
    kept
        Tables that several figures draw.

    Examples
    --------
    >>> gallery = Gallery(folder, manifest, lambda: fit, lambda: futures)
    >>> figure = gallery.draw("ridge", width="double")
    """

    folder: Path
    manifest: Mapping[str, Any]
    read_fit: Callable[[], DataTree]
    read_futures: Callable[[], Dataset]
    read_study: Callable[[], Study] | None = None
    read_model: Callable[[], pm.Model] | None = None
    own: Sequence[Figure] = ()
    said: Words | None = None
    program: str = "bayes"
    kept: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """The figures by name, in order: those that can be drawn from a run of this question."""
        generic = {name: figure(name) for name in FIGURES}
        every = {**generic, **{one.name: one for one in self.own}}
        return {name: one for name, one in every.items() if one.needs}

    @cached_property
    def fit(self) -> DataTree:
        """The fit of the run."""
        return self.read_fit()

    @cached_property
    def futures(self) -> Dataset:
        """The projection of the run."""
        try:
            found = self.read_futures()
        except StudyError as error:
            raise Absent("this run has no projection", file=error.file, fix=error.fix) from None
        plain = self.said is None or "words" in found.attrs
        return found if plain else found.assign_attrs(words=self.said.text())  # type: ignore[union-attr]

    @cached_property
    def words(self) -> Words:
        """What is said of the question: what its projection carries, or what is known of it otherwise."""
        futures = self.known("futures")
        return (self.said or Words(target="")) if futures is None else words_of(futures)

    @cached_property
    def study(self) -> Study:
        """The study of the run."""
        if self.read_study is None:
            raise Absent("this run has no study", fix="draw from a run, or hand over its study")
        try:
            return self.read_study()
        except StudyError as error:
            raise Absent(error.problem, file=error.file, fix=error.fix) from None

    @cached_property
    def model(self) -> pm.Model:
        """The model of the run."""
        if self.read_model is None:
            raise Absent("the model of these draws is not known", fix="draw from a run of its question")
        return self.read_model()

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The table of evidence of the run."""
        path = self.folder / "tables" / "evidence.csv"
        if not path.is_file():
            raise Absent("this run has no table of evidence", file=path, fix="run again")
        return read_table(path)

    @cached_property
    def units(self) -> Mapping[str, str]:
        """Units of the declared quantities, as far as the run or its study states them."""
        path = self.folder / "tables" / "parameters.csv"
        known: dict[str, str] = {}
        if path.is_file():
            frame = read_table(path)
            known = {str(k): str(v) for k, v in zip(frame["parameter"], frame["unit"], strict=True) if v}
        study = self.known("study")
        declared = {} if study is None else {name: prior.unit for name, prior in study.priors.items()}
        return {**{f"{name}_excess": unit for name, unit in declared.items()}, **declared, **known}

    @cached_property
    def laws(self) -> Mapping[str, Any]:
        """Distributions of the priors that the study declares, by name; none where there is no study."""
        from bayes.families import scipy_frozen

        study = self.known("study")
        priors = {} if study is None else study.priors
        return {name: scipy_frozen(prior.family, prior.parameters) for name, prior in priors.items()
                if not prior.family.startswith("pymc.")}  # fmt: skip

    def row_words(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return labels and units of the rows of evidence in the likelihood; those of the question without a table."""
        words, table = self.words, self.known("evidence")
        if table is None:
            return dict(words.labels), dict(words.units)
        used = (
            table[table["use"] == "likelihood"]
            .astype({"group": object, "scale": object})
            .fillna({"group": "", "scale": ""})
        )
        keys, groups = used["row"].astype(str), used["group"].astype(str)
        named = [f"{group.replace('_', ' ')}, {words.label(str(place))}" for group, place in
                 zip(groups, used["table"], strict=True)]  # fmt: skip
        told = {}
        for key, text, group, data in zip(keys, named, groups, used.get("data_set", keys), strict=True):
            label = words.labels.get(key, "")
            if label in ("", data):  # a question has no name of its own for this row
                alone = named.count(text) == 1 and group not in ("", key)
                label = text if alone else label or f"{text}: {key.replace('_', ' ')}"
            told[key] = label
        units = dict(zip(keys, (words.printed(str(scale)) for scale in used["scale"]), strict=True))
        return {**words.labels, **told}, {**words.units, **units}

    def sensitivity(self, *names: str) -> pd.DataFrame:
        """Read the first of some tables of sensitivity that exists, with the stamp of the fit where it has none."""
        from bayes.sensitivity.suite import analyses

        folder = self.folder / "tables" / "sensitivity"
        for name in names:
            if (path := folder / f"{name}.csv").is_file():
                if not was_made(self.folder, path):
                    raise Absent("this table was made of another run, or was changed since", file=path,
                                 fix=f"make it again with '{self.program} sensitivity'")  # fmt: skip
                return self.stamped(read_table(path))
        problem, fix = "this run has no such table of sensitivity", f"make it with '{self.program} sensitivity'"
        needs = [one.brings for key, one in analyses().items() if {*names} & {*(one.tables or (key,))}]
        if needs and any(had_nothing(self.folder, folder / f"{name}.csv") for name in names):
            problem, fix = "the sensitivity analyses of this run had nothing for it", f"it needs {needs[0]}"
        raise Absent(problem, file=folder / f"{names[0]}.csv", fix=fix)

    def given(self, need: str | tuple[str, ...]) -> Any:
        """Return what a figure needs by its name; of several tables of sensitivity the first that exists."""
        return self.sensitivity(*need) if isinstance(need, tuple) else getattr(self, need)

    def known(self, need: str | tuple[str, ...]) -> Any:
        """Return what :meth:`given` returns, or None where there is none."""
        try:
            return self.given(need)
        except Absent:
            return None

    def once(self, name: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return a table that several figures draw, computed when first needed."""
        if name not in self.kept:
            self.kept[name] = compute()
        return self.kept[name]

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give a table the number of draws and chains and the verdict of the fit where it has none of its own."""
        sizes = self.fit["posterior"].sizes
        own = {"draws": sizes["chain"] * sizes["draw"], "chains": sizes["chain"],
               "verdict": self.fit.attrs.get("verdict", "not checked")}  # fmt: skip
        return table.assign(**{key: value for key, value in own.items() if key not in table})

    def worded(self, table: pd.DataFrame) -> pd.DataFrame:
        """Write inputs and units of a table in words, and stamp it."""
        said, found = self.words, self.stamped(table)
        columns = {"input": said.label, "unit": said.printed, "row": said.label}
        told = {key: [write(str(v)) for v in found[key].fillna("")] for key, write in columns.items() if key in found}
        return found.assign(**told)

    def check(self, name: str) -> None:
        """Raise unless the run has what a figure is drawn from.

        Raises
        ------
        UsageError
            If there is no such figure.
        Absent
            Saying what is missing and which command makes it.
        """
        check_plan([name], None, "journal", [*self.figures, *FIGURES])
        if name not in self.figures:
            raise Absent("this question has no such figure", fix=f"draw one of {', '.join(self.figures)}")
        for need in self.figures[name].needs:
            self.given(need)

    def draw(self, name: str, width: str | float | None = None, style: str = "journal") -> PaperFigure:
        """Draw one figure of the run.

        Raises
        ------
        UsageError
            If there is no such figure (listing what exists), or the run lacks what it is drawn from.
        """
        check_plan([name], width, style, [*self.figures, *FIGURES])
        return self.figures[name](self.table(name), width=width, style=style)

    def table(self, name: str) -> pd.DataFrame:
        """Return what a figure draws, computed once.

        Raises
        ------
        UsageError
            If there is no such figure.
        Absent
            If the run lacks what it is drawn from, or its numbers have nothing to show there.
        """
        self.check(name)
        try:
            return self.once(f"figure {name}", lambda: self.figures[name].from_run(self))
        except Absent:
            raise
        except UsageError as error:
            raise Absent(error.problem, key=error.key, found=error.found, allowed=error.allowed) from None


def check_plan(names: Sequence[str], width: str | float | None, style: str, known: Sequence[str]) -> None:
    """Raise unless figures, width and style exist."""
    for name in names:
        if name not in known:
            raise UsageError(f"figure {name!r} not found; available: {', '.join(dict.fromkeys(known))}", key="only",
                             found=name, fix=closest(name, known) or "choose from these")  # fmt: skip
    if width is not None:
        width_mm(width)
    check_word(str(style), STYLES, "there is no such style", key="style")
