"""The live what-if as a page of its own."""

import base64
import hashlib

from bayes.report.whatif import Panel

_COLOURS = """\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --muted: #5a636e; --rule: #d5dae0;
  --accent: #0a5c8f; --warn: #a8340b; --card: #f7f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #15181c; --muted: #a3acb7; --rule: #3a4149;
  --accent: #6fbcf0; --warn: #ff9a6e; --card: #1d2126; } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 "Source Serif 4", Charter, Georgia, serif; }
"""


def standalone(found: Panel) -> str:
    """Return a page with nothing but the panel, which loads nothing and runs only its own script."""
    style = _COLOURS + found.css
    allowed = f"script-src {_hash(found.js)}; style-src {_hash(style)}; img-src data:"
    policy = f"default-src 'none'; base-uri 'none'; {allowed}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>What if?</title>\n'
        '<link rel="icon" href="data:,">\n'
        f"<style>{style}</style>\n</head>\n<body>\n<main>\n{found.html}\n</main>\n"
        f'<script type="application/json" id="what-if-data">{found.data_json}</script>\n'
        f"<script>{found.js}</script>\n</body>\n</html>\n"
    )


def _hash(text: str) -> str:
    """A source expression of a Content-Security-Policy that allows exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
