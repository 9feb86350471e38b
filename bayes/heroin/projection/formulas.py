"""One scenario on all draws: who is treated, what that avoids, and every quantity as a formula of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bayes.heroin.projection.inputs import Inputs
from bayes.heroin.projection.pieces import discount, people_served, press_arithmetic, ramp
from bayes.heroin.scenarios import Scenario, Settings

__all__ = ["FORMULAS", "Outcome", "outcome", "ratio"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One scenario at each share of its places that is built in some year, smallest first.

    Parameters
    ----------
    inputs, settings
        What it was computed from.
    level
        For each year, its place among the shares.
    built
        Places (level, draw) or (level, 1).
    filled, demand
        Share of places filled, and people who come, (draw,) or (1,).
    start, added
        Patients subtracted as today's, and patient-years beyond them, (level, draw).
    avoided
        Offences avoided (level, draw).
    """

    inputs: Inputs
    settings: Settings
    level: np.ndarray
    built: np.ndarray
    filled: np.ndarray
    demand: np.ndarray
    start: np.ndarray
    added: np.ndarray
    avoided: np.ndarray

    def __call__(self, name: str) -> np.ndarray:
        """Return a quantity (year, draw), or broadcastable to it."""
        values: np.ndarray = np.broadcast_to(FORMULAS[name](self), (len(self.built), self.inputs.size))[self.level]
        if name == "net_benefit":
            values *= discount(self.settings.discount_rate, self.settings.horizon_years)[:, None]
        return values


def outcome(inputs: Inputs, scenario: Scenario, settings: Settings) -> Outcome:
    """Compute a scenario. Years with the same share of places built are the same, and computed once."""
    shares, level = np.unique(ramp(scenario, settings.horizon_years), return_inverse=True)
    nothing = np.zeros(1)
    if scenario.places is None:
        places, filled = inputs.coverage[scenario.coverage_of] * inputs["opioid_clients"], np.ones(1)
    else:
        places, filled = np.full(1, float(scenario.places)), inputs["occupancy"]
    built = shares[:, None] * places
    demand = inputs["demand"] if scenario.demand_cap else np.full(1, np.inf)
    served = people_served(built, filled, demand, inputs["opiate_users"])
    today = inputs["current_patients"] if scenario.against == "today" else nothing
    start = np.minimum(today, served)
    avoided = inputs.weighted(served)
    avoided -= inputs.weighted(today) if scenario.against == "today" else 0.0
    avoided *= inputs["per_unit"]
    avoided[served <= today] = 0.0
    return Outcome(inputs, settings, level, built, filled, demand, start, served - start, avoided)


FORMULAS: Mapping[str, Callable[[Outcome], np.ndarray]] = {
    "patient_years": lambda o: o.added,
    "offences_avoided": lambda o: o.avoided,
    "victim_crimes_avoided": lambda o: o.avoided * o.inputs["countable_share"],
    "offences_avoided_per_patient_year": lambda o: np.divide(
        o.avoided, o.added, where=o.added > 0, out=np.full(o.avoided.shape, np.nan)
    ),
    "entrants": lambda o: o.added / o.inputs["mean_stay"],
    "programme_cost": lambda o: o.added * o.inputs["programme_cost"],
    "net_benefit": lambda o: o.avoided * o.inputs["cost_per_offence"] - o.added * o.inputs["programme_cost"],
    "cost_per_offence_avoided": lambda o: ratio(o.added * o.inputs["programme_cost"], o.avoided),
    "places_per_1000_offences": lambda o: ratio(1000.0 * np.maximum(o.built - o.start / o.filled, 0.0), o.avoided),
    "press_arithmetic": lambda o: press_arithmetic(o.built, o.settings),
    "demand_binds": lambda o: (o.built * o.filled > o.demand).astype(float),
    "harm": lambda o: (o.inputs["rate_ratio"] > 1).astype(float),
}
"""Each quantity from an outcome: (level, draw), or broadcastable to it; money before discounting."""


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return ``top / bottom`` where something is avoided, infinite where nothing is (no amount buys it)."""
    out = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.inf)
    return np.asarray(np.divide(top, bottom, where=bottom > 0, out=out))
