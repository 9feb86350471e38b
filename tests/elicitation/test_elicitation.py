"""From words to a declaration: forms, fits, pools and the text that is written."""

import math
import tomllib

import pytest
from scipy import stats

from bayes.cli import main
from bayes.elicitation import Candidate, candidates, declaration, elicited, heard, pooled
from bayes.errors import InputError
from bayes.priors import check_numbers, parse_prior
from bayes.study import shipped_study

TEXTS = {"meaning": 'a "quoted" \\ meaning', "unit": "offences/person-year", "key": "toolkit",
         "locator": "elicited from A, 2026-01-01", "why": "tabs\tand\nlines", "note": "Said: x."}  # fmt: skip


def normal(mean, sd):
    return Candidate("Normal", {"mu": mean, "sigma": sd}, 0.0, 0.0, {})


def test_three_forms_say_the_same():
    quantiles = {0.05: 100.0, 0.5: 400.0, 0.95: 1500.0}
    assert heard("q05=100, q50=400, q95=1,500").points == quantiles
    assert heard("about 400, hardly below 100 or above 1,500").points == quantiles
    chips = heard("Bob: 0-100*1, 100-400*9, 400-1500*9, 1500-5000*1")
    assert (chips.expert, chips.points) == ("Bob", quantiles)


@pytest.mark.parametrize(
    "said",
    ["", "perhaps 400", "q05=400, q50=100", "0-100*2, 200-300*1", "0-100*0", "100-0*3", "about 4, below 9, above 1"],
)
def test_what_is_no_judgement_is_refused(said):
    with pytest.raises(InputError):
        heard(said)


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("about 60%, hardly below 40% or above 80%", "write 0.60, without the % sign"),
        ("q05=40 %, q50=60 %", "write 0.40, without the % sign"),
        ("q05=0,4, q50=0,6", "write 0.4, with a decimal point"),
        ("about 2,5, hardly below 1 or above 4", "write 2.5, with a decimal point"),
        ("Ann: about 0,400, hardly below 0.2 or above 0.6", "write 0.400, with a decimal point"),
    ],
)
def test_per_cent_and_decimal_commas_are_told_how_to_write_it(said, fix):
    with pytest.raises(InputError) as caught:
        heard(said)
    assert caught.value.fix == fix


def test_commas_between_chips_and_of_thousands_are_no_decimal_commas():
    assert heard("0-10*2,10-20*6,20-30*2").points == heard("0-10*2, 10-20*6, 20-30*2").points
    assert heard("q05=50,q50=130").points == {0.05: 50.0, 0.5: 130.0}
    assert heard("about 1,500,000, hardly below 10,000 or above 2,000,000").points[0.5] == 1.5e6


def test_an_interval_is_equal_tailed_and_its_mass_is_that_of_the_fitted_distribution():
    """LogNormal quantiles in closed form: its errors are rounding, and another family says how far it misses."""
    points = {p: math.exp(6 + 0.8 * stats.norm.ppf(p)) for p in (0.05, 0.5, 0.95)}
    found = {one.family: one for one in candidates(points, "offences/person-year")}
    assert found["LogNormal"].mass_error < 1e-12
    assert found["LogNormal"].feedback[0.99] == pytest.approx(math.exp(6 + 0.8 * stats.norm.ppf(0.99)), rel=1e-9)
    gamma = found["Gamma"]
    frozen = stats.gamma(gamma.parameters["alpha"], scale=1 / gamma.parameters["beta"])
    assert gamma.mass_error == pytest.approx(max(abs(frozen.cdf(q) - p) for p, q in points.items()), abs=1e-12)


def test_families_that_leave_the_unit_are_not_offered():
    found = {one.family for one in candidates({0.05: 0.6, 0.5: 0.8, 0.95: 0.95}, "share")}
    assert "Beta" in found
    assert not found & {"Normal", "LogNormal", "Gamma"}  # each gives more than 0.1 % to shares above 1


def test_a_linear_pool_is_the_mean_of_distribution_functions():
    found = pooled([normal(0, 1), normal(3, 0.5)], "linear", (0.1, 0.5, 0.9))
    for p, x in found.items():
        assert (stats.norm.cdf(x) + stats.norm.cdf((x - 3) / 0.5)) / 2 == pytest.approx(p, abs=1e-12)


def test_a_logarithmic_pool_of_normals_is_normal():
    """Its precision is the mean of theirs, its mean is weighted by them; 1e-4 of a sd is the grid of the integral."""
    found = pooled([normal(0, 1), normal(3, 0.5)], "logarithmic", (0.1, 0.5, 0.9))
    precision = (1 + 4) / 2
    exact = stats.norm((3 * 4 / 2) / precision, precision**-0.5)
    for p, x in found.items():
        assert x == pytest.approx(exact.ppf(p), abs=1e-4 * exact.std())


def test_one_expert_pooled_with_himself_is_himself():
    for how in ("linear", "logarithmic"):
        assert pooled([normal(1, 2)] * 2, how, (0.25,))[0.25] == pytest.approx(stats.norm(1, 2).ppf(0.25), abs=2e-3)


@pytest.mark.parametrize("family", ["LogNormal", "Gamma", "ShiftedLogNormal"])
def test_a_declaration_reads_back_as_it_was(family):
    points = heard("q05=50, q50=130, q95=400").points
    chosen = next(one for one in candidates(points, "offences/person-year") if one.family == family)
    prior = parse_prior("x", tomllib.loads(declaration("x", chosen, points, TEXTS))["x"])
    check_numbers(prior)
    assert prior.parameters == pytest.approx(dict(chosen.parameters), rel=1e-12)
    assert (prior.meaning, prior.why) == (TEXTS["meaning"], TEXTS["why"])
    assert ("misses what was said" in prior.note) == (family != "ShiftedLogNormal")


def test_two_peaks_are_not_passed_off_as_one():
    with pytest.raises(InputError, match="no family is near"):
        elicited(["0-1*1, 1-2*8, 2-98*2, 98-99*8, 99-100*1"], "persons")


def test_the_command_writes_a_declaration_with_who_when_and_why(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    command = ["priors", "elicit", "waiting_time", "--unit", "years", "--why", "They keep the list.",
               "--on", "2026-01-31", "--say", "Ann: about 2, hardly below 1 or above 4",
               "--say", "Bob: q05=1, q50=3, q95=6", "--to", str(path)]  # fmt: skip
    assert main(command) == 0
    assert "fed back" in capsys.readouterr().out
    prior = parse_prior("waiting_time", tomllib.loads(path.read_text())["waiting_time"])
    assert prior.source.locator == "elicited from Ann, Bob, 2026-01-31, linear pool"
    assert "Said: about 2" in prior.note
    before = path.read_bytes()
    assert main(command) == 2
    assert "is declared there" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_replacing_keeps_every_other_byte(tmp_path, capsys):
    path = tmp_path / "delivery.toml"
    before = (shipped_study() / "delivery.toml").read_bytes()
    path.write_bytes(before)
    command = ["priors", "elicit", "occupancy", "--say", "q05=0.6, q50=0.85, q95=0.97", "--family", "Beta",
               "--why", "Ran a clinic.", "--to", str(path)]  # fmt: skip
    assert main(command) == 2
    assert "add --replace" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main([*command, "--replace"]) == 0
    assert "Replaced in" in capsys.readouterr().out
    after = path.read_bytes()
    head, _, rest = before.partition(b"[occupancy]\n")
    tail = rest[rest.index(b"\n[") :]
    assert after.startswith(head + b"[occupancy]\n")
    assert after.endswith(tail)
    assert tomllib.loads(after.decode())["occupancy"]["why"] == "Ran a clinic."


def test_a_misspelt_name_is_not_a_new_quantity(capsys):
    assert main(["priors", "elicit", "occupency", "--say", "q05=0.6, q95=0.97", "--why", "x"]) == 2
    assert "did you mean 'occupancy'?" in capsys.readouterr().err


def test_a_declared_quantity_lends_its_unit(capsys):
    assert (
        main(
            ["priors", "elicit", "occupancy", "--say", "q05=0.6, q50=0.85, q95=0.97", "--why", "x", "--family", "Beta"]
        )
        == 0
    )
    assert 'unit       = "share"' in capsys.readouterr().out
    assert main(["priors", "elicit", "new_one", "--say", "q05=0.6, q50=0.85, q95=0.97", "--why", "x"]) == 2
    assert "--unit" in capsys.readouterr().err
