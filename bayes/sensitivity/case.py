"""What analyses of sensitivity start from: a target, the fit behind it, and what its question brings for each.

A :class:`Case` is a plain record. What is read off a question's graph is in :mod:`bayes.sensitivity.graph`; a question
that knows more of its model (integrals, exact draws, levers of its evidence) fills the record itself. What is None
leaves its analysis out, and that analysis says what would bring it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.sensitivity.changes import Change, Targets
from bayes.words import Words

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

    from bayes.plans import Asked
    from bayes.priors import Prior
    from bayes.question import World
    from bayes.sensitivity._budget import Step
    from bayes.sensitivity._conflict import Source
    from bayes.sensitivity.crossing import Lever
    from bayes.study import Study

__all__ = ["Analysis", "Case", "Decision", "Inputs", "Lived", "Request"]

type Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a run.

    Parameters
    ----------
    folder
        A run folder.
    scenario, quantity, year
        The target; the answer of the question in its headline scenario at the last time by default.
    threshold
        For tipping points, in the unit of the target.
    refit
        Whether changed models whose weights fail are fitted.
    confirm
        Whether tipping points found by reweighting are confirmed by a fit; never without ``refit``. Where weights fail
        before one is found, fits search for it in any case.
    """

    folder: Path
    scenario: str | None = None
    quantity: str | None = None
    year: int | None = None
    threshold: float | None = None
    refit: bool = True
    confirm: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Draws of what a target starts from and that varies, one column each.

    Parameters
    ----------
    draws
        One row a draw.
    columns
        Columns of each input, where one has several (a vector); None where each column is an input.
    too_long
        Vectors of more elements than draws can tell apart: they are no columns.
    """

    draws: pd.DataFrame
    columns: Columns | None = None
    too_long: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """A choice between options by expected net benefit, totals over the horizon.

    Parameters
    ----------
    net_benefit
        Draws by option, in ``money``.
    inputs
        What could be learned.
    groups
        Columns of the inputs that would be learned together, by name.
    unknown, studies
        Draws from which proposed studies are simulated, and by name of a study ``(draws, rng) -> its data``.
    depends
        By name of a study, the columns of ``unknown`` that its data depend on; all where it is not named.
    cost, effect
        Draws by option, in ``money`` and ``thing``; None where they are not told apart.
    study
        The proposed study whose worth is told world by world.
    nothing
        The option that costs and brings nothing.
    money, thing, price
        Units of money, of the effect, and of money for one of it.
    prices
        Prices of one unit of effect at which options are compared.
    tail_shape
        Generalised Pareto shape of effects and net benefits where the model gives it.
    """

    net_benefit: pd.DataFrame
    inputs: Inputs
    groups: Columns = field(default_factory=dict)
    unknown: pd.DataFrame | None = None
    studies: Mapping[str, Callable[..., pd.DataFrame]] = field(default_factory=dict)
    depends: Columns = field(default_factory=dict)
    cost: pd.DataFrame | None = None
    effect: pd.DataFrame | None = None
    study: str = ""
    nothing: str = "nothing"
    money: str = ""
    thing: str = ""
    price: str = ""
    prices: Sequence[float] = ()
    tail_shape: float | None = None

    def worth(self, study: str) -> pd.DataFrame:
        """Return the expected value of a proposed study: a row as :func:`bayes.sensitivity.evsi` gives it."""
        from bayes.sensitivity._value import evsi

        assert self.unknown is not None
        known = self.unknown[[name for name in self.depends.get(study, self.unknown) if name in self.unknown]]
        return evsi(known, self.net_benefit, self.studies[study], study=study, tail_shape=self.tail_shape)


@dataclass(frozen=True, slots=True, eq=False)
class Lived:
    """A world, fitted.

    Parameters
    ----------
    target
        Draws (chain, draw) of the target, stamped with the quality of the chains.
    rows
        Log predictive density of each row given the others; empty where it is not known.
    decision
        The choice that the answer is for, in this world.
    """

    target: DataArray
    rows: Mapping[str, float] = field(default_factory=dict)
    decision: Callable[[], Decision] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A target of a fit, and what each analysis of it starts from.

    Parameters
    ----------
    asked
        The question put to its study.
    fit
        With draws, log prior and log likelihood.
    target, targets
        Name of the target; draws (chain, draw) of it, and of what is followed beside it.
    place, times
        Columns that say in every table where the target lies: its scenario and its time; all times of the projection.
    words
        What is said of the question.
    scaled
        Priors to power-scale; those at the top where None.
    priors
        Declared priors by name.
    projected
        ``(posterior, study, data) -> draws`` of the target, of other draws, in the scenarios of another study and with
        other data of the model.
    moved
        ``{variable: draws (chain, draw) or a number} -> targets``, with what is drawn given them drawn again.
    again
        ``({quantity: alternative}, components) -> targets`` of a fit with other priors.
    component
        Name of the component of the model that a variable belongs to.
    rows, variants, levers, steps, sources
        Changes that leave evidence out or change the structure; what may tip the answer; steps of the budget; evidence
        to be checked against all other.
    world
        ``world -> function`` that fits it, once the world is checked.
    structures
        Worlds that differ from the model in one choice of its structure, by the name of the choice.
    inputs
        What the target starts from.
    decision
        The choice that the answer is for.
    """

    asked: Asked
    fit: DataTree
    target: str
    targets: Mapping[str, DataArray]
    place: Mapping[str, Any]
    words: Words
    times: Sequence[int]
    projected: Callable[[Dataset, Study | None, Mapping[str, Any]], DataArray]
    scaled: Sequence[str] | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    moved: Callable[[Mapping[str, Any]], Targets] | None = None
    again: Callable[[Mapping[str, str], Sequence[str]], Targets] | None = None
    component: Callable[[str], str] = str
    rows: Callable[[], Sequence[Change]] | None = None
    variants: Callable[[], Sequence[Change]] | None = None
    levers: Callable[[], Sequence[Lever]] | None = None
    steps: Callable[[], Sequence[Step]] | None = None
    sources: Callable[[], Sequence[Source]] | None = None
    world: Callable[[World], Callable[[], Lived]] | None = None
    structures: Callable[[], Mapping[str, World]] | None = None
    inputs: Callable[[], Inputs] | None = None
    decision: Callable[[], Decision] | None = None

    @property
    def answer(self) -> DataArray:
        """Draws (chain, draw) of the target."""
        return self.targets[self.target]


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis of a run: what stands in a file ``_NAME.py`` of this room as ``ANALYSIS``.

    Parameters
    ----------
    run
        ``(case, request) -> tables`` by name; none where the case lacks what it needs.
    title
        What it is called in a report.
    brings
        What would bring it where it is absent.
    tables
        Names of the tables it writes; its own where empty.
    totals
        Names of those whose numbers are totals over all times, of which each row says which they are.
    beside
        An analysis whose refits or draws it shares: they are work for one process.
    weight
        How long it takes beside others: what takes long is begun first where several processes work.
    """

    run: Callable[[Case, Request], Mapping[str, pd.DataFrame]]
    title: str
    brings: str
    tables: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    beside: str = ""
    weight: float = 1.0
