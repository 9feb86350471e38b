"""What else is asked of a synthesis at the command line: files, lines and tables; and intervals of any kind."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes.cli import main
from bayes.report.pooled import report_of_synthesis
from bayes.synthesis import Asked, Counts, LogRatios, Options, answered, synthesise
from bayes.synthesis.shown import notes, what_is_pooled
from bayes.synthesis.tables import cumulative_table, e_value, effects_table, interval, sceptical_limit

ROWS = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("asked") / "rows.csv"
    path.write_text("study,y,se,b,bs\na,-0.5,0.2,-0.1,0.1\nb,-0.2,0.3,0,0\nc,-0.9,0.4,0,0.2\nd,-0.6,0.3,0,0\n")
    return path


def test_intervals_of_a_common_effect_are_normal():
    """Flat prior, common effect: both kinds are the normal interval of any probability."""
    found = synthesise(ROWS, mu="flat", effects="common", options=Options(leave_one_out=False, prob=0.8, kind="hdi"))
    w = ROWS.se**-2
    exact = stats.norm(w @ ROWS.y / w.sum(), w.sum() ** -0.5).interval(0.8)
    for kind in ("eti", "hdi"):
        low, high = interval(found, "mu", 0.8, kind)
        assert [low[0], high[0]] == pytest.approx(exact, abs=2e-3 if kind == "hdi" else 1e-9)
    table = effects_table(found)
    assert set(table["kind"]) == {"hdi"}
    assert set(table["prob"]) == {0.8}


def test_the_shortest_interval_of_tau_is_shorter_and_holds_its_probability():
    found = synthesise(ROWS, options=Options(leave_one_out=False))
    (low, high), (left, right) = (tuple(float(end[0]) for end in interval(found, "tau", 0.9, kind))
                                  for kind in ("hdi", "eti"))  # fmt: skip
    assert high - low < right - left
    nodes = found.exact.tau
    mass = np.exp(nodes.logs - nodes.logs.max())
    held = mass[(nodes.values >= low) & (nodes.values <= high)].sum() / mass.sum()
    assert held == pytest.approx(0.9, abs=0.02)  # sums of whole nodes


def test_one_by_one_ends_with_the_whole():
    found = synthesise(ROWS, options=Options(leave_one_out=False))
    table = cumulative_table(found)
    last = table[(table["rows"] == 3) & (table["quantity"] == "mu")].iloc[0]
    assert last["estimate"] == pytest.approx(float(found.numbers["mu"]["q50"]), rel=1e-12)


def test_e_values_are_the_published_ones():
    """VanderWeele and Ding 2017, Ann. Intern. Med. 167:268: RR 3.9 (1.8 to 8.7) has 7.26 and 3.0."""
    assert e_value(3.9, 1.8) == pytest.approx((7.26, 3.0), abs=6e-3)
    assert e_value(1 / 3.9, 1 / 1.8) == pytest.approx((7.26, 3.0), abs=6e-3)


def test_a_sceptic_at_the_limit_has_an_interval_that_touches_zero():
    low, high = -1.0, -0.2
    limit = sceptical_limit(low, high)
    se, mean = (high - low) / (2 * 1.959964), (low + high) / 2
    precision = se**-2 + (limit / 1.959964) ** -2
    assert mean * se**-2 / precision + 1.959964 * precision**-0.5 == pytest.approx(0, abs=1e-6)


def test_tables_of_the_report_have_a_line_for_each_thing_in_words():
    rows = LogRatios(("a", "b", "c"), np.array([-0.4, -0.2, -0.3]), np.array([0.2, 0.1, 0.2]))
    found = synthesise(rows)
    got = answered(found, Asked(sets={"sceptical": ("Normal(0, 0.2)", "HalfNormal(0.3)")}, cumulative=True))
    report = report_of_synthesis(found, got.tables, got.lines, {})
    effects, left_out, sets = (report.tables[name] for name in ("effects", "left_out", "prior_sets"))
    assert [row[0].text for row in effects.rows if "," not in row[0].text] == ["a", "b", "c"]
    assert [len(row) for row in left_out.rows] == [4, 4, 4]
    mu = found.numbers["mu"]
    median, ends = effects.rows[0][1].text, effects.rows[0][2].text
    assert [float(one.replace("−", "-")) for one in (median, *ends.split(" to "))] == pytest.approx(
        [float(mu[key]) for key in ("q50", "q2.5", "q97.5")], abs=0.006
    )
    assert [one.heading for one in sets.columns][-1] == "Bayes factor"
    headings = {one.heading for table in report.tables.values() for one in table.columns}
    assert not any("_" in one and "theta_new" not in one for one in headings)
    said = [one.text for one in report.claims.values()]
    assert not any(one.startswith("  ") or "Added one by one" in one for one in said)
    assert any("Bayes factor compares" in one for one in said)


def test_log_odds_have_no_second_plural():
    found = synthesise(Counts(("a", "b"), np.array([[3], [5]]), np.array([[30], [40]])))
    assert what_is_pooled(found) == "log odds, random effects"


def test_classical_numbers_of_rows_of_one_study_say_what_they_take():
    told = "Classical numbers take the rows of one study as independent."
    assert told not in notes(synthesise(ROWS, options=Options(leave_one_out=False)))
    of_studies = replace(ROWS, study=("A", "A", "B"))
    assert told in notes(synthesise(of_studies, options=Options(leave_one_out=False)))


def test_everything_at_once(file, tmp_path, capsys):
    sets = tmp_path / "sets.toml"
    sets.write_text('[enthusiastic]\nmu = "Normal(-0.5, 0.2)"\n')
    out, prior = tmp_path / "out", tmp_path / "map.py"
    command = ["synthesise", str(file), "--y", "y", "--se", "se", "--quiet", "--no-leave-one-out", "--exclude", "d"]
    more = ["--mu-set", "sceptical=Normal(0, 0.2)", "--sets", str(sets), "--beyond", "0.8", "--small-studies",
            "--cumulative", "--tipping", "--map", str(prior), "--robust", "0.2", "--sigma", "2", "--out", str(out),
            "--bias", "internal=b", "--bias", "internal_sd=bs"]  # fmt: skip
    assert main([*command, *more]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for part in ("sceptical", "enthusiastic", "Bayes factor", "probability of a ratio below 0.8", "trim and fill",
                 "fewer than ten",
                 "Added one by one", "E-value", "Effective sample size", "mu unadjusted", "Classical"):  # fmt: skip
        assert part in words, part
    assert prior.read_text().startswith("pm.NormalMixture")
    assert {path.name for path in (out / "tables").iterdir()} == {
        "effects.csv", "classical.csv", "prior_sets.csv", "small_studies.csv", "cumulative.csv"}  # fmt: skip
    assert len(pd.read_csv(out / "tables/prior_sets.csv")) == 9
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    page = (out / "report.html").read_text()
    assert "Under other priors" in page
    assert "too few to tell" in page
    assert page.count("<svg") == 3  # forest, once more for narrow screens, and funnel; leave-one-out was not asked for
    assert zipfile.is_zipfile(out / "report.docx")
    assert json.loads((out / "synthesis.json").read_text())["label"] == ["a", "b", "c"]
    assert main([*command, "--out", str(out)]) == 2
    assert "this folder exists" in capsys.readouterr().err
