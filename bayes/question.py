"""A policy question: one PyMC model, and what is said of it.

::

    def build(study=None, structure=None) -> pm.Model: ...

    question = bayes.Question(model=build, target="cases_averted", title="Cases averted by vaccination")
    if __name__ == "__main__":
        bayes.main(question)

Free variables carry priors, observed variables have a row dim, evidence and scenario settings are ``pm.Data``, and
outcomes are ``pm.Deterministic`` with dims such as ``(scenario, year)``: everything else is read off the graph.
"""

from __future__ import annotations

import inspect
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import check_fields
from bayes.errors import MACHINE, BayesError, UsageError, check_whole
from bayes.words import Words

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["Distortion", "Lever", "Question", "Variant", "World", "applied", "built", "changed", "together"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another structure of a question's model.

    Parameters
    ----------
    structure
        What ``build`` is given as its structure: a word, a number, a mapping, or a record of one's own.
    choice
        The choice it makes otherwise: variants of one choice are listed together.
    estimand_changed
        Whether the target means something else under it: then it is shown, and not compared.
    note
        A remark for the table.
    """

    structure: Any
    choice: str = "structure"
    estimand_changed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Choices of structure and priors that belong together, with the weight that somebody gives them.

    Parameters
    ----------
    words
        What holds in it, within a sentence.
    weight
        Above 0; its share of the sum of all weights is a judgement.
    structure
        Name of one of the question's structures, or what its ``build`` understands by a table; as fitted where empty.
    priors
        Quantity to an alternative by its name, or to a prior on one line: ``{"tau": "HalfNormal(0.2)"}``.
    """

    words: str = ""
    weight: float = 1.0
    structure: Any = ""
    priors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.weight < float("inf"):
            raise UsageError("a weight is a number above 0", key="weight", found=self.weight, allowed="above 0",
                             fix="remove a world that cannot be")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """A number of a question that a tipping analysis moves until the conclusion flips.

    Parameters
    ----------
    name
        A free variable with a declared prior, or one of the model's ``pm.Data``.
    low, high
        The range that is tried.
    label, unit
        Its words.
    """

    name: str
    low: float
    high: float
    label: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distortion:
    """A way in which the world may differ from the model (:func:`bayes.calibration.stress`).

    Parameters
    ----------
    name, label
        How tables call it, and its words.
    truths
        Free variables that are otherwise in this world than the fit has them: a factor, or a function of their values,
        a ``DataArray`` with dim ``draw`` and the variable's own. Data are simulated from them.
    data
        Observed variables whose simulated data are changed before they are fitted: a factor, or a function of them.
        What counts something is rounded.
    attempts
        How many data sets are simulated, of which one is published: above 1 the functions of ``data`` get a dim
        ``attempt``, and where they leave it the first is taken.

    Examples
    --------
    >>> Distortion(name="halved", label="reports halved", data={"count": 0.5}).data
    {'count': 0.5}
    """

    name: str
    label: str = ""
    truths: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole(self.attempts, 1, "attempts")
        if not self.truths and not self.data:
            raise UsageError("this distortion changes nothing", key=self.name, allowed="truths=, data=")


def together(name: str, label: str, parts: Sequence[Distortion]) -> Distortion:
    """Return one distortion that is several, each change after the one before.

    Examples
    --------
    >>> half, more = Distortion(name="a", truths={"mu": 0.5}), Distortion(name="b", truths={"mu": lambda mu: mu + 1})
    >>> together("both", "both", [half, more]).truths["mu"](4.0)
    3.0
    """
    found: dict[str, dict[str, Any]] = {"truths": {}, "data": {}}
    for part in parts:
        for place, changes in found.items():
            for key, change in getattr(part, place).items():
                changes[key] = partial(_after, changes.get(key, 1.0), change)
    return Distortion(name=name, label=label, attempts=max(part.attempts for part in parts), **found)


def _after(first: Any, then: Any, values: Any) -> Any:
    return changed(then, changed(first, values))


def changed(change: Any, values: Any) -> Any:
    """Return values as a distortion changes them: a factor, or a function of them."""
    return applied(change, "distortions", values) if callable(change) else change * values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question(Words):
    """A policy question: its model, and what is said of it.

    Parameters
    ----------
    model
        ``build(study, structure) -> pm.Model``; it may take both, the study alone, or nothing.
    target
        Name of the ``pm.Deterministic`` that is the answer; its dims are a scenario and a time, one of them, or none.
    study
        Folder of the study (priors, evidence, scenarios, references), relative to the script; None where the script
        holds its data and priors itself.
    name
        What its runs are called; the name of the script by default.
    title, population, period, units, labels, beside, size, reference, headline, stress, cost, net_benefit, sentences, …
        What is said of it, each optional: see :class:`bayes.words.Words`.
    ranges
        Range of the slider of a ``pm.Data`` of the scenarios by name; from half to double its value where not named.
    project
        ``project(fit, study) -> Dataset`` (chain, draw, scenario, year) in place of Deterministics: all works but the
        live what-if. Like every function of a question it may take fewer arguments.
    structures
        Other structures of the model by name (:class:`Variant`, or what ``build`` is given as its structure).
    worlds
        Whole worlds by name (:class:`World`), compared and mixed; those of ``worlds.toml`` in the study by default.
    levers
        Numbers that a tipping analysis moves (:class:`Lever`).
    distortions
        Ways in which the world may differ from the model (:class:`Distortion`), or ``distortions(study)`` that returns
        them.
    steps
        The budget, in order: words for each step to the free variables or data that it takes from their reference
        values to what the model says of them.
    oracle
        ``oracle(fit, study) -> checks`` that compare the fit with an exact answer (:class:`bayes.Check`).
    reads
        ``reads(folder) -> study``, where a study is held to a schema; :func:`bayes.read_study` otherwise.
    plan
        ``plan(study, structure)``: what sampling takes, where that is known without building the model.
    blocks, cells
        ``blocks(fit, study) -> Projection`` in place of ``project``, for what is computed scenario by scenario, and
        ``cells(study)``: how many numbers a draw of it holds.
    drawn
        ``drawn(study, structure) -> pm.Model``: the model as its graph is drawn, where that is not the one sampled.
    case
        ``case(asked, fit, request)``: what its sensitivity analyses start from (:class:`bayes.sensitivity.case.Case`),
        where it knows more of its model than a graph says.
    marginals
        ``marginals(fit, study) -> {row: log likelihood (chain, draw)}`` with a row's own effect integrated out, where
        its weights would be heavy.
    facts
        What its model predicts for published figures that it is not fitted to, by the word in column ``quantity`` of
        ``evidence/facts.csv`` (:class:`bayes.facts.Prediction`).
    figures
        Figures of its own (:class:`bayes.figures.record.Figure`) beside those of any question, or a function that
        returns them.

    Raises
    ------
    UsageError
        If a field is of another kind, with what is allowed.

    Examples
    --------
    >>> import pymc as pm
    >>> def build():
    ...     with pm.Model(coords={"scenario": ["low", "high"]}) as model:
    ...         rate = pm.Gamma("rate", 2, 1)
    ...         pm.Poisson("count", rate, observed=3)
    ...         pm.Deterministic("cases", rate * pm.Data("people", [10.0, 20.0], dims="scenario"), dims="scenario")
    ...     return model
    >>> question = Question(model=build, target="cases", units={"cases": "cases/year"})
    >>> question.words.unit("cases")
    'cases/year'
    """

    model: Callable[..., pm.Model]
    study: Any = None
    name: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    project: Callable[..., Any] | None = None
    structures: Mapping[str, Any] = field(default_factory=dict)
    worlds: Mapping[str, World] = field(default_factory=dict)
    levers: tuple[Lever, ...] = ()
    distortions: Any = ()
    steps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    oracle: Callable[..., Any] | None = None
    marginals: Callable[..., Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    figures: Any = ()
    drawn: Callable[..., Any] | None = None
    reads: Callable[..., Any] | None = None
    plan: Callable[..., Any] | None = None
    blocks: Callable[..., Any] | None = None
    cells: Callable[..., int] | None = None
    case: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        Words.__post_init__(self)
        if not self.target:
            raise UsageError("a question names its target", key="target", found=self.target,
                             fix="name the pm.Deterministic that is the answer")  # fmt: skip
        named = [name for name, variant in self.variants.items() if variant.structure is not None]
        if named and not _takes_structure(self.model):
            raise _one_structure("structures", named)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Travel to another process by name, where it has one there."""
        return (_at, self.home) if self.home else object.__reduce_ex__(self, protocol)

    @property
    def words(self) -> Words:
        """What is said of it, as plain data."""
        return Words(**{f.name: getattr(self, f.name) for f in fields(Words)})

    @property
    def script(self) -> Path | None:
        """The file that defines its model, where there is one."""
        file = _file(self.model)
        return Path(file) if file else None

    def own_distortions(self, study: Any) -> tuple[Distortion, ...]:
        """Ways in which the world may differ from its model, for a study."""
        found = applied(self.distortions, "distortions", study) if callable(self.distortions) else self.distortions
        return tuple(found)

    def own_figures(self) -> tuple[Any, ...]:
        """Figures that it brings."""
        return tuple(self.figures() if callable(self.figures) else self.figures)

    @property
    def home(self) -> tuple[str, str] | None:
        """Module and name under which another process finds it; None for one of a script."""
        module = self.model.__module__
        held = vars(sys.modules[module]) if module in sys.modules and module != "__main__" else {}
        return next(((module, name) for name, found in held.items() if found is self), None)

    @property
    def program(self) -> str:
        """How its commands are called."""
        return "bayes" if self.home or self.script is None else f"python {self.script.name}"

    @property
    def called(self) -> str:
        """What its runs are called: its name, or that of its script."""
        return self.name or (self.script.stem if self.script else "question")

    @property
    def variants(self) -> dict[str, Variant]:
        """Other structures of the model by name."""
        return {name: found if isinstance(found, Variant) else Variant(structure=found)
                for name, found in self.structures.items()}  # fmt: skip


def _at(module: str, name: str) -> Any:
    """What a module holds under a name."""
    return getattr(import_module(module), name)


def applied(function: Callable[..., Any], key: str, *arguments: Any) -> Any:
    """Call a function of a question with as many arguments as it takes.

    Raises
    ------
    UsageError
        If the function fails, with the line of its file where it did.

    Examples
    --------
    >>> applied(lambda fit: 2 * fit, "project", 3, "a study")
    6
    """
    try:
        return function(*arguments[: _places(function)])
    except (BayesError, MemoryError):
        raise
    except Exception as error:  # anything may be wrong in a function that somebody wrote
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        places = traceback.extract_tb(error.__traceback__)
        line = next((place for place in reversed(places) if place.filename == _file(function)), None)
        raise UsageError(f"a function of the question failed: {type(error).__name__}: {error}",
                         file=line and f"{Path(line.filename).name}, line {line.lineno}", key=key,
                         found=line and line.line,
                         fix="mend it; --debug shows the whole traceback") from error  # fmt: skip


def _places(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by place; as many as there are where it takes any number."""
    taken = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in taken):
        return sys.maxsize
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in taken)


def _file(function: Callable[..., Any]) -> str | None:
    """The file that a function was written in."""
    try:
        return inspect.getfile(inspect.unwrap(getattr(function, "func", function)))
    except TypeError:
        return None


def _given(build: Callable[..., Any], study: Any, structure: Any) -> partial[Any]:
    """A function with the study and the structure it takes: by their names, or by place where it has no default.

    What there is not is not given where the function has a value of its own for it.

    >>> _given(lambda years=10, structure="plain": (years, structure), None, None)()
    (10, 'plain')
    """
    taken, all_ = inspect.signature(build).parameters, {"study": study, "structure": structure}
    if any(p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY) for p in taken.values()):
        return partial(build, *[*all_.values()][: _places(build)])
    free = [name for name, p in taken.items() if name not in all_ and p.default is p.empty and p.kind != p.VAR_KEYWORD]
    places = dict(zip(free, [name for name in all_ if name not in taken], strict=False))
    names = places | {name: name for name in all_ if name in taken}
    return partial(build, **{name: all_[what] for name, what in names.items()
                             if all_[what] is not None or taken[name].default is inspect.Parameter.empty})  # fmt: skip


def _takes_structure(build: Callable[..., Any]) -> bool:
    mark = object()
    made = _given(build, None, mark)
    return mark in (*made.args, *made.keywords.values())


def _one_structure(key: str, found: object) -> UsageError:
    return UsageError("the model of this question has one structure", key=key, found=found,
                      fix="let build take a parameter called structure")  # fmt: skip


def built(question: Question, study: Any = None, structure: Any = None) -> pm.Model:
    """Build the model of a question, giving its function as much as it takes.

    That missing data are sampled is told once, by :meth:`bayes.plans.Asked.missing`, and not at every building.

    Raises
    ------
    UsageError
        If the function returns something else than a ``pm.Model``, or cannot build the structure asked for.
    """
    import pymc as pm
    from pymc.exceptions import ImputationWarning

    if structure is not None and not _takes_structure(question.model):
        raise _one_structure("structure", structure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImputationWarning)
        model = applied(_given(question.model, study, structure), "model")
    if not isinstance(model, pm.Model):
        raise UsageError("build returns the model of the question", key="model", found=model, allowed="a pm.Model",
                         fix="return the model at the end of build")  # fmt: skip
    return model
