"""Figures that the shipped question brings beside those of any question, and what its runs offer to all of them."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pymc as pm

    from bayes.figures.gallery import Gallery
    from bayes.figures.record import Figure
    from bayes.study import Study

FIGURES = ("forest", "funnel", "heterogeneity", "retention", "concentration", "places", "returns", "model",
           "acceptability")  # fmt: skip
"""Figures of the shipped question: ``_NAME.py`` holds ``NAME``."""

__all__ = [*FIGURES, "figures", "gallery"]


def __getattr__(name: str) -> Figure:
    if name in FIGURES:
        found: Figure = import_module(f"bayes.heroin.figures._{name}").FIGURE
        return found
    raise AttributeError(f"module 'bayes.heroin.figures' has no attribute {name!r}; available: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


def figures() -> tuple[Figure, ...]:
    """Return them all."""
    return tuple(__getattr__(name) for name in FIGURES)


def gallery(folder: Path, study: Path | None = None) -> Gallery:
    """Return what a run folder of the shipped question offers to figures.

    Parameters
    ----------
    folder
        The run.
    study
        The folder of the study it was made from; the shipped study by default.
    """
    from bayes.figures.gallery import Gallery
    from bayes.heroin.words import WORDS
    from bayes.runfiles import read_fit, read_futures, read_manifest

    manifest = read_manifest(folder)
    known = partial(_known_study, manifest, study)
    return Gallery(folder, manifest, partial(read_fit, folder), partial(read_futures, folder), read_study=known,
                   read_model=partial(_whole_model, manifest, known), own=figures(), said=WORDS)  # fmt: skip


def _known_study(manifest: dict[str, Any], folder: Path | None) -> Study:
    """The study of a run, if its priors and evidence are those the fit was made from."""
    from bayes.errors import StudyError
    from bayes.heroin.model.stamp import fit_hash
    from bayes.heroin.study import load_study
    from bayes.overrides import Overrides, changed_study

    study = changed_study(load_study(folder), Overrides(**manifest.get("overrides", {})))
    if fit_hash(study) != manifest.get("fit_hash"):
        raise StudyError("this run was made from another study", file=study.folder, fix="name the study with --study")
    return study


def _whole_model(manifest: dict[str, Any], known: Any) -> pm.Model:
    """The model of a run, with every likelihood by its name."""
    from bayes.heroin.model import Structure, build_model

    chosen: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
              for key, value in manifest.get("structure", {}).items()}  # fmt: skip
    return build_model(known(), Structure(**{**chosen, "collapse": False}))
