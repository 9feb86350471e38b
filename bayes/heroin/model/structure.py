"""Which variant of the model is built: plain data, no PyMC."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bayes.arguments import check_fields
from bayes.errors import check_word
from bayes.heroin.quantities import BIASES

__all__ = ["BIASES", "EFFECTS", "Structure"]

EFFECTS = ("random", "common", "t")


@dataclass(frozen=True, slots=True)
class Structure:
    """Which variant of the model is built.

    Parameters
    ----------
    effects
        ``random`` (normal between settings), ``common`` (one effect for all) or ``t`` (heavy-tailed, 4 degrees of
        freedom).
    biases
        The bias terms switched on: of contrasts ``prevalence``, ``composite``, ``odds``, ``completers``,
        ``untreated``; of changes before to after ``change_prevalence``, ``change_odds``.
    drift
        Whether comparators' own change is modelled; without it changes before to after do not enter.
    targeting
        Whether heavier offenders may come first.
    unmet_demand
        Whether demand can be above what is achieved abroad: coverage there is what places and demand allowed together,
        and where places were the limit it is a lower bound of demand. On: no source says that everybody who wanted a
        place had one.
    within_pool
        Whether nobody outside the eligible pool is admitted where demand limits a scenario. On: oral treatment has to
        have failed first. Off, whoever comes beyond it offends like users in general.
    decline
        Whether offending of the same people falls with time without the programme. On, by a prior with zero inside.
    untreated_entrants
        Whether a share of entrants comes from no treatment, for whom the comparator is no treatment. On: no programme
        has recruited from maintenance treatment alone.
    persistence
        Whether the spread of persistent differences between people, which targeting can use, may differ from that of
        one year's counts. On.
    retention_varies
        Whether time in treatment differs between settings. On: follow-up of four years in one setting lies outside
        what a pooled curve predicts.
    small_studies
        Whether contrasts exaggerate in proportion to their standard error. Off: with so few trials the prior of the
        slope decides, so it is a structure beside the answer and not in it.
    ceiling
        Whether national totals of victim-counted crime inform ``countable_share``.
    collapse
        Whether group effects are integrated out while sampling (same posterior, faster).
    """

    effects: str = "random"
    biases: tuple[str, ...] = BIASES
    drift: bool = True
    targeting: bool = True
    ceiling: bool = True
    unmet_demand: bool = True
    within_pool: bool = True
    decline: bool = True
    untreated_entrants: bool = True
    persistence: bool = True
    retention_varies: bool = True
    small_studies: bool = False
    collapse: bool = True

    def __post_init__(self) -> None:
        check_fields(self)
        check_word(self.effects, EFFECTS, "there is no such model of effects", key="effects")
        for bias in self.biases:
            check_word(bias, BIASES, "there is no such bias term", key="biases", otherwise="choose from these")

    def as_data(self) -> dict[str, object]:
        """Plain data, for stamps and hashes."""
        return {**asdict(self), "biases": list(self.biases)}

    def uses(self, when: str) -> bool:
        """Whether a quantity that belongs to a switch (:attr:`Quantity.when`) is in the model."""
        return bool(getattr(self, when, True)) and (when != "effects" or self.effects != "common")
