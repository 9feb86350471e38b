"""What fitting a model takes, as plain data: blocks and tapes, without PyMC.

A recipe depends on a model's structure and not on its numbers. It is kept on disk under the content hash of that
structure (:mod:`bayes.cache`), so that a fit with other numbers needs neither PyMC nor a compiler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.cache import keep, kept
from bayes.sampling.nuts import Block
from bayes.sampling.tape import Tape

if TYPE_CHECKING:
    from bayes.sampling.forward import Piece

__all__ = ["Recipe", "keep_recipe", "stored_recipe"]


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
        The calculations ``starts``, ``total``, ``values``, ``after``, ``before``, ``inside`` (whether a draw from the
        prior lies in the range of the transforms; only where that may fail), ``densities`` and ``observed``. Each was
        proved to give PyMC's numbers.
    names
        Variables that are ``sampled``, ``kept`` in the posterior, ``observed``, ``seen`` (observed, and can be drawn),
        ``own`` (with a prior of their own), ``free`` (with a log density), ``forward`` (drawn) and ``data``.
    dims
        Names of the dims of each variable that has any.
    slow
        Pieces that no tape holds, and who computes them.
    left
        Groups that cannot be made, and why.
    shapes
        Of the model's data, by name: the recipe holds for these alone.
    """

    key: str | None
    blocks: tuple[Block, ...]
    pieces: Mapping[str, Piece]
    names: Mapping[str, tuple[str, ...]]
    dims: Mapping[str, tuple[str, ...]]
    slow: Mapping[str, str]
    left: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]

    def fits(self, data: Mapping[str, Any]) -> bool:
        """Return whether data have the shapes that the recipe was made for."""
        return {name: tuple(getattr(value, "shape", ())) for name, value in data.items()} == dict(self.shapes)

    def text(self) -> str | None:
        """The recipe as JSON, or None if some piece is no tape."""
        tapes = {name: piece.as_data() for name, piece in self.pieces.items() if isinstance(piece, Tape)}
        if self.key is None or set(tapes) != set(self.pieces):
            return None
        blocks = [[block.variables, block.shapes, block.data, block.wide] for block in self.blocks]
        whole = {"key": self.key, "blocks": blocks, "tapes": tapes, "names": dict(self.names), "dims": dict(self.dims),
                 "left": dict(self.left), "shapes": dict(self.shapes)}  # fmt: skip
        return json.dumps(whole, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | bytes) -> Recipe:
        """The recipe that :meth:`text` wrote."""
        data: dict[str, Any] = json.loads(text)
        blocks = tuple(Block(tuple(v), tuple(map(tuple, s)), tuple(d), None, w) for v, s, d, w in data["blocks"])
        tapes = {name: Tape.from_data(tape) for name, tape in data["tapes"].items()}
        names, dims, shapes = ({k: tuple(v) for k, v in data[word].items()} for word in ("names", "dims", "shapes"))
        return cls(data["key"], blocks, tapes, names, dims, {}, data["left"], shapes)


def stored_recipe(key: str) -> Recipe | None:
    """Return the recipe kept under a key, or None if there is none or it is damaged."""
    found = kept("recipes", f"{key}.json")
    return None if found is None else Recipe.from_text(found)


def keep_recipe(recipe: Recipe, key: str) -> None:
    """Keep a recipe under a key, if it can be kept."""
    text = recipe.text()
    if text is not None:
        keep("recipes", f"{key}.json", text.encode())
