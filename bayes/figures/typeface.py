"""Typefaces that travel with a picture, so that its text is text and looks the same everywhere."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from html import unescape
from pathlib import Path

__all__ = ["faces", "folder_of", "others", "with_faces"]

_TEXT = re.compile(r"<text\b([^>]*)>([^<]*)</text>")
_FAMILY = re.compile(r"font-family(?:: |=\")('[^']+')")
_BOLD = re.compile(r"font-weight(?:: |=\")700")
_USUAL = frozenset(map(chr, range(32, 127))) | frozenset("–−×·•…“”‘’†£€°±≤≥←→■◆□◇●\u202fαβγδθλμρστφω")
_INSTEAD = ", Verdana, sans-serif"
"""Typefaces of the reader for letters that the picture's own lacks."""


def faces(svg: str) -> str:
    """Return the rules of CSS that bring the typefaces of pictures in SVG, cut to the letters they may need."""
    used: dict[tuple[str, bool], set[str]] = {}
    for how, words in _TEXT.findall(svg):
        for family in _FAMILY.findall(how):
            used.setdefault((family, bool(_BOLD.search(how))), set()).update(unescape(words))
    return "".join(_face(*key, frozenset(letters | _USUAL)) for key, letters in sorted(used.items()))


def with_faces(svg: str) -> str:
    """Bring the typefaces of a picture in SVG with it, and name others for letters that they lack."""
    svg = re.sub(r"(font-family: '[^']+')(?=[;\"])", rf"\1{_INSTEAD}", svg)
    return svg.replace("</style>", f"{faces(svg)}</style>", 1)


@lru_cache(maxsize=64)
def _face(family: str, bold: bool, letters: frozenset[str]) -> str:
    from fontTools import subset

    options = subset.Options(flavor="woff", hinting=False)
    options.drop_tables += ["FFTM"]
    font = subset.load_font(_file(family.strip("'"), bold), options)
    cut, whole = subset.Subsetter(options), io.BytesIO()
    cut.populate(text="".join(sorted(letters)))
    cut.subset(font)
    subset.save_font(font, whole, options)
    data = base64.b64encode(whole.getvalue()).decode()
    return (
        f"@font-face{{font-family:{family};font-weight:{700 if bold else 400};"
        f'src:url("data:font/woff;base64,{data}")format("woff")}}'
    )


def _file(family: str, bold: bool) -> str:
    from matplotlib.font_manager import FontProperties, findfont

    return str(findfont(FontProperties(family=family, weight="bold" if bold else "normal")))


@lru_cache(maxsize=8)
def folder_of(family: str) -> str:
    """Return the folder that holds a typeface of matplotlib."""
    return str(Path(_file(family, False)).parent)


def others(family: str, texts: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return installed typefaces for the letters that one lacks, and the letters that none has."""
    lacking = {ord(letter) for letter in set("".join(texts)) if letter.isprintable()} - _charmap(_file(family, False))
    found: list[str] = []
    if lacking:
        from matplotlib.font_manager import fontManager

        for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.weight != 400, entry.fname)):
            if lacking & (has := _charmap(entry.fname)) and "Last Resort" not in entry.name:
                found.append(entry.name)
                lacking -= has
    return tuple(dict.fromkeys(found)), "".join(sorted(map(chr, lacking)))


@lru_cache(maxsize=256)
def _charmap(file: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(file).get_charmap())
