"""From words to a declaration: forms, fits, pools and the text that is written."""

import math
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bayes.cli import main
from bayes.elicitation import MASS, ORDER, VALUE, Candidate, candidates, check_near, declaration, fitted, heard, pooled
from bayes.errors import InputError
from bayes.families import FAMILIES, family, fit_edges
from bayes.heroin.quantities import UNITS
from bayes.heroin.study import shipped_study
from bayes.priors import check_numbers, parse_prior

TEXTS = {"meaning": 'a "quoted" \\ meaning', "unit": "offences/person-year", "key": "toolkit",
         "locator": "elicited from A, 2026-01-01", "why": "tabs\tand\nlines", "note": "Said: x."}  # fmt: skip


def elicited(says, unit, chosen=None):
    """What ``bayes priors elicit`` does with what was said."""
    found = fitted(says, unit, "linear", chosen)
    if chosen is None:
        check_near(found[2], found[3], unit)
    return found


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


def test_every_edge_is_heard_those_of_empty_bins_and_of_the_range_too():
    said = heard("0-10*2, 10-20*0, 20-30*0, 30-40*6, 40-50*2, 50-60*0")
    assert said.edges == ((0.0, 0), (0.2, 10), (0.2, 20), (0.2, 30), (0.8, 40), (1.0, 50), (1.0, 60))
    assert heard("0-100*2,100-200*6,200-400*2").edges == heard("0-100*2, 100-200*6, 200-400*2").edges
    assert heard("0-1,000*2,1,000-2,000*6").edges == ((0.0, 0), (0.25, 1000), (1.0, 2000))
    assert heard("-5--2*1, \u22122 - 1*1, 1 to 1,500*2").edges == ((0.0, -5), (0.25, -2), (0.5, 1), (1.0, 1500))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("q05=50, q50=130, q50=140, q95=400", "q50 stands twice"),
        ("q05=50, q50=130, q500=140, q95=400", "q500 stands twice"),
        ("q00=50, q50=130", "no quantile q00"),
        ("q05=50, q50=130, then q95=400", "is no number"),
        ("about 400, about 500, hardly below 100 or above 1,500", "no judgement"),
        ("about 400, never below 100 or above 1,500", "no number"),
        ("I think about 400, hardly below 100 or above 1,500", "no judgement"),
        ("about 400, hardly below 100 or above 1,500 or so", "no number"),
        ("0-100*2, 100-200*6, 200-400*2, and more", "no judgement"),
        ("0-100*2, 100-200*2.5", "no judgement"),
        ("0-100*2, 100-200*6,", "no judgement"),
    ],
)
def test_nothing_that_was_said_is_left_out(said, problem):
    with pytest.raises(InputError, match=problem):
        heard(said)


def test_a_tail_that_is_missed_is_refused_and_so_is_its_mirror_image():
    """The error names the value, what was said and what the nearest family has."""
    with pytest.raises(InputError, match=r"q95: said 0\.6, Beta has 0\.0614"):
        elicited(["about 0.05, hardly below 0.04 or above 0.6"], "share")
    with pytest.raises(InputError, match=r"q05: said 0\.4, Beta has 0\.93"):
        elicited(["about 0.95, hardly below 0.4 or above 0.96"], "share")
    assert elicited(["about 0.05, hardly below 0.04 or above 0.6"], "share", chosen="Beta")[2].family == "Beta"


def test_an_expert_whom_no_family_fits_is_named_before_a_pool_hides_it():
    with pytest.raises(InputError, match="by Bob"):
        elicited(["Ann: about 2, hardly below 1 or above 4", "Bob: about 2, hardly below 0.2 or above 2.1"], "log sd")


def test_chips_without_a_chip_outside_their_range_have_a_family_that_stays_there():
    """One inner edge determines no family of two parameters; the range itself does."""
    choice = elicited(["0-100*5, 100-200*5"], UNITS["offences/person-year"])[2]
    assert (choice.family, dict(choice.parameters)) == ("Uniform", {"lower": 0.0, "upper": 200.0})


def test_chips_are_fitted_by_least_squares_over_every_edge():
    """An independent minimisation for each family, from many starts, over SciPy's own distribution functions."""
    from scipy.optimize import differential_evolution

    edges = [(0.0, 0.0), (0.2, 10.0), (0.2, 20.0), (0.2, 30.0), (0.8, 40.0), (1.0, 50.0)]
    shares, values = np.array(edges).T
    frozen = {
        "Normal": lambda a, b: stats.norm(a, b), "LogNormal": lambda a, b: stats.lognorm(b / 30, scale=a),
        "Gamma": lambda a, b: stats.gamma(a, scale=b / 10),
    }  # fmt: skip
    for name, make in frozen.items():

        def cost(at, make=make):
            return np.sum((make(*at).cdf(values) - shares) ** 2)

        best = differential_evolution(cost, [(5, 60), (0.5, 60)], rng=1, tol=1e-8, popsize=8)
        found = fit_edges(name, edges)
        ours = sum((family(name).cdf(x, found) - p) ** 2 for p, x in edges)
        assert ours == pytest.approx(best.fun, rel=1e-6)
        assert family(name).ppf(0.5, found) == pytest.approx(make(*best.x).median(), abs=1e-3)
    assert family("Normal").ppf(0.5, fit_edges("Normal", edges)) == pytest.approx(34.7, abs=0.05)


def test_families_equally_near_are_taken_in_the_stated_order():
    """Two quantiles: a LogNormal, a Gamma and a Normal have them exactly."""
    assert set(ORDER) == set(FAMILIES)
    found = candidates({0.05: 95.0, 0.95: 105.0}, "persons")
    assert [one.family for one in found[:3]] == ["LogNormal", "Gamma", "Normal"]
    assert max(one.distance for one in found[:3]) < 1e-6


@st.composite
def judgements(draw):
    """Quantiles or chips of a positive quantity."""
    if draw(st.booleans()):
        probabilities = draw(st.sampled_from([(0.05, 0.95), (0.05, 0.5, 0.95), (0.1, 0.5, 0.75, 0.9)]))
        values = draw(st.lists(st.integers(1, 500), min_size=len(probabilities), max_size=len(probabilities),
                               unique=True))  # fmt: skip
        return tuple(zip(probabilities, map(float, sorted(values)), strict=True))
    counts = draw(st.lists(st.integers(0, 6), min_size=2, max_size=6).filter(any))
    width, low = draw(st.integers(1, 60)), draw(st.integers(0, 30))
    bins = [f"{low + i * width}-{low + (i + 1) * width}*{count}" for i, count in enumerate(counts)]
    return heard(", ".join(bins)).edges


FACTORS = st.one_of(st.integers(-9, 9).map(lambda power: 10.0**power), st.floats(1e-6, 1e6))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(judgements(), FACTORS)
def test_a_change_of_unit_changes_neither_the_family_nor_what_it_says(edges, factor):
    """Quantiles change by the factor, to the 1e-4 that least squares by finite differences leaves.

    What is refused is refused in every unit; it may be a limit that no member of a family attains.
    """
    try:
        here = candidates(edges, "persons")
    except InputError:
        with pytest.raises(InputError):
            candidates([(p, x * factor) for p, x in edges], "persons")
        return
    there = candidates([(p, x * factor) for p, x in edges], "persons")
    assert here[0].family == there[0].family
    assert (here[0].distance <= 1) == (there[0].distance <= 1)
    for p, value in here[0].feedback.items() if here[0].distance <= 1 else ():
        assert there[0].feedback[p] == pytest.approx(value * factor, rel=1e-4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(judgements())
def test_what_is_accepted_has_every_value_and_probability_within_its_tolerance(edges):
    """Counted again from the chosen distribution, without the module's own measure."""
    found = candidates(edges, "persons")[0]
    member = family(found.family)
    probabilities = [abs(member.cdf(x, found.parameters) - p) for p, x in edges]
    values = []
    for p in {p for p, _ in edges if 0 < p < 1}:
        said, has = [x for q, x in edges if q == p], member.ppf(p, found.parameters)
        miss = max(min(said) - has, has - max(said), 0.0)
        near = min(said, key=lambda x: abs(x - has))
        gap = min(abs(near - x) for x in [0.0, *(x for q, x in edges if q != p)] if x != near)
        values.append(miss / gap / (2 if edges[0][0] == 0 else 1))
    accepted = max(probabilities) <= MASS and max(values, default=0.0) <= VALUE
    assert accepted == (found.distance <= 1)


def test_an_interval_is_equal_tailed_and_its_mass_is_that_of_the_fitted_distribution():
    """LogNormal quantiles in closed form: its errors are rounding, and another family says how far it misses."""
    points = {p: math.exp(6 + 0.8 * stats.norm.ppf(p)) for p in (0.05, 0.5, 0.95)}
    found = {one.family: one for one in candidates(points, UNITS["offences/person-year"])}
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
    chosen = next(one for one in candidates(points, UNITS["offences/person-year"]) if one.family == family)
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


@pytest.mark.parametrize(("unit", "told"), [("persns", "did you mean 'persons'?"), ("burglaries/week", "")])
def test_a_unit_is_free_text_and_a_near_miss_is_told(capsys, unit, told):
    command = ["priors", "elicit", "new_one", "--unit", unit, "--say", "q05=50, q50=130, q95=400", "--why", "x"]
    assert main([*command, "--family", "LogNormal"]) == 0
    shown = capsys.readouterr()
    assert f'unit       = "{unit}"' in shown.out
    assert told in shown.err
    assert bool(told) == bool(shown.err)
