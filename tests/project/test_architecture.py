"""The floor plan holds: imports point down, wherever in a file they stand."""

import ast
import re
from pathlib import Path

import pytest

import bayes

PACKAGE = Path(bayes.__file__).parent
FLOORS = {
    "cli": 13, "__main__": 13, "heroin": 13, "terminal": 12, "report": 12, "runs": 12,
    "figures": 11, "streaming": 11, "sensitivity": 10, "synthesis": 10, "tables": 10,
    "fitcache": 9, "filed": 9, "inputs": 9, "plans": 8, "outcomes": 7, "diagnostics": 7, "calibration": 7,
    "facts": 6, "sampling": 6, "overrides": 6, "importing": 6, "bibliography": 6, "question": 5, "ranking": 5,
    "study": 5, "declared": 4, "clustered": 4, "priortext": 4, "elicitation": 4, "words": 4, "summaries": 4,
    "verify": 3, "priors": 3, "references": 3, "draws": 3, "evidence": 3, "scenarios": 3,
    "quadrature": 2, "records": 2, "runfiles": 2, "drawfiles": 2, "tails": 2, "numbers": 2, "projection": 2,
    "cache": 1, "families": 1, "starter": 1, "arguments": 1, "blocks": 1, "netcdf": 1, "clusters": 1,
    "completion": 1, "sheets": 1, "spoken": 1, "workbook": 1,
    "provenance": 0, "units": 0, "errors": 0, "files": 0, "folders": 0, "workers": 0, "arraystats": 0, "__init__": 0,
}  # fmt: skip
SIDEWAYS = {
    ("tables", "sensitivity"), ("sensitivity", "tables"),
    ("terminal", "runs"), ("files", "errors"), ("files", "folders"), ("units", "errors"),
    ("workers", "errors"), ("__main__", "cli"),
    ("cli", "heroin"), ("runs", "heroin"),
}  # fmt: skip
CASE = re.compile(r"heroin|crime|offence|\bpress\b|\b432\b", re.IGNORECASE)
"""Words of the shipped question, which no other room says."""
NAMES_IT = re.compile(r"bayes[./]heroin[\w./]*|crimes-avoided")
"""The room itself, to which the command line and the lazy names lead, and the distribution."""
KIND_OF_SOURCE = {"provenance.py": {"press"}}
"""A press report is a kind of source, of any question."""
HEAVY = {"pymc", "pytensor", "jax", "numpyro", "arviz", "arviz_stats", "arviz_plots", "matplotlib", "scipy", "xarray",
         "pandas", "nutpie", "rich"}  # fmt: skip
LIGHT = (
    "cli",
    "__init__",
    "study",
    "records",
    "references",
    "priors",
    "evidence",
    "scenarios",
    "families",
    "provenance",
    "units",
    "errors",
    "files",
)


def _modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if "_priors" not in path.parts)


def _room(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def _imports(tree):
    """Every imported module with whether it is only for type checking."""
    typing_only = {
        node for block in ast.walk(tree) if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "bayes":
                names = [f"bayes.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, node in typing_only, node) for name in names)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in PACKAGE.rglob("*.*") if path.suffix not in {".md", ".pyc"}
           and not {"heroin", "_priors", "__pycache__"} & {*path.relative_to(PACKAGE).parts}),
    ids=lambda p: str(p.relative_to(PACKAGE)),
)  # fmt: skip
def test_the_engine_names_no_case(path):
    name = path.relative_to(PACKAGE).as_posix()
    said = {word.lower() for word in CASE.findall(NAMES_IT.sub("", path.read_text(encoding="utf-8")))}
    assert said <= KIND_OF_SOURCE.get(name, set())


def test_every_module_has_a_floor():
    assert {_room(path) for path in _modules()} <= set(FLOORS)


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    room = _room(path)
    for name, typing_only, node in _imports(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[0] != "bayes" or len(parts) < 2 or parts[1].startswith("__") or parts[1] == room:
            continue
        target = parts[1]
        if target not in FLOORS or (room == "__init__" and path.parent == PACKAGE):
            continue
        allowed = FLOORS[target] < FLOORS[room] or (room, target) in SIDEWAYS
        assert allowed or typing_only, f"{path.name}:{node.lineno} imports bayes.{target} from floor {FLOORS[room]}"


@pytest.mark.parametrize("room", LIGHT)
def test_light_rooms_import_no_heavy_library_at_module_level(room):
    for path in [p for p in _modules() if _room(p) == room]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, _, _ in _imports(ast.Module([node], [])):
                    assert name.split(".")[0] not in HEAVY, f"{path.name}: {name}"


def test_the_generic_rooms_know_nothing_of_the_case():
    words = ("heroin", "offences_per_user", "theta_new", "crimes avoided")
    figures = ("heroin", "crime", "offence", "432", "press sum", "press arith", "newspaper", "theta")
    for path in _modules():
        if _room(path) in ("sampling", "diagnostics", "summaries"):
            text = path.read_text().lower()
            assert not [word for word in words if word in text], path
        if _room(path) == "figures":
            assert not [word for word in figures if word in path.read_text().lower()], path


def _functions(tree, public=True):
    """Each function with whether users can reach it by public names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node, public and not node.name.startswith("_")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, public and not node.name.startswith("_"))


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_functions_are_small_with_few_parameters_and_documented(path):
    for node, public in _functions(ast.parse(path.read_text())):
        docstring = ast.get_docstring(node)
        length = node.end_lineno - node.lineno + 1 - (len(docstring.splitlines()) + 1 if docstring else 0)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        where = f"{path.name}:{node.lineno} {node.name}"
        assert length <= 60, where
        assert len([a for a in arguments if a.arg not in ("self", "cls")]) <= 7 or node.name == "__init__", where
        assert not (public and node.args.kwarg), where
        assert docstring or not public or node.name.startswith("__"), where
