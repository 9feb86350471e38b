"""Sphinx reads the docstrings as they are. Nothing on a page comes from elsewhere: mathematics is written as MathML."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from latex2mathml.converter import convert

import bayes

project, author, release = "bayes", "The maintainers of Crimes avoided", bayes.__version__
copyright = author
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns: list[str] = []
html_theme = "furo"
html_title = f"bayes {release}"
html_static_path: list[str] = []
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    f"{mode}_css_variables": {"color-brand-primary": colour, "color-brand-content": colour}
    for mode, colour in (("light", "#14507d"), ("dark", "#8fc1ea"))
}
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "undoc-members": False, "exclude-members": "set"}
napoleon_numpy_docstring, napoleon_google_docstring, napoleon_use_ivar = True, False, True
nitpicky = True
nitpick_ignore_regex = [("py:(class|obj|exc)", ".*")]  # types of signatures; functions, data and modules must exist
suppress_warnings = ["myst.header", "misc.highlighting_failure"]


def _mathml(block: bool) -> Any:
    def visit(self: Any, node: Any) -> None:
        from docutils.nodes import SkipNode

        written = convert(node.astext(), display="block" if block else "inline")
        self.body.append(f'<div class="math">{written}</div>' if block else written)
        raise SkipNode

    return visit


def _inside(app: Any, env: Any, node: Any, words: Any) -> Any:
    """A name that exists but is not public has no page: its words stand alone. Other names end the build."""
    target = node.get("reftarget", "")
    home, _, last = target.rpartition(".")
    if home.split(".")[0] == "bayes" and find_spec(home):
        room = import_module(home)
        exists = hasattr(room, last) or (hasattr(room, "__path__") and find_spec(target) is not None)
    else:
        rooms = [room for name, room in sys.modules.items() if name.split(".")[0] == "bayes"]
        exists = any(hasattr(room, target.split(".")[0]) for room in rooms)
    return words if exists else None


def setup(app: Any) -> None:
    """Write mathematics as MathML, which every browser sets without a script."""
    app.connect("missing-reference", _inside)
    app.add_html_math_renderer("mathml", (_mathml(False), None), (_mathml(True), None))
    app.connect("config-inited", lambda app, config: setattr(config, "html_math_renderer", "mathml"))
