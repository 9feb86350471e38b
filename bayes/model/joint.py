"""The joint model: the parts composed into one ordinary ``pm.Model``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pymc as pm

from bayes.errors import UsageError, closest
from bayes.model.ceiling import add_ceiling
from bayes.model.declared import Declared
from bayes.model.delivery import FORWARD, add_coverage, add_programme, add_retention
from bayes.model.offending import add_offending
from bayes.model.reduction import BIASES, add_reduction, design
from bayes.priors import Prior
from bayes.provenance import canonical, digest
from bayes.study import Study

__all__ = ["BIASES", "EFFECTS", "Structure", "add_priors", "build_model", "fit_hash"]

EFFECTS = ("random", "common", "t")


@dataclass(frozen=True, slots=True)
class Structure:
    """Which variant of the model is built.

    Parameters
    ----------
    effects
        ``random`` (normal between settings), ``common`` (one effect for all) or ``t`` (heavy-tailed, 4 degrees of freedom).
    biases
        The bias terms switched on: of contrasts ``prevalence``, ``composite``, ``completers``, ``untreated``; of changes
        before to after ``change_prevalence``, ``change_odds``.
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
        if self.effects not in EFFECTS:
            raise UsageError(
                "there is no such model of effects",
                key="effects",
                found=self.effects,
                allowed=EFFECTS,
                fix=closest(self.effects, EFFECTS) or "choose one",
            )
        for bias in self.biases:
            if bias not in BIASES:
                raise UsageError(
                    "there is no such bias term",
                    key="biases",
                    found=bias,
                    allowed=BIASES,
                    fix=closest(bias, BIASES) or "choose from these",
                )

    def as_data(self) -> dict[str, object]:
        """Plain data, for stamps and hashes."""
        return {**asdict(self), "biases": list(self.biases)}


def build_model(study: Study, structure: Structure | None = None) -> pm.Model:
    """Build the joint model of a study: an ordinary ``pm.Model`` with named dims.

    Every free variable comes from a declared prior; priors and evidence enter as data. Structure and numbers are
    separate: two studies with the same rows and families give the same graph.

    Parameters
    ----------
    study
        What :func:`bayes.load_study` returned.
    structure
        Which variant; the default is random effects, all biases, drift, targeting and ceiling.

    Examples
    --------
    >>> import bayes
    >>> model = bayes.build_model(bayes.load_study())
    >>> "offences_per_user_year" in model.named_vars
    True
    """
    chosen = structure or Structure()
    changes = study.rows("prepost") if chosen.drift else []
    frame = design(study.rows("trials"), changes, chosen.biases)
    with pm.Model() as model:
        declared = Declared(study.priors, _used(chosen, frame.terms))
        offset = add_offending(study.rows("offending"), declared)["offset"]
        add_reduction(frame, declared, chosen.effects, chosen.drift, chosen.collapse)
        add_coverage(study.rows("coverage"), declared)
        add_retention(study.rows("retention"), declared)
        add_ceiling(study.rows("ceiling"), declared, offset, chosen.ceiling)
        add_programme(declared, chosen.targeting)
    vars(model)["bayes_stamp"] = {"study": fit_hash(study), "files": dict(study.hashes), "structure": chosen.as_data()}
    return model


def fit_hash(study: Study) -> str:
    """Return the SHA-256 of what a fit depends on: priors and evidence, not scenarios."""
    priors = {name: prior.as_data() for name, prior in study.priors.items()}
    rows = {name: [repr(row) for row in study.rows(name)] for name in study.evidence}
    return digest(canonical({"priors": priors, "evidence": rows}))


def _used(chosen: Structure, terms: Sequence[str]) -> list[str]:
    """Quantities of the model in a fixed order: the layout of ``prior_parameters``."""
    return [
        "offences_per_user_year", "offset_entrants", "offset_arrestees", "offset_all_users", "sigma_study",
        "shape_month", "shape_year", "mu_theta",
        *([] if chosen.effects == "common" else ["tau_theta"]),
        *(["mu_gamma", "tau_gamma"] if chosen.drift else []), *terms, "fidelity",
        "mu_coverage", "tau_coverage", "retention_scale", "retention_shape", "countable_share", "population",
        *FORWARD, *(["targeting_strength"] if chosen.targeting else []),
    ]  # fmt: skip


def add_priors(model: pm.Model, priors: Mapping[str, Prior]) -> dict[str, object]:
    """Add declared priors to a PyMC model of one's own and return the random variables by name."""
    with model:
        declared = Declared(priors, priors)
        return {name: declared[name] for name in priors}
