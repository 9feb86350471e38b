"""Arms that enter two rows: a contrast, and the change of its comparator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayes.evidence import once_more, unfit
from bayes.sheets import same
from bayes.study import Study

__all__ = ["SE_KINDS", "check_arms", "check_errors"]

SE_KINDS = ("published", "derived", "stated", "none")
"""Where a standard error comes from."""


def check_errors(row: Any, path: Path) -> None:
    """Refuse standard errors of log ratios that are not known in kind, or shared but not in pairs."""
    if row.se_kind == "none":
        raise unfit(row, path, "se_kind", "a likelihood row says where its standard error comes from",
                    "published, derived, stated", "choose one")  # fmt: skip
    if bool(row.shared_arm) != (row.shared_se is not None):
        raise unfit(row, path, "shared_se", "shared_arm and shared_se go together", "both or neither",
                    "fill or empty both")  # fmt: skip


def check_arms(study: Study) -> None:
    """Refuse an arm that would enter twice.

    A study with a contrast has no change of its heroin arm beside it: the contrast already holds that arm. A study with
    a contrast and a change of its comparator says which data they share (``shared_arm``), and no arm is shared by two
    studies.

    Raises
    ------
    EvidenceError
        Naming both places.
    """
    files = {
        id(row): study.folder / "evidence" / f"{name}.csv" for name, rows in study.evidence.items() for row in rows
    }
    contrasts = {same(row.study): row for row in study.rows("trials")}
    changes = study.rows("prepost")
    first: dict[str, Any] = {}
    for row in [*contrasts.values(), *changes]:
        other = first.setdefault(row.shared_arm, row)
        if row.shared_arm and same(other.study) != same(row.study):
            raise unfit(row, files[id(row)], "shared_arm", f"two studies cannot share an arm: see row {other.row!r}",
                        "an arm of the row's own study", "name the arm after its study")  # fmt: skip
    for change in changes:
        contrast = contrasts.get(same(change.study))
        if contrast is not None and change.arm == "heroin":
            raise once_more(files[id(change)], change, "the heroin arm of one study", change.study,
                            f"row {contrast.row!r}")  # fmt: skip
        if contrast is not None:
            _check_shared(change, contrast, files[id(change)])


def _check_shared(change: Any, contrast: Any, file: Path) -> None:
    """Check the covariance of a comparator arm's change with a contrast of the same arm: they share its error."""
    other = f"row {contrast.row!r}"
    if not change.shared_arm or change.shared_arm != contrast.shared_arm:
        raise unfit(change, file, "shared_arm", f"this arm also enters through {other}",
                    f"the same words as in {other}: {contrast.shared_arm!r}",
                    "fill shared_arm and shared_se in both rows")  # fmt: skip
    if change.shared_se != contrast.shared_se or not change.shared_se**2 < change.se * contrast.se:
        raise unfit(change, file, "shared_se", f"the error shared with {other} is not a covariance",
                    f"{contrast.shared_se}, as in {other}, and its square less than the product of the two se",
                    "write one number in both rows, below both se")  # fmt: skip
