"""A DOT text to a picture."""

from __future__ import annotations

from typing import Literal

from orchestrator.diagrams.engine import layout
from orchestrator.diagrams.error import DiagramError
from orchestrator.diagrams.finish import finish
from orchestrator.diagrams.raster import png

Format = Literal["svg", "png", "dot"]


def render(dot: str, format: Format) -> bytes:
    """The picture. A PNG is made from the SVG, because the build of Graphviz on PyPI cannot make
    one and so that both builds give the same picture. Raises DiagramError."""
    match format:
        case "dot":
            return dot.encode()
        case "svg":
            return finish(layout(dot, "svg"))
        case "png":
            return png(finish(layout(dot, "svg")))
        case _:
            raise DiagramError(f"a diagram is `svg`, `png` or `dot`, not `{format}`")
