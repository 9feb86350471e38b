"""Files of fits: what is read back is identical, values, types and attributes, and equal content is equal bytes."""

import numpy as np
import xarray as xr

from bayes.fitcache import copy_fit, keep_fit, stored_fit
from bayes.runfiles import read_tree


def test_a_fit_reads_back_as_it_was(shipped_fit, tmp_path):
    shipped_fit.to_netcdf(tmp_path / "fit.nc", engine="netcdf4")
    back = read_tree(tmp_path / "fit.nc")
    xr.testing.assert_identical(shipped_fit, back)
    for name, child in shipped_fit.children.items():
        kinds = {n: np.dtype(v.dtype).kind for n, v in child.variables.items()}
        found = {n: np.dtype(v.dtype).kind for n, v in back[name].variables.items()}
        assert found == {n: "O" if kind == "U" else kind for n, kind in kinds.items()} or found == kinds


def test_equal_content_is_equal_bytes(shipped_fit, tmp_path):
    for name in ("a.nc", "b.nc"):
        shipped_fit.to_netcdf(tmp_path / name, engine="netcdf4")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_kept_fit_is_copied_with_the_verdict_of_the_run(shipped_fit, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keep_fit(shipped_fit, "key")
    judged = shipped_fit.copy(deep=False)
    judged.attrs["verdict"] = "failed"
    assert copy_fit(judged, "key", tmp_path / "fit.nc")
    assert read_tree(tmp_path / "fit.nc").attrs["verdict"] == "failed"
    xr.testing.assert_identical(stored_fit("key"), shipped_fit)
