"""The graphical model: read off a model truly, laid out without overlap, readable at both widths."""

from __future__ import annotations

import pandas as pd
import pymc as pm
import pytest

from bayes import build_model, figures, load_study
from bayes.errors import UsageError
from bayes.figures.canvas import NARROWEST
from bayes.figures.layered import layered
from bayes.heroin.model import Structure
from bayes.heroin.quantities import INPUTS
from bayes.heroin.words import WORDS
from tests.figures.extents import problems


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    model = build_model(load_study(), Structure(collapse=False))
    return figures.model.table(model, outcomes={"offences avoided": list(INPUTS)})


def test_arrows_are_those_of_the_model() -> None:
    with pm.Model() as model:
        mu, tau = pm.Normal("mu"), pm.HalfNormal("tau")
        theta = pm.Normal("theta", mu, tau, shape=3)
        scaled = pm.Deterministic("scaled", 2 * theta)
        pm.Normal("y", scaled, 1, observed=[0.0, 1.0, 2.0])
    table = figures.model.table(model)
    nodes = table[table["layer"] == "node"].set_index("name")
    assert nodes["kind"].to_dict() == {"mu": "free", "tau": "free", "theta": "free", "y": "observed"}
    assert nodes.loc["mu", "box"] == nodes.loc["tau", "box"] == "mu"  # the same parents and children: one box
    edges = table[table["layer"] == "edge"]
    assert sorted(zip(edges["source"], edges["target"], strict=True)) == [("mu", "theta"), ("theta", "y")]


def test_a_potential_is_a_node_and_what_touches_nothing_is_told() -> None:
    """Evidence may stand in a Potential alone, as of a likelihood that is summed out by hand."""
    with pm.Model() as model:
        mu, _ = pm.Normal("mu"), pm.Normal("apart")
        pm.Potential("by hand", -((mu - 1) ** 2))
    table = figures.model.table(model)
    assert table.set_index("name")["kind"].dropna().to_dict() == {"mu": "free", "by hand": "potential"}
    with pm.Model() as model:
        pm.Normal("mu"), pm.Normal("apart")
    with pytest.raises(UsageError, match="touches another"):
        figures.model.table(model)


def test_shipped_model_names_every_likelihood_and_every_input(shipped: pd.DataFrame) -> None:
    nodes = shipped[shipped["layer"] == "node"].set_index("name")
    model = build_model(load_study(), Structure(collapse=False))
    assert set(nodes.index[nodes["kind"] == "observed"]) == {v.name for v in model.observed_RVs}
    assert set(INPUTS) <= set(nodes.index)
    edges = set(zip(shipped["source"].dropna(), shipped["target"].dropna(), strict=True))
    for name in INPUTS:
        assert (nodes.loc[name, "box"], "offences avoided") in edges


@pytest.mark.parametrize("width", [NARROWEST, "single", "double"])
@pytest.mark.parametrize("labels", [{}, WORDS.labels], ids=["names", "words"])
def test_shipped_model_is_readable(shipped: pd.DataFrame, width: float | str, labels: dict[str, str]) -> None:
    figure = figures.model(shipped.assign(label=shipped["name"].replace(labels)), width=width)
    assert problems(figure) == []
    axes = figure.axes[0]
    frames = [
        p.get_path().get_extents(p.get_patch_transform()) for p in axes.patches if str(p.get_gid()).startswith("box")
    ]
    for i, a in enumerate(frames):
        assert not any(
            min(a.x1, b.x1) - max(a.x0, b.x0) > 0.05 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.05
            for b in frames[i + 1 :]
        )
    inside = [t for t in axes.texts if t.get_text().strip()]
    figure.canvas.draw()
    for text in inside[: len(frames) - 4]:
        box = text.get_window_extent().transformed(axes.transData.inverted())
        assert any(f.x0 <= box.x0 and box.x1 <= f.x1 and f.y0 <= box.y0 and box.y1 <= f.y1 for f in frames), (
            text.get_text()
        )
    if width == "double":
        assert any(patch.get_gid() == "edge" for patch in axes.patches)
    if width != NARROWEST:  # which is for screens
        assert figure.get_size_inches()[1] * 25.4 < 247  # fits a page


def test_where_there_is_no_room_for_arrows_a_box_names_what_it_depends_on(shipped: pd.DataFrame) -> None:
    table = shipped.assign(label=shipped["name"].replace(WORDS.labels))
    texts = [text.get_text() for text in figures.model(table, width=NARROWEST).axes[0].texts]
    assert texts[0].startswith("offences avoided\n← ")  # the answer first
    assert "published counts of patients\n← coverage of each country" in texts
    nodes, said = table[table["layer"] == "node"], " ".join(" ".join(texts).split())
    assert all(label in said for label in nodes["label"])  # also those that depend on nothing
    assert not any(text.startswith("targeting") for text in texts)  # and have no box of their own


def test_layout_keeps_arrows_left_to_right_and_gives_long_ones_a_lane() -> None:
    layout = layered({"a": 4.0, "b": 4.0, "c": 4.0}, [("a", "b"), ("b", "c"), ("a", "c")])
    assert dict(layout.layer) == {"a": 0, "b": 1, "c": 2}
    lane = layout.paths["a", "c"][1]
    assert abs(lane - layout.y["b"]) >= 2.0  # beside the box, not through it
