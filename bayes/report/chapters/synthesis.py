"""The synthesis: effects of the trials, their mean, a new setting, and the change that comparators show too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.numbers import chance, per_cent
from bayes.report.chapters.common import drawn
from bayes.report.contract import Chapter, Claim, Prose, Section
from bayes.report.material import Material
from bayes.report.numbers import count, interval_claims, word
from bayes.summaries import summarise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chapter"]

RATIOS = {"mu_theta": "effect.mean", "theta_new": "effect.new", "gamma_new": "effect.drift"}


def chapter(material: Material) -> Chapter:
    """Forest, funnel and drift."""
    posterior = material.fit["posterior"].to_dataset()
    if not {"mu_theta", "theta_new"} <= set(posterior.data_vars):
        gap = material.lacks(
            "a synthesis of effects",
            "this fit pools no effects between settings",
            "bayes synthesise pools trials of one's own",
        )
        return Chapter((Section("synthesis", "Synthesis of the trials", 2, (gap,)),))
    if material.withheld:
        gap = material.lacks("the synthesis", "withheld because a check failed", "bayes report RUN --force")
        return Chapter((Section("synthesis", "Synthesis of the trials", 2, (gap,)),))
    claims = _claims(material)
    names = {claim.name for claim in claims}
    text = (
        "Offending on prescribed heroin over offending in the comparator is {effect.mean.median} on average over "
        "settings ({effect.mean.interval}). A new setting draws its own effect, {effect.new.median} "
        "({effect.new.range}); the probability that it is no reduction at all is {effect.none}. {@forest} shows every "
        "contrast as published, with its bias taken away, and as the model sees it after learning from the others; "
        "{@funnel} sets them against their precision."
    )
    drift = (
        "People on the comparator offend less as time goes by too: by a factor {effect.drift.median} "
        "({effect.drift.interval}; {@heterogeneity}). The {press.reduction} of the press is a change from before to "
        "after, which contains this; only the rest is the effect of prescribed heroin."
        if {"effect.drift.median"} <= names and material.study is not None
        else ""
    )
    scaled = (
        "A programme at scale keeps a share of that effect: the rate ratio there is {effect.scaled.median} "
        "({effect.scaled.range})."
        if "effect.scaled.median" in names
        else ""
    )
    blocks = (Prose(text), drawn(material, "the forest of trials", "forest"), *(Prose(t) for t in (drift, scaled) if t))
    shown = Section("synthesis", "Synthesis of the trials", 2, blocks)
    more = Section(
        "agreement",
        "Do the trials agree",
        3,
        (
            Prose(
                "A funnel that leans would hint at small trials that went unpublished. With {effect.rows} "
                "contrasts of different designs it can show no more than a gross lack of balance."
            ),
            drawn(material, "the funnel", "funnel"),
            drawn(material, "differences between settings, and drift", "heterogeneity"),
        ),
    )
    return Chapter((shown, more), claims)


def _claims(material: Material) -> tuple[Claim, ...]:
    """Ratios from draws of their logarithms, with Monte Carlo errors."""
    posterior = material.fit["posterior"].to_dataset()
    ratios = posterior[[n for n in RATIOS if n in posterior]].map(np.exp)
    if "rate_ratio" in posterior:
        ratios = ratios.assign(rate_ratio=posterior["rate_ratio"])
    frame: pd.DataFrame = summarise(ratios).set_index("variable")
    found: list[Claim] = []
    for name, row in frame.iterrows():
        key = RATIOS.get(str(name), "effect.scaled")
        found += interval_claims(key, {**row.to_dict(), "unit": "ratio"}, f"posterior, {name}")
    none = float((posterior["theta_new"].values >= 0).mean())
    evidence = material.tables.get("evidence")
    rows = 0 if evidence is None else int(((evidence["table"] == "trials") & (evidence["use"] == "likelihood")).sum())
    found += [
        word("effect.none", chance(none), "posterior, theta_new"),
        count("effect.rows", rows, "evidence.csv"),
        word("effect.prob", per_cent(float(frame["prob"].iloc[0])), "posterior"),
    ]
    return tuple(found)
