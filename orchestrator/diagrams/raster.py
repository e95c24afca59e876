"""SVG to PNG."""

from __future__ import annotations

import functools

from orchestrator.diagrams.error import DiagramError

_ZOOM = 2.0  # sharp on screens of high density


#: Sans serifs by how well they fit where Helvetica and Arial are missing; the renderer does not
#: ask the system for its own.
_FAMILIES = (
    *("Helvetica", "Arial", "Liberation Sans", "Nimbus Sans", "Noto Sans", "Open Sans", "Roboto"),
    *("Ubuntu", "Cantarell", "DejaVu Sans", "Segoe UI", "FreeSans", "Adwaita Sans"),
)


def png(svg: bytes) -> bytes:
    """A PNG of twice the SVG's size. Raises DiagramError where the package or fonts are missing."""
    family = _family()
    if family is None:
        wanted = "Liberation Sans or DejaVu Sans"
        raise DiagramError(f"a PNG needs a sans-serif font: install {wanted}, or ask for an SVG")
    return _raster(svg.decode(), family)


def _raster(svg: str, family: str) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise DiagramError(
            "a PNG needs the package resvg-py: `pip install resvg-py`, or ask for an SVG"
        ) from None
    try:
        # Lengths in points need a resolution.
        return bytes(
            resvg_py.svg_to_bytes(svg_string=svg, dpi=96, zoom=_ZOOM, sans_serif_family=family)
        )
    except ValueError as e:
        raise DiagramError(f"the SVG cannot be drawn: {e}") from e


@functools.cache
def _family() -> str | None:
    """The first family in which text leaves a trace: the renderer leaves out, without a word, what
    it has no font for."""
    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    text = '<text x="2" y="15" font-family="sans-serif" font-size="12">M</text>'
    blank = _raster(frame.format(""), "")
    return next((f for f in _FAMILIES if _raster(frame.format(text), f) != blank), None)
