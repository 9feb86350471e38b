"""What a synthesis found as tables: effects, without each row, one row after another, and beside it the classical."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.summaries import summarise
from bayes.synthesis.answer import Numbers, Synthesis, posterior_of
from bayes.synthesis.small_studies import SmallStudies

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["beyond", "classical_table", "cumulative_table", "e_value", "effects_table", "ends_of", "interval",
           "left_out_table", "moved_by", "sceptical_limit", "small_studies_table"]  # fmt: skip

_FINE = 41


def interval(found: Synthesis, name: str, prob: float = 0.95, kind: str = "eti") -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of an interval of any probability of a quantity: equal-tailed, or the shortest.

    Parameters
    ----------
    name
        ``mu``, ``tau``, ``theta_new``, ``theta``, ``slope``, ``at`` or ``at_new``.
    kind
        ``eti`` or ``hdi``; the shortest is found to a hundredth of its width, and of such a quantity has one part.

    Raises
    ------
    UsageError
        If the probability is no share.
    """
    if not 0 < prob < 1:
        raise UsageError("the probability of an interval is a share", key="prob", found=prob, allowed="between 0 and 1",
                         fix="write 0.9 for 90 %")  # fmt: skip
    if found.exact is None:
        table = _of_draws(found, name, prob, kind)
        return table["lower"].to_numpy(), table["upper"].to_numpy()
    if kind == "eti":
        ends = found.exact.quantiles(name, [(1 - prob) / 2, (1 + prob) / 2])
        return ends[:, 0], ends[:, 1]
    tails = (np.linspace(0, 1, _FINE) * (1 - prob)).clip(1e-6, (1 - prob) * (1 - 1e-6))
    low = found.exact.quantiles(name, tails.tolist())
    high = found.exact.quantiles(name, (tails + prob).clip(0, 1 - 1e-9).tolist())
    best = np.argmin(high - low, axis=1)
    rows = np.arange(len(low))
    return low[rows, best], high[rows, best]


def _of_draws(found: Synthesis, name: str, prob: float, kind: str) -> pd.DataFrame:
    """Summaries of draws, with the Monte Carlo errors of both ends."""
    import pandas as pd

    posterior = None if found.fit is None else found.fit["posterior"].to_dataset()
    if posterior is None or name not in posterior:  # tau of common effects
        return pd.DataFrame({key: [0.0] for key in ("lower", "upper", "mcse_lower", "mcse_upper")})
    return summarise(posterior, prob=prob, kind=kind, variables=[name])


def effects_table(found: Synthesis) -> pd.DataFrame:
    """Return a line for each effect and each number between them.

    Returns
    -------
    DataFrame
        ``quantity``, ``label``, ``mean``, ``sd``, ``lower``, ``estimate`` (median), ``upper``, ``prob``, ``kind``,
        ``p_lt_0``, of draws ``mcse_lower`` and ``mcse_upper``, ``unit``, ``verdict``.
    """
    import pandas as pd

    rows = found.rows
    names = {**{one: [""] for one in ("mu", "theta_new", "tau", "omega")}, "theta": list(rows.labels)}
    if found.regression is not None:
        names |= {"slope": list(rows.moderators), "at": list(found.regression.at), "at_new": list(found.regression.at)}
    prob, kind = found.ranges
    lines = []
    for name, numbers in found.numbers.items():
        one = {key: np.atleast_1d(values) for key, values in numbers.items()}
        low, high = one["q2.5"], one["q97.5"]
        if (prob, kind) != (0.95, "eti") and (found.exact is None or name != "omega"):
            low, high = interval(found, name, prob, kind)
        errors = {} if found.exact is not None else _of_draws(found, name, prob, kind)[["mcse_lower", "mcse_upper"]]
        lines += [{"quantity": name, "label": label, "mean": one["mean"][i], "sd": one["sd"][i], "lower": low[i],
                   "estimate": one["q50"][i], "upper": high[i], "prob": prob if name != "omega" else 0.95,
                   "kind": kind if name != "omega" else "eti", "p_lt_0": one["p_lt_0"][i],
                   **{key: values[i] for key, values in errors.items()}}
                  for i, label in enumerate(names[name])]  # fmt: skip
    return pd.DataFrame(lines).assign(unit=rows.scale, verdict=found.verdict.word)


def left_out_table(found: Synthesis) -> pd.DataFrame:
    """Return what the mean, a new effect and the spread are without each row.

    Returns
    -------
    DataFrame
        ``left_out``, ``quantity``, ``lower``, ``estimate``, ``upper``, ``prob``, ``kind``, ``moved``: by how many
        posterior standard deviations the median moves, and ``mcse_moved``.
    """
    import pandas as pd

    lines = []
    for label, numbers in found.left_out.items():
        for name, one in numbers.items():
            lines.append({"left_out": label, "quantity": name, **ends_of(one), **moved_by(one, found.numbers[name])})
    return pd.DataFrame(lines)


def moved_by(one: Numbers, whole: Numbers) -> dict[str, float]:
    """By how many posterior standard deviations of all rows a median moves, and its Monte Carlo error.

    Medians of a quadrature have no Monte Carlo error.

    >>> moved_by({"q50": 0.75, "mcse_q50": 0.03}, {"q50": 0.25, "sd": 0.5, "mcse_q50": 0.04})
    {'moved': 1.0, 'mcse_moved': 0.1}
    """
    sd = float(whole["sd"])
    gap = float(one["q50"]) - float(whole["q50"])
    error = math.hypot(*(float(each.get("mcse_q50", 0.0)) for each in (one, whole)))
    return {"moved": gap / sd if sd > 0 else 0.0, "mcse_moved": error / sd if sd > 0 else 0.0}


def cumulative_table(found: Synthesis, order: Sequence[int] | None = None) -> pd.DataFrame:
    """Return the synthesis of the first row, the first two, and so on, in the order of the rows or another.

    Returns
    -------
    DataFrame
        ``rows``, ``added``, ``quantity``, ``lower``, ``estimate``, ``upper``, ``prob``, ``kind``.

    Raises
    ------
    UsageError
        If there is no quadrature of these rows.
    """
    import pandas as pd

    if found.exact is None or found.regression is not None:
        raise UsageError("rows are added up where a quadrature exists, without moderators", key="--cumulative",
                         fix="leave it out, or add --approximate")  # fmt: skip
    lines, kept = [], list(order or range(len(found.rows.labels)))
    for count in range(1, len(kept) + 1):
        part = posterior_of(found.rows.subset(kept[:count]), found.plan, trials=False)
        assert part is not None
        lines += [{"rows": count, "added": found.rows.labels[kept[count - 1]], "quantity": name, **ends_of(numbers)}
                  for name, numbers in part.numbers.items()]  # fmt: skip
    return pd.DataFrame(lines)


def ends_of(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return median and equal-tailed interval by the names they have in tables."""
    return {"lower": float(one["q2.5"]), "estimate": float(one["q50"]), "upper": float(one["q97.5"]), "prob": 0.95,
            "kind": "eti"}  # fmt: skip


def classical_table(found: Synthesis) -> pd.DataFrame:
    """Return the classical numbers, a line for each; no line where there are none."""
    import pandas as pd

    one = found.classical
    if one is None:
        return pd.DataFrame(columns=["name", "value", "lower", "upper", "prob", "kind"])
    none = {"lower": math.nan, "upper": math.nan, "prob": math.nan, "kind": ""}
    lines: list[dict[str, Any]] = [{"name": name, "value": value, **none} for name, value in (
        ("Q", one.q), ("df", one.df), ("p", one.p), ("I2", one.i2), ("H2", one.h2),
        *((f"tau2 {key}", value) for key, value in one.tau2.items()))]  # fmt: skip
    for name, value, (low, high) in (
        ("mean under random effects", one.mean, one.interval),
        ("mean under random effects, Knapp-Hartung", one.mean, one.knapp_hartung),
        ("prediction", one.mean, one.prediction), ("common effect", one.common, one.common_interval)):  # fmt: skip
        kind = "prediction" if name == "prediction" else "confidence"
        lines.append({"name": name, "value": value, "lower": low, "upper": high, "prob": one.prob, "kind": kind})
    return pd.DataFrame(lines)


def small_studies_table(one: SmallStudies) -> pd.DataFrame:
    """Return what small studies say beside large ones, a line for each number."""
    import pandas as pd

    mu, eta = one.selection.numbers["mu"], one.selection.numbers["eta"]
    lines = [
        ("regression on the standard error, slope", one.slope, math.nan, math.nan, f"t = {one.t:.2f}, p = {one.p:.3f}"),
        ("trim and fill, mean", one.mean, *one.interval, f"{one.filled} filled in on the {one.side}"),
        ("selection, mu", mu["q50"], mu["q2.5"], mu["q97.5"], f"Bayes factor {one.selection.bayes_factor:.3g}"),
        ("selection, eta", eta["q50"], eta["q2.5"], eta["q97.5"], "relative probability of publication"),
    ]
    kinds = ["", "confidence", "eti", "eti"]
    return pd.DataFrame(lines, columns=["name", "value", "lower", "upper", "detail"]).assign(prob=0.95, kind=kinds)


def beyond(found: Synthesis, value: float) -> dict[str, float]:
    """Return the probability that the mean effect, and that of a new setting, are below a value, on the rows' scale."""
    names = ("mu", "theta_new")
    if found.exact is not None:
        return {name: float(found.exact.below(name, value)[0]) for name in names}
    assert found.fit is not None
    return {name: float((found.fit["posterior"][name] < value).mean()) for name in names}


def e_value(ratio: float, near: float | None = None) -> tuple[float, float]:
    r"""Return the E-values of a risk ratio and of the end of its interval that is nearer to 1.

    How strongly an unmeasured confounder must go with both exposure and outcome to explain a ratio away:
    :math:`R + \sqrt{R(R - 1)}` with :math:`R` or its inverse above 1 (VanderWeele and Ding 2017, Ann. Intern. Med.
    167:268); 1 for an interval that holds 1.

    >>> [round(one, 2) for one in e_value(3.9, 1.8)]
    [7.26, 3.0]
    """

    def of(r: float) -> float:
        r = max(r, 1 / r)
        return r + math.sqrt(r * (r - 1))

    crosses = near is not None and (near - 1) * (ratio - 1) <= 0
    return of(ratio), 1.0 if crosses or near is None else of(near)


def sceptical_limit(lower: float, upper: float) -> float | None:
    r"""Return the end of the 95 % interval of the sceptical prior that just takes an interval to zero.

    On the scale of differences and logarithms: :math:`(u - l)^2 / (4 \sqrt{ul})` (Matthews 2001, J. Stat. Plan.
    Inference 94:43); None where the interval holds zero. Whoever thinks effects beyond it implausible is not convinced.

    >>> round(sceptical_limit(0.2, 1.0), 3)
    0.358
    """
    if lower * upper <= 0:
        return None
    low, high = sorted((abs(lower), abs(upper)))
    return (high - low) ** 2 / (4 * math.sqrt(high * low))
