"""Build the documentation site from what exists: `uv run --group site python .site/build.py`.

Pages are copies of the documents of the project; the commands come from their parser, the public names from their
docstrings, the figures from a run. A link that leads nowhere and a name without a page end the build with an error.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = {
    "README.md": "index.md", "bayes/QUESTIONS.md": "questions.md", "bayes/heroin/README.md": "model.md",
    "priors/README.md": "priors.md", "bayes/COUNTRY.md": "country.md", "bayes/REVIEWING.md": "reviewing.md",
    "bayes/CONTRIBUTING.md": "contributing.md",
    "bayes/README.md": "rooms.md", "bayes/CHANGELOG.md": "changelog.md",
}  # fmt: skip
CONTENTS = """

```{toctree}
:hidden:
:caption: Use
Overview <self>
questions
country
notebooks
gallery
commands
```

```{toctree}
:hidden:
:caption: Look up
api
model
priors
changelog
```

```{toctree}
:hidden:
:caption: Check and change
reviewing
contributing
rooms
```
"""


def main() -> int:
    """Write the pages to build/site."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--run", type=Path, help="a run folder whose figures the gallery shows (default: a new one)")
    arguments.add_argument("--plain", action="store_true", help="leave the gallery out: a quick look at the pages")
    options = arguments.parse_args()
    source, site = ROOT / "build" / "site-source", ROOT / "build" / "site"
    shutil.rmtree(source, ignore_errors=True)
    (source / "notebooks").mkdir(parents=True)
    documents(source)
    (source / "commands.md").write_text(commands(), encoding="utf-8")
    (source / "api.rst").write_text(api(), encoding="utf-8")
    shown = "# Figures\n" if options.plain else gallery(options.run or fresh(), source / "pictures")
    (source / "gallery.md").write_text(shown, encoding="utf-8")
    from sphinx.cmd.build import main as sphinx

    return sphinx(["-b", "html", "-W", "--keep-going", "-q", "-E", "-c", str(ROOT / ".site"), str(source), str(site)])


def documents(source: Path) -> None:
    """Copy documents, notebooks and pictures; names of documents in code become links to their pages."""
    for name, page in DOCUMENTS.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for other, target in DOCUMENTS.items():
            called = re.escape(other.removeprefix("bayes/"))
            text = re.sub(rf"(?<!\[)`(?:bayes/)?{called}`", f"[`{other}`]({target})", text)
        (source / page).write_text(text + (CONTENTS if page == "index.md" else ""), encoding="utf-8")
    shutil.copytree(ROOT / "notebooks" / "pictures", source / "notebooks" / "pictures")
    books = [*sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT / "notebooks" / "examples" / "paper" / "paper.ipynb"]
    for book in books:
        shutil.copy(book, source / "notebooks" / book.name)
    lines = "\n".join(f"notebooks/{book.stem}" for book in books)
    text = "Five essays and a paper of a finished run; they are stored without outputs, and tests run them."
    (source / "notebooks.md").write_text(f"# Notebooks\n\n{text}\n\n```{{toctree}}\n{lines}\n```\n", encoding="utf-8")


def commands() -> str:
    """Every command with its help, from the parser."""
    os.environ["COLUMNS"] = "96"
    from bayes.cli.entry import parser_of_all

    lines = ["# Commands", "", "`bayes COMMAND --help` prints the same.", ""]

    def add(parser: argparse.ArgumentParser, depth: int) -> None:
        lines.extend([f"{'#' * depth} {parser.prog}", "", "```text", parser.format_help().strip(), "```", ""])
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for one in {id(p): p for p in action.choices.values()}.values():
                    add(one, min(depth + 1, 4))

    add(parser_of_all(), 2)
    return "\n".join(lines)


def api() -> str:
    """Every public name, from its docstring."""
    import bayes

    spaces = [name for name in bayes.__all__ if inspect.ismodule(getattr(bayes, name))]
    names = [name for name in bayes.__all__ if name not in spaces and not name.startswith("__")]
    lines = [*_title("Python", "="), ".. module:: bayes", "", *(line for name in names for line in _entry(bayes, name))]
    for space in spaces:
        module = getattr(bayes, space)
        lines += [*_title(f"bayes.{space}", "-"), f".. automodule:: bayes.{space}", "   :no-members:", ""]
        lines += [line for name in module.__all__ for line in _entry(module, name)]
    return "\n".join(lines)


def _title(text: str, under: str) -> list[str]:
    return [text, under * len(text), ""]


def _entry(module: object, name: str) -> list[str]:
    """The directive of a public name; an object that is called, as a figure, brings its own text."""
    from bayes.figures import Figure

    found, full = getattr(module, name), f"{module.__name__}.{name}"
    if isinstance(found, Figure):
        text = inspect.cleandoc(found.__doc__ or "").splitlines()
        return [f".. py:function:: {full}(data, *, width=None, style='journal')", "",
                *(f"   {line}" for line in _numpy(text)), ""]  # fmt: skip
    if not callable(found):
        return [f".. py:data:: {full}", f"   :value: {found!r}", ""]
    return [f".. auto{'class' if inspect.isclass(found) else 'function'}:: {full}", ""]


def _numpy(lines: list[str]) -> list[str]:
    from sphinx.ext.napoleon import Config, NumpyDocstring

    return str(NumpyDocstring(lines, Config(napoleon_google_docstring=False))).splitlines()


def gallery(run: Path, pictures: Path) -> str:
    """Every figure a run can supply, with its caption and the lines that draw it."""
    from bayes.figures.gallery import Absent, gallery_of
    from bayes.heroin.question import QUESTION

    found = gallery_of(run, QUESTION)
    pictures.mkdir()
    lines = ["# Figures", "", "Each is drawn from the shipped run; its table is written beside it.", ""]
    for name, figure in found.figures.items():
        lines += [f"## {name}", "", figure.title, ""]
        try:
            drawn = found.draw(name)
        except Absent as absent:
            lines += [f"*Not drawn here: {absent}.*", ""]
            continue
        drawn.savefig(pictures / f"{name}.svg")
        lines += [f"```{{image}} pictures/{name}.svg", f":alt: {drawn.caption.partition('. ')[0]}", "```", "",
                  drawn.caption, "", "```bash", f"bayes figures RUN --only {name} --format svg", "```", ""]  # fmt: skip
    return "\n".join(lines)


def fresh() -> Path:
    """A run of the shipped question, made once."""
    from bayes.cli import main as bayes

    run = ROOT / "build" / "site-run"
    with contextlib.redirect_stdout(io.StringIO()):
        bayes(["run", "--quiet", "--out", str(run)])
    return run


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
