"""What a notebook shows of a study, a verdict and a synthesis is short, and text of files stays text."""

from dataclasses import replace
from types import MappingProxyType

import pytest

import bayes
from bayes.diagnostics import Check, Verdict
from bayes.synthesis import LogRatios, synthesise


@pytest.fixture(scope="module")
def shown(shipped_study):
    rows = LogRatios(("a <b>", "c", "d"), [-0.5, -0.2, 0.1], [0.2, 0.2, 0.3])
    verdict = Verdict((Check("R-hat", True, 1.0, 1.01, "fine"), Check("ESS", False, 10, 400, "worst: <mu>")))
    return {"study": shipped_study, "synthesis": synthesise(rows, tau="HalfNormal(0.5)"), "verdict": verdict}


@pytest.mark.parametrize("name", ["study", "synthesis", "verdict"])
def test_a_repr_is_a_line_and_html_a_table(shown, name):
    one = shown[name]
    assert name in repr(one)
    assert len(repr(one)) < 200
    assert "\n" not in repr(one)
    page = one._repr_html_()
    assert page.count("<table") == page.count("</table>") == 1
    assert "<b>" not in page
    assert "<mu>" not in page


def test_a_study_counts_what_it_holds(shipped_study):
    count = sum(len(rows) for rows in shipped_study.evidence.values())
    assert f"{len(shipped_study.priors)} priors, {count} rows of evidence" in repr(shipped_study)
    other = replace(shipped_study, priors=MappingProxyType({}))
    assert "0 priors" in repr(other)


def test_a_failed_verdict_names_what_failed(shown):
    assert repr(shown["verdict"]) == "<verdict failed: 2 checks; ESS: worst: <mu>>"
    assert bayes.Verdict is Verdict
