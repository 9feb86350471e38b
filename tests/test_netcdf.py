"""NetCDF files: the bytes xarray would write, one thread at a time, and an end to every reading."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import bayes
from bayes.errors import StudyError
from bayes.netcdf import check_netcdf, read_netcdf, set_attributes, write_netcdf

PACKAGE = Path(bayes.__file__).parent
HANGS = Path(__file__).parent / "reference" / "never_ends.nc"
"""A file of 12 kB with damaged metadata, on which HDF5 2.0 and 2.2 are busy for ever."""


@pytest.fixture(scope="module")
def tree():
    """Groups in groups, texts, truth values, whole numbers, missing values."""
    rng = np.random.default_rng(8)
    posterior = xr.Dataset(
        {"mu": (("chain", "draw"), rng.normal(size=(4, 50))),
         "theta": (("chain", "draw", "study"), rng.normal(size=(4, 50, 3)))},
        coords={"study": ["Wien", "Zürich", "São Paulo"]}, attrs={"made": "by hand"},
    )  # fmt: skip
    posterior["mu"][0, 0] = np.nan
    stats = xr.Dataset({"diverging": (("chain", "draw"), rng.random((4, 50)) < 0.1), "steps": ("chain", np.arange(4))})
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"seed": 3}), "posterior": posterior, "sample_stats": stats,
                                  "sample_stats/warmup": stats})  # fmt: skip


def test_files_have_the_bytes_that_xarray_writes_and_read_alike(tree, tmp_path):
    for data in (tree, tree["posterior"].to_dataset()):
        write_netcdf(data, tmp_path / "ours.nc")
        data.to_netcdf(tmp_path / "xarrays.nc", engine="netcdf4")
        assert (tmp_path / "ours.nc").read_bytes() == (tmp_path / "xarrays.nc").read_bytes()
        with xr.open_datatree(tmp_path / "ours.nc") as opened:
            xr.testing.assert_identical(read_netcdf(tmp_path / "ours.nc"), opened.load())


def test_dask_arrays_are_written_too(tree, tmp_path):
    data = tree["posterior"].to_dataset()
    write_netcdf(data.chunk({"draw": 10}), tmp_path / "draws.nc")
    xr.testing.assert_identical(read_netcdf(tmp_path / "draws.nc").to_dataset(), data)


def test_some_groups_and_attributes(tree, tmp_path):
    write_netcdf(tree, tmp_path / "fit.nc")
    set_attributes(tmp_path / "fit.nc", {"verdict": "passed"})
    found = read_netcdf(tmp_path / "fit.nc", ["posterior"])
    assert list(found.children) == ["posterior"]
    assert found.attrs == {"seed": 3, "verdict": "passed"}
    with pytest.raises(OSError, match="group not found"):
        read_netcdf(tmp_path / "fit.nc", ["prior"])


def test_netcdf_is_read_and_written_in_one_place_only():
    names = {"to_netcdf", "open_dataset", "load_dataset", "netCDF4", "h5py", "h5netcdf", "from_netcdf"}
    for path in PACKAGE.rglob("*.py"):
        if path.name != "netcdf.py" or path.parent != PACKAGE:
            found = [getattr(node, "attr", getattr(node, "name", "")) for node in ast.walk(ast.parse(path.read_text()))]
            assert not names & {str(name).partition(".")[0] for name in found}, path


THREADS = """
import faulthandler, gc, sys
faulthandler.enable()
import dask.array, distributed, numpy as np, xarray as xr
from pathlib import Path
from bayes.netcdf import read_netcdf, set_attributes, write_netcdf

draws = {f"x{i}": (("chain", "draw"), np.random.default_rng(i).normal(size=(4, 20))) for i in range(8)}
TREE = xr.DataTree.from_dict({"posterior": xr.Dataset(draws), "sample_stats": xr.Dataset(draws)})
FOLDER = Path(sys.argv[1])
write_netcdf(TREE, FOLDER / "open.nc")
LEFT_OPEN = [xr.open_dataset(FOLDER / "open.nc", group="posterior") for _ in range(100)]  # as users do

def one(number):
    path = FOLDER / f"{number}.nc"
    write_netcdf(TREE, path)
    if LEFT_OPEN:
        LEFT_OPEN.pop()  # closed wherever its last reference goes
    set_attributes(path, {"number": number})
    found = read_netcdf(path)
    assert found.attrs["number"] == number
    xr.testing.assert_identical(found["posterior"].to_dataset(), TREE["posterior"].to_dataset())
    return dask.array.ones((50, 50), chunks=10).sum()

with distributed.Client(processes=False, n_workers=1, threads_per_worker=4, dashboard_address=None) as client:
    jobs = client.map(one, range(75), pure=False)
    for number in range(1000, 1025):  # this thread too, while the others work
        one(number)
    assert len(client.gather(jobs)) == 75
print("read and written")
"""


def test_many_threads_read_and_write_at_once(tmp_path):
    """100 files in five threads of Dask's and this one; with xarray's own functions this crashes within a few."""
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", THREADS, str(tmp_path)], capture_output=True, text=True, timeout=100,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-3000:]
    assert "read and written" in made.stdout


def test_a_file_on_which_hdf5_never_ends_is_refused_in_time():
    start = time.monotonic()
    with pytest.raises(StudyError, match=r"(?s)never_ends\.nc: .*or it is damaged.*seconds of computing"):
        bayes.load_fit(HANGS)
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("cut", [0, 7, 8, 40, 500, 3000, -2000, -1])
def test_files_that_were_cut_off_or_overwritten_are_refused_or_read(cut, tree, tmp_path):
    write_netcdf(tree, tmp_path / "fit.nc")
    whole = (tmp_path / "fit.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(whole[:cut])
    with pytest.raises(StudyError, match=r"cut\.nc: this is not a NetCDF file, or it is damaged"):
        check_netcdf(tmp_path / "cut.nc")


def test_files_with_altered_bytes_end_in_draws_or_in_one_error(tree, tmp_path):
    """Twenty files with 1 to 60 altered bytes, most of them in the metadata."""
    write_netcdf(tree, tmp_path / "fit.nc")
    whole, rng = (tmp_path / "fit.nc").read_bytes(), np.random.default_rng(11)
    for number in range(20):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), size=rng.integers(1, 60)):
            data[place] = rng.integers(256)
        (tmp_path / "altered.nc").write_bytes(data)
        try:
            fit = bayes.load_fit(tmp_path / "altered.nc")
        except bayes.InputError:
            continue
        assert {"chain", "draw"} <= set(fit["posterior"].dims), number
