"""The public names, and what importing them costs."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

import bayes


def test_public_names_are_pinned():
    assert sorted(bayes.__all__) == sorted([
        "BayesError", "Check", "CheckFailed", "Distortion", "InputError", "Lever", "Question", "Structure", "Study",
        "Variant", "Verdict", "World", "__version__", "add_priors", "build_model", "calibration", "check", "figures",
        "horizon_total", "load_fit", "load_study", "main", "project", "read_study", "sample", "sensitivity",
        "summarise", "synthesis", "write_report",
    ])  # fmt: skip


def test_every_public_name_resolves():
    for name in bayes.__all__:
        assert getattr(bayes, name) is not None


def test_no_public_function_shares_a_modules_name():
    for name in bayes.__all__:
        if callable(getattr(bayes, name)):
            with pytest.raises(ModuleNotFoundError):
                import_module(f"bayes.{name}")


def test_unknown_name_lists_what_exists():
    with pytest.raises(AttributeError, match=r"available: .*load_study"):
        bayes.load_studdy  # noqa: B018


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import bayes", {"numpy", "scipy", "pymc", "pandas", "xarray", "jax", "arviz_stats", "matplotlib"}),
        ("from bayes.cli import main; main(['priors', 'list'])", {"scipy", "pymc", "numpy", "jax", "pandas"}),
        ("from bayes.cli import main; main(['priors', 'show', 'tau_theta'])", {"scipy", "pymc", "numpy"}),
        ("from bayes.cli import main; main(['evidence', 'list'])", {"scipy", "pymc", "numpy", "jax", "pandas"}),
    ],
)
def test_light_commands_load_no_heavy_library(code, forbidden):
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(m for m in sys.modules if '.' not in m)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not forbidden & set(json.loads(out.splitlines()[-1]))


def test_help_loads_no_heavy_library():
    script = (
        "import sys\nfrom bayes.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'scipy', 'pymc', 'rich') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
