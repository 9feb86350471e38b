"""Draws made elsewhere enter the diagnostics, summaries, sensitivity and figures like our own."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayes
from bayes.draws import fit_from
from bayes.errors import InputError, UsageError


@pytest.fixture(scope="module")
def draws():
    """Four chains of independent draws: mu, and a matrix theta of 2 by 3."""
    rng = np.random.default_rng(3)
    return {"mu": rng.normal(size=(4, 500)), "theta": rng.normal(size=(4, 500, 2, 3))}


def cmdstan(draws, chain, warmup=0):
    """One file as CmdStan 2.3x writes it: settings, a header, adaptation in the middle, draws, timings."""
    names = [f"theta.{i + 1}.{j + 1}" for j in range(3) for i in range(2)]  # CmdStan counts columns first
    head = ["# stan_version_major = 2", "# method = sample (Default)", "#   sample",
            f"#     num_samples = {draws['mu'].shape[1]}",
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
    verdict = bayes.check(fit)
    assert verdict.passed
    assert {c.name for c in verdict.unavailable} == {"divergences", "E-BFMI"}  # no statistics of a sampler


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


REFUSED = {
    "": "holds no draws.*an empty file",
    "# thin = 1\n": "holds no draws.*nothing but settings",
    "mu\n": "holds no draws.*a header alone",
    "mu,name\n1,a\n2,b\n": "key 'name'.*draws are numbers.*'a'",
    "lp__\n1\n2\n": "no column of draws",
    "chain,draw\n1,1\n": "no column of draws",
    "x[1],x[3]\n1,2\n3,4\n": "elements of this array are missing",
    "x[2],x[3]\n1,2\n": "elements of this array are missing",
    "x[1],x[1,2]\n1,2\n": "another number of cells",
    "chain,mu\n1,2\n1,3\n2,4\n": "chains differ",
    "chain,mu\n1,2\n,3\n": "belongs to no chain",
    "mu,mu\n1,2\n3,4\n": "key 'mu'.*stands twice",
    "x,x.1\n1,2\n3,4\n": "key 'x.1'.*stands twice",
    "x[1],x.1\n1,2\n3,4\n": "key 'x.1'.*stands twice",
    "a/b,mu\n1,2\n3,4\n": "key 'a/b'.*a slash",
    "chain[1],mu\n1,2\n": "name of a dimension",
    "a[1],a_dim_0\n1,2\n": "name of a dimension",
    "mu,,tau\n1,2,3\n2,3,4\n": "a column has no header",
    "0.1,0.2\n0.3,0.4\n": "numbers, not names",
    "mu,weight\n1,0.5\n2,0.1\n": "key 'weight'.*weighted",
    "mu,.log_weight\n1,-1\n2,-2\n": "key '.log_weight'.*weighted",
    "name,Mean,MCSE,StdDev,5%,50%,95%,N_Eff,R_hat\nmu,1,2,3,4,5,6,7,8\n": "a table of summaries, not of draws",
    ",mean,sd,ess_bulk,r_hat\nmu,1,2,400,1\n": "a table of summaries, not of draws",
    # numbers that could be meant in two ways, or in none
    "mu\n0,5\n0,7\n": "another number of cells",
    "mu,sigma\n1,5,2,5\n": "another number of cells",
    "mu,sigma\n1,2\n1,5,2,5\n": "another number of cells",
    "mu,sigma\n1\n": "another number of cells",
    "mu;sigma\n1,234;2,345\n": "may be decimal marks or group thousands",
    "mu;sigma\n1.234,5;2.345,5\n": "may be decimal marks or group thousands",
    "mu;sigma\n1,5;2.5\n": "may be decimal marks or group thousands",
    "mu;sigma\n1,234,567;2\n": "may be decimal marks or group thousands",
    "mu,sigma\n1,n/a\n": "line 2, key 'sigma'.*draws are numbers.*'n/a'.*remove this line",
    "mu;sigma\n1,5;1.000\n": "line 2, key 'sigma'.*may be decimal marks or group thousands",
    "mu,sigma\n1_000,2\n": "draws are numbers.*'1_000'",
    # an order that cannot be
    "iteration,mu\n1,1\n2,2\n2,3\n": "key 'iteration'.*2 stands twice",
    "iteration,mu\n1,1\n2,2\n4,3\n": "key 'iteration'.*2, then 4",
    ".iteration,mu\n1,1\n2,2\n1,3\n2,4\n": "1 stands twice",
    "chain,draw,mu\n1,1,1\n1,2,2\n2,1,3\n2,1,3\n": "key 'draw'.*1 stands twice",
    "iteration,mu\n1,1\n,2\n": "key 'iteration'.*a draw without a number",
    ",mu\n0,1\n5,2\n7,2\n": "the first column.*5, then 7|0, then 5",
    # settings of CmdStan
    "# save_warmup = 1\n# thin = NaN\nmu\n1\n2\n": "key 'thin'.*'NaN'",
    "# save_warmup = true\n# num_warmup = -3\nmu\n1\n2\n": "key 'num_warmup'.*'-3'",
    "# save_warmup = 1\n# thin = 0\nmu\n1\n2\n": "key 'thin'.*'0'",
    "# save_warmup = 1\n# num_warmup = 9\nmu\n1\n2\n": "ends before the first draw",
    "# method = optimize\nlp__,mu\n1\n2,2\n": "another number|holds a point, not draws",
    "# method = optimize\nlp__,mu\n1,2\n": "holds a point, not draws",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_files_that_hold_no_draws_or_could_be_read_in_two_ways_say_so(text, tmp_path):
    path = tmp_path / "draws.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"(?s){REFUSED[text]}"):
        fit_from(path)


READ = {
    "mu,sigma\n1.5,2.5\n-0.5,3\n": "comma",
    "mu;sigma\n1.5;2.5\n-0.5;3\n": "semicolon",
    'mu,sigma\n"1,5","2,5"\n"-0,5",3\n': "decimal commas in quotes",
    "mu,sigma,\n1.5,2.5,\n-0.5,3,\n,,\n": "an empty last column and line",
    "mu,sigma\n1.5,\u00a02.5\n\u22120.5,3\n": "a minus sign and a blank that does not break",
    "Draws of the fit\nmu,sigma\n1.5,2.5\n-0.5,3\n": "a title",
    "mu;sigma\n1,5;2,5\n-0,5;3\n": "semicolon and decimal comma",
    "mu\tsigma\n1,5\t2,5\n-0,5\t3\n": "tab and decimal comma",
    "sep=;\nmu;sigma\n1,5;2,5\n-0,5;3\n": "a line for Excel",
    "\ufeffmu, sigma\n1.5, 2.5\n-0.5, 3\n": "byte-order mark and spaces",
    '"mu","sigma"\r\n1.5,2.5\r\n-0.5,3\r\n': "quotes and Windows lines",
    ',mu,sigma\n0,1.5,2.5\n1,-0.5,3\n': "numbers of rows, as pandas writes them",
    '"","mu","sigma"\n"2",-0.5,3\n"1",1.5,2.5\n': "numbers of rows, as R writes them, in another order",
    "Iteration,mu,sigma\n20,-0.5,3\n10,1.5,2.5\n": "an order by iteration",
    ".chain,.iteration,.draw,mu,sigma\n1,2,2,-0.5,3\n1,1,1,1.5,2.5\n": "columns of posterior and tidybayes",
    "chain,draw,lp,diverging,n_steps,mu,sigma\n0,0,-1,False,3,1.5,2.5\n0,1,-1,True,3,-0.5,3\n": "ArviZ's names",
    "lp__,divergent__,other__,mu,sigma\n-1,0,9,1.5,2.5\n-1,1,9,-0.5,3\n": "sampler columns",
    "# method = variational\nlp__,mu,sigma\n0,7,7\n0,1.5,2.5\n0,-0.5,3\n": "the mean of an approximation",
}  # fmt: skip


@pytest.mark.parametrize("text", READ, ids=READ.values())
def test_files_of_many_kinds_hold_the_same_draws(text, tmp_path):
    path = tmp_path / "draws.csv"
    path.write_text(text, newline="")
    fit = fit_from(path)
    assert list(fit["posterior"].data_vars) == ["mu", "sigma"]
    np.testing.assert_array_equal(fit["posterior"]["mu"], [[1.5, -0.5]])
    np.testing.assert_array_equal(fit["posterior"]["sigma"], [[2.5, 3]])
    if "diverg" in text:
        np.testing.assert_array_equal(fit["sample_stats"]["diverging"], [[False, True]])


def test_elements_are_counted_from_one_or_from_zero(tmp_path):
    for names in ("a[0],a[1],b[0,1],b[0,0]", "a[1],a[2],b[1,2],b[1,1]", "a.1,a.2,b.1.2,b.1.1"):
        quoted = names.replace("b[", '"b[').replace("]", ']"') if "b[" in names else names
        quoted = quoted.replace('a[0]"', "a[0]").replace('a[1]"', "a[1]").replace('a[2]"', "a[2]")
        (tmp_path / "draws.csv").write_text(quoted + "\n1,2,3,4\n")
        fit = fit_from(tmp_path / "draws.csv")
        np.testing.assert_array_equal(fit["posterior"]["a"], [[[1, 2]]])
        np.testing.assert_array_equal(fit["posterior"]["b"], [[[[4, 3]]]])


def test_numbers_written_in_any_way_are_read_back_or_refused(tmp_path):
    """Generated: draws with every delimiter, decimal mark and number of decimals; never another number."""
    rng, path = np.random.default_rng(5), tmp_path / "draws.csv"
    read = 0
    for _ in range(200):
        delimiter, mark, digits = rng.choice([",", ";", "\t"]), rng.choice([".", ","]), int(rng.integers(0, 6))
        values = rng.normal(scale=10.0 ** rng.integers(-3, 6), size=(int(rng.integers(1, 6)), int(rng.integers(1, 4))))
        texts = [[f"{value:.{digits}f}" for value in row] for row in values]
        lines = [delimiter.join(one.replace(".", mark) for one in row) for row in texts]
        path.write_text("\n".join([delimiter.join("abc"[: values.shape[1]]), *lines]))
        try:
            fit = fit_from(path)
        except InputError:
            assert (mark, digits > 0) == (",", True)
            continue
        read += 1
        found = fit["posterior"].to_dataset().to_array().values[:, 0, :].T
        np.testing.assert_array_equal(found, np.array(texts, dtype=float))
    assert read > 120


def test_a_folder_of_cmdstans_files_is_one_fit(stan, draws, tmp_path):
    import shutil

    folder = tmp_path / "csv"
    folder.mkdir()
    for path in stan:
        shutil.copy(path, folder)
    (folder / "profile.csv").write_text("name,thread_id\n")
    np.testing.assert_array_equal(fit_from(folder)["posterior"]["mu"], draws["mu"])
    shutil.copy(stan[0], folder / "other_1.csv")
    with pytest.raises(InputError, match="several runs of CmdStan"):
        fit_from(folder)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "fit.nc").write_text("no NetCDF")
    for source in (tmp_path / "fit.nc", tmp_path / "nowhere.csv", [], [tmp_path / "fit.nc", tmp_path / "fit.nc"]):
        with pytest.raises(InputError):
            fit_from(source)


def test_a_pipe_that_nobody_writes_to_is_no_file_of_draws(tmp_path):
    for name in ("draws.nc", "draws.csv"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match="a device or a pipe"):
            fit_from(tmp_path / name)


def test_files_that_arviz_0_23_wrote_are_read(tmp_path):
    """Draws of ``numpy.random.default_rng(23)``, rounded to three decimals, written by ArviZ 0.23.4."""
    import shutil

    x = np.round(np.random.default_rng(23).normal(size=(2, 20, 4)), 3)
    here = Path(__file__).parent / "reference"
    shutil.unpack_archive(here / "arviz_0_23.zarr.zip", tmp_path / "fit.zarr")
    for path in (here / "arviz_0_23.nc", tmp_path / "fit.zarr"):
        fit = bayes.load_fit(path)
        np.testing.assert_array_equal(fit["posterior"]["mu"], x[..., 0])
        np.testing.assert_array_equal(fit["posterior"]["theta"].sel(school="Deerfield"), x[..., 2])
        assert set(fit.children) == {"posterior", "sample_stats", "observed_data"}


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


KINDS = {
    "plain": lambda table: table.to_csv(index=False),
    "CmdStan's lines": lambda table: f"# thin = 1\n{table.to_csv(index=False)}# Elapsed Time: 1\n",
    "semicolons": lambda table: table.to_csv(index=False, sep=";"),
    "a title": lambda table: f"Draws of the model\n{table.to_csv(index=False)}",
    "chains": lambda table: table.assign(chain=[f"c{i % 2}" for i in range(len(table))]).to_csv(index=False),
    "decimal commas": lambda table: table.to_csv(index=False, sep=";", decimal=","),
    "a word": lambda table: table.to_csv(index=False) + "NA,NaN,1e400\n",
    "a short line": lambda table: table.to_csv(index=False) + "1.5,2.5\n",
    "a long line": lambda table: table.to_csv(index=False) + "1.5,2.5,3.5,4.5\n",
    "a remark in a cell": lambda table: table.to_csv(index=False) + "1.5,2.5,3.5#\n",
    "names of rows": lambda table: table.to_csv(),
    "an underscore": lambda table: table.to_csv(index=False) + "1_0,2.5,3.5\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_large_files_are_read_as_small_ones_are(kind, tmp_path, monkeypatch):
    """The parser of pandas reads what it can read to the last bit; of the rest, both say the same."""
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 3)), columns=["mu", "theta[1]", "theta[2]"])
    path = tmp_path / "draws.csv"
    path.write_text(KINDS[kind](table), encoding="utf-8")

    def told():
        try:
            fit = fit_from(path)
        except InputError as error:
            return str(error)
        return {name: values.values.tobytes() for name, values in fit["posterior"].data_vars.items()}

    with_care = told()
    monkeypatch.setattr("bayes.sheets.LARGE", 0)
    monkeypatch.setattr("bayes.sheets.MOST_JUDGED", 200)
    assert told() == with_care
