"""Shell completion, written from the command line's own parser: commands, verbs, options, and files elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

from bayes.errors import check_word

__all__ = ["SHELLS", "completion_script", "words"]

SHELLS = {"bash": "bayes completion bash > ~/.local/share/bash-completion/completions/bayes",
          "zsh": "bayes completion zsh > ~/.zsh/_bayes, with that folder in fpath before compinit",
          "fish": "bayes completion fish > ~/.config/fish/completions/bayes.fish"}  # fmt: skip
"""Shells, each with the command that installs its script for good."""


def completion_script(
    shell: str, parser: argparse.ArgumentParser, names: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return a script that completes ``bayes`` in a shell; ``names`` are more words, by chain of commands.

    Raises
    ------
    UsageError
        If the shell is not one of :data:`SHELLS`.
    """
    check_word(shell, SHELLS, "there is no completion for this shell", key="SHELL")
    table = {path: [*found, *(names or {}).get(path, ())] for path, found in words(parser).items()}
    return _fish(table) if shell == "fish" else _bash(table) if shell == "bash" else _zsh(table)


def words(parser: argparse.ArgumentParser, path: str = "") -> dict[str, list[str]]:
    """Return what may follow each chain of commands: ``{"": [...], "priors": [...], "priors show": [...]}``.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser(prog="x")
    >>> _ = parser.add_subparsers().add_parser("run").add_argument("--json", action="store_true")
    >>> words(parser)["run"]
    ['--help', '--json']
    """
    commands = dict(_commands(parser))
    options = sorted(max(a.option_strings, key=len) for a in parser._actions if a.option_strings)
    found = {path: [*commands, *options]}
    for name, inner in commands.items():
        found |= words(inner, f"{path} {name}".strip())
    return found


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _bash(table: Mapping[str, list[str]]) -> str:
    cases = "\n".join(f'    "{path}") found="{" ".join(found)}" ;;' for path, found in table.items())
    return f"""\
# bash completion of bayes, made by 'bayes completion bash'
_bayes() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="" found="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case " {_names(table)} " in *" ${{path:+$path }}$word:"*) path="${{path:+$path }}$word" ;; esac
  done
  case "$path" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$found" -- "$current"))
  if [[ "$current" != -* && -n "$path" ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _bayes bayes
"""


def _names(table: Mapping[str, list[str]]) -> str:
    """Every chain of commands, each ended by a colon, so that a part is not taken for the whole."""
    return " ".join(f"{path}:" for path in table if path)


def _zsh(table: Mapping[str, list[str]]) -> str:
    cases = "\n".join(f'    "{path}") found=({" ".join(found)}) ;;' for path, found in table.items())
    return f"""\
#compdef bayes
# zsh completion of bayes, made by 'bayes completion zsh'
_bayes() {{
  local path_ word
  local -a found
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case " {_names(table)} " in *" ${{path_:+$path_ }}$word:"*) path_="${{path_:+$path_ }}$word" ;; esac
  done
  case "$path_" in
{cases}
  esac
  compadd -- $found
  [[ -n "$path_" ]] && _files
}}
compdef _bayes bayes
"""


def _fish(table: Mapping[str, list[str]]) -> str:
    lines = ["# fish completion of bayes, made by 'bayes completion fish'", "complete -c bayes -e"]
    for path, found in table.items():
        seen = " ".join(f"__fish_seen_subcommand_from {part};" + " and" for part in path.split())
        inner = [w for w in found if not w.startswith("-")]
        unseen = f" not __fish_seen_subcommand_from {' '.join(inner)}" if inner else ""
        when = f"{seen}{unseen}".removesuffix(" and").removesuffix(";").strip()
        condition = f"-n '{when}' " if when else ""
        for word in found:
            what = f"-l {word.removeprefix('--')}" if word.startswith("--") else f"-f -a {word}"
            lines.append(f"complete -c bayes {condition}{what}")
    return "\n".join(lines) + "\n"
