"""Where numbers come from: sources and their status, content hashes, the stamp of a run.

Standard library only, so that everything above can use it for nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["KINDS", "SCRATCH", "SHOWING", "STATUSES", "Reference", "Source", "canonical", "code_hash", "digest",
           "file_digest", "json_text", "plain", "versions"]  # fmt: skip

STATUSES: dict[str, str] = {
    "primary": "the published table itself was read",
    "abstract": "the publication's abstract was read",
    "secondary": "an answer in parliament, an agency or the press reports it",
    "derived": "arithmetic on published numbers",
    "recalled": "not verified; never enters a likelihood",
    "judgement": "our reasoning, not a publication",
}

KINDS: dict[str, str] = {
    "trial": "randomised trial",
    "cohort": "follow-up without randomisation",
    "survey": "survey of people or businesses",
    "statistic": "official statistic or register",
    "press": "newspaper or news site",
    "parliament": "answer or report in parliament",
    "agency": "report of a public agency",
    "review": "systematic review",
    "model": "output of somebody's model",
    "arithmetic": "computed from other published figures",
    "judgement": "reasoning stated beside the number",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of ``references.bib``: who, what, when, where to read it, and a word of :data:`KINDS` if it has one."""

    key: str
    title: str
    author: str = ""
    year: str = ""
    url: str = ""
    kind: str = ""

    @property
    def short(self) -> str:
        """Family name of the first person, or the institution (a name without a comma), and the year; for tables."""
        first = self.author.split(" and ")[0]
        who = (first.split(",")[0] if "," in first else self.author).strip() or self.key
        return f"{who} {self.year}".strip()


@dataclass(frozen=True, slots=True)
class Source:
    """Where one number was read: a reference, the place in it, and how it was read."""

    key: str
    locator: str
    kind: str = field(metadata={"allowed": KINDS})
    status: str = field(metadata={"allowed": STATUSES})
    data_set: str = ""


def digest(text: str | bytes) -> str:
    """Return the SHA-256 of a text, as hexadecimal.

    >>> digest("43")[:12]
    '44cb730c4204'
    """
    data = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return digest(path.read_bytes())


def fit_id(attrs: Mapping[Any, Any]) -> str:
    """Return the SHA-256 of what a fit says it was made from and how; empty for a fit that does not say."""
    keys = ("inputs_hash", "seed", "sampler", "draws", "tune", "chains", "target_accept", "versions")
    return digest(canonical([str(attrs.get(key, "")) for key in keys])) if attrs.get("inputs_hash") else ""


SCRATCH = "bayes_scratch"
"""Attribute of a model that names its scratch variables, which no result shows."""


SHOWING = ("__main__", "cli", "completion", "figures", "report", "terminal", "workbook")
"""Rooms that show numbers and decide none of a fit; :func:`code_hash` leaves them out, and nothing else."""


@cache
def code_hash() -> str:
    """Return the content hash of the code that decides numbers: what any cache of numbers or programs has in its key.

    Every Python file of the package counts, the one with its version included, but for the rooms :data:`SHOWING`.
    """
    package = Path(__file__).parent
    rooms = sorted(path for path in package.iterdir() if path.stem not in SHOWING)
    files = [file for room in rooms for file in ([room] if room.suffix == ".py" else sorted(room.rglob("*.py")))]
    return digest("".join(f"{file.relative_to(package).as_posix()} {file_digest(file)} " for file in files))


def canonical(value: object) -> str:
    """Write plain data as JSON with sorted keys, so that equal content has equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def plain(value: Any) -> Any:
    """Copy data so that JSON can hold it: arrays and tables become lists, and numbers that are not finite ``None``.

    Parameters
    ----------
    value
        Mappings, lists, tuples, NumPy arrays and scalars, and pandas tables (a list of rows), in one another.

    Examples
    --------
    >>> plain({"p": (0.5, float("nan")), 1: "text"})
    {'p': [0.5, None], '1': 'text'}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(found) for key, found in value.items()}
    if hasattr(value, "to_dict"):
        return plain(value.to_dict(orient="records"))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(found) for found in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(value: Any) -> str:
    """Write data (:func:`plain`) as indented JSON, for people and for other programs.

    >>> print(json_text({"mean": float("inf")}))
    {
      "mean": null
    }
    """
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


_STAMPED = ("pymc", "pytensor", "numpyro", "jax", "jaxlib", "arviz", "xarray", "numpy", "scipy")


@cache
def versions(extra: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Return the versions that decide a run's numbers, by package name."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in (*_STAMPED, *extra):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return MappingProxyType(found)
