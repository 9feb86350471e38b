"""The report as one page that needs nothing else: no network, no server.

Every text is escaped by the template. The content policy forbids remote loads, and lets run only the page's own style
and script, named by their hashes; figures are inline SVG whose colours follow the page's light or dark mode.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import partial
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bayes.figures.palette import DARK
from bayes.figures.typeface import faces
from bayes.report.contract import Drawing, Report, parts
from bayes.report.pictures import in_tags
from bayes.report.prose import anchor, index_of, plain, runs
from bayes.words import capital

if TYPE_CHECKING:
    from markupsafe import Markup

    from bayes.report.whatif import Panel

__all__ = ["content_policy", "render_html"]


def render_html(report: Report, panel: Panel | None = None) -> str:
    """Write a report as one HTML page.

    Parameters
    ----------
    report
        The finished report.
    panel
        The live panel, for where the report has a place for it.
    """
    from jinja2 import Environment, StrictUndefined

    index = index_of(report)
    pictures = "".join(one.svg + one.narrow for one in report.figures.values())
    style, tools = _file("report.css") + _colours() + faces(pictures) + (panel.css if panel else ""), _file("report.js")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["capitalised"] = capital
    template = environment.from_string(_file("report.html.j2"))
    return template.render(report=report, index=index, panel=panel, style=style, anchor=anchor, parts=parts,
                           runs=partial(runs, report=report, index=index),
                           plain=partial(plain, report=report, index=index), svg=_svg,
                           policy=content_policy(style, tools, *([panel.js] if panel else [])), tools=tools,
                           inner=_inner(panel), claims=_claims(report))  # fmt: skip


def _inner(panel: Panel | None) -> str:
    """The panel as a section of the report: its title is one of the third level, as the others are."""
    return re.sub(r"(</?)h2\b", r"\1h3", panel.html) if panel else ""


def content_policy(style: str, *scripts: str) -> str:
    """Return a content policy that admits one style sheet and some scripts by their hashes, and nothing from elsewhere.

    >>> content_policy("p{}")[:44]
    "default-src 'none'; style-src 'sha256-gG2yIS"
    """
    allowed = " ".join(f"'sha256-{_hash(script)}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; script-src {allowed}; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return files("bayes.report").joinpath("templates", name).read_text("utf-8")


_COLOUR = re.compile(r'"#([0-9a-f]{6})"')


def _colours() -> str:
    """What a screen, light or dark, shows for the colours of figures; paper shows their own."""
    dark = "".join(f"--f-{name[1:]}:{other};" for name, other in DARK.items())
    return (
        "@media screen{:root{--f-ffffff:var(--paper)}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )


def _svg(drawing: Drawing) -> Markup:
    """The picture with its text alternative, and once more for narrow screens; colours may be the page's."""
    from markupsafe import Markup

    title, _, more = drawing.caption.partition(". ")
    key = anchor("f", drawing.key)
    head = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(more or title)}</desc>'
    first = _one(drawing.svg, key, head, "large" if drawing.narrow else "")
    return Markup(first + (_one(drawing.narrow, key, "", "small") if drawing.narrow else ""))


def _one(svg: str, key: str, head: str, kind: str) -> str:
    view = re.search(r'viewBox="[^"]*"', svg)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="{kind}" '
        f'{view.group(0) if view else ""} role="img" aria-labelledby="{key}-title {key}-desc" '
        'stroke-linejoin="round" stroke-linecap="butt">'
    )
    body = in_tags(lambda tag: _COLOUR.sub(r'"var(--f-\1,#\1)"', tag), svg[svg.index(">") + 1 :])
    return opening + head + body


def _claims(report: Report) -> str:
    """Every claim as JSON, safe inside a script element."""
    data: dict[str, Any] = {
        name: {"text": c.text, "value": c.value, "mcse": c.mcse, "unit": c.unit, "source": c.source}
        for name, c in report.claims.items()
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=True, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
