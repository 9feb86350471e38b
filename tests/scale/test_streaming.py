"""A streamed projection is the one in memory: bit for bit, on threads, processes and a cluster."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayes
from bayes import streaming
from bayes.blocks import by_block, open_store
from bayes.diagnostics import check
from bayes.heroin.projection import project, projection_of
from bayes.heroin.question import QUESTION
from bayes.plans import Asked
from bayes.tables import headline
from tests.heroin.test_many_scenarios import many, varied
from tests.heroin.test_projection import with_scenarios

FEW, MANY, YEARS = 12, 120, 2


def study_of(count: int, years: int = YEARS):
    study = with_scenarios(bayes.load_study(), *many(count))
    return replace(study, settings=replace(study.settings, horizon_years=years))


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    """Five scenarios a block."""
    monkeypatch.setattr(streaming, "BLOCK", 5 * 12 * YEARS * 600 * 8)


@pytest.fixture(scope="module")
def address():
    """A cluster of this machine: two workers in processes of their own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def same(streamed: xr.Dataset, whole: xr.Dataset) -> None:
    """Equal in every bit, with the same order of dims, coordinates and attributes."""
    loaded = streamed.compute()
    assert loaded.attrs == whole.attrs
    assert set(loaded.coords) == set(whole.coords)
    assert list(loaded.data_vars) == list(whole.data_vars)
    for name in whole.variables:
        assert loaded[name].dims == whole[name].dims
        np.testing.assert_array_equal(loaded[name].values, whole[name].values, err_msg=str(name))
        assert loaded[name].attrs == whole[name].attrs


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("count", [FEW, MANY])
def test_streamed_is_in_memory(tmp_path, count: int) -> None:
    """Few scenarios take the exact gain, many the table; blocks of five do not divide either."""
    fit, study = varied(), study_of(count)
    steps: list[tuple[int, int]] = []
    found = streaming.stream(
        projection_of(fit, study), tmp_path / "f.zarr", advance=lambda *told: steps.append(told[:2])
    )
    blocks = -(-count // 5)
    assert steps == [(i + 1, blocks) for i in range(blocks)]
    assert found.chunks["scenario"][0] == 5
    same(found, project(fit, study))


@pytest.mark.usefixtures("small_blocks")
def test_a_cluster_gives_the_same(tmp_path, address) -> None:
    fit, study = varied(), study_of(MANY)
    found = streaming.stream(projection_of(fit, study), tmp_path / "f.zarr", scheduler=address)
    whole = project(fit, study)
    same(found, whole)
    few = found.isel(scenario=slice(0, 10))
    few.encoding["source"] = found.encoding["source"]
    assert by_block(total_avoided, few, scheduler=address) == by_block(total_avoided, few)


def total_avoided(block: xr.Dataset) -> float:
    return float(block["offences_avoided"].sum())


@pytest.mark.usefixtures("small_blocks")
def test_checks_and_headline_are_those_in_memory(tmp_path) -> None:
    fit, study = varied(), study_of(FEW)
    whole, streamed = project(fit, study), streaming.stream(projection_of(fit, study), tmp_path / "f.zarr")
    reported = [c for c in check(fit, whole).checks if "reported" in c.name]
    assert len(reported) == 5
    assert streaming.checks_of(streamed) == reported
    pd.testing.assert_frame_equal(
        streaming.headline_of(streamed, "failed"), headline(whole, "failed"), check_exact=True
    )


@pytest.mark.usefixtures("small_blocks")
def test_an_undefined_draw_is_found_in_whatever_block_it_is(tmp_path) -> None:
    import zarr

    fit, study = varied(), study_of(FEW)
    store = tmp_path / "f.zarr"
    streaming.stream(projection_of(fit, study), store)
    zarr.open_group(store, mode="r+")["net_benefit"][0, 3, 11, 1] = np.nan
    (found,) = (c for c in streaming.checks_of(open_store(store)) if c.name.startswith("defined"))
    assert not found.passed
    assert "net_benefit (1 draws)" in found.text


def test_what_fits_in_memory_stays_there(tmp_path) -> None:
    fit, study = varied(), study_of(FEW)
    found = streaming.project_into(tmp_path, projection_of(fit, study))
    assert not found.chunks
    assert not list(tmp_path.iterdir())


def test_what_outgrows_memory_is_streamed(tmp_path, monkeypatch) -> None:
    fit, study = varied(), study_of(FEW)
    monkeypatch.setattr(streaming, "LIMIT", project(fit, study).nbytes // 2)
    found = streaming.project_into(tmp_path, projection_of(fit, study))
    assert found.chunks
    streaming.stamp(found, "failed")
    assert open_store(tmp_path / "futures.zarr").attrs["verdict"] == "failed"


def test_the_bytes_are_foretold() -> None:
    """4,000 draws x 10,000 scenarios x 10 years x 12 quantities are 38 GB."""
    assert 8 * 4000 * Asked(QUESTION, study_of(1, 10)).cells() * 10_000 == 38_400_000_000
    fit, study = varied(), study_of(FEW)
    assert projection_of(fit, study).scenario_bytes * FEW == sum(
        v.nbytes for v in project(fit, study).data_vars.values()
    )


def test_without_zarr_the_error_says_how_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    monkeypatch.setattr(streaming, "LIMIT", 0)
    with pytest.raises(bayes.InputError, match=r"(?s)zarr is missing.*crimes-avoided\[scale\]"):
        streaming.require_scale(1)


def test_without_distributed_the_error_says_how_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(bayes.InputError, match=r"crimes-avoided\[scale\]"):
        streaming.require_scale(1, "tcp://localhost:1")


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, wrong: str) -> None:
    monkeypatch.setattr("bayes.blocks.PATIENCE", 1)
    with pytest.raises(bayes.InputError, match="no scheduler answers") as caught:
        streaming.require_scale(1, wrong)
    assert caught.value.found == wrong


def test_what_is_no_store_is_refused(tmp_path) -> None:
    (tmp_path / "futures.zarr").mkdir()
    with pytest.raises(bayes.InputError, match="not a Zarr store"):
        open_store(tmp_path / "futures.zarr")
