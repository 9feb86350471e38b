"""No fit, recipe or program is kept under a key that leaves out code that decides its numbers."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bayes
from bayes.provenance import SHOWING, code_hash

PACKAGE = Path(bayes.__file__).parent
ROOTS = ("bayes.fitcache", "bayes.heroin.plans", "bayes.sampling", "bayes.heroin.model", "bayes.study",
         "bayes.sensitivity.components", "bayes.sensitivity.refits")  # fmt: skip

KEYS = """
import sys
from pathlib import Path
import pymc as pm
import bayes
from bayes.fitcache import fit_key
from bayes.heroin.plans import plan_of
from bayes.provenance import code_hash
from bayes.sampling.identity import model_hash

study = bayes.load_study()
settings = {"draws": 100, "tune": 100, "chains": 2, "seed": 1, "sampler": "numpyro"}
with pm.Model() as model:
    pm.Normal("y", pm.Normal("mu"), observed=1.0)

def keys():
    code_hash.cache_clear()
    return fit_key(plan_of(study), settings), plan_of(study).key, model_hash(model)

before = keys()
assert keys() == before and None not in before
package = Path(bayes.__file__).parent
for name in sys.argv[1:]:
    path = package / name
    text = path.read_bytes()
    at = len(text) // 2
    path.write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
    after = keys()
    path.write_bytes(text)
    same = [key for key, old in zip(after, before) if key == old]
    print(name, len(same))
assert keys() == before
"""


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports when it runs, inside functions included; names of the package by their home."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unused = {node for block in ast.walk(tree) if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
              for node in ast.walk(block)}  # fmt: skip
    for node in ast.walk(tree):
        if node in unused:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            if node.module == "bayes":
                yield from (bayes._HOME[alias.name] for alias in node.names if alias.name in bayes._HOME)


def _files(module: str) -> Iterator[Path]:
    """The file of a module and those of the packages it stands in."""
    parts = module.split(".")
    if parts[0] != "bayes":
        return
    for end in range(1, len(parts) + 1):
        place = PACKAGE.joinpath(*parts[1:end])
        found = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if found.is_file():
            yield found


def closure(roots: tuple[str, ...]) -> list[str]:
    """Every file of the package that importing and running some modules can reach."""
    found: set[Path] = set()
    todo = [file for root in roots for file in _files(root)]
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            todo += [other for module in _imports(file) for other in _files(module)]
    return sorted(file.relative_to(PACKAGE).as_posix() for file in found)


def test_a_changed_byte_anywhere_a_fit_reaches_changes_every_key(tmp_path: Path) -> None:
    names = closure(ROOTS)
    assert {"clusters.py", "families.py", "priors.py", "__init__.py", "sampling/nuts.py"} <= set(names)
    shutil.copytree(PACKAGE, tmp_path / "bayes", ignore=shutil.ignore_patterns("__pycache__"))
    if (PACKAGE.parent / "priors").is_dir():
        shutil.copytree(PACKAGE.parent / "priors", tmp_path / "priors")
    here = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KEYS, *names], env=here, cwd=tmp_path, capture_output=True, text=True,
                          timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == [f"{name} 0" for name in names]


def test_rooms_that_show_are_not_reached_by_a_fit() -> None:
    rooms = {name.split("/")[0].removesuffix(".py") for name in closure(ROOTS)}
    assert not rooms & set(SHOWING)


def test_the_hash_takes_a_few_milliseconds() -> None:
    """Of processor time: others may want the processors. Some 8 ms for 275 files, thrice that on a slow machine."""
    times = []
    for _ in range(5):
        code_hash.cache_clear()
        begun = time.process_time()
        code_hash()
        times.append(time.process_time() - begun)
    assert min(times) < 0.04
