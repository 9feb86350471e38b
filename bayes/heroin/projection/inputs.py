"""What a projection takes from a fit, with everything that no scenario changes worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayes.errors import UsageError
from bayes.heroin.projection.gain import GainTable, gain_table
from bayes.heroin.projection.pieces import targeting_gain
from bayes.heroin.quantities import INPUTS

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["INPUTS", "Inputs", "inputs_of"]

OTHERS = ("countable_share", "mean_stay", "programme_cost", "cost_per_offence")
ABSENT: Mapping[str, float] = {"targeting_strength": 0.0}
"""What a variable is in a model without it."""

EXACT = 1000
"""Scenario-years up to which each gain is computed; a table of them pays beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Draws of a fit, chains end to end.

    Parameters
    ----------
    chain, draw
        Their labels.
    values
        Draws (draw,) by variable.
    coverage
        Share of the opioid clients in treatment (draw,), by country.
    derived
        ``pool``, ``demand``, ``beyond`` (offending beyond the pool, relative to it) and ``per_unit`` (offences avoided
        by one unit of the pool's mean), (draw,).
    table
        The targeting gain, tabulated; computed each time without one.
    """

    chain: np.ndarray
    draw: np.ndarray
    values: Mapping[str, np.ndarray]
    coverage: Mapping[str, np.ndarray]
    derived: Mapping[str, np.ndarray]
    table: GainTable | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        return self.derived[name] if name in self.derived else self.values[name]

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.chain) * len(self.draw)

    def weighted(self, people: np.ndarray) -> np.ndarray:
        """Count people in treatment (…, draw), each by mean offending relative to the eligible pool: ``A(n)``."""
        pool, strength = self["pool"], self["targeting_strength"]
        inside = np.minimum(people, pool)
        if self.table is None:
            gain = targeting_gain(inside / pool, self["shape_year"], strength)
        else:
            gain = self.table(inside, pool)
            gain -= 1
            gain *= strength
            gain += 1
        gain *= inside
        gain += (people - inside) * self["beyond"]
        return gain


def inputs_of(fit: DataTree, *, group: str = "posterior", rows: int = 1) -> Inputs:
    """Take what a projection needs from a fit.

    Parameters
    ----------
    fit, group
        As in :func:`bayes.project`.
    rows
        Scenarios x years to be projected: beyond :data:`EXACT` the gain is tabulated.

    Raises
    ------
    UsageError
        If the fit lacks a variable.
    """
    node = fit[group]
    found = {str(name): array for name, array in node.data_vars.items()}
    values = {}
    for name in (*INPUTS, *OTHERS):
        if name not in found and name not in ABSENT:
            raise _lacking(name, found)
        absent = np.full((node.sizes["chain"], node.sizes["draw"]), ABSENT.get(name))
        array = found[name].transpose("chain", "draw").values if name in found else absent
        values[name] = np.ascontiguousarray(array, dtype=float).ravel()
    if "coverage" not in found:
        raise _lacking("coverage", found)
    shares = found["coverage"].transpose("country", "chain", "draw")
    coverage = {str(name): np.asarray(share, dtype=float).ravel()
                for name, share in zip(shares["country"].values, shares.values, strict=True)}  # fmt: skip
    derived = {"pool": values["eligible_share"] * values["opioid_clients"],
               "demand": values["coverage_new"] * values["opioid_clients"],
               "beyond": np.exp(values["offset_all_users"]),
               "per_unit": values["offences_per_user_year"] * values["drift"] * (1 - values["rate_ratio"])}  # fmt: skip
    table = gain_table(values["shape_year"]) if rows > EXACT else None
    return Inputs(np.asarray(node["chain"]), np.asarray(node["draw"]), values, coverage, derived, table)


def _lacking(name: str, found: Iterable[str]) -> UsageError:
    return UsageError(
        "the fit lacks a variable that the projection needs", key=name, found=sorted(found),
        fix="fit the model of bayes.build_model",
    )  # fmt: skip
