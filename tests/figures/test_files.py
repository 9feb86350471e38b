"""Same input, same bytes; the mark of a failed fit; captions; nothing global is touched; errors list what exists."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes import figures
from bayes.errors import UsageError
from bayes.figures import saving
from bayes.heroin import figures as own
from tests.figures.conftest import draw, synthetic_futures
from tests.figures.extents import problems
from tests.figures.test_layout import NAMES

Tables = dict[str, pd.DataFrame]


@pytest.mark.parametrize(
    ("name", "word"),
    [*((name, "svg") for name in NAMES), *((name, "pdf") for name in ("fan", "forest", "model", "ridge"))],
)
def test_same_input_same_bytes(tables: Tables, name: str, word: str) -> None:
    found = []
    for settings in ({}, {"font.size": 22, "axes.facecolor": "red", "svg.fonttype": "none"}):
        with mpl.rc_context(settings):
            buffer = io.BytesIO()
            draw(name, tables[name], "double").savefig(buffer, format=word)
            found.append(buffer.getvalue())
    assert found[0] == found[1]
    assert b"CreationDate" not in found[0]
    assert b"<dc:date>" not in found[0]


def test_text_is_text_and_brings_its_typeface(futures: xr.Dataset) -> None:
    figure = figures.fan(futures)
    svg, pdf = io.BytesIO(), io.BytesIO()
    figure.savefig(svg, format="svg")
    figure.savefig(pdf, format="pdf")
    assert b">10,000 'hardcore'</text>" in svg.getvalue()
    assert svg.getvalue().count(b"@font-face") == 2  # the typeface and its bold
    assert len(svg.getvalue()) < 200_000
    assert b"/FontFile2" in pdf.getvalue()
    assert b"/Type3" not in pdf.getvalue()


def test_nothing_global_is_touched(tables: Tables) -> None:
    before = dict(mpl.rcParams), list(warnings.filters), np.random.get_state()
    for name in ("posterior", "forest", "model", "chains"):
        draw(name, tables[name], "single").savefig(io.BytesIO(), format="png")
    figures.ridge.table(synthetic_futures())
    after = dict(mpl.rcParams), list(warnings.filters), np.random.get_state()
    assert before[:2] == after[:2]
    assert all(np.array_equal(a, b) for a, b in zip(before[2], after[2], strict=True))


def test_importing_changes_no_setting_and_needs_no_pyplot() -> None:
    code = (
        "import io, warnings, sys, matplotlib as mpl, numpy as np\n"
        "def state(): return list(dict.items(mpl.rcParams)), list(warnings.filters), "
        "np.random.get_state()[1].tolist()\n"
        "before = state()\n"
        "import bayes.figures.gallery\n"
        "assert state() == before\n"
        "import pandas as pd\n"
        "rows = pd.DataFrame({'input': ['a'], 'lower_change': [-1.0], 'upper_change': [2.0], 'unit': ['offences']})\n"
        "bayes.figures.tornado(rows).savefig(io.BytesIO(), format='svg')\n"
        "assert state() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'pymc' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("width", ["single", "double"])
def test_a_failed_fit_is_marked_in_the_image_and_the_caption(width: str) -> None:
    figure = figures.ridge(synthetic_futures("failed"), width=width)
    marks = [text for text in figure.texts if text.get_gid() == "mark"]
    assert [text.get_text() for text in marks] == ["DIAGNOSTICS FAILED"]
    assert "DIAGNOSTICS FAILED" in figure.caption
    assert problems(figure) == []
    box = marks[0].get_window_extent()
    wide, high = figure.get_size_inches() * figure.dpi
    assert 0 <= box.x0 < box.x1 <= wide
    assert 0 <= box.y0 < box.y1 <= high
    assert box.width > 0.5 * wide
    passed = figures.ridge(synthetic_futures(), width=width)
    assert "DIAGNOSTICS" not in passed.caption
    assert not [text for text in passed.texts if text.get_gid() == "mark"]


def test_captions_state_draws_chains_intervals_and_verdict(tables: Tables) -> None:
    for name in NAMES:
        caption = draw(name, tables[name], "double").caption
        assert ("500 posterior draws from 2 chains" in caption) == ("draws" in tables[name]), name
        assert "Diagnostics: passed." in caption, name
        if "prob" in tables[name]:
            assert "95 %" in caption, name
            limits = ("the limits that would hold 95 % of them", "The band holds the whole curve")
            kinds = ("credible", "confidence", *limits)
            assert any(kind in caption for kind in kinds), name
    assert "50, 80 and 95 % equal-tailed credible" in figures.fan(tables["fan"]).caption


def test_units_stand_on_the_axes(tables: Tables) -> None:
    assert "(self-reported offences" in figures.exceedance(tables["exceedance"], width="double").axes[0].get_xlabel()
    assert "log scale" in figures.ridge(tables["ridge"]).axes[0].get_xlabel()
    assert [a.get_xlabel().split("(")[1] for a in figures.posterior(tables["posterior"]).axes] == [
        "self-reported offences)",
        "victim-counted crimes)",
    ]


def test_save_writes_picture_table_and_caption(tmp_path: Path, tables: Tables) -> None:
    figure = figures.fan(tables["fan"])
    written = figures.save(figure, tmp_path / "deep" / "er", "fan", ["pdf", "svg", "png"])
    assert sorted(path.name for path in written) == ["fan.csv", "fan.pdf", "fan.png", "fan.svg", "fan.txt"]
    assert sorted(path.name for path in (tmp_path / "deep" / "er").iterdir()) == sorted(path.name for path in written)
    back = pd.read_csv(tmp_path / "deep" / "er" / "fan.csv")
    pd.testing.assert_frame_equal(back, tables["fan"], check_dtype=False)
    assert (tmp_path / "deep" / "er" / "fan.txt").read_text() == f"{figure.caption}\n"


def test_an_old_file_survives_a_failure(tmp_path: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    figures.save(figures.fan(tables["fan"]), tmp_path, "fan", ["svg"])
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(saving, "_rendered", lambda *_: (_ for _ in ()).throw(RuntimeError("disk")))
    with pytest.raises(RuntimeError):
        figures.save(figures.fan(tables["fan"], width="single"), tmp_path, "fan", ["svg"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_any_width_in_millimetres(tables: Tables) -> None:
    for width in (80, "149", 150.0, 260):
        for name in ("posterior", "fan", "forest", "heterogeneity"):
            figure = draw(name, tables[name], width)
            assert figure.get_size_inches()[0] * 25.4 == pytest.approx(float(width))
            assert problems(figure) == [], (name, width)


@pytest.mark.parametrize("name", NAMES)
def test_another_typeface_fits(tables: Tables, name: str) -> None:
    figure = draw(name, tables[name], "single", "serif")
    assert problems(figure) == []


def test_grey_is_grey(tables: Tables) -> None:
    buffer = io.BytesIO()
    figures.fan(tables["fan"], style="grey").savefig(buffer, format="png", dpi=100)
    buffer.seek(0)
    from matplotlib.image import imread

    pixels = imread(buffer)[..., :3]
    assert np.abs(pixels - pixels.mean(axis=2, keepdims=True)).max() < 0.01


def test_bands_are_told_apart_in_greyscale() -> None:
    from matplotlib.colors import to_rgb

    for palette, _ in figures.STYLES.values():
        light = [
            0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(to_rgb, ("#ffffff", *palette.bands, palette.main))
        ]
        assert all(a - b > 0.08 for a, b in pairwise(light))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t, f: figures.ridge(t["fan"].drop(columns="label")), "column 'label' not found; available: layer"),
        (lambda t, f: figures.fan(t["fan"].iloc[:0]), "no rows"),
        (lambda t, f: figures.fan(t["fan"], width="tripple"), "no such width"),
        (lambda t, f: figures.fan(t["fan"], width=12), "80 to 400 mm"),
        (lambda t, f: figures.fan(t["fan"], style="neon"), "journal, serif, grey"),
        (lambda t, f: figures.forest(f), "allowed: a pandas DataFrame"),
        (lambda t, f: figures.priors.table(f, variables=["x"]), "variable 'x' not found; available: "),
        (lambda t, f: figures.chains.table(f, variables=["nu"]), "variable 'nu' not found; available: "),
        (
            lambda t, f: figures.predictive.table(f, variables=["y"]),
            "variable 'y' not found; available: log_ratio, retention",
        ),
        (
            lambda t, f: figures.ridge.table(synthetic_futures(), quantity="crime"),
            "quantity 'crime' not found; available: offences_avoided",
        ),
        (
            lambda t, f: figures.posterior.table(synthetic_futures(), scenario="huge"),
            "scenario 'huge' not found; available: p1000, hardcore, everyone",
        ),
        (lambda t, f: figures.posterior.table(synthetic_futures(), year=9), "year 9 not found; available: 1, 2, 3, 4"),
        (
            lambda t, f: figures.posterior.table(synthetic_futures(), thresholds=[1.0]),
            "one threshold for each quantity",
        ),
        (
            lambda t, f: own.retention.table(xr.DataTree.from_dict({"posterior": f["posterior"].to_dataset()})),
            "group 'constant_data' not found",
        ),
        (lambda t, f: figures.model(t["model"].assign(target=t["model"]["source"])), "in a circle"),
    ],
)
def test_errors_list_what_exists(tables: Tables, fit: xr.DataTree, call: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(tables, fit)  # type: ignore[operator]
    assert words in str(caught.value)


def test_pgf_needs_a_tex_engine(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match="TeX engine"):
        figures.save(figures.fan(tables["fan"]), tmp_path, "fan", ["pgf"])
    with pytest.raises(UsageError, match="TeX"):
        figures.fan(tables["fan"]).savefig(tmp_path / "fan.pgf")
    assert list(tmp_path.iterdir()) == []


def test_pgf_is_written_with_labels_as_text(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as that goes without TeX: what matplotlib is asked for, and how it writes a label."""
    from matplotlib.backends import backend_pgf
    from matplotlib.font_manager import FontProperties

    def written(figure: object, target: io.StringIO, **told: object) -> None:
        assert "metadata" not in told  # matplotlib's writer of pgf takes none
        target.write(backend_pgf._escape_and_apply_props(r"$5 & 50 % of a_b {#} \x~y", FontProperties()))

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", written)
    figures.save(figures.fan(tables["fan"]), tmp_path, "fan", ["pgf"])
    text = (tmp_path / "fan.pgf").read_text()
    assert r"\$5 \& 50 % of a\_b \{\#\} \textbackslash{}x\textasciitilde{}y" in text
    assert r"\$" not in backend_pgf._escape_and_apply_props("$", FontProperties())  # only while ours is saved


def test_a_tree_of_any_model_works() -> None:
    rng = np.random.default_rng(3)
    draws = {
        "mu": (("chain", "draw"), rng.normal(size=(3, 80))),
        "sd": (("chain", "draw"), np.exp(rng.normal(size=(3, 80)))),
    }
    y = rng.normal(size=(3, 80, 4))
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(draws),
            "prior": xr.Dataset(draws),
            "observed_data": xr.Dataset({"y": ("i", [0.0, 1.0, -1.0, 3.5])}),
            "posterior_predictive": xr.Dataset({"y": (("chain", "draw", "i"), y)}),
        }
    )
    target = figures.posterior(figures.posterior.table(tree, quantities=["mu", "sd"], thresholds=[0.5, 1.0]))
    assert [axes.get_xlabel() for axes in target.axes] == ["Mu", "Sd"]
    for figure in (
        figures.priors(tree, width="single"),
        figures.chains(tree),
        figures.predictive(tree),
        target,
    ):
        assert problems(figure) == []
        assert "240 posterior draws from 3 chains. Diagnostics: not checked." in figure.caption


def test_tornado_pairs_two_alternatives_of_one_prior() -> None:
    rows = [
        ("a: sceptical", "sceptical", -3.0),
        ("a: optimistic", "optimistic", 1.0),
        ("b: sceptical", "sceptical", -5.0),
        ("all sceptical", "sceptical", -9.0),
    ]
    changes = pd.DataFrame(
        [{"change": c, "group": g, "quantity": "y", "unit": "offences", "d_median": d} for c, g, d in rows]
    )
    table = figures.tornado.table(changes)
    assert table["input"].tolist() == ["a", "b"]
    assert table["lower_change"].tolist() == [-3.0, -5.0]
    assert table["upper_change"].tolist()[0] == 1.0
    figure = figures.tornado(table)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["b", "a"]
    with pytest.raises(UsageError, match="quantity 'z' not found; available: y"):
        figures.tornado.table(changes, quantity="z")
