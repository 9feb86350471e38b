r"""Worlds: choices of structure and priors that belong together, each fitted, side by side and mixed.

One change at a time understates what defensible choices do together. A world (:class:`bayes.question.World`) states
its structure, its priors and a weight; worlds stand in ``worlds.toml`` of the study, or as ``worlds=`` of the question,
at most :data:`MOST`. The mixture draws from world :math:`k` with probability :math:`w_k / \sum w`; weights are
judgements, and nothing is averaged but what they say. The answer of the run is that of the run's own model, not of the
mixture.

**Stacking** stands beside them where it means something: weights :math:`s` on the simplex that maximise
:math:`\sum_i \log \sum_k s_k\, p_k(y_i \mid y_{-i})` (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Anal 13:917),
over worlds that explain the same rows. Worlds that differ in what no row bears on predict alike and share their
weight. How uncertain the weights are is told by rows drawn again: each row counts as often as a Bayesian bootstrap
says (Rubin 1981, Ann Stat 9:130).

Where the question has net benefits, the choice between its options stands beside the answer, world by world: what is
best there, what is lost by what the run would choose, and what it would be worth to know more; and below them the same
for each single choice of structure. Costs and benefits that the model does not hold are outside all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.errors import StudyError, UsageError
from bayes.files import read_toml
from bayes.overrides import Overrides, changed_study
from bayes.question import World
from bayes.sensitivity._value import evpi
from bayes.sensitivity.case import Analysis, Case, Decision, Request
from bayes.sensitivity.changes import Change, compare
from bayes.sensitivity.doors import draws_of
from bayes.study import WORLDS
from bayes.summaries import PROB

if TYPE_CHECKING:
    from bayes.plans import Asked
    from bayes.study import Study

__all__ = ["MIXTURE", "MOST", "STRUCTURE", "decisions", "mixed", "stacking", "study_in", "worlds", "worlds_of"]

MOST, MIXTURE, WORLD, STRUCTURE = 12, "mixture", "world", "structure"
"""How many worlds a reader compares, and what their mixture, a world and a single choice of structure are called."""
_KEYS = ("words", "weight", "structure", "priors")


def worlds_of(asked: Asked) -> dict[str, World]:
    """Return the declared worlds of a question: its own, or those of its study's file; none where there are none.

    Raises
    ------
    StudyError
        If a table of the file has another key, or a weight is no number above 0.
    UsageError
        If there are too many.
    """
    found = dict(asked.question.worlds)
    if not found and asked.study is not None and (path := asked.study.folder / WORLDS).is_file():
        found = {name: _world(table, path, name) for name, table in read_toml(path, StudyError).items()}
    if len(found) > MOST:
        raise UsageError("too many worlds to compare", key="worlds", found=len(found), allowed=f"at most {MOST}")
    return found


def _world(table: Any, path: Path, name: str) -> World:
    """Read one table of the file."""
    if not isinstance(table, dict):
        raise StudyError("a world is a table", file=path, key=name, found=table, fix=f"write [{name}]")
    for key in table:
        if key not in _KEYS:
            raise StudyError("a world has no such key", file=path, table=name, key=key, found=table[key], allowed=_KEYS,
                             fix="remove it, or correct its name")  # fmt: skip
    try:
        return World(**table)
    except UsageError as error:
        raise StudyError(error.problem, file=path, table=name, key=error.key, found=error.found, allowed=error.allowed,
                         fix=error.fix) from None  # fmt: skip


def study_in(study: Study, world: World) -> Study:
    """Return a study with the priors of a world in force.

    Raises
    ------
    UsageError, PriorError
        If there is no such quantity or alternative, or the text is no prior.
    """
    known = {name: text for name, text in world.priors.items()
             if name in study.priors and text in study.priors[name].alternatives}  # fmt: skip
    rest = {name: text for name, text in world.priors.items() if name not in known}
    return changed_study(study.with_priors(known), Overrides(priors=rest))


def worlds(
    target: Any, declared: Mapping[str, World], fitted: Mapping[str, Any], rows: Mapping[str, Any]
) -> pd.DataFrame:
    """Tabulate worlds and their mixture.

    Parameters
    ----------
    target
        Draws (chain, draw) of the target in the model of the run.
    declared
        Worlds by name.
    fitted
        Draws (chain, draw) of the target in each, stamped with the quality of its chains.
    rows
        ``{world: {row: log predictive density given the other rows}}``, where it is known.

    Returns
    -------
    DataFrame
        A row a world and one for the mixture: ``world, words, weight`` (share), ``stacking`` (NaN where rows differ or
        nothing is known) and ``sd_stacking`` over rows drawn again, ``unit, median, lower, upper`` with Monte Carlo
        errors, ``ratio`` of the median to that of the run, ``above`` (probability above zero), ``rhat, ess,
        divergences, draws, method, prob, kind, note``.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(1, 1, (4, 1000))
    >>> table = worlds(x, {"a": World(weight=3), "b": World()}, {"a": x, "b": x + 4}, {})
    >>> table["world"].tolist(), table["weight"].tolist()
    (['a', 'b', 'mixture'], [0.75, 0.25, 1.0])
    """
    share = np.array([world.weight for world in declared.values()])
    share = share / share.sum()
    changes = [Change(name, refit=partial(_given, fitted[name])) for name in declared]
    table = compare({"target": target}, changes)
    base = float(table["median"].iloc[0])
    found = table.iloc[1:].rename(columns={"change": "world"}).reset_index(drop=True)
    draws = [draws_of(fitted[name]).ravel() for name in declared]
    stacked = stacking_with_error({name: rows[name] for name in declared if rows.get(name)})
    found = found.assign(weight=share, words=[world.words for world in declared.values()],
                         stacking=[stacked.get(name, _UNKNOWN)[0] for name in declared],
                         sd_stacking=[stacked.get(name, _UNKNOWN)[1] for name in declared],
                         above=[float((x > 0).mean()) for x in draws])  # fmt: skip
    last = mixed(draws, share) | {
        "world": MIXTURE,
        "words": "the worlds above, in shares of their weights",
        "weight": 1.0,
        "unit": found["unit"].iloc[0],
        "method": MIXTURE,
        "kind": "eti",
        "prob": PROB,
    }
    every = pd.concat([found, pd.DataFrame([last])], ignore_index=True)
    return every.assign(ratio=every["median"] / base)[list(_COLUMNS)]


def _given(target: Any, components: Sequence[str]) -> dict[str, Any]:
    """A fit that is there already."""
    return {"target": target}


_UNKNOWN = (math.nan, math.nan)
_COLUMNS = ("world", "words", "weight", "stacking", "sd_stacking", "unit", "median", "mcse_median", "lower",
            "mcse_lower", "upper", "mcse_upper", "ratio", "above", "rhat", "ess", "divergences", "draws", "method",
            "prob", "kind", "note")  # fmt: skip


def mixed(draws: Sequence[np.ndarray], share: np.ndarray) -> dict[str, Any]:
    """Return median, ends and probability above zero of a mixture of draws, with errors by batches of the draws."""
    ends = (0.5, (1 - PROB) / 2, (1 + PROB) / 2)

    def of(parts: Sequence[np.ndarray]) -> np.ndarray:
        weight = np.concatenate([np.full(len(x), w / len(x)) for x, w in zip(parts, share, strict=True)])
        return np.asarray(np.quantile(np.concatenate(parts), ends, weights=weight, method="inverted_cdf"))

    batches = np.array([of(parts) for parts in zip(*(np.array_split(x, _BATCHES) for x in draws), strict=True)])
    errors = batches.std(axis=0, ddof=1) / math.sqrt(_BATCHES)
    names = ("median", "lower", "upper")
    above = sum(w * float((x > 0).mean()) for x, w in zip(draws, share, strict=True))
    return {**dict(zip(names, map(float, of(draws)), strict=True)), "above": above, "draws": sum(map(len, draws)),
            **{f"mcse_{name}": float(error) for name, error in zip(names, errors, strict=True)}}  # fmt: skip


_BATCHES, _ROUNDS, _AGAIN = 20, 2000, 200


def stacking(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return stacking weights of models by their log predictive densities of rows.

    Models that explain other rows than the first are left out; none where fewer than two are left. The weights are
    found by the fixed point of the mixture's likelihood from equal ones, so that models that predict alike share.

    Examples
    --------
    >>> found = stacking({"good": {"a": 0.0, "b": 0.0}, "bad": {"a": -9.0, "b": -9.0}})
    >>> round(found["good"], 3)
    1.0
    """
    names, density = _compared(rows)
    if not names:
        return {}
    return dict(zip(names, _weights(density, np.ones((1, density.shape[1])))[0].tolist(), strict=True))


def stacking_with_error(rows: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Return stacking weights, each with its standard deviation where rows are drawn again.

    Examples
    --------
    >>> found = stacking_with_error({"good": {"a": 0.0, "b": 0.0}, "bad": {"a": -1.0, "b": 1.0}})
    >>> 0 < found["bad"][1] < 0.5
    True
    """
    density, found = _compared(rows)[1], stacking(rows)
    if not found:
        return {}
    again = np.random.default_rng(1).exponential(size=(_AGAIN, density.shape[1]))
    spread = _weights(density, again).std(axis=0, ddof=1)
    return {name: (weight, float(sd)) for (name, weight), sd in zip(found.items(), spread, strict=True)}


def _compared(rows: Mapping[str, Mapping[str, float]]) -> tuple[list[str], np.ndarray]:
    """The models that explain the rows of the first, and their densities (model, row) up to a factor for each row."""
    first = set(next(iter(rows.values()), ()))
    same = {name: one for name, one in rows.items() if set(one) == first}
    if len(same) < 2 or not first:
        return [], np.ones((0, 1))
    logs = np.array([[one[row] for row in sorted(first)] for one in same.values()])
    return [*same], np.exp(logs - logs.max(axis=0))


def _weights(density: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Stacking weights (…, model) where rows count so often (…, row)."""
    share = counts / counts.sum(axis=-1, keepdims=True)
    weight = np.full((len(counts), len(density)), 1 / len(density))
    for _ in range(_ROUNDS):
        weight = weight * ((share / (weight @ density)) @ density.T)
    return weight


def decisions(
    declared: Mapping[str, World], made: Mapping[str, Decision], chosen: str,
    structures: Mapping[str, Decision] = MappingProxyType({}),
) -> pd.DataFrame:  # fmt: skip
    """Tabulate the choice in each world, in their mixture, and in each single choice of structure.

    Parameters
    ----------
    declared
        Worlds by name.
    made
        The choice in each.
    chosen
        The option of highest expected net benefit in the model of the run.
    structures
        The choice in models that differ from that of the run in one choice of structure.

    Returns
    -------
    DataFrame
        A row a world, one for the mixture and one a structure: ``world, kind, weight`` (NaN of a structure),
        ``best`` (the option of highest expected net benefit there), ``net_benefit`` (its expectation), ``chosen`` and
        ``loss`` (what is lost there by choosing ``chosen`` instead of ``best``), ``perfect`` (the expected value of
        perfect information), ``study`` and ``worth`` (the expected value of a proposed study), each with its Monte
        Carlo error, and the unit of money.
    """
    share = np.array([declared[name].weight for name in made])
    share = share / share.sum()
    rows = [_told(name, WORLD, w, one, chosen) for (name, one), w in zip(made.items(), share, strict=True)]
    rows.append(_told(MIXTURE, MIXTURE, 1.0, _mixed_choice([*made.values()], share), chosen))
    return pd.DataFrame(rows + [_told(name, STRUCTURE, math.nan, one, chosen) for name, one in structures.items()])


def _told(name: str, kind: str, weight: float, decision: Decision, chosen: str) -> dict[str, Any]:
    return {"world": name, "kind": kind, "weight": weight, **_choice(decision, chosen)}


def _choice(decision: Decision, chosen: str) -> dict[str, Any]:
    """What is best in one world, and what it costs to choose otherwise or to know less."""
    options = decision.net_benefit
    best = str(options.mean().idxmax())
    lost, root = options[best] - options[chosen], math.sqrt(len(options))
    perfect = evpi(options, tail_shape=decision.tail_shape).iloc[0]
    found = {"best": best, "net_benefit": options[best].mean(), "mcse_net_benefit": options[best].std() / root,
             "chosen": chosen, "loss": lost.mean(), "mcse_loss": lost.std() / root, "perfect": perfect["estimate"],
             "mcse_perfect": perfect["mcse"], "study": decision.study, "unit": decision.money}  # fmt: skip
    if decision.study and decision.unknown is not None:
        worth = decision.worth(decision.study).iloc[0]
        found |= {"worth": worth["estimate"], "mcse_worth": worth["mcse"]}
    return found


def _mixed_choice(made: Sequence[Decision], share: np.ndarray) -> Decision:
    """The choice of somebody who does not know the world: draws of each, in shares of their weights."""
    size = min(len(one.net_benefit) / w for one, w in zip(made, share, strict=True))
    at = [np.linspace(0, len(one.net_benefit) - 1, max(1, int(size * w))).astype(int)
          for one, w in zip(made, share, strict=True)]  # fmt: skip

    def taken(tables: Sequence[pd.DataFrame | None]) -> pd.DataFrame | None:
        parts = [table.iloc[where] for table, where in zip(tables, at, strict=True) if table is not None]
        return pd.concat(parts, ignore_index=True, join="inner") if len(parts) == len(made) else None

    net = taken([one.net_benefit for one in made])
    return replace(made[0], net_benefit=net, unknown=taken([one.unknown for one in made]))


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    declared = worlds_of(case.asked)
    if not declared or case.world is None or not request.refit:
        return {}
    ready = {name: case.world(world) for name, world in declared.items()}  # every world is checked before one is fitted
    made = {name: fit() for name, fit in ready.items()}
    found = {"worlds": worlds(case.answer, declared, {name: one.target for name, one in made.items()},
                              {name: one.rows for name, one in made.items()})}  # fmt: skip
    choices = {name: one.decision() for name, one in made.items() if one.decision is not None}
    if choices and case.decision is not None:
        chosen = str(case.decision().net_benefit.mean().idxmax())
        found["decisions"] = decisions(declared, choices, chosen, _by_structure(case))
    return found


def _by_structure(case: Case) -> dict[str, Decision]:
    """The choice in models that differ from that of the run in one choice of structure."""
    assert case.world is not None
    single = {} if case.structures is None else case.structures()
    made = {name: case.world(world)() for name, world in single.items()}
    return {name: one.decision() for name, one in made.items() if one.decision is not None}


ANALYSIS = Analysis(_run, "whole worlds and their mixture", "worlds= of the question, or worlds.toml of its study",
                    ("worlds", "decisions"), ("decisions",), beside="structure", weight=6)  # fmt: skip
