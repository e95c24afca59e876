"""A drawing as data, and its DOT text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.diagrams.label import Label, css_class, extent
from orchestrator.diagrams.style import EDGES, FAINT, FONT, INK

_POINTS = 72
_MARGIN = (26.0, 14.0)

_COLUMNS = ("step", "undo", "note", "event")

#: How much larger than its text a shape must be, where it is not a box.
_ROOM = {
    "diamond": (1.45, 1.9),
    "note": (1.0, 1.0),
    "hexagon": (1.25, 1.05),
    "ellipse": (1.2, 1.25),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A node; `tooltip` is shown where the pointer rests."""

    id: str
    label: Label
    attributes: Mapping[str, str]
    tooltip: str = ""
    css: str = ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in points."""
        return _size(self.label, self.attributes.get("shape", "box"))

    def written(self, wide: float, high: float) -> str:
        """The node as a DOT statement, in a size."""
        return _statement(
            quoted(self.id),
            {
                "id": self.id,
                "label": lines(self.label),
                "class": " ".join(c for c in (self.css, css_class(self.label)) if c),
                "tooltip": quotable(self.tooltip) or " ",
                "width": f"{wide / _POINTS:.2f}",
                "height": f"{high / _POINTS:.2f}",
                **self.attributes,
            },
        )


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a kind in `style.EDGES`."""

    tail: str
    head: str
    kind: str
    label: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def written(self) -> str:
        """The edge as a DOT statement."""
        label = {"label": quotable(f"  {self.label}  ")} if self.label else {}
        attributes = {"class": self.kind, **EDGES[self.kind], **label, **self.attributes}
        return _statement(f"{quoted(self.tail)} -> {quoted(self.head)}", attributes)


@dataclass(slots=True)
class Frame:
    """A frame around nodes, and the frames inside it."""

    id: str
    label: Label
    nodes: list[str] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def written(self, rows: list[tuple[str, ...]]) -> Iterator[str]:
        """The frame as a DOT subgraph; takes the rows that stand in it."""
        yield f"subgraph {quoted('cluster_' + self.id)} {{"
        look = {**_FRAME, "label": lines(self.label, "\\l"), "class": css_class(self.label)}
        yield _statement("  graph", look)
        for frame in self.frames:
            yield from (f"  {line}" for line in frame.written(rows))
        yield "  " + " ".join(f"{quoted(id)};" for id in self.nodes)
        own = [row for row in rows if set(row) <= set(self.nodes)]
        for row in own:
            rows.remove(row)
            yield f"  {_row(row)}"
        yield "}"


_FRAME = {
    "style": "rounded,dashed",
    "color": FAINT,
    "margin": "14",
    "labeljust": "l",
    "fontsize": "11",
}


@dataclass(slots=True)
class Drawing:
    """One saga's nodes, edges, frames, and the nodes that stand side by side."""

    name: str
    header: Label
    tooltip: str = ""
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def body(self) -> Iterator[str]:
        """The statements, in the order that gives Graphviz its first idea of left and right."""
        widest = self._widest()
        for node in self.nodes:
            wide, high = node.size
            yield node.written(widest.get(node.css.split(" ")[0], wide), high)
        rows = list(self.rows)
        for frame in self.frames:
            yield from frame.written(rows)
        yield from (_row(row) for row in rows)
        yield from (e.written() for e in self.edges)

    def _widest(self) -> dict[str, float]:
        """Nodes of these kinds are equally wide, so that they and their edges stand in columns."""
        kinds = {k: [n.size[0] for n in self.nodes if n.css.startswith(k)] for k in _COLUMNS}
        return {kind: max(found) for kind, found in kinds.items() if found}

    def title(self) -> dict[str, str]:
        """The header as attributes of a graph or cluster."""
        return {
            "label": lines(self.header, "\\l"),
            "class": css_class(self.header),
            "tooltip": quotable(self.tooltip) or " ",
        }


def _row(row: tuple[str, ...]) -> str:
    return "{ rank=same; " + " ".join(f"{quoted(id)};" for id in row) + " }"


def document(name: str, settings: Mapping[str, str], body: Iterable[str]) -> str:
    """A whole DOT document."""
    defaults = [
        _statement("graph", {**_GRAPH, **settings}),
        _statement("node", _NODE),
        _statement("edge", _EDGE),
    ]
    inner = "".join(f"  {line}\n" for line in (*defaults, *body))
    return f"digraph {quoted(name)} {{\n{inner}}}\n"


def cluster(drawing: Drawing) -> Iterator[str]:
    """A drawing as one of several in a document."""
    yield f"subgraph {quoted('cluster_' + drawing.name)} {{"
    frame = {"color": "#cbd2d9", "style": "rounded", "margin": "18", "labeljust": "l"}
    yield _statement("  graph", {**frame, **drawing.title()})
    yield from (f"  {line}" for line in drawing.body())
    yield "}"


def quoted(text: str) -> str:
    """A DOT string. Backslashes are the caller's: `\\l` and its kin mean something in labels."""
    return '"' + text.replace('"', '\\"') + '"'


def quotable(text: str) -> str:
    """A user's text for a label: Graphviz would read `\\N` and `&lt;` in it."""
    return text.replace("\\", "\\\\").replace("&", "&amp;")


def lines(label: Label, end: str = "") -> str:
    """The text of a label, each line ended by `end` or parted from the next."""
    texts = [quotable(line.text) for line in label]
    return "".join(t + end for t in texts) if end else "\\n".join(texts)


def _size(label: Label, shape: str) -> tuple[float, float]:
    if not label:
        return 0, 0
    wide, high = extent(label)
    across, up = _ROOM.get(shape, (1.0, 1.0))
    return wide * across + _MARGIN[0], high * up + _MARGIN[1]


def _statement(subject: str, attributes: Mapping[str, str]) -> str:
    return f"{subject} [{' '.join(f'{k}={quoted(v)}' for k, v in attributes.items())}];"


_GRAPH = {
    "rankdir": "TB",
    "bgcolor": "white",
    "fontname": FONT,
    "fontsize": "12",
    "fontcolor": INK,
    "labelloc": "t",
    "labeljust": "l",
    "nodesep": "0.55",
    "ranksep": "0.32",
    "pad": "0.25",
}
_NODE = {
    "shape": "box",
    "style": "rounded,filled",
    "fontname": FONT,
    "fontsize": "11",
    "fontcolor": INK,
    "fixedsize": "true",
    "penwidth": "1.4",
}
_EDGE = {"fontname": FONT, "fontsize": "10", "arrowsize": "0.8"}
