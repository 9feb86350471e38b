"""Draws made elsewhere enter the diagnostics, summaries, sensitivity and figures like our own."""

import numpy as np
import pandas as pd
import pytest

import bayes
from bayes.elsewhere import fit_from
from bayes.errors import InputError, UsageError


@pytest.fixture(scope="module")
def draws():
    """Four chains of independent draws: mu, and a matrix theta of 2 by 3."""
    rng = np.random.default_rng(3)
    return {"mu": rng.normal(size=(4, 500)), "theta": rng.normal(size=(4, 500, 2, 3))}


def cmdstan(draws, chain, warmup=0):
    """One file as CmdStan 2.3x writes it: settings, a header, adaptation in the middle, draws, timings."""
    names = [f"theta.{i + 1}.{j + 1}" for j in range(3) for i in range(2)]  # CmdStan counts columns first
    head = ["# stan_version_major = 2", "#   sample", f"#     num_samples = {draws['mu'].shape[1]}",
            f"#     num_warmup = {warmup or 1000}", f"#     save_warmup = {'true' if warmup else 'false'}",
            "#     thin = 1 (Default)",
            ",".join(["lp__", "accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__", "divergent__", "energy__",
                      "mu", *names])]  # fmt: skip
    rng = np.random.default_rng(chain)
    lines = [",".join(["-9", "0.1", "1", "1", "1", "0", "9", *["99"] * 7])] * warmup
    lines += ["# Adaptation terminated", "# Step size = 0.8", "# Diagonal elements of inverse mass matrix:", "# 1, 1"]
    for mu, theta in zip(draws["mu"][chain], draws["theta"][chain], strict=True):
        numbers = [-1.0, 0.9, 0.8, 2, 3, 0, rng.normal(), mu, *(theta[i, j] for j in range(3) for i in range(2))]
        lines.append(",".join(map(repr, map(float, numbers))))
    return "\n".join([*head, *lines, "# ", "#  Elapsed Time: 0.01 seconds (Warm-up)", ""])


@pytest.fixture(scope="module")
def stan(draws, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cmdstan")
    paths = [folder / f"out_{chain}.csv" for chain in range(4)]
    for chain, path in enumerate(paths):
        path.write_text(cmdstan(draws, chain))
    return paths


def test_cmdstan_files_are_read_to_the_last_digit(draws, stan):
    fit = bayes.load_fit(stan)
    np.testing.assert_array_equal(fit["posterior"]["mu"], draws["mu"])
    np.testing.assert_array_equal(fit["posterior"]["theta"], draws["theta"])
    assert fit["sample_stats"]["diverging"].dtype == bool
    assert fit["posterior"]["theta"].dims == ("chain", "draw", "theta_dim_0", "theta_dim_1")


def test_saved_warm_up_is_left_out(draws, tmp_path):
    path = tmp_path / "out.csv"
    path.write_text(cmdstan(draws, 0, warmup=7))
    np.testing.assert_array_equal(fit_from(path)["posterior"]["mu"], draws["mu"][:1])


def test_they_enter_diagnostics_summaries_and_figures(stan):
    fit = bayes.load_fit(stan)
    verdict = bayes.check(fit)
    assert verdict.passed, verdict
    table = bayes.summarise(fit["posterior"].to_dataset(), prob=0.9)
    assert len(table) == 7
    assert bayes.figures.chains(fit).axes


def test_a_plain_file_may_hold_several_chains_and_says_what_it_lacks(draws, tmp_path):
    mu = pd.DataFrame(
        {"chain": np.repeat([1, 2, 3, 4], 500), "draw": np.tile(np.arange(500), 4), "mu": draws["mu"].ravel()}
    )
    mu["x[1]"], mu["x[2]"] = mu["mu"] + 1, mu["mu"] + 2
    mu.sample(frac=1, random_state=1).sort_values("draw").to_csv(tmp_path / "draws.csv", index=False)
    fit = bayes.load_fit(tmp_path / "draws.csv")
    np.testing.assert_array_equal(fit["posterior"]["mu"], draws["mu"])
    assert fit["posterior"]["x"].shape == (4, 500, 2)
    failed = {c.name for c in bayes.check(fit).failures}
    assert failed == {"divergences"}  # no statistics of a sampler: a check that cannot run has failed


def test_netcdf_and_zarr_come_back_as_they_were(shipped_fit, tmp_path):
    import xarray as xr

    shipped_fit.to_netcdf(tmp_path / "fit.nc", engine="netcdf4")
    small = xr.DataTree.from_dict({"posterior": shipped_fit["posterior"].to_dataset()[["mu_theta", "effect"]]})
    small.to_zarr(tmp_path / "fit.zarr", consolidated=False)
    np.testing.assert_array_equal(
        bayes.load_fit(tmp_path / "fit.nc")["posterior"]["effect"], shipped_fit["posterior"]["effect"]
    )
    np.testing.assert_array_equal(
        bayes.load_fit(tmp_path / "fit.zarr")["posterior"]["effect"], shipped_fit["posterior"]["effect"]
    )
    assert fit_from(shipped_fit) is shipped_fit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a CSV file of draws"),
        ("mu\n", "draws are numbers"),
        ("mu,name\n1,a\n2,b\n", "name"),
        ("lp__\n1\n2\n", "no column of draws"),
        ("x[1],x[3]\n1,2\n3,4\n", "elements of this array are missing"),
        ("chain,mu\n1,2\n1,3\n2,4\n", "chains differ"),
    ],
)
def test_files_that_hold_no_draws_say_so(text, words, tmp_path):
    path = tmp_path / "draws.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        fit_from(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "fit.nc").write_text("no NetCDF")
    for source in (tmp_path / "fit.nc", tmp_path / "nowhere.csv", [], [tmp_path / "fit.nc", tmp_path / "fit.nc"]):
        with pytest.raises(InputError):
            fit_from(source)


class InferenceData:
    """What ArviZ 0.x hands out, as far as it is asked: groups by name, each a Dataset."""

    def __init__(self, **groups):
        self._groups, self.attrs = list(groups), {"made": "by hand"}
        self.__dict__ |= groups

    def groups(self):
        return self._groups


def test_one_door_takes_every_form_in_memory(draws):
    import xarray as xr

    data = xr.Dataset({"mu": (("chain", "draw"), draws["mu"])})
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((4, 500), dtype=bool))})
    tree = xr.DataTree.from_dict({"posterior": data, "sample_stats": stats})
    for source in (tree, data, InferenceData(posterior=data, sample_stats=stats), xr.DataTree(data)):
        xr.testing.assert_identical(fit_from(source)["posterior"].to_dataset(), data)
    assert set(fit_from(InferenceData(posterior=data, sample_stats=stats)).children) == {"posterior", "sample_stats"}


def test_what_holds_no_draws_is_refused_with_what_it_is(draws):
    import xarray as xr

    stacked = xr.Dataset({"mu": ("sample", draws["mu"].ravel())})
    prior = xr.DataTree.from_dict({"prior": stacked})
    sources = (None, 3, [], [1, 2], {"mu": draws["mu"]}, draws["mu"], pd.DataFrame({"mu": [1.0]}), stacked, prior,
               InferenceData(prior=stacked), lambda: None)  # fmt: skip
    for source in sources:
        with pytest.raises(UsageError, match=r"(?s)no draws of a posterior.*allowed: a DataTree") as caught:
            fit_from(source)
        assert type(source).__name__ in str(caught.value)
