"""Labels of several lines, each in a face of its own.

Graphviz sets all lines of a label alike, and its HTML-like labels need a build with expat, which
the one from PyPI is not (it then draws the node's name, without a word). So a label is plain text
in the DOT; the box is sized here, a class such as `lines-tcs` names each line's face, and `finish`
sets the lines in the SVG.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.diagrams.style import FACES
from orchestrator.diagrams.text import width

LEADING = 1.3


@dataclass(frozen=True, slots=True)
class Line:
    """A line and the letter of its face in `style.FACES`."""

    face: str
    text: str


Label = tuple[Line, ...]


def css_class(label: Label) -> str:
    """The class that carries the faces through Graphviz."""
    return "lines-" + "".join(line.face for line in label)


def extent(label: Label) -> tuple[float, float]:
    """Width and height of the text, in points."""
    faces = [FACES[line.face] for line in label]
    wide = [width(line.text, f.size, f.bold) for line, f in zip(label, faces, strict=True)]
    return max(wide, default=0), sum(f.size * LEADING for f in faces)
