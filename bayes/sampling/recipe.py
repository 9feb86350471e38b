"""What fitting a model takes, as plain data: blocks and tapes, without PyMC.

A recipe depends on a model's structure and not on its numbers. It is kept on disk under the content hash of that
structure, preceded by its own SHA-256, so that a fit with other numbers needs neither PyMC nor a compiler. A damaged
recipe is thrown away and made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.sampling.nuts import Block
from bayes.sampling.places import cache_folder
from bayes.sampling.programs import is_writable, read_kept, write_kept
from bayes.sampling.tape import Tape

if TYPE_CHECKING:
    from bayes.sampling.forward import Piece

__all__ = ["Recipe", "can_keep_recipes", "keep_recipe", "stored_recipe"]


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How a model is sampled and what follows from its draws.

    Parameters
    ----------
    key
        Content hash of the structure, or None if it cannot be told.
    blocks
        What is sampled together.
    pieces
        The calculations ``starts``, ``values``, ``after``, ``before``, ``densities`` and ``observed``.
    names
        Variables that are ``sampled``, ``kept`` in the posterior, ``seen`` (observed), ``own`` (with a prior of their
        own), ``free``, ``forward`` (drawn) and ``data``.
    dims
        Names of the dims of each variable that has any.
    """

    key: str | None
    blocks: tuple[Block, ...]
    pieces: Mapping[str, Piece]
    names: Mapping[str, tuple[str, ...]]
    dims: Mapping[str, tuple[str, ...]]

    def text(self) -> str | None:
        """The recipe as JSON, or None if some piece is no tape."""
        tapes = {name: piece.as_data() for name, piece in self.pieces.items() if isinstance(piece, Tape)}
        if self.key is None or set(tapes) != set(self.pieces):
            return None
        blocks = [[block.variables, block.shapes, block.data] for block in self.blocks]
        whole = {"key": self.key, "blocks": blocks, "tapes": tapes, "names": dict(self.names), "dims": dict(self.dims)}
        return json.dumps(whole, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | bytes) -> Recipe:
        """The recipe that :meth:`text` wrote."""
        data: dict[str, Any] = json.loads(text)
        blocks = tuple(Block(tuple(v), tuple(map(tuple, s)), tuple(d)) for v, s, d in data["blocks"])
        tapes = {name: Tape.from_data(tape) for name, tape in data["tapes"].items()}
        names, dims = ({k: tuple(v) for k, v in data[word].items()} for word in ("names", "dims"))
        return cls(data["key"], blocks, tapes, names, dims)


def stored_recipe(key: str) -> Recipe | None:
    """Return the recipe kept under a key, or None if there is none or it is damaged."""
    found = read_kept(_path(key))
    return None if found is None else Recipe.from_text(found)


def keep_recipe(recipe: Recipe, key: str) -> None:
    """Keep a recipe under a key, if it can be kept."""
    text = recipe.text()
    if text is not None:
        write_kept(_path(key), text.encode())


def can_keep_recipes() -> bool:
    """Return whether the folder of recipes can be written."""
    return is_writable(_path("").parent)


def _path(key: str) -> Path:
    return cache_folder() / "recipes" / f"{key}.json"
