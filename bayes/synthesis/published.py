r"""Published priors of the variance between studies, by the sort of outcome and of comparison.

``turner: OUTCOME; COMPARISON``
    :math:`\log \tau^2` of log odds ratios is normal: Turner et al. 2015, Stat. Med. 34:984-998, Table IV.
``rhodes: OUTCOME; COMPARISON``
    :math:`\log \tau^2` of standardised mean differences is a Student t with 5 degrees of freedom: Rhodes et al. 2015,
    J. Clin. Epidemiol. 68:52-60, Table 3.

``turner 2012: OUTCOME; COMPARISON``
    As the first, by three sorts of outcome: Turner et al. 2012, Int. J. Epidemiol. 41:818-827, which the table of 2015
    extends. Its numbers are those that GeMTC carries (``mtc.hy.empirical.lor``); the paper itself was not seen.

By itself ``turner`` or ``rhodes`` is the general prior of the publication: Normal(-2.56, 1.74) and t5(-3.44, 2.59). The
medical areas of Rhodes et al. are not here.

An outcome is named by words that stand in its name here and in no other's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bayes.errors import UsageError, closest

__all__ = ["published"]

_PLACEBO, _DRUGS = "pharmacological vs. placebo or control", "pharmacological vs. pharmacological"
TURNER: Mapping[str, tuple[float, ...]] = {
    "all-cause mortality": (-3.95, 1.34, -4.18, 1.41, -4.17, 1.55, -2.92, 1.02, -3.50, 1.26),
    "obstetric outcomes": (-3.52, 1.74, -3.75, 1.79, -3.74, 1.91, -2.49, 1.50, -3.08, 1.68),
    "cause-specific mortality, major morbidity event, composite": (-3.71, 1.74, -3.95, 1.79, -3.93, 1.91, -2.68, 1.51,
                                                                   -3.27, 1.68),
    "resource use, hospital stay, process": (-2.34, 1.74, -2.58, 1.79, -2.56, 1.91, -1.31, 1.50, -1.90, 1.68),
    "surgical or device related success or failure": (-2.14, 1.74, -2.37, 1.79, -2.36, 1.91, -1.11, 1.50, -1.69, 1.68),
    "withdrawals, drop-outs": (-2.99, 1.74, -3.23, 1.79, -3.21, 1.91, -1.96, 1.51, -2.55, 1.68),
    "internal, structure-related outcomes": (-2.71, 1.74, -2.94, 1.79, -2.93, 1.92, -1.67, 1.51, -2.26, 1.68),
    "general physical health indicators": (-2.29, 1.53, -2.53, 1.58, -2.51, 1.72, -1.26, 1.25, -1.85, 1.46),
    "adverse events": (-1.87, 1.52, -2.10, 1.58, -2.10, 1.71, -0.84, 1.24, -1.43, 1.45),
    "infection, onset of new disease": (-2.49, 1.52, -2.73, 1.58, -2.71, 1.71, -1.46, 1.24, -2.05, 1.45),
    "signs, symptoms of continuation or end of condition": (-2.06, 1.51, -2.29, 1.58, -2.28, 1.71, -1.03, 1.24,
                                                            -1.61, 1.45),
    "pain": (-1.83, 1.52, -2.06, 1.58, -2.05, 1.71, -0.80, 1.25, -1.38, 1.45),
    "quality of life, functioning": (-2.54, 1.54, -2.78, 1.60, -2.77, 1.73, -1.51, 1.27, -2.10, 1.47),
    "mental health indicators": (-2.12, 1.53, -2.35, 1.60, -2.34, 1.72, -1.09, 1.27, -1.67, 1.47),
    "biological markers": (-1.77, 1.52, -2.00, 1.58, -1.99, 1.71, -0.74, 1.24, -1.33, 1.45),
    "subjective outcomes": (-2.70, 1.52, -2.93, 1.58, -2.92, 1.71, -1.67, 1.25, -2.26, 1.45),
}  # fmt: skip
"""Mean and sd of log tau^2 for each comparison of :data:`TURNER_OF`, by outcome."""

TURNER_OF = (_PLACEBO, _DRUGS, "non-pharmacological vs. placebo or control",
             "non-pharmacological vs. pharmacological", "non-pharmacological vs. non-pharmacological")  # fmt: skip
TURNER_2012: Mapping[str, tuple[float, ...]] = {
    "all-cause mortality": (-4.06, 1.45, -4.27, 1.48, -3.93, 1.51),
    "semi-objective": (-3.02, 1.85, -3.23, 1.88, -2.89, 1.91),
    "subjective": (-2.13, 1.58, -2.34, 1.62, -2.01, 1.64),
}
"""Mean and sd of log tau^2 for each comparison of :data:`RHODES_OF`, by outcome."""

RHODES: Mapping[str, tuple[float, ...]] = {
    "obstetric outcome": (-4.13, 2.34, -4.40, 2.31, -3.99, 2.11),
    "resource use, hospital stay, process": (-2.55, 2.73, -2.83, 2.70, -2.41, 2.57),
    "internal and external structure-related outcome": (-2.43, 2.50, -2.70, 2.46, -2.29, 2.32),
    "general physical health, adverse event, pain, quality of life, functioning": (-3.16, 2.50, -3.44, 2.44, -3.02,
                                                                                   2.27),
    "signs, symptoms of continuation or end of condition, infection, onset of new disease": (-3.00, 2.50, -3.27, 2.47,
                                                                                             -2.86, 2.33),
    "mental health outcome": (-2.99, 2.16, -3.27, 2.14, -3.85, 1.93),
    "biological marker": (-3.41, 2.83, -3.68, 2.78, -3.27, 2.66),
    "various subjectively measured outcomes": (-2.76, 2.58, -3.03, 2.59, -2.62, 2.41),
}  # fmt: skip
"""Place and scale of log tau^2 for each comparison of :data:`RHODES_OF`, by outcome."""

RHODES_OF = (_PLACEBO, _DRUGS, "non-pharmacological")
_SETS = {
    "turner": (TURNER, TURNER_OF, "Normal({}, {})", "Turner et al. 2015, Stat. Med. 34:984, Table IV"),
    "turner2012": (
        TURNER_2012,
        RHODES_OF,
        "Normal({}, {})",
        "Turner et al. 2012, Int. J. Epidemiol. 41:818, as GeMTC carries it",
    ),
    "rhodes": (RHODES, RHODES_OF, "StudentT(5, {}, {})", "Rhodes et al. 2015, J. Clin. Epidemiol. 68:52, Table 3"),
}

_ANY: Mapping[str, tuple[str, float, float]] = {"turner": ("p. 993", -2.56, 1.74),
                                                "rhodes": ("Section 3.3", -3.44, 2.59)}  # fmt: skip
"""Of outcomes of any kind: where it stands, and its numbers."""


def published(text: str) -> tuple[str, str, str] | None:
    """Return scale, law and citation of a published prior; None where the text names none.

    Raises
    ------
    UsageError
        If the outcome or the comparison is not one of the publication's, or may be several.

    Examples
    --------
    >>> published("turner: all-cause mortality; pharmacological vs. placebo")[1]
    'Normal(-3.95, 1.34)'
    """
    name, _, rest = text.partition(":")
    key = re.sub(r"\W", "", name.casefold())
    if key not in _SETS:
        return None
    table, comparisons, law, source = _SETS[key]
    if not rest.strip() and key in _ANY:
        where, *general = _ANY[key]
        return "log tau2", law.format(*general), f"{source.rpartition(', ')[0]}, {where}: any outcome"
    first, _, second = (part.strip() for part in rest.partition(";"))
    outcome = _named(first, list(table), f"{key}: outcome")
    place = comparisons.index(_named(second, comparisons, f"{key}: comparison"))
    numbers = table[outcome][2 * place : 2 * place + 2]
    return "log tau2", law.format(*numbers), f"{source}: {outcome}; {comparisons[place]}"


def _named(text: str, names: Sequence[str], key: str) -> str:
    """The one name that begins with a text or, if none does, holds all its words."""
    said = re.sub(r"\bvs?\b\.?|versus|/", " ", text.casefold()).split()
    plain = [re.sub(r"\bvs?\b\.?|/", " ", one.casefold()).split() for one in names]
    begin = [one for one, words in zip(names, plain, strict=True) if said and words[: len(said)] == said]
    found = begin or [one for one, words in zip(names, plain, strict=True)
                      if said and all(any(word.startswith(part) for word in words) for part in said)]  # fmt: skip
    if len(found) != 1:
        raise UsageError("this names no published prior" if not found else "this may be several published priors",
                         key=key, found=text, allowed=list(found or names),
                         fix=closest(text, names) or f"write {key.partition(':')[0]}: OUTCOME; COMPARISON")  # fmt: skip
    return found[0]
