"""Whether a run, repeated from the inputs it carries, is the same: in bytes, or within Monte Carlo error elsewhere.

On one machine with the same versions every file is the same. Other processors and versions round otherwise, chains part
after some draws, and the same posterior is drawn from anew: then estimates are compared in units of their errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.files import read_table
from bayes.provenance import file_digest
from bayes.runfiles import read_manifest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Repetition", "compared"]

FALSE_ALARM = 0.001
"""Probability that two runs of one posterior are told apart, whatever the number of estimates."""
ESTIMATES = {"headline": (("median", "mcse_median"), ("lower", "mcse_lower"), ("upper", "mcse_upper"))}
"""Columns of tables that are estimates, each with that of its Monte Carlo error."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """What a repeated run has in common with the first.

    Parameters
    ----------
    same, other, missing
        Files that are the same bytes, that are not, and that only one of both has.
    versions
        What the two were made with where that differs: the first's and the second's.
    estimates
        How many estimates were compared.
    largest, allowed
        The largest difference of two estimates in Monte Carlo errors of a difference, and the largest that chance
        brings in all but one of a thousand repetitions.
    where
        The estimate that differs most.
    """

    same: tuple[str, ...]
    other: tuple[str, ...]
    missing: tuple[str, ...]
    versions: dict[str, tuple[str, str]]
    estimates: int = 0
    largest: float = 0.0
    allowed: float = 0.0
    where: str = ""

    @property
    def repeated(self) -> bool:
        """Whether the run is repeated: byte by byte, or within Monte Carlo error where versions or machines differ."""
        if not self.other and not self.missing:
            return True
        return bool(self.versions) and not self.missing and self.estimates > 0 and self.largest <= self.allowed

    def sentences(self) -> list[str]:
        """What was found, in sentences."""
        told = [f"{len(self.same)} of {len(self.same) + len(self.other) + len(self.missing)} files are the same bytes."]
        told += [f"Another content: {', '.join(self.other)}."] if self.other else []
        told += [f"Only one of both has: {', '.join(self.missing)}."] if self.missing else []
        told += [f"{name} was {old} and is {new}." for name, (old, new) in self.versions.items()]
        if self.estimates:
            told.append(f"Of {self.estimates} estimates the one that differs most, {self.where}, does so by "
                        f"{self.largest:.1f} Monte Carlo errors of a difference ({self.allowed:.1f} are "
                        "chance).")  # fmt: skip
        return told


def compared(old: Path, new: Path) -> Repetition:
    """Compare a run with another of the same inputs.

    Raises
    ------
    StudyError
        If one of both is no run.
    """
    made = [read_manifest(folder) for folder in (old, new)]
    files = [{str(name) for name in one["files"] if (folder / str(name)).is_file()}
             for one, folder in zip(made, (old, new), strict=True)]  # fmt: skip
    both = sorted(files[0] & files[1])
    other = tuple(name for name in both if file_digest(old / name) != file_digest(new / name))
    versions = [{"bayes": one["bayes"], **one["versions"]} for one in made]
    pairs = {name: [str(one.get(name, "none")) for one in versions] for name in sorted({*versions[0], *versions[1]})}
    differ = {name: (first, second) for name, (first, second) in pairs.items() if first != second}
    same = tuple(name for name in both if name not in other)
    distance = _distance(old, new) if other else {}
    return Repetition(same, other, tuple(sorted(files[0] ^ files[1])), differ, **distance)


def _distance(old: Path, new: Path) -> dict[str, Any]:
    """How far estimates of two runs lie apart, in Monte Carlo errors of a difference."""
    import numpy as np
    import pandas as pd
    from scipy.stats import norm

    found: list[pd.Series[float]] = []
    for name, columns in ESTIMATES.items():
        paths = [folder / "tables" / f"{name}.csv" for folder in (old, new)]
        if not all(path.is_file() for path in paths):
            continue
        tables = [_labelled(read_table(path)) for path in paths]
        for estimate, error in columns:
            if all({estimate, error} <= set(table.columns) for table in tables):
                gap = (tables[0][estimate] - tables[1][estimate]).abs()
                scale = np.hypot(tables[0][error], tables[1][error])
                apart = (gap / scale.where(scale > 0)).where(gap > 0, 0.0).fillna(np.inf).where(gap.notna())
                found.append(apart.dropna().rename(lambda row, what=estimate: f"{what} of {row}"))
    if not found:
        return {}
    every = pd.concat(found)
    allowed = float(norm.isf(FALSE_ALARM / (2 * max(len(every), 1))))
    return {"estimates": len(every), "largest": float(every.max()), "allowed": allowed, "where": str(every.idxmax())}


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose rows are called after their texts."""
    names = [name for name in ("quantity", "variable", "scenario", "year") if name in table]
    labels = table[names].astype(str).agg(", ".join, axis=1)
    labels += table.groupby(labels).cumcount().map(lambda again: f" ({again + 1})" if again else "")
    return table.set_axis(labels, axis=0)
