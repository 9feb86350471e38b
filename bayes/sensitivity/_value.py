"""What it would be worth to know more before choosing, and where the choice turns.

``net_benefit`` is a table of draws with one column per option, in any one unit (money, cases averted);
every value below is in that unit, per decision, with its Monte Carlo standard error ``mcse``.

    EVPI      E[max_k NB_k] - max_k E[NB_k]
    EVPPI     E[max_k E[NB_k | X_u]] - max_k E[NB_k]
    EVSI      E[max_k E[NB_k | data]] - max_k E[NB_k]

The inner expectations are regressions on the draws themselves (:mod:`bayes.sensitivity.regression`). The complexity
of each is chosen by cross-validation of the difference between an option and the best one, from a constant upwards,
so that an input that does not matter comes out at or near zero. The standard errors are those of the influence
function ``NB_chosen(X) - NB_best``, with ``chosen`` the option of highest conditional mean: they count both the
finite sample of X and the noise in the regression, copies of a row once and draws of a chain by their effective
number. An ``mcse`` of zero says that the decision turns in no draw.

All three are means of differences of net benefit between options: a heavy tail that options share cancels. ``khat``
is the largest generalised Pareto shape of the tails of the differences from the option that is best in expectation.
Above 0.5 a difference has no finite variance, so that its mean, the choice of the best option and ``mcse`` rest on a
few draws: ``note`` says so beside the number. The model's own shape, where it is known, is believed before that of the
draws, which mixes gains, harms and atoms (:mod:`bayes.tails`).

Sources: Strong, Oakley & Brennan (2014, Med Decis Making 34:311) for EVPPI; Strong, Oakley, Brennan & Breeze (2015,
Med Decis Making 35:570) for EVSI by regression on a summary statistic; Menzies (2016, Med Decis Making 36:308) for
EVSI by reweighting draws with the likelihood of a study; Jalal & Alarid-Escudero (2018, Med Decis Making 38:174) for
the normal-normal EVSI.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.sensitivity._variance import Floats, Seed, aligned, numeric_table, players
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.regression import coefficients, losses, predicted, regression
from bayes.sensitivity.replication import Units, units_of
from bayes.sensitivity.weights import KHAT_LIMIT
from bayes.tails import judge_tail

__all__ = ["evpi", "evppi", "evsi", "evsi_normal", "options_of", "withheld"]

type Options = ArrayLike | pd.DataFrame

_GROUPS, _PER_GROUP = 300, 5  # of equally probable draws of the parameter, for evsi_normal
_NODES = ndtri((np.arange(41) + 0.5) / 41)  # errors of the mean of a study, in standard errors

TOLD_APART = 2.0
"""Monte Carlo errors that tell a value from nothing."""


@checked
def evpi(net_benefit: pd.DataFrame | ArrayLike, *, tail_shape: float | None = None) -> pd.DataFrame:
    """Estimate the expected value of perfect information, E[max_k NB_k] - max_k E[NB_k].

    Parameters
    ----------
    net_benefit
        Draws of the net benefit of two or more options, shape (n, options), n >= 100.
    tail_shape
        Generalised Pareto shape of the net benefits where the model gives it; else draws judge (:mod:`bayes.tails`).

    Returns
    -------
    DataFrame
        One row: ``quantity, input, estimate, mcse, draws, method, khat, note``, in the unit of ``net_benefit``.

    Raises
    ------
    bayes.errors.UsageError
        A column is missing, infinite or too short, or there is only one option.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.default_rng(1).normal(size=100_000)
    >>> round(float(evpi(np.column_stack([0 * z, z]))["estimate"].iloc[0]), 2)     # E[max(0, z)] = 0.3989
    0.4
    """
    options = options_of(net_benefit)
    gain = _gain(options)
    units = _units(options, gain)
    return _row("EVPI", "(all)", *_gain_of(gain, gain, units), "draws").assign(**_tail(options, tail_shape))


@checked
def evppi(
    inputs: pd.DataFrame,
    net_benefit: pd.DataFrame | ArrayLike,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    rng: Seed = 0,
    tail_shape: float | None = None,
) -> pd.DataFrame:
    """Estimate the expected value of learning an input, or a group of inputs together, exactly.

    EVPPI(u) = E[max_k E[NB_k | X_u]] - max_k E[NB_k], by regression on the given draws.

    Parameters
    ----------
    inputs
        Draws of the inputs, shape (n, d), n >= 100; they may be dependent.
    net_benefit
        Net benefit of each option at the same draws, shape (n, options).
    groups
        ``{name: columns}``: one EVPPI for each group instead of one for each column. Groups may overlap.
    rng
        A seed or generator, for the folds of the cross-validation.
    tail_shape
        As in :func:`evpi`.

    Returns
    -------
    DataFrame
        One row per input or group: ``quantity, input, estimate, mcse, draws, method, khat, note``.

    Raises
    ------
    bayes.errors.UsageError
        A column is constant, missing, infinite, too short or not aligned; the error names it.

    Examples
    --------
    A U-shaped net benefit, which a linear regression would value at nothing; the truth is 2 phi(1) = 0.484:

    >>> import numpy as np, pandas as pd
    >>> z = np.random.default_rng(1).normal(size=20_000)
    >>> found = evppi(pd.DataFrame({"z": z}), np.column_stack([0 * z, z**2 - 1]))
    >>> bool(abs(found["estimate"].iloc[0] - 0.484) < 4 * found["mcse"].iloc[0])
    True
    """
    x, options = numeric_table(inputs, "inputs"), options_of(net_benefit)
    aligned(x, options, isinstance(net_benefit, pd.DataFrame))
    generator, gain = np.random.default_rng(rng), _gain(options)
    units, rows = _units(x, gain), []
    for name, columns in players(x, groups, rest=False).items():
        expected = _conditional(x.to_numpy()[:, columns], gain, units, generator)
        rows.append(_row("EVPPI", name, *_gain_of(expected, gain, units), "cross-validated ridge regression"))
    return pd.concat(rows, ignore_index=True).assign(**_tail(options, tail_shape))


@checked
def evsi(
    inputs: pd.DataFrame,
    net_benefit: pd.DataFrame | ArrayLike,
    simulate: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame],
    *,
    study: str = "study",
    rng: Seed = 0,
    tail_shape: float | None = None,
) -> pd.DataFrame:
    """Estimate the expected value of a proposed study, by regression on a summary of its simulated data.

    EVSI = E[max_k E[NB_k | s]] - max_k E[NB_k]: for each draw of the inputs ``simulate`` draws one data set
    and returns its summary statistics ``s``. As data depend on the net benefit through the inputs alone,
    E[NB | s] = E[E[NB | inputs] | s]: net benefits are regressed on the inputs first, and what that gives on ``s``, so
    that what the study cannot teach is no noise. It is exact in the limit where ``s`` is sufficient, and a lower bound
    otherwise. ``note`` says where the draws do not tell the value from nothing. The same seed gives studies of several
    sizes the same random numbers, so that they can be compared.

    Parameters
    ----------
    inputs, net_benefit, rng, tail_shape
        As in :func:`evppi`.
    simulate
        ``(inputs, generator) -> DataFrame`` of shape (n, statistics), row by row in the order of ``inputs``.
    study
        The name the study carries in the table.

    Returns
    -------
    DataFrame
        One row: ``quantity, input, estimate, mcse, draws, method, khat, note``.

    Raises
    ------
    bayes.errors.UsageError
        As :func:`evppi`, for the summary statistics too.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> p = np.random.default_rng(1).normal(1, 1, size=20_000)
    >>> def trial(x, generator):                                # the mean of ten observations of sd 1
    ...     return pd.DataFrame({"mean": generator.normal(x["p"], 10**-0.5)})
    >>> found = evsi(pd.DataFrame({"p": p}), np.column_stack([0 * p, p]), trial, study="trial, n = 10")
    >>> bool(abs(found["estimate"].iloc[0] - 0.0723) < 4 * found["mcse"].iloc[0])
    True
    """
    x, options = numeric_table(inputs, "inputs"), options_of(net_benefit)
    aligned(x, options, isinstance(net_benefit, pd.DataFrame))
    generator = np.random.default_rng(rng)
    summary = numeric_table(simulate(x, generator), "summary")
    aligned(x, summary, False)
    gain = _gain(options)
    units = _units(x, gain)
    known = _conditional(x.to_numpy(), gain, units, generator)
    expected = _conditional(summary.to_numpy(), known, units, generator)
    row = _row("EVSI", study, *_gain_of(expected, gain, units), "regression on simulated summaries")
    return _doubted(row.assign(**_tail(options, tail_shape)))


def _doubted(table: pd.DataFrame) -> pd.DataFrame:
    """Add to the notes which values the draws do not tell from nothing."""
    unclear = (table["estimate"] > 0) & (table["estimate"] < TOLD_APART * table["mcse"])
    words = "not told from nothing: it is within two Monte Carlo errors of zero"
    notes = ["; ".join(t for t in (words if u else "", n) if t) for u, n in zip(unclear, table["note"], strict=True)]
    return table.assign(note=notes)


@checked
def evsi_normal(
    parameter: ArrayLike | pd.Series,
    net_benefit: pd.DataFrame | ArrayLike,
    *,
    sd: float,
    sizes: Sequence[float],
    rng: Seed = 0,
    tail_shape: float | None = None,
) -> pd.DataFrame:
    r"""Estimate the value of ``n`` normal observations of a parameter of any distribution, for several ``n``.

    Observations have mean theta and standard deviation ``sd``, so that their mean
    :math:`\bar y \sim N(\theta, sd^2 / n)` is sufficient. With :math:`g_k(\theta) = E[NB_k | \theta]`, by regression,
    and draws of theta in groups b of equal probability,

    .. math:: E[NB_k | \bar y] = \sum_b g_k(\theta_b)\, \phi_b(\bar y) / \sum_b \phi_b(\bar y), \quad
              \phi_b(\bar y) = \exp(-n (\bar y - \theta_b)^2 / 2 sd^2),

    which is Bayes' theorem on the draws: no data are simulated, all sizes share one regression and one set of errors,
    the value grows with ``n`` and is bounded by the EVPPI of the same regression. For a normal parameter it is the
    normal-normal EVSI.

    Parameters
    ----------
    parameter
        Draws of the parameter, shape (n,), on the scale on which observations are normal (a log rate ratio).
    net_benefit, rng, tail_shape
        As in :func:`evppi`.
    sd
        Standard deviation of one observation, in the unit of the parameter.
    sizes
        Numbers of observations.

    Returns
    -------
    DataFrame
        One row per size: ``quantity, input, size, estimate, mcse, draws, method, khat, note``.

    Raises
    ------
    bayes.errors.UsageError
        As :func:`evppi`; ``sd`` or a size is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.random.default_rng(1).normal(1, 1, size=100_000)
    >>> found = evsi_normal(p, np.column_stack([0 * p, p]), sd=1, sizes=[10, 100])
    >>> found["estimate"].round(2).tolist()                     # closed form 0.0723, 0.0821
    [0.07, 0.08]
    """
    x, options = numeric_table(parameter, "parameter"), options_of(net_benefit)
    aligned(x, options, isinstance(parameter, pd.Series) and isinstance(net_benefit, pd.DataFrame))
    for name, value in [("sd", sd), *(("sizes", size) for size in sizes)]:
        if not 0 < value < math.inf:
            raise UsageError("not a positive number", key=name, found=value)
    theta, gain = x.iloc[:, 0].to_numpy(), _gain(options)
    units = _units(x, gain)
    expected = _conditional(x.to_numpy(), gain, units, np.random.default_rng(rng))
    group = _groups(theta)
    rows = []
    for size in sizes:
        estimate, chosen = _preposterior(theta, expected, group, sd / math.sqrt(size))
        mcse = _error_of((chosen[group] * gain).sum(axis=1), units)
        row = _row("EVSI", str(x.columns[0]), estimate, mcse, len(theta), "Bayes' theorem on grouped draws")
        row.insert(2, "size", size)
        rows.append(row)
    return _doubted(pd.concat(rows, ignore_index=True).assign(**_tail(options, tail_shape)))


def _groups(theta: Floats) -> NDArray[np.intp]:
    """Number draws by groups of nearly equal size, neighbours together."""
    many = max(2, min(_GROUPS, len(theta) // _PER_GROUP))
    group: NDArray[np.intp] = np.empty(len(theta), dtype=np.intp)
    group[np.argsort(theta, kind="stable")] = np.arange(len(theta)) * many // len(theta)
    return group


def _preposterior(theta: Floats, expected: Floats, group: NDArray[np.intp], error: float) -> tuple[float, Floats]:
    """Value of a normal observation with a standard error, and how often each option is chosen: (group, option)."""
    count = np.bincount(group).astype(float)
    centre = np.bincount(group, theta) / count
    gain = np.stack([np.bincount(group, e) / count for e in expected.T], axis=1)
    prior = count / count.sum()
    seen = (centre[:, None] + error * _NODES).ravel()
    logs = np.log(prior) - 0.5 * ((seen[:, None] - centre) / error) ** 2
    weight = np.exp(logs - logs.max(axis=1, keepdims=True))
    mean = (weight @ gain / weight.sum(axis=1, keepdims=True)).reshape(len(centre), _NODES.size, -1)
    best = np.eye(gain.shape[1])[mean.argmax(axis=2)].mean(axis=1)
    value = float(prior @ mean.max(axis=2).mean(axis=1) - (prior @ mean.mean(axis=1)).max())
    return value, best


# ----------------------------------------------------------------------------------------------------- parts


def options_of(net_benefit: Options) -> pd.DataFrame:
    """Return draws by option as a checked table of two columns or more."""
    table = numeric_table(net_benefit, "option", constant_ok=True)
    if table.shape[1] < 2:
        raise UsageError("a decision needs two options", key=str(table.columns[0]),
                         fix="add a column of zeros for doing nothing")  # fmt: skip
    return table


def _gain(options: pd.DataFrame) -> Floats:
    """Return net benefits less those of the option that is best in expectation."""
    values = options.to_numpy()
    gain: Floats = values - values[:, [values.mean(axis=0).argmax()]]
    return gain


def _tail(options: pd.DataFrame, known: float | None) -> dict[str, float | str]:
    """The heaviest tail of a difference of net benefit from the best option, and what it does to the means."""
    gain = _gain(options)
    tails = [(judge_tail(gain[:, i], known), str(name)) for i, name in enumerate(options.columns) if np.ptp(gain[:, i])]
    if not tails:
        return {"khat": math.nan, "note": ""}
    tail, name = max(tails, key=lambda found: (not found[0].sound, found[0].why != "", found[0].shape))
    if not tail.why:
        return {"khat": tail.shape, "note": ""}
    best = options.columns[options.to_numpy().mean(axis=0).argmax()]
    much = "the Monte Carlo error is too small" if tail.shape <= KHAT_LIMIT else "the number is not to be relied on"
    rests = "" if tail.sound else f": the mean rests on few draws, and {much}"
    return {"khat": tail.shape, "note": f"gain of {name} less {best}: {tail.why}{rests}"}


def _units(x: pd.DataFrame, gain: Floats) -> Units:
    """What copies and chains are, from the inputs and the option that differs most from the best one."""
    return units_of(x.to_numpy(), gain[:, int(gain.std(axis=0).argmax())])


def _conditional(inputs: Floats, gain: Floats, units: Units, rng: np.random.Generator) -> Floats:
    """Return the conditional mean of each option's gain, each at its own cross-validated level."""
    fit = regression(inputs, gain, rng, units)
    levels, loss = losses(fit, [np.ones(fit.support.shape[1], dtype=bool)])
    beta = np.column_stack([coefficients(fit, levels[k])[:, j] for j, k in enumerate(loss.argmin(axis=0))])
    return predicted(fit, beta)


def _gain_of(expected: Floats, gain: Floats, units: Units) -> tuple[float, float, int]:
    """Value choosing the option of highest expected gain draw by draw: estimate, mcse, draws."""
    chosen = gain[np.arange(len(gain)), expected.argmax(axis=1)]
    return float(expected.max(axis=1).mean()), _error_of(chosen, units), len(gain)


def _error_of(values: Floats, units: Units) -> float:
    return float(units.standard_error((values - values.mean())[:, None])[0])


def _row(quantity: str, name: str, estimate: float, mcse: float, draws: int, method: str) -> pd.DataFrame:
    row = {"quantity": quantity, "input": name, "estimate": estimate, "mcse": mcse, "draws": draws, "method": method}
    return pd.DataFrame([row])


def withheld(studies: pd.DataFrame) -> pd.DataFrame:
    """Take away values of studies that are not told from nothing or rest on few draws; notes say why."""
    unclear = (studies["estimate"] < TOLD_APART * studies["mcse"]) | (studies["khat"] > KHAT_LIMIT)
    notes = ("withheld: " + studies["note"]).where(unclear, studies["note"])
    return studies.assign(estimate=studies["estimate"].where(~unclear), note=notes)


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    """EVPI, EVPPI of inputs and groups, and EVSI of proposed studies; some studies are withheld, and notes say why."""
    if case.decision is None:
        return {}
    choice = case.decision()
    options, tail, inputs = choice.net_benefit, choice.tail_shape, choice.inputs
    tables = [evpi(options, tail_shape=tail), evppi(inputs.draws, options, groups=inputs.columns, tail_shape=tail)]
    if choice.groups:
        tables.append(evppi(inputs.draws, options, groups=choice.groups, tail_shape=tail))
    if choice.unknown is not None:
        tables += map(withheld, map(choice.worth, choice.studies))
    return {"value": pd.concat(tables, ignore_index=True).assign(unit=choice.money)}


ANALYSIS = Analysis(
    _run,
    "the value of information",
    "net_benefit= of the question: money gained less money spent",
    totals=("value",),
    weight=6,
)
