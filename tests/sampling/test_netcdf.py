"""The writer of NetCDF files against xarray's own: what is read back is identical, values, types and attributes."""

import numpy as np
import pytest
import xarray as xr

from bayes.netcdf import write_netcdf


def both(data, folder):
    """The same content written by xarray and by us, read back whole."""
    read = xr.open_datatree if isinstance(data, xr.DataTree) else xr.open_dataset
    data.to_netcdf(folder / "theirs.nc", engine="h5netcdf")
    write_netcdf(data, folder / "ours.nc")
    return [read(folder / name, engine="h5netcdf").load() for name in ("theirs.nc", "ours.nc")]


@pytest.fixture
def mixed():
    rng = np.random.default_rng(1)
    return xr.Dataset(
        {
            "x": (("chain", "draw", "arm"), rng.normal(size=(2, 5, 3)), {"unit": "offences", "n": 3, "w": [1.5, 2.0]}),
            "n": (("chain", "draw"), rng.integers(9, size=(2, 5))),
            "hit": (("draw",), np.array([True, False, True, True, False])),
            "small": (("arm",), np.array([1.5, np.nan, np.inf], dtype=np.float32)),
            "one": ((), 2.5),
            "bare": (("no_coordinate",), np.arange(4.0)),
        },
        coords={"chain": [0, 1], "draw": np.arange(5), "arm": ["Zürich", "b [c]", ""],
                "label": ("arm", ["A", "B", "C"])},
        attrs={"verdict": "passed", "draws": 10, "text": "µ, “quoted”"},
    )  # fmt: skip


def test_a_dataset_reads_back_as_xarrays(mixed, tmp_path):
    theirs, ours = both(mixed, tmp_path)
    xr.testing.assert_identical(theirs, ours)
    assert {n: v.dtype for n, v in theirs.variables.items()} == {n: v.dtype for n, v in ours.variables.items()}


def test_a_fit_reads_back_as_xarrays(shipped_fit, tmp_path):
    theirs, ours = both(shipped_fit, tmp_path)
    xr.testing.assert_identical(theirs, ours)
    for name, child in theirs.children.items():
        assert {n: v.dtype for n, v in child.variables.items()} == {n: v.dtype for n, v in ours[name].variables.items()}


def test_dimensions_are_numbered_over_the_whole_file(mixed, tmp_path):
    """Other readers of NetCDF find a dimension by its number, which no two may share."""
    import h5py

    write_netcdf(xr.DataTree.from_dict({"a": mixed, "b": mixed}), tmp_path / "x.nc")
    numbers = []
    with h5py.File(tmp_path / "x.nc") as file:
        file.visititems(lambda _, item: numbers.append(item.attrs.get("_Netcdf4Dimid")))
    found = [int(n) for n in numbers if n is not None]
    assert len(found) == len(set(found)) == 2 * len(mixed.sizes)


def test_equal_content_is_equal_bytes(mixed, tmp_path):
    for name in ("a.nc", "b.nc"):
        write_netcdf(mixed, tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
