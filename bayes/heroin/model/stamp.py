"""What a fit depends on, as content hashes. Needs no PyMC, so that a fit on disk can be found without it."""

from __future__ import annotations

from bayes.provenance import canonical, digest
from bayes.study import Study

__all__ = ["fit_hash"]


def fit_hash(study: Study) -> str:
    """Return the SHA-256 of what a fit depends on: priors and evidence, not scenarios."""
    priors = {name: prior.as_data() for name, prior in study.priors.items()}
    rows = {name: [repr(row) for row in study.rows(name)] for name in study.evidence if study.rows(name)}
    return digest(canonical({"priors": priors, "evidence": rows}))
