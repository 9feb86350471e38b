"""Colours of figures: of each style, and what the page puts in their place when it is dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DARK", "STYLES", "Palette", "lettering"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a style: distinct to colour-blind readers and in greyscale.

    Parameters
    ----------
    main, prior, accent
        The posterior; the prior, never of text; the naive sum that is shown for comparison, and nothing else.
    bands
        Fills of wide to narrow intervals.
    series
        Lines of several series, with ``dashes`` beside them; their names are :func:`lettering` of these.
    ink, muted, rule
        Text and axes; secondary text; thin rules.
    """

    main: str = "#14507d"
    prior: str = "#9a9a9a"
    accent: str = "#c4501b"
    bands: tuple[str, ...] = ("#d3e3ef", "#a3c4de", "#6a9fc8")
    series: tuple[str, ...] = ("#0b2a4a", "#2f78b7", "#2f7f6f", "#8a5fae", "#a63a6a", "#6b6b6b")
    dashes: tuple[Any, ...] = ("-", (0, (5, 1.5)), "-", (0, (3, 1.2, 1, 1.2)), (0, (1.2, 1.2)), (0, (6, 2)))
    ink: str = "#1a1a1a"
    muted: str = "#555555"
    rule: str = "#cccccc"

    def line(self, i: int) -> dict[str, Any]:
        """Return colour and dashes of the i-th series; no two of the first 36 share both."""
        turn, k = divmod(i, len(self.series))
        return {"color": self.series[k], "linestyle": self.dashes[(k + turn) % len(self.dashes)]}


def lettering(colour: str) -> str:
    """Return the colour of text that names what is drawn in a colour: as dark as text is read, 7 to 1 on the page.

    Red, green and blue light are dimmed alike, so that the hue stays (WCAG 2.2, 1.4.6, with its relative luminance).

    >>> lettering("#1a1a1a"), lettering("#c4501b")
    ('#1a1a1a', '#913911')
    """
    from matplotlib.colors import to_hex, to_rgb

    light = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    dimmed = min(1.0, 0.09 / max(1e-9, 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]))
    r, g, b = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in (dimmed * v for v in light))
    return to_hex((r, g, b))


_GREY = Palette("#222222", "#a0a0a0", "#000000", ("#e4e4e4", "#c4c4c4", "#9c9c9c"),
                ("#000000", "#333333", "#000000", "#666666", "#333333", "#6f6f6f"), Palette().dashes)  # fmt: skip
STYLES: Mapping[str, tuple[Palette, str]] = {
    "journal": (Palette(), "DejaVu Sans"),
    "serif": (Palette(), "STIXGeneral"),
    "grey": (_GREY, "DejaVu Sans"),
}
"""Palette and typeface of each style; all typefaces come with matplotlib, so that a picture is the same on every
machine."""

DARK: Mapping[str, str] = {
    "#ffffff": "#17181a", "#000000": "#e7e4dd", "#1a1a1a": "#e7e4dd", "#555555": "#b4b1aa", "#cccccc": "#47494d",
    "#9a9a9a": "#94918b", "#14507d": "#86bdec", "#c4501b": "#f0945f", "#a00000": "#ff8f75",
    "#d3e3ef": "#1d3143", "#a3c4de": "#2a4d6a", "#6a9fc8": "#386890",
    "#0b2a4a": "#c3dff5", "#2f78b7": "#6fb1e8", "#2f7f6f": "#6cc4b0", "#8a5fae": "#c3a3e0", "#a63a6a": "#ee8db4",
    "#6b6b6b": "#a6a39d",
    "#913911": "#f0945f", "#205887": "#6fb1e8", "#215e52": "#6cc4b0", "#684684": "#c3a3e0", "#91315c": "#ee8db4",
}  # fmt: skip
"""What a dark page shows for each colour of the journal's style, and for its lettering."""
