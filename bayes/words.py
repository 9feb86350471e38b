"""How a question is spoken of: title, units, labels, and the sentences of its report, as plain data.

Words travel with a projection (attribute ``words``, JSON) and with a run (``inputs/question.json``), so that tables,
figures, terminal and report speak the language of the question and of no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from bayes.arguments import check_fields
from bayes.errors import UsageError, closest
from bayes.scenarios import distinct_labels, middle_scenario

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

    from bayes.study import Study

__all__ = ["ANSWER", "Words", "attributes", "capital", "headline", "spaced", "study_words", "words_of"]

_WORST = re.compile(r"\(((?:mean|sd) of )?([A-Za-z]\w*)(\[[^\]]*\]|: [^()]*|)\)")
"""A variable as a check names the worst of many: ``(tau)``, ``(theta[PEPSA])``, ``(sd of theta: PEPSA)``."""
ANSWER = "answer"
"""Name of the only scenario of a question without scenarios."""


def spaced(name: str) -> str:
    """Write a name in words: underscores are spaces, but for those of a row's own label in brackets.

    >>> spaced("new_cases[north_1, 2_to_4]")
    'new cases[north_1, 2_to_4]'
    """
    return re.sub(r"_(?![^\[\]]*\])", " ", name)


def capital(text: str) -> str:
    """Begin a text with a capital, and leave the rest as it is.

    >>> capital("odds ratio of GPs")
    'Odds ratio of GPs'
    """
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said of a question.

    Parameters
    ----------
    target
        Name of the outcome that is the answer.
    title, population, period
        What the report says of it: a title, who and where, when.
    units, labels
        Unit and words of outcomes and variables by name; words of scenarios and of rows of evidence by label.
    beside
        Outcomes that are printed beside the target, in order: the same answer in another unit, a total, a flow.
    size
        The outcome that says how large a scenario is, as people reached or doses given; empty without one.
    reference
        Words for a naive sum that is shown for comparison only, and the outcome that holds it; empty without one.
    headline
        The scenario that is asked about where none is named.
    stress
        Scenarios that are shown as stress cases.
    cost
        The outcome that counts money spent, for decision analyses; empty without one.
    net_benefit
        The outcome that counts money gained less money spent; empty without one.
    scenario, time
        Words for the two dims of outcomes; ``time`` is empty where outcomes have none.
    times
        Labels of times that are no whole numbers, by the numbers that stand for them.
    sentences
        Sentences of the report by place, with names of claims in braces; where one is missing a plain one is said.
    undefined
        Where an outcome has no value (NaN), by name.
    totals
        Outcomes that are summed over all times, in order; where empty, those measured per time (``cases/year``).
    ratios
        Outcomes that are a ratio of two others, with these: over all times it is the ratio of their sums.
    shown
        Variables whose prior and posterior stand in the body of the report, in order; all where empty.
    inputs
        Words for the variables whose shares of the variance are quoted, by name; all that the target starts from where
        empty.
    """

    target: str
    title: str = ""
    population: str = ""
    period: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    size: str = ""
    reference: tuple[str, ...] = ()
    headline: str = ""
    stress: tuple[str, ...] = ()
    cost: str = ""
    net_benefit: str = ""
    scenario: str = "scenario"
    time: str = "year"
    times: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)
    totals: tuple[str, ...] = ()
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        if self.reference and len(self.reference) != 2:
            raise UsageError("a reference is its words and the outcome that holds it", key="reference",
                             found=self.reference, allowed='("naive sum", "naive_cases")')  # fmt: skip

    def label(self, name: str) -> str:
        """Words for a variable, an outcome, a scenario or a row; of ``"name: rest"`` and ``"name[rest]"`` the name.

        >>> words = Words(target="cases", labels={"beta": "effect", "beta_row": "effect of each trial", "b": "Bern"})
        >>> words.label("beta: wide"), words.label("beta_row[Geneva]"), words.label("new_cases")
        ('effect: wide', 'effect of each trial: Geneva', 'new cases')
        >>> words.label("new_cases[north_1]"), words.label("new_cases[b]")
        ('new cases[north_1]', 'new cases: Bern')
        """
        whole, bracket, at = name.removesuffix("]").partition("[")
        if bracket and name not in self.labels and {whole, at} & set(self.labels):
            return f"{self.labels.get(whole, spaced(whole))}: {self.labels.get(at, at)}"
        first, colon, rest = name.partition(": ")
        return self.labels.get(name) or self.labels.get(first, spaced(first)) + colon + spaced(rest)

    def worded(self, text: str, ids: bool = False) -> str:
        """Put words for what a check names in brackets as the worst of many; after their names with ``ids``.

        >>> words = Words(target="cases", labels={"beta": "effect"})
        >>> words.worded("worst 1.02 (beta[Geneva])"), words.worded("(sd of beta: Geneva)", ids=True)
        ('worst 1.02 (effect[Geneva])', '(sd of beta: Geneva, effect)')
        """

        def put(found: re.Match[str]) -> str:
            before, name, rest = found.groups("")
            words = self.labels.get(name)
            if words is None or (ids and words == spaced(name)):
                return found[0]
            return f"({before}{name}{rest}, {words})" if ids else f"({before}{words}{rest})"

        return _WORST.sub(put, text)

    def headed(self, name: str) -> str:
        """The same with a capital: a heading, or the start of a sentence."""
        return capital(self.label(name))

    def heading(self, name: str) -> str:
        """Words for an outcome at the head of a column: its sentence ``heading.NAME``, or its label and unit.

        >>> Words(target="cases", units={"cases": "cases/year"}).heading("cases")
        'Cases (cases/year)'
        """
        unit = f" ({self.unit(name)})" if self.unit(name) else ""
        return self.sentences.get(f"heading.{name}") or self.headed(name) + unit

    def over_all(self, name: str, times: Sequence[int]) -> str:
        """Words for the sum of an outcome over all times: its sentence ``total.NAME``, or plain ones.

        >>> words = Words(target="cases")
        >>> words.over_all("cases", range(1, 11)), words.over_all("cases", [2010, 2015, 2020])
        ('Cases, all 10 years', 'Cases, 3 years of 2010 to 2020')
        """
        return self.sentences.get(f"total.{name}") or f"{self.headed(name)}, {self.all_of(times)}"

    def moment(self, year: object) -> str:
        """Words for one time, with its label where the number is only its place.

        >>> Words(target="cases").moment(2030), Words(target="cases", times={"2": "2026/27"}).moment(2)
        ('year 2030', 'year 2 (2026/27)')
        """
        return f"{self.time} {year}" + (f" ({self.times[str(year)]})" if str(year) in self.times else "")

    def all_of(self, times: Sequence[int]) -> str:
        """Words for all times of a projection, where some between them are left out too.

        >>> Words(target="cases").all_of([2010, 2015, 2020])
        '3 years of 2010 to 2020'
        """
        every = times[-1] - times[0] == len(times) - 1
        return f"all {len(times)} {self.time}s" if every else f"{len(times)} {self.time}s of {times[0]} to {times[-1]}"

    def added(self, name: str) -> bool:
        """Whether an outcome is summed over all times."""
        per_time = bool(self.time) and self.unit(name).endswith(f"/{self.time}")
        return name in self.totals if self.totals else per_time

    def summed(self, name: str, times: Sequence[int]) -> str:
        """Words for the times over which an outcome is summed; none where there is one time, or it is no flow.

        >>> words = Words(target="cases", units={"cases": "cases/year", "worth": "GBP"})
        >>> words.summed("cases", [2010, 2015, 2020]), words.summed("worth", [1, 2]), words.summed("cases", [1])
        ('3 years of 2010 to 2020', '', '')
        """
        return self.all_of(times) if len(times) > 1 and self.added(name) else ""

    def over_times(self, array: DataArray, weight: Any = 1.0) -> DataArray:
        """An outcome over all times: the sum of what is measured per time, each weighted; of a stock the last."""
        weighted: DataArray = array * weight
        return weighted.sum("year") if self.added(str(array.name)) else weighted.isel(year=-1)

    def unit_over_times(self, name: str) -> str:
        """Unit of that.

        >>> Words(target="cases", units={"cases": "cases/year"}).unit_over_times("cases")
        'cases'
        """
        return self.unit(name).removesuffix(f"/{self.time}") if self.added(name) else self.unit(name)

    def unit(self, name: str) -> str:
        """Unit of a variable or an outcome; empty where none is known."""
        return self.units.get(name, "")

    def printed(self, unit: str) -> str:
        """Return a unit as it is printed: in words, where the labels have some for it.

        >>> Words(target="cases", labels={"GBP": "pounds"}).printed("GBP"), Words(target="cases").printed("years")
        ('pounds', 'years')
        """
        return self.labels.get(unit, unit)

    def text(self) -> str:
        """Write them as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Words:
        """Read them from JSON.

        Raises
        ------
        UsageError
            If it is no such record.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError("these are no words of a question", found=str(error), fix="run again") from None
        known = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or "target" not in data or not set(data) <= known:
            wrong = sorted(set(data) - known) if isinstance(data, dict) else [type(data).__name__]
            raise UsageError("these are no words of a question", found=wrong, allowed=sorted(known),
                             fix=closest(wrong[0], known) if wrong else "run again")  # fmt: skip
        return cls(**{key: _tuples(value) for key, value in data.items()})


def _tuples(value: Any) -> Any:
    """A value of JSON with tuples for its lists."""
    if isinstance(value, dict):
        return {key: _tuples(part) for key, part in value.items()}
    return tuple(value) if isinstance(value, list) else value


def words_of(data: Dataset | DataArray) -> Words:
    """Return the words a projection carries; plain ones for a dataset that carries none.

    A projection of version 0.2 named its quantities, headline and cost in attributes of their own.

    Examples
    --------
    >>> import xarray as xr
    >>> words_of(xr.Dataset({"cases": ("draw", [1.0, 2.0], {"unit": "cases/year"})})).units
    {'cases': 'cases/year'}
    """
    if "words" in data.attrs:
        return Words.from_text(str(data.attrs["words"]))
    arrays = {str(name): array for name, array in getattr(data, "data_vars", {}).items()}
    units = {name: str(array.attrs["unit"]) for name, array in arrays.items() if array.attrs.get("unit")}
    first, *rest = json.loads(data.attrs.get("quantities", "[]")) or [next(iter(arrays), "")]
    return Words(target=first, units=units, beside=tuple(rest), headline=data.attrs.get("headline", ""),
                 cost=data.attrs.get("cost", ""))  # fmt: skip


def study_words(words: Words, study: Study | None) -> Words:
    """Return words with what a study says: labels and stress cases of scenarios, its headline, units of its priors.

    A row of evidence is called by its ``data_set``, which no two rows of the likelihood share.
    """
    if study is None:
        return words
    rows = {row.row: row.data_set for part in study.evidence.values() for row in part
            if row.use == "likelihood" and row.data_set}  # fmt: skip
    scenarios = study.scenarios.items()
    labels = distinct_labels({name: one.label for name, one in scenarios if getattr(one, "label", "")})
    units = {name: prior.unit for name, prior in study.priors.items()}
    return replace(
        words,
        labels={**rows, **labels, **words.labels},
        units={**units, **words.units},
        headline=words.headline or getattr(study.settings, "headline", ""),
        stress=words.stress or tuple(name for name, one in scenarios if getattr(one, "stress", False)),
    )


def headline(futures: Dataset) -> str:
    """Return the scenario asked about where none is named: the words' headline, or the middle one that is no stress.

    One in which the target is certain, such as doing nothing, is not asked about where there is another.
    """
    names, words = [str(name) for name in futures["scenario"].values], words_of(futures)
    if words.headline in names:
        return words.headline
    stress = futures["stress"].values if "stress" in futures.coords else [False] * len(names)
    some = futures[words.target].isel(year=-1, draw=slice(_SOME), missing_dims="ignore")
    moving = [bool((one != one.flat[0]).any()) for one in some.transpose("scenario", ...).values]
    kept = {name: bool(extreme) for name, extreme, moves in zip(names, stress, moving, strict=True)
            if moves or not any(moving)}  # fmt: skip
    return middle_scenario(kept)


_SOME = 64
"""Draws of each chain by which it is told whether a target is certain."""


def attributes(name: str, words: Words) -> dict[str, str]:
    """Return the attributes of an outcome: its unit, and where it has no value."""
    told = {"unit": words.unit(name), "undefined": words.undefined.get(name, "")}
    return {key: text for key, text in told.items() if text}
