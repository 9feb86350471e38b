"""The figures of a run folder: which there are, what each needs, and drawing them one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes import figuredata, figures
from bayes.errors import StudyError, UsageError, check_word, closest
from bayes.figures.canvas import STYLES, PaperFigure, width_mm
from bayes.heroin.projection import INPUTS
from bayes.heroin.projection.names import ANSWERS, COST, named
from bayes.heroin.projection.names import NAMES as WORDS
from bayes.heroin.study import load_study
from bayes.study import Study

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["NAMES", "Absent", "Gallery", "check_plan"]


class Absent(UsageError):
    """A run lacks what a figure is drawn from."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """What a run folder offers to figures; everything is read once, when first needed, and nothing is fitted.

    Parameters
    ----------
    folder
        A run folder, with its tables.
    manifest
        Its manifest: ``verdict``, ``fit_hash`` and ``structure`` are used.
    read_fit, read_futures
        Read the fit and the projection, or hand over what is in memory.
    study_folder
        The study folder it was made from; the shipped study by default.

    Examples
    --------
    >>> gallery = Gallery(folder, manifest, lambda: fit, lambda: futures)
    >>> figure = gallery.draw("ridge", width="double")
    """

    folder: Path
    manifest: Mapping[str, Any]
    read_fit: Callable[[], DataTree]
    read_futures: Callable[[], Dataset]
    study_folder: Path | None = None

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
        said = {"quantities": json.dumps(ANSWERS), "cost": COST}  # projections of version 0.1 did not say
        return found.assign_attrs({**said, **found.attrs})

    @cached_property
    def study(self) -> Study:
        """The study of the run, if its priors and evidence are those the fit was made from."""
        from bayes.heroin.model.stamp import fit_hash
        from bayes.overrides import Overrides, changed_study

        study = changed_study(load_study(self.study_folder), Overrides(**self.manifest.get("overrides", {})))
        if fit_hash(study) != self.manifest.get("fit_hash"):
            raise Absent("this run was made from another study", file=study.folder, fix="name the study with --study")
        return study

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The table of evidence of the run."""
        path = self.folder / "tables" / "evidence.csv"
        if not path.is_file():
            raise Absent("this run has no table of evidence", file=path, fix="run again")
        return pd.read_csv(path)

    @cached_property
    def places(self) -> pd.DataFrame:
        """Places against benefit, for the two figures that show it."""
        return figuredata.places(self.fit, self.study)

    @cached_property
    def units(self) -> Mapping[str, str]:
        """Units of the declared quantities, as far as the run or its study states them."""
        path = self.folder / "tables" / "parameters.csv"
        frame = pd.read_csv(path, usecols=["parameter", "unit"], dtype=str).fillna("") if path.is_file() else None
        known = (
            {}
            if frame is None
            else {str(k): str(v) for k, v in zip(frame["parameter"], frame["unit"], strict=True) if v}
        )
        try:
            declared = {name: prior.unit for name, prior in self.study.priors.items()}
        except Absent:
            declared = {}
        return {**{f"{name}_excess": unit for name, unit in declared.items()}, **declared, **known}

    def words(self) -> tuple[dict[str, str], dict[str, str]]:
        """Labels and units of the rows of evidence in the likelihood."""
        used = self.evidence[self.evidence["use"] == "likelihood"]
        labels = {}
        for row in used.itertuples():
            group, name = str(row.group).replace("_", " "), str(row.row).replace("_", " ")
            labels[str(row.row)] = name if group.split(" ")[0].lower() in name else f"{name} ({group})"
        return labels, {str(r.row): "" if pd.isna(r.scale) else str(r.scale) for r in used.itertuples()}

    def sensitivity(self, *names: str) -> pd.DataFrame:
        """Read the first of some tables of sensitivity that exists, with the stamp of the fit where it has none."""
        folder = self.folder / "tables" / "sensitivity"
        for name in names:
            if (folder / f"{name}.csv").is_file():
                return self.stamped(pd.read_csv(folder / f"{name}.csv"))
        raise Absent(
            "this run has no such table of sensitivity",
            file=folder / f"{names[0]}.csv",
            fix="make it with 'bayes sensitivity'",
        )

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give a table the number of draws and chains and the verdict of the fit where it has none of its own."""
        sizes = self.fit["posterior"].sizes
        own = {
            "draws": sizes["chain"] * sizes["draw"],
            "chains": sizes["chain"],
            "verdict": self.fit.attrs.get("verdict", "not checked"),
        }
        return table.assign(**{key: value for key, value in own.items() if key not in table})

    def check(self, name: str) -> None:
        """Raise unless the run has what a figure is drawn from.

        Raises
        ------
        Absent
            Saying what is missing and which command makes it.
        """
        check_plan([name], None, "journal")
        for need in _NEEDS[name]:
            _ = self.sensitivity(*need) if isinstance(need, tuple) else getattr(self, need)

    def draw(self, name: str, width: str | float | None = None, style: str = "journal") -> PaperFigure:
        """Draw one figure of the run.

        Raises
        ------
        UsageError
            If there is no such figure (listing what exists), or the run lacks what it is drawn from.
        """
        check_plan([name], width, style)
        self.check(name)
        return _DRAW[name](self, {"style": style} | ({} if width is None else {"width": width}))


def check_plan(names: Sequence[str], width: str | float | None, style: str) -> None:
    """Raise unless figures, width and style exist."""
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f"figure {name!r} not found; available: {', '.join(NAMES)}",
                key="only",
                found=name,
                fix=closest(name, NAMES) or "choose from these",
            )
    if width is not None:
        width_mm(width)
    check_word(style, STYLES, "there is no such style", key="style")


# --- what each figure is drawn from -----------------------------------------------------------

Draw = Callable[[Gallery, Mapping[str, Any]], PaperFigure]


def _predictive(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    labels, units = run.words()
    return figures.predictive(figuredata.predictive(run.fit, labels=labels, units=units), **look)


def _retention(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    labels = {str(r.row): str(r.group) for r in run.evidence.itertuples()}
    return figures.retention(figuredata.retention(run.fit, labels=labels), **look)


def _model(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    from bayes.heroin.model import Structure, build_model

    chosen: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in run.manifest.get("structure", {}).items()
    }
    model = build_model(run.study, Structure(**{**chosen, "collapse": False}))
    outcomes = {
        "offences avoided": list(INPUTS),
        "victim-counted crimes avoided": ["offences avoided", "countable_share"],
        "net benefit": ["offences avoided", "programme_cost", "cost_per_offence"],
        "entrants needed": ["mean_stay"],
    }
    return figures.graph(run.stamped(figuredata.graph(model, outcomes=outcomes)), **look)


def _worded(table: pd.DataFrame) -> pd.DataFrame:
    """Write inputs in words."""
    return table.assign(input=[named(str(name)) for name in table["input"]])


def _tornado(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    table = run.sensitivity(*_TORNADO)
    ready = table if "lower_change" in table else run.stamped(figuredata.tornado(table))
    return figures.tornado(_worded(ready), **look)


def _budget(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    table = run.sensitivity("budget")
    return figures.waterfall(run.stamped(figuredata.budget(table)) if "adds" in table else table, **look)


def _specification(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    table = run.sensitivity(*_SPECIFICATION)
    ready = run.stamped(figuredata.specification(table)) if "choice" in table else table
    return figures.specification(ready, **look)


def _acceptability(run: Gallery, look: Mapping[str, Any]) -> PaperFigure:
    try:
        voi: pd.DataFrame | None = _worded(run.sensitivity(*_VALUE))
    except Absent:
        voi = None
    present = set(run.futures["scenario"].values.tolist())
    options = [n for n, s in run.study.scenarios.items() if n in present and not s.stress and s.against == "today"]
    if not options:
        raise Absent("no scenario of this run is compared with present patients", fix="name the study with --study")
    return figures.acceptability(figuredata.acceptability(run.futures, scenarios=options), voi, **look)


_TORNADO, _SHAPLEY = ("tornado", "alternatives"), ("variance", "shapley")
_SPECIFICATION, _VALUE = ("specification", "structure"), ("value", "voi")
"""Tables of sensitivity that serve, by preference."""

_NEEDS: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(("posterior", "dots", "ridge", "fan", "exceedance"), ("futures",)),
    **dict.fromkeys(("priors", "heterogeneity", "concentration", "chains"), ("fit",)),
    **dict.fromkeys(("forest", "funnel", "retention", "predictive"), ("fit", "evidence")),
    **dict.fromkeys(("places", "returns", "model"), ("fit", "study")),
    "loo_pit": (("conflict",),),
    "tornado": (_TORNADO,),
    "shapley": (_SHAPLEY,),
    "budget": (("budget",),),
    "specification": (_SPECIFICATION,),
    "acceptability": ("futures", "study"),
}

_DRAW: Mapping[str, Draw] = {
    "posterior": lambda run, look: figures.posterior(run.futures, **look),
    "ridge": lambda run, look: figures.ridge(run.futures, **look),
    "fan": lambda run, look: figures.fan(run.futures, **look),
    "forest": lambda run, look: figures.forest(figuredata.forest(run.fit, run.evidence), **look),
    "funnel": lambda run, look: figures.funnel(figuredata.funnel(run.fit, run.evidence), **look),
    "priors": lambda run, look: figures.prior_posterior(
        figuredata.prior_posterior(run.fit, labels=WORDS, units=run.units), **look
    ),
    "places": lambda run, look: figures.places(run.places, **look),
    "returns": lambda run, look: figures.returns(run.places, **look),
    "exceedance": lambda run, look: figures.exceedance(run.futures, **look),
    "dots": lambda run, look: figures.dots(run.futures, **look),
    "heterogeneity": lambda run, look: figures.heterogeneity(run.fit, **look),
    "retention": _retention,
    "concentration": lambda run, look: figures.concentration(run.fit, **look),
    "predictive": _predictive,
    "loo_pit": lambda run, look: figures.loo_pit(figuredata.loo_pit(run.sensitivity("conflict")), **look),
    "chains": lambda run, look: figures.chains(figuredata.chains(run.fit, labels=WORDS, units=run.units), **look),
    "model": _model,
    "tornado": _tornado,
    "shapley": lambda run, look: figures.shapley(_worded(run.sensitivity(*_SHAPLEY)), **look),
    "budget": _budget,
    "specification": _specification,
    "acceptability": _acceptability,
}

NAMES = tuple(_DRAW)
"""Names of the figures of a run, in order."""
