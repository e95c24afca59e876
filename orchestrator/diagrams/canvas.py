"""What the walk draws on: ids, colours and tooltips, with the state of one instance if given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dsl.model import Callee, Program, wire_type
from orchestrator.compile.plan import CallPlan
from orchestrator.diagrams.graph import Drawing, Edge, Frame, Node
from orchestrator.diagrams.label import Label, Line
from orchestrator.diagrams.palette import Palette
from orchestrator.diagrams.state import Status, StepState
from orchestrator.diagrams.style import (
    FAINT,
    INK,
    LINE,
    PLAIN,
    RED,
    STATUSES,
    VIOLET,
    Paint,
)
from orchestrator.diagrams.text import clean, cut

_WAY_BACK = Paint(VIOLET, VIOLET)
_DASHED = "rounded,filled,dashed"

#: How what is called differs from a command, whose box is rounded.
_SHAPES: dict[Callee, dict[str, str]] = {
    Callee.COMMAND: {},
    Callee.ACTIVITY: {"shape": "component", "style": "filled"},
    # A double border: there is a diagram of its own behind it.
    Callee.SAGA: {"peripheries": "2"},
}


class Canvas:
    """Adds nodes and edges to a drawing. Nodes that have no path get an id with a colon, which
    no path has."""

    def __init__(
        self,
        drawing: Drawing,
        program: Program,
        state: Mapping[str, StepState] | None,
        prefix: str,
    ) -> None:
        self._drawing = drawing
        self._program = program
        self.palette = Palette(program, state)
        self._prefix = prefix
        self._numbers: Counter[str] = Counter()
        self._leads: dict[str, set[str]] = {}
        self._framed: list[Frame] = []
        self.column = f"{prefix}do"
        self.failed = f"{prefix}:failed"

    def failures(self, call: CallPlan) -> tuple[str, ...]:
        """The failures that a callee declares, by qualified name."""
        if call.callee is Callee.COMMAND:
            return self._program.command(call.command).fails
        return ("failed",) if call.callee is Callee.SAGA else ()

    def numbered(self, kind: str) -> str:
        """An id for a node that has no path."""
        self._numbers[kind] += 1
        return f"{kind}:{self._numbers[kind]}"

    def step(self, path: str, label: Label, call: CallPlan, doc: str) -> str:
        """A step; what calls a function has its own shape and no service's colour."""
        state = self.palette.state(path)
        tooltip = clean(doc) or self.palette.says(call)
        paint = self.palette.of_call(call, state)
        look = {"group": self.column, **_SHAPES[call.callee]}
        if state:
            look["penwidth"] = "2.6"
        return self._add(path, label, paint, look, tooltip, state, "step")

    def undo(self, path: str, label: Label, call: CallPlan) -> str:
        """A step's undo, or that of a called saga by itself: dashed, on white until it runs."""
        state = self.palette.state(path)
        ran = state if state and state.status in (Status.UNDOING, Status.UNDONE) else None
        paint = self.palette.of_call(call, ran)
        if not ran:
            paint = Paint(PLAIN.fill, paint.border)
        tooltip = self.palette.says(call)
        look = {**_SHAPES[call.callee], "style": _DASHED, "group": f"{self.column}:undo"}
        return self._add(f"undo:{path}", label, paint, look, tooltip, ran, "undo")

    def undo_block(self, path: str, label: Label) -> str:
        """An undo in steps of its own: a tab, dashed as every undo is."""
        state = self.palette.state(path)
        ran = state if state and state.status in (Status.UNDOING, Status.UNDONE) else None
        paint = STATUSES[ran.status] if ran else Paint(PLAIN.fill, VIOLET)
        look = {"shape": "tab", "style": "filled,dashed", "group": f"{self.column}:undo"}
        tooltip = "these steps undo it, in this order"
        return self._add(f"undo:{path}", label, paint, look, tooltip, ran, "undo")

    def message(self, path: str, label: Label, event: str) -> str:
        """An event that comes in or goes out: a pill with a double border."""
        tooltip = clean(self._program.event(event).doc) or wire_type(event)
        return self._pill(path, label, event, tooltip)

    def signal(self, path: str, label: Label, record: str) -> str:
        """A signal that comes in, by its payload's name."""
        tooltip = clean(self._program.record(record).doc) or record.rpartition(".")[2]
        return self._pill(path, label, record, tooltip)

    def _pill(self, path: str, label: Label, message: str, tooltip: str) -> str:
        paint = self.palette.of_message(message, self.palette.state(path))
        look = {"peripheries": "2", "group": self.column}
        return self._add(path, label, paint, look, tooltip, self.palette.state(path), "event")

    def choice(self, label: Label, text: str, kind: str = "if") -> str:
        """An `if`, `match` or `while`."""
        look = {"shape": "diamond", "style": "filled", "group": self.column}
        return self._add(self.numbered(kind), label, PLAIN, look, clean(text))

    def loop(self, label: Label, text: str) -> str:
        """What a `for` goes through."""
        look = {"shape": "hexagon", "style": "filled", "group": self.column}
        return self._add(self.numbered("for"), label, PLAIN, look, clean(text))

    def first(self, label: Label) -> str:
        """Where the ways of a race part."""
        look = {"shape": "diamond", "style": "filled", "group": self.column}
        return self._add(self.numbered("race"), label, PLAIN, look, "the first of these is taken")

    def timer(self, label: Label) -> str:
        """A `sleep`, or the end of a race's patience."""
        look = {"shape": "ellipse", "style": "filled,dashed", "group": self.column}
        return self._add(self.numbered("timer"), label, PLAIN, look, "waits for time to pass")

    def no_return(self, label: Label) -> str:
        """The line behind the pivot."""
        look = {"style": "filled", "group": self.column}
        tooltip = "from here on nothing is undone: the saga goes forward, or parks"
        return self._add(self.numbered("pivot"), label, Paint(INK, INK), look, tooltip, css="pivot")

    def undone(self) -> str:
        """Where what a scope did is undone, and a handler takes over."""
        label = (Line("s", "scope undone"),)
        look = {"style": _DASHED, "group": f"{self.column}:undo"}
        paint = Paint(PLAIN.fill, VIOLET)
        return self._add(self.numbered("undo:try"), label, paint, look, "the scope is undone")

    @contextmanager
    def frame(self, label: Label) -> Iterator[None]:
        """A frame around all that is added meanwhile."""
        frame = Frame(f"{self._prefix}{self.numbered('frame')}", label)
        around = self._drawing.frames
        around.append(frame)
        self._drawing.frames = frame.frames
        self._framed.append(frame)
        try:
            yield
        finally:
            self._framed.pop()
            self._drawing.frames = around

    def again(self, tail: str, head: str, label: str = "") -> None:
        """The way from the end of a turn back up to the head of its loop."""
        if tail == head:
            self._edge(Edge(tail, head, "loop", label))
        else:
            self._edge(Edge(head, tail, "loop", label, {"dir": "back"}))

    def bar(self, path: str, branches: int) -> str:
        """Where branches part or meet."""
        look = {
            "style": "filled",
            "width": f"{1.2 * branches:g}",
            "height": "0.07",
            "group": self.column,
        }
        return self._add(path, (), Paint(LINE, LINE), look, "all branches, side by side", css="bar")

    def end(self, label: Label) -> str:
        """A result."""
        look = {"group": self.column}
        return self._add(self.numbered("return"), label, Paint(INK, INK), look, css="end")

    def fail(self, label: Label, text: str) -> str:
        """A `fail`."""
        paint = Paint(PLAIN.fill, RED)
        return self._add(self.numbered("fail"), label, paint, {}, f"fail {clean(text)}", css="fail")

    def start(self) -> str:
        """The start of a saga that nothing starts by itself."""
        return self._add(":start", (Line("c", "start"),), PLAIN, {"group": self.column})

    def clock(self, path: str, label: Label) -> str:
        """The times at which a saga starts by itself."""
        look = {"shape": "ellipse", "style": "filled", "group": self.column}
        return self._add(path, label, PLAIN, look)

    def all_undone(self, beside: str) -> None:
        """The end of the way back, if anything leads to it."""
        if any(self.failed in (e.tail, e.head) for e in self._drawing.edges):
            label = (Line("w", "failed"),)
            tooltip = "the saga has failed, and what it did is undone"
            look = {"group": f"{self.column}:undo"}
            self._add(":failed", label, Paint(RED, RED), look, tooltip, css="end")
            self.row(beside, self.failed)

    def dead_letter(self, path: str, step: str, topic: str) -> str:
        """A note of the topic that takes a step's command when all attempts are used up."""
        tooltip = f"takes the command of {path} when all attempts are used up"
        look = {"shape": "note", "style": "filled", "penwidth": "0.8"}
        label = (Line("s", "dead letter"), Line("s", cut(topic, 28)))
        note = self._add(f"dead:{path}", label, Paint("#f5f7fa", FAINT), look, tooltip, css="note")
        # Graphviz puts the tail of a flat edge to the left, and the note is to stand there.
        self._edge(Edge(note, step, "dead", attributes={"dir": "back"}))
        return note

    def edge(self, tail: str, head: str, kind: str, label: str = "", **attributes: str) -> None:
        """An edge of the way on."""
        self._edge(Edge(tail, head, kind, label, attributes))

    def back(self, node: str, undo: str, kind: str = "undo", label: str = "") -> None:
        """An edge of the way back, which leads upwards. It is written from top to bottom and
        turned round, for that is how Graphviz keeps the way back in a column."""
        if kind == "undo":
            self._leads.setdefault(node, set()).add(undo)
        self._edge(Edge(undo, node, kind, label, {"dir": "back"}))

    def leads(self, undo: str) -> set[str]:
        """All that is undone after an undo."""
        found = set(self._leads.get(undo, ()))
        return found.union(*(self.leads(u) for u in found))

    def one_of(self, undos: tuple[str, ...]) -> str:
        """The one node that stands for several undos of which those are run that were done."""
        if len(undos) == 1:
            return undos[0]
        id = f"{self._prefix}undo:{' or '.join(u.removeprefix(self._prefix) for u in undos)}"
        if id not in self._leads:
            look = {"shape": "circle", "style": "filled", "width": "0.12", "height": "0.12"}
            self._add(id.removeprefix(self._prefix), (), _WAY_BACK, look, "what was done is undone")
            for undo in undos:
                self.back(id, undo)
        return id

    def back_bar(self, path: str) -> str:
        """Where the ways back of branches part."""
        look = {"style": "filled", "width": "1.2", "height": "0.07", "group": f"{self.column}:undo"}
        tooltip = "all branches are undone, side by side"
        return self._add(f"undo:{path}", (), _WAY_BACK, look, tooltip, css="bar")

    def row(self, *ids: str) -> None:
        """Puts nodes side by side."""
        self._drawing.rows.append(ids)

    def _edge(self, edge: Edge) -> None:
        if edge not in self._drawing.edges:
            self._drawing.edges.append(edge)

    def _add(
        self,
        id: str,
        label: Label,
        paint: Paint,
        attributes: Mapping[str, str],
        tooltip: str = "",
        state: StepState | None = None,
        css: str = "",
    ) -> str:
        colours = {"fillcolor": paint.fill, "color": paint.border}
        mark = f"state-{state.status.name.lower()}" if state else ""
        classes = " ".join(c for c in (css, mark) if c)
        node = Node(f"{self._prefix}{id}", label, {**colours, **attributes}, tooltip, classes)
        self._drawing.nodes.append(node)
        if self._framed:
            self._framed[-1].nodes.append(node.id)
        return node.id
