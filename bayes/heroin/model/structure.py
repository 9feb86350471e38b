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
    collapse: bool = True

    def __post_init__(self) -> None:
        check_fields(self)
        check_word(self.effects, EFFECTS, "there is no such model of effects", key="effects")
        for bias in self.biases:
            check_word(bias, BIASES, "there is no such bias term", key="biases", otherwise="choose from these")

    def as_data(self) -> dict[str, object]:
        """Plain data, for stamps and hashes."""
        return {**asdict(self), "biases": list(self.biases)}
