"""Colours, fonts and line styles: one look for every diagram.

Every colour pair keeps a contrast of at least 4.5 between text and ground, and nothing is told by
colour alone: failures are labelled, undos are dashed, services are named.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.diagrams.state import Status

FONT = "Helvetica,Arial,sans-serif"
INK = "#1f2933"
FAINT = "#52606d"
LINE = "#3e4c59"
RED = "#b42318"
VIOLET = "#5b3a8c"


@dataclass(frozen=True, slots=True)
class Paint:
    """A fill and the border that goes with it."""

    fill: str
    border: str


#: For services, in the order in which a saga meets them; then from the start again.
SERVICES = (
    Paint("#deebf9", "#0b5cad"),
    Paint("#fdecd5", "#a85400"),
    Paint("#dcf2e5", "#0b6e4f"),
    Paint("#f0e4f8", "#7a3e9d"),
    Paint("#fbf4cd", "#7d6a00"),
    Paint("#fbe1ea", "#a8325a"),
    Paint("#d8f1f2", "#006d77"),
    Paint("#e9e4de", "#6b4f36"),
)
PLAIN = Paint("#ffffff", LINE)
UNREACHED = Paint("#ffffff", "#9aa5b1")

#: For the steps of one instance; the status stands in the node as text too.
STATUSES = {
    Status.RUNNING: Paint("#fff3c4", "#8d6a00"),
    Status.DONE: Paint("#d9f2e3", "#0b6e4f"),
    Status.FAILED: Paint("#fde0dd", RED),
    Status.UNDOING: Paint("#fff3c4", VIOLET),
    Status.UNDONE: Paint("#e7e0f1", VIOLET),
    Status.PARKED: Paint("#fde0dd", "#7a271a"),
}

#: What an edge says, by its kind.
EDGES: dict[str, dict[str, str]] = {
    "forward": {"color": LINE, "fontcolor": INK, "penwidth": "1.6", "weight": "20"},
    "failure": {"color": RED, "fontcolor": RED},
    "undo": {
        "color": VIOLET,
        "fontcolor": VIOLET,
        "style": "dashed",
        "penwidth": "1.4",
        "weight": "8",
    },
    "loop": {"color": LINE, "fontcolor": INK, "style": "dashed", "penwidth": "1.2"},
    "dead": {"color": FAINT, "style": "dotted", "arrowsize": "0.6"},
    "pair": {"color": VIOLET, "style": "dotted", "arrowhead": "none"},
}


@dataclass(frozen=True, slots=True)
class Face:
    """How a line of a label is set; `size` in points."""

    size: float
    color: str = INK
    bold: bool = False
    italic: bool = False


#: The faces by the letter that stands for them in a node's class, see `label`.
FACES = {
    "h": Face(18, bold=True),
    "t": Face(13, bold=True),
    "c": Face(11),
    "d": Face(10, FAINT, italic=True),
    "s": Face(9.5, FAINT),
    "k": Face(11, FAINT),
    "b": Face(10.5, bold=True),
    "f": Face(11, RED, bold=True),
    "w": Face(11, "#ffffff", bold=True),
}
