"""The walk over a saga's plan that draws it: the way down, and the way back of each failure.

The plan is walked, not the model: its paths are what messages, activities and a run's records are
named by. The model adds what a plan leaves out, the doc comments of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dsl.model import (
    AwaitModel,
    IfModel,
    ParallelModel,
    Place,
    Program,
    SagaModel,
    Statement,
    StepModel,
    wire_type,
)
from orchestrator.compile.lower import lower_saga
from orchestrator.compile.plan import (
    AwaitPlan,
    EmitPlan,
    FailPlan,
    IfPlan,
    Instruction,
    ParallelPlan,
    ReturnPlan,
    SagaPlan,
    StepPlan,
)
from orchestrator.diagrams import labels
from orchestrator.diagrams.canvas import Canvas
from orchestrator.diagrams.graph import Drawing
from orchestrator.diagrams.state import StepState
from orchestrator.diagrams.text import clean, cut

#: What a handler may name besides failures: the outcome is unknown then, and the step undone too.
_UNKNOWN = ("timeout", "exhausted")


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a node."""

    node: str
    label: str = ""
    kind: str = "forward"


@dataclass(frozen=True, slots=True)
class Front:
    """How far the walk has come: the ways on, and the nodes that compensation would begin with
    if the saga failed here (several where ways have met)."""

    exits: tuple[Exit, ...]
    undos: tuple[str, ...]


def draw(
    saga: SagaModel,
    program: Program,
    state: Mapping[str, StepState] | None = None,
    prefix: str = "",
) -> Drawing:
    """The drawing of a saga; `prefix` keeps the ids of several apart."""
    plan = lower_saga(saga)
    drawing = Drawing(plan.short, labels.header(plan), clean(saga.doc) or plan.short)
    _Walk(Canvas(drawing, program, state, prefix), dict(_docs(saga.body))).saga(plan)
    return drawing


class _Walk:
    def __init__(self, canvas: Canvas, docs: Mapping[Place, str]) -> None:
        self._canvas = canvas
        self._docs = docs
        self._all_branches: str | None = None

    def saga(self, plan: SagaPlan) -> None:
        exits = tuple(Exit(id) for id in self._starts(plan))
        end = self._block(plan.body, Front(exits, (self._canvas.failed,)))
        if end.exits:
            self._enter(self._canvas.end(labels.DONE), end)
        self._canvas.all_undone(exits[-1].node)

    def _starts(self, plan: SagaPlan) -> Iterator[str]:
        for start in plan.starts:
            id = f"start:{wire_type(start.event)}"
            yield self._canvas.message(id, labels.event("starts on", start.event), start.event)
        if not plan.starts:
            yield self._canvas.start()

    def _block(self, body: Iterable[Instruction], front: Front) -> Front:
        for part in body:
            front = self._one(part, front)
        return front

    def _one(self, part: Instruction, front: Front) -> Front:
        match part:
            case StepPlan():
                return self._step(part, front)
            case IfPlan():
                return self._if(part, front)
            case ParallelPlan():
                return self._parallel(part, front)
            case AwaitPlan():
                return self._await(part, front)
            case EmitPlan(path=path, event=event):
                node = self._canvas.message(path, labels.event("publishes", event), event)
                return self._enter(node, front)
            case FailPlan():
                return self._fail(part, front)
            case ReturnPlan():
                self._enter(self._canvas.end(labels.returning(part)), front)
                return Front((), front.undos)
            case _:
                return front

    def _fail(self, part: FailPlan, front: Front) -> Front:
        undo = self._begin(front.undos)
        undoes = undo != self._canvas.failed
        node = self._canvas.fail(labels.failing(part, undoes), part.text)
        self._enter(node, front)
        if undoes:
            self._undone_from(node, undo, "undo")
        return Front((), front.undos)

    def _enter(self, node: str, front: Front) -> Front:
        """Leads all ways on to a node, which is the one way on then."""
        for way in front.exits:
            self._canvas.edge(way.node, node, way.kind, way.label)
        return Front((Exit(node),), front.undos)

    def _begin(self, undos: tuple[str, ...]) -> str:
        """Where compensation begins: a failure inside a `parallel` undoes all of its branches."""
        return self._all_branches or self._canvas.one_of(undos)

    def _undone_from(self, node: str, undo: str, kind: str, label: str = "") -> None:
        """Where branches are undone stands below them, all other undos above."""
        if undo == self._all_branches:
            self._canvas.edge(node, undo, kind, label)
        else:
            self._canvas.back(node, undo, kind, label)

    def _step(self, step: StepPlan, front: Front) -> Front:
        doc = self._docs.get(step.place, "")
        label = labels.step(step.name, step.call, doc, self._canvas.state(step.path))
        node = self._canvas.step(step.path, label, step.call.command, doc)
        row = [node]
        if step.call.policy.dead_letter:
            note = self._canvas.dead_letter(step.path, node, step.call.policy.dead_letter)
            row.insert(0, note)
        self._enter(node, front)
        own = front.undos
        if step.undo:
            undo = self._canvas.undo(
                step.path, labels.undo(step.name, step.undo), step.undo.command
            )
            self._canvas.back(undo, self._canvas.one_of(front.undos))
            own = (undo,)
            row.append(undo)
        self._canvas.row(*row)
        self._unhandled(step, node, front.undos, own)
        return self._handlers(step, Front((Exit(node),), own), front.undos)

    def _unhandled(
        self, step: StepPlan, node: str, before: tuple[str, ...], own: tuple[str, ...]
    ) -> None:
        """A declared failure undoes what was done before; a step without an answer may have been
        done, so its own undo runs too."""
        handled = {h.failure for h in step.handlers}
        silent = [] if "exhausted" in handled else ["exhausted"]
        failures = [f for f in self._canvas.failures(step.call.command) if f not in handled]
        ends: dict[str, list[str]] = {}
        for failure in failures:
            ends.setdefault(self._begin(before), []).append(failure.rpartition(".")[2])
        for failure in silent:
            ends.setdefault(self._begin(own), []).append(failure)
        for head, names in ends.items():
            if head in own and own != before:
                self._canvas.edge(node, head, "failure", cut(", ".join(names), 40))
            else:
                self._undone_from(node, head, "failure", cut(", ".join(names), 40))
        if own != before and own[0] not in ends:
            self._canvas.edge(node, own[0], "pair")

    def _handlers(self, step: StepPlan, done: Front, before: tuple[str, ...]) -> Front:
        own = done.undos
        for handler in step.handlers:
            undos = own if handler.failure in _UNKNOWN else before
            way = Exit(done.exits[0].node, f"on {handler.failure.rpartition('.')[2]}", "failure")
            done = self._either(done, self._block(handler.body, Front((way,), undos)))
        return done

    def _if(self, part: IfPlan, front: Front) -> Front:
        node = self._canvas.choice(labels.condition(part.text), part.text)
        undos = self._enter(node, front).undos
        yes = self._block(part.then, Front((Exit(node, "yes"),), undos))
        no = self._block(part.otherwise, Front((Exit(node, "no"),), undos))
        return self._either(yes, no)

    def _parallel(self, part: ParallelPlan, front: Front) -> Front:
        fork = self._canvas.bar(part.path, len(part.branches))
        undos = self._enter(fork, front).undos
        outer, back = self._all_branches, self._canvas.back_bar(part.path)
        self._all_branches = outer or back
        ends = []
        column = self._canvas.column
        for branch in part.branches:
            self._canvas.column = f"{column}.{branch.name}"
            way = Exit(fork, cut(branch.name, 24))
            ends.append(self._block(branch.body, Front((way,), undos)))
        self._canvas.column = column
        self._all_branches = outer
        for undo in dict.fromkeys(u for end in ends for u in end.undos if u not in undos):
            self._canvas.back(back, undo)
        if not self._canvas.leads(back):
            self._canvas.back(back, self._canvas.one_of(undos))
        if not all(end.exits for end in ends):
            return Front((), (back,))
        join = self._canvas.bar(f"join:{part.path}", len(part.branches))
        self._canvas.row(join, back)
        return self._enter(join, Front(tuple(w for end in ends for w in end.exits), (back,)))

    def _await(self, part: AwaitPlan, front: Front) -> Front:
        node = self._canvas.message(part.path, labels.waiting(part), part.event)
        done = self._enter(node, front)
        if part.on_timeout is not None:
            way = Exit(node, "on timeout", "failure")
            return self._either(done, self._block(part.on_timeout, Front((way,), front.undos)))
        if part.within:
            self._undone_from(node, self._begin(front.undos), "failure", "timeout")
        return done

    def _either(self, one: Front, other: Front) -> Front:
        """Where two ways meet; one that has ended has nothing left to undo. An undo that stands
        behind another is left out: on the way back, what was not done is passed over."""
        fronts = [f for f in (one, other) if f.exits] or [one]
        undos = dict.fromkeys(u for f in fronts for u in f.undos)
        behind = {b for u in undos for b in self._canvas.leads(u)}
        ahead = tuple(u for u in undos if u not in behind)
        return Front(tuple(way for f in fronts for way in f.exits), ahead)


def _docs(body: Iterable[Statement]) -> Iterator[tuple[Place, str]]:
    for part in body:
        match part:
            case StepModel():
                yield part.place, part.doc
                for handler in part.handlers:
                    yield from _docs(handler.body)
            case IfModel():
                yield from _docs((*part.then, *part.otherwise))
            case ParallelModel():
                for branch in part.branches:
                    yield from _docs(branch.body)
            case AwaitModel():
                yield from _docs(part.on_timeout or ())
