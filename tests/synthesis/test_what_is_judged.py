"""What is printed is what is judged: quadrature by its own convergence, draws by their diagnostics."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import bayes.synthesis.answer as answer
from bayes.cli import main
from bayes.diagnostics import Check, Verdict
from bayes.numbers import ranged
from bayes.priortext import prior_from_text
from bayes.synthesis import Counts, LogRatios, synthesise
from bayes.synthesis.exact import exact_posterior
from bayes.synthesis.shown import _pooled_lines, notes, synthesis_table

ROWS = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
TROUBLE = {
    "R-hat": Check("R-hat", False, 1.2, 1.01, "worst: tau 1.20"),
    "one divergence": Check("divergences", False, 1.0, 0.0, "1 of 4,000 draws"),
}


@pytest.fixture(scope="module")
def found():
    return synthesise(ROWS, draws=500, leave_one_out=False)


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_of_the_sampler_is_the_cross_checks(name, monkeypatch):
    monkeypatch.setattr(answer, "check", lambda fit: Verdict((TROUBLE[name],)))
    found = synthesise(ROWS, draws=200)
    assert found.method == "quadrature"
    assert found.verdict.passed
    assert not found.cross_check.passed
    words = " ".join(notes(found))
    assert "exact to the digits shown" in words
    assert f"had trouble, which the numbers above do not rest on ({TROUBLE[name].name}: " in words
    assert "Do not use" not in words
    data = found.as_data()
    assert (data["verdict"], data["cross_check"]["verdict"]) == ("passed", "failed")
    assert [one["name"] for one in data["checks"]] == ["quadrature"]


def test_trouble_of_the_sampler_is_the_verdict_where_draws_are_shown(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(answer, "check", lambda fit: Verdict((TROUBLE["R-hat"],)))
    path = tmp_path / "counts.csv"
    path.write_text("study,a,b,n,m\nx,1,5,20,20\ny,2,4,30,30\n")
    assert main(["synthesise", str(path), "--events", "a,b", "--total", "n,m", "--quiet", "--draws", "200",
                 "--effects", "t"]) == 1  # fmt: skip
    words = " ".join(capsys.readouterr().out.split())
    assert "Verdict of the diagnostics: failed" in words
    assert "Do not use these numbers. Try --draws 800" in words
    assert "--tau" not in words  # a prior is never changed so that a check passes


def test_sound_draws_that_contradict_the_quadrature_fail_it(monkeypatch):
    def shifted(rows, mu, tau, trials=True, **more):
        return exact_posterior(LogRatios(rows.labels, rows.y + 0.2, rows.se), mu, tau, trials, **more)

    monkeypatch.setattr(answer, "exact_posterior", shifted)
    found = synthesise(ROWS, draws=1000, leave_one_out=False)
    assert [one.name for one in found.verdict.failures] == ["MCMC against quadrature"]


def test_a_quadrature_that_has_not_settled_is_neither_exact_nor_always_lost(found):
    for change, passed, words in ((1e-6, True, "by 1e-06 posterior standard deviations"), (0.2, False, "still moves")):
        exact = replace(found.exact, change=change)
        made = replace(found, exact=exact, verdict=Verdict((answer._convergence(exact),)))
        assert made.verdict.passed == passed
        text = " ".join(notes(made))
        assert words in text
        assert "exact to the digits" not in text
        assert ("Do not use these numbers" in text) != passed


def test_draws_that_diverge_are_drawn_again_with_shorter_steps(monkeypatch):
    """Where steps were too long the cure is shorter steps, not another prior."""
    targets = []

    class Fit(dict):
        pass

    def sample(model, *, draws, rng, target_accept=0.9):
        targets.append(target_accept)
        raise_after = Fit(sample_stats={"diverging": np.array([len(targets) == 1])})
        if len(targets) == 2:
            raise StopIteration
        return raise_after

    monkeypatch.setattr(answer, "sample", sample)
    counts = Counts(("a", "b"), np.array([[0, 5], [3, 8]]), np.array([[20, 20], [30, 30]]))
    with pytest.raises(StopIteration):
        synthesise(counts, effects="t")
    assert targets == [0.99, answer.SHORTER]


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 0.1, 1.0, 30.0, 1e5, 1e9])
def test_numbers_of_any_size_keep_their_digits(scale, found):
    """The same trials in other units: every end within a thirtieth of its range, and the table as wide as ever."""
    rows = LogRatios(ROWS.labels, ROWS.y * scale, ROWS.se * scale)
    mu, tau = (prior_from_text(*of) for of in (("mu", f"Normal(0, {2 * scale!r})", "log ratio"),
                                                      ("tau", f"HalfNormal({scale / 2!r})", "log sd")))  # fmt: skip
    exact = exact_posterior(rows, mu, tau)
    made = replace(found, rows=rows, mu=mu, tau=tau, exact=exact)
    for name, (cells, _) in zip(("mu", "theta_new", "tau"), _pooled_lines(made), strict=True):
        ends = [float(exact.numbers[name][key]) for key in ("q2.5", "q97.5")]
        shown = [float(part.replace("−", "-")) for part in cells[3].split(" to ")]
        assert shown == pytest.approx(ends, abs=(ends[1] - ends[0]) / 30), name
    console = Console(width=100, record=True)
    console.print(synthesis_table(made))
    assert max(len(line.rstrip()) for line in console.export_text().splitlines()) <= 100


def test_a_number_is_written_with_its_scale():
    shown = [ranged(value, width) for value, width in ((0.0021, 0.004), (1234.5, 900.0), (-0.7145, 0.7), (-1e-9, 3.0))]
    assert shown == ["0.0021", "1234", "−0.71", "0.00"]
