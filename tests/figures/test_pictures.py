"""The six figures of a paper against small pictures kept beside this file.

Compared after blurring, so that the anti-aliasing of another FreeType does not matter but a moved mark or label does.
To draw the pictures
again, after looking at them: ``python -m tests.figures.test_pictures``.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.image import imread
from scipy.ndimage import gaussian_filter

from bayes import figures
from bayes.heroin import figures as own
from tests.figures.conftest import EVIDENCE, synthetic_fit, synthetic_futures

BASELINE = Path(__file__).with_name("baseline")
DPI = 100
BLUR = 1.5
"""Standard deviation in pixels (0.4 mm): glyph edges wash out, positions do not."""
LARGEST = 0.12
"""Largest difference of a blurred pixel, of 1. Moving one tick label by its own height gives about 0.3; hinting
differences, below 0.05."""
MEAN = 0.004
"""Mean difference: a whole panel shifted by a pixel gives about 0.01."""


def places_table() -> pd.DataFrame:
    """Places against benefit in closed form, so that the picture depends on no study."""
    grid = np.geomspace(300, 1e5, 15)
    middle = 4e5 * (1 - np.exp(-grid / 6000))
    rows = [
        {"layer": "interval", "places": n, "lower": m / f, "upper": m * f, "prob": p, "kind": "eti"}
        for p, f in ((0.5, 1.8), (0.8, 3.0), (0.95, 6.0))
        for n, m in zip(grid, middle, strict=True)
    ]
    rows += [{"layer": "median", "places": n, "x": m} for n, m in zip(grid, middle, strict=True)]
    rows += [{"layer": "unlimited", "places": n, "x": 80 * n**0.9} for n in grid]
    rows += [{"layer": "reference", "places": n, "x": 259.2 * n} for n in grid]
    rows += [
        {"layer": "demand", "lower": 6000 / f, "upper": 6000 * f, "prob": p, "kind": "eti"}
        for p, f in ((0.5, 2.0), (0.8, 4.0), (0.95, 9.0))
    ]
    rows.append({"layer": "demand", "x": 6000.0, "places": 6000.0})
    return pd.DataFrame(rows).assign(unit="self-reported offences", draws=500, chains=2, verdict="passed")


def pictures() -> dict[str, figures.PaperFigure]:
    fit, futures = synthetic_fit(), synthetic_futures()
    return {
        "posterior": figures.posterior(futures),
        "ridge": figures.ridge(futures),
        "fan": figures.fan(futures),
        "forest": figures.forest(own.forest.table(fit, EVIDENCE)),
        "places": own.places(places_table()),
        "exceedance": figures.exceedance(futures),
    }


def rendered(figure: figures.PaperFigure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(imread(io.BytesIO(data))[..., :3], dtype=float)


def difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Largest and mean difference of two pictures after blurring."""
    gap = np.abs(gaussian_filter(a, (BLUR, BLUR, 0)) - gaussian_filter(b, (BLUR, BLUR, 0)))
    return float(gap.max()), float(gap.mean())


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    return {name: pixels(rendered(figure)) for name, figure in pictures().items()}


@pytest.mark.parametrize("name", ["posterior", "ridge", "fan", "forest", "places", "exceedance"])
def test_picture_is_as_it_was(drawn: dict[str, np.ndarray], name: str) -> None:
    file = BASELINE / f"{name}.png"
    assert file.stat().st_size < 60_000
    kept = pixels(file.read_bytes())
    assert drawn[name].shape == kept.shape
    largest, mean = difference(drawn[name], kept)
    assert largest < LARGEST
    assert mean < MEAN


def test_the_comparison_would_notice(drawn: dict[str, np.ndarray]) -> None:
    kept = drawn["ridge"]
    shifted = np.roll(kept, 4, axis=1)  # one millimetre
    assert difference(kept, shifted)[0] > LARGEST
    futures: xr.Dataset = synthetic_futures()
    moved = futures.assign(offences_avoided=futures["offences_avoided"] * 1.25)
    assert difference(kept, pixels(rendered(figures.ridge(moved))))[0] > LARGEST


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for key, picture in pictures().items():
        (BASELINE / f"{key}.png").write_bytes(rendered(picture))
