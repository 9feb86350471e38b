"""The command line: arguments in, files out; no statistics."""

from __future__ import annotations

from bayes.cli.entry import main, parser_of_all

__all__ = ["main", "parser_of_all"]
