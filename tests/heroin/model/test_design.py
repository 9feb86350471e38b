"""The linear model of log ratios: who shares what with whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes.errors import EvidenceError
from bayes.heroin.model.reduction import design
from bayes.heroin.model.structure import BIASES


@pytest.fixture(scope="module")
def frame(shipped_study):
    return design(shipped_study.rows("trials"), shipped_study.rows("prepost"), BIASES)


def cells(matrix: np.ndarray, row: int, labels: tuple[str, ...]) -> set[str]:
    return {label for label, value in zip(labels, matrix[row], strict=True) if value == 1}


def test_a_contrast_measures_theta_a_comparator_gamma_and_heroin_both(frame) -> None:
    found = {row: cells(frame.z, i, frame.effects) for i, row in enumerate(frame.rows)}
    assert found["geneva"] == {"theta: Geneva 1998"}
    assert found["spain_methadone"] == {"gamma: PEPSA"}
    assert found["switzerland"] == {"theta: Switzerland", "gamma: Switzerland"}
    assert np.isin(frame.z, (0, 1)).all()
    assert (frame.z.sum(axis=0) >= 1).all()  # no effect without a row


def test_bias_terms_apply_where_their_words_stand(frame) -> None:
    found = {row: cells(frame.b, i, frame.terms) for i, row in enumerate(frame.rows)}
    assert found["geneva"] == set()
    assert found["germany"] == {"bias_prevalence", "bias_completers"}
    assert found["naomi"] == found["netherlands_inhaled"] == found["netherlands_injected"] == {"bias_composite"}
    assert found["riott"] == {"bias_odds"}
    assert found["vancouver_states"] == {"bias_prevalence", "bias_untreated"}
    assert found["riott_oral"] == {"bias_change_odds"}
    assert found["germany_methadone"] == {"bias_change_prevalence"}


@pytest.mark.parametrize("word", BIASES)
def test_each_bias_term_can_be_switched_off_alone(shipped_study, frame, word: str) -> None:
    rest = tuple(bias for bias in BIASES if bias != word)
    less = design(shipped_study.rows("trials"), shipped_study.rows("prepost"), rest)
    assert set(frame.terms) - set(less.terms) == {f"bias_{word}"}
    kept = [frame.terms.index(term) for term in less.terms]
    np.testing.assert_array_equal(less.b, frame.b[:, kept])


def test_a_shared_arm_makes_a_contrast_and_its_change_covary_negatively(frame, shipped_study) -> None:
    """theta's row carries the comparator with sign -1, gamma's row with +1."""
    rows = {row.row: row for table in ("trials", "prepost") for row in shipped_study.rows(table)}
    at = frame.rows.index
    np.testing.assert_allclose(np.sqrt(np.diag(frame.s)), [rows[name].se for name in frame.rows])
    i, j = at("spain"), at("spain_methadone")
    assert frame.s[i, j] == frame.s[j, i] == pytest.approx(-(rows["spain"].shared_se ** 2))
    shared = np.argwhere(np.triu(frame.s, 1))
    assert {tuple(sorted((frame.rows[a], frame.rows[b]))) for a, b in shared} == {
        ("riott", "riott_oral"), ("germany", "germany_methadone"), ("spain", "spain_methadone"),
    }  # fmt: skip
    assert np.linalg.eigvalsh(frame.s).min() > 0


@pytest.mark.parametrize("changes", [{"shared_se": 2.0}, {"se": float("nan")}, {"se": 0.0}])
def test_errors_that_are_no_covariance_are_refused_before_sampling(shipped_study, changes: dict[str, float]) -> None:
    trials = [replace(row, **changes) if row.row == "spain" else row for row in shipped_study.rows("trials")]
    prepost = [
        replace(row, shared_se=changes.get("shared_se", row.shared_se)) if row.row == "spain_methadone" else row
        for row in shipped_study.rows("prepost")
    ]
    with pytest.raises(EvidenceError, match="no covariance") as caught:
        design(trials, prepost, BIASES)
    assert "spain" in str(caught.value)
