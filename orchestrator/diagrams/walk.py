"""The walk over a saga's plan that draws it: the way down, and the way back of each failure.

The plan is walked, not the model: its paths are what messages, activities and a run's records are
named by. The model adds what a plan leaves out, the doc comments of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dsl.model import Callee, Exhausted, Place, Program, SagaModel, wire_type
from orchestrator.compile.lower import lower_saga
from orchestrator.compile.plan import (
    AwaitPlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    IfPlan,
    Instruction,
    MatchPlan,
    ParallelPlan,
    RacePlan,
    ReturnPlan,
    SagaPlan,
    SleepPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)
from orchestrator.diagrams import labels
from orchestrator.diagrams.blocks import draw_loop, draw_match, draw_race, draw_try
from orchestrator.diagrams.canvas import Canvas
from orchestrator.diagrams.docs import docs
from orchestrator.diagrams.front import Exit, Front
from orchestrator.diagrams.graph import Drawing
from orchestrator.diagrams.state import StepState
from orchestrator.diagrams.text import clean, cut

#: What a handler may name besides failures: the outcome is unknown then, and the step undone too.
_UNKNOWN = ("timeout", "exhausted")


def draw(
    saga: SagaModel,
    program: Program,
    state: Mapping[str, StepState] | None = None,
    prefix: str = "",
) -> Drawing:
    """The drawing of a saga; `prefix` keeps the ids of several apart."""
    plan = lower_saga(saga)
    drawing = Drawing(plan.short, labels.header(plan), clean(saga.doc) or plan.short)
    _Walk(Canvas(drawing, program, state, prefix), dict(docs(saga.body))).saga(plan)
    return drawing


class _Walk:
    def __init__(self, canvas: Canvas, docs: Mapping[Place, str]) -> None:
        self.canvas = canvas
        self._docs = docs
        self.all_branches: str | None = None
        self.turns: list[list[Front]] = []
        self._forward = False  # the pivot is passed: nothing leads back

    def saga(self, plan: SagaPlan) -> None:
        exits = tuple(Exit(id) for id in self._starts(plan))
        end = self.block(plan.body, Front(exits, (self.canvas.failed,)))
        if end.exits:
            self.enter(self.canvas.end(labels.DONE), end)
        self.canvas.all_undone(exits[-1].node)

    def _starts(self, plan: SagaPlan) -> Iterator[str]:
        for start in plan.starts:
            id = f"start:{wire_type(start.event)}"
            yield self.canvas.message(id, labels.event("starts on", start.event), start.event)
        for number, schedule in enumerate(plan.schedules):
            yield self.canvas.clock(f"start:{number}", labels.clock(schedule))
        if not plan.starts and not plan.schedules:
            yield self.canvas.start()

    def block(self, body: Iterable[Instruction], front: Front) -> Front:
        for part in body:
            front = self._one(part, front)
        return front

    def _one(self, part: Instruction, front: Front) -> Front:
        match part:
            case StepPlan():
                return self._step(part, front)
            case IfPlan():
                return self._if(part, front)
            case MatchPlan():
                return draw_match(self, part, front)
            case WhilePlan() | ForPlan():
                return draw_loop(self, part, front)
            case YieldPlan():
                self.turns[-1].append(front)
                return Front((), front.undos)
            case TryPlan():
                return draw_try(self, part, front)
            case RacePlan():
                return draw_race(self, part, front)
            case SleepPlan():
                return self.enter(self.canvas.timer(labels.sleeping(part)), front)
            case ParallelPlan():
                return self._parallel(part, front)
            case AwaitPlan():
                return self._await(part, front)
            case EmitPlan(path=path, event=event):
                node = self.canvas.message(path, labels.event("publishes", event), event)
                return self.enter(node, front)
            case FailPlan():
                return self._fail(part, front)
            case ReturnPlan():
                self.enter(self.canvas.end(labels.returning(part)), front)
                return Front((), front.undos)
            case _:
                return front

    def _fail(self, part: FailPlan, front: Front) -> Front:
        undo = self._begin(front.undos)
        undoes = undo != self.canvas.failed
        node = self.canvas.fail(labels.failing(part, undoes), part.text)
        self.enter(node, front)
        if undoes:
            self._undone_from(node, undo, "undo")
        return Front((), front.undos)

    def enter(self, node: str, front: Front) -> Front:
        """Leads all ways on to a node, which is the one way on then."""
        for way in front.exits:
            self.canvas.edge(way.node, node, way.kind, way.label)
        return Front((Exit(node),), front.undos)

    def _begin(self, undos: tuple[str, ...]) -> str:
        """Where compensation begins: a failure inside a `parallel` undoes all of its branches."""
        return self.all_branches or self.canvas.one_of(undos)

    def _undone_from(self, node: str, undo: str, kind: str, label: str = "") -> None:
        """Where branches are undone stands below them, all other undos above."""
        if undo == self.all_branches:
            self.canvas.edge(node, undo, kind, label)
        else:
            self.canvas.back(node, undo, kind, label)

    def _step(self, step: StepPlan, front: Front) -> Front:
        doc = self._docs.get(step.place, "")
        label = labels.step(step.name, step.call, doc, self.canvas.palette.state(step.path))
        if self._forward or _parks(step):
            label += labels.PARKS
        node = self.canvas.step(step.path, label, step.call, doc)
        row = [node]
        if step.call.policy.dead_letter:
            note = self.canvas.dead_letter(step.path, node, step.call.policy.dead_letter)
            row.insert(0, note)
        self.enter(node, front)
        own = front.undos
        if step.undo:
            undo = self.canvas.undo(step.path, labels.undo(step.name, step.undo), step.undo)
            self.canvas.back(undo, self.canvas.one_of(front.undos))
            own = (undo,)
            row.append(undo)
        elif step.undoes_itself:
            label = labels.undo_itself(step.name, step.call)
            undo = self.canvas.undo(step.path, label, step.call)
            self.canvas.back(undo, self.canvas.one_of(front.undos))
            own = (undo,)
            row.append(undo)
        elif step.undo_body is not None:
            undo = self.canvas.undo_block(step.path, labels.undo_block(step.name, step.undo_body))
            self.canvas.back(undo, self.canvas.one_of(front.undos))
            own = (undo,)
            row.append(undo)
        self.canvas.row(*row)
        if not self._forward:
            self._unhandled(step, node, front.undos, own)
        if step.pivot:
            return self._pivot(step, node, own, front.undos)
        return self._handlers(step, Front((Exit(node),), own), front.undos)

    def _pivot(
        self, step: StepPlan, node: str, own: tuple[str, ...], before: tuple[str, ...]
    ) -> Front:
        """The line behind which nothing is undone; the pivot's handlers all end before it."""
        self._handlers(step, Front((Exit(node),), own), before)
        self._forward = True
        return self.enter(self.canvas.no_return(labels.NO_RETURN), Front((Exit(node),), ()))

    def _unhandled(
        self, step: StepPlan, node: str, before: tuple[str, ...], own: tuple[str, ...]
    ) -> None:
        """A declared failure undoes what was done before; a step without an answer may have been
        done, so its own undo runs too."""
        handled = {h.failure for h in step.handlers}
        answers = "exhausted" in handled or step.call.callee is Callee.SAGA
        silent = [] if answers else ["given up" if _parks(step) else "exhausted"]
        failures = [f for f in self.canvas.failures(step.call) if f not in handled]
        ends: dict[str, list[str]] = {}
        for failure in failures:
            ends.setdefault(self._begin(before), []).append(failure.rpartition(".")[2])
        for failure in silent:
            ends.setdefault(self._begin(own), []).append(failure)
        for head, names in ends.items():
            if head in own and own != before:
                self.canvas.edge(node, head, "failure", cut(", ".join(names), 40))
            else:
                self._undone_from(node, head, "failure", cut(", ".join(names), 40))
        if own != before and own[0] not in ends:
            self.canvas.edge(node, own[0], "pair")

    def _handlers(self, step: StepPlan, done: Front, before: tuple[str, ...]) -> Front:
        own = done.undos
        for handler in step.handlers:
            undos = own if handler.failure in _UNKNOWN else before
            way = Exit(done.exits[0].node, f"on {handler.failure.rpartition('.')[2]}", "failure")
            done = self.either(done, self.block(handler.body, Front((way,), undos)))
        return done

    def _if(self, part: IfPlan, front: Front) -> Front:
        node = self.canvas.choice(labels.condition(part.text), f"if {part.text}")
        undos = self.enter(node, front).undos
        yes = self.block(part.then, Front((Exit(node, "yes"),), undos))
        no = self.block(part.otherwise, Front((Exit(node, "no"),), undos))
        return self.either(yes, no)

    def _parallel(self, part: ParallelPlan, front: Front) -> Front:
        fork = self.canvas.bar(part.path, len(part.branches))
        undos = self.enter(fork, front).undos
        outer = self.all_branches
        back = None if self._forward else self.canvas.back_bar(part.path)
        self.all_branches = outer or back
        ends = []
        column = self.canvas.column
        for branch in part.branches:
            self.canvas.column = f"{column}.{branch.name}"
            way = Exit(fork, cut(branch.name, 24))
            ends.append(self.block(branch.body, Front((way,), undos)))
        self.canvas.column = column
        self.all_branches = outer
        after = (back,) if back else ()
        if back:
            for undo in dict.fromkeys(u for end in ends for u in end.undos if u not in undos):
                self.canvas.back(back, undo)
            if not self.canvas.leads(back):
                self.canvas.back(back, self.canvas.one_of(undos))
        if not all(end.exits for end in ends):
            return Front((), after)
        join = self.canvas.bar(f"join:{part.path}", len(part.branches))
        self.canvas.row(join, *after)
        return self.enter(join, Front(tuple(w for end in ends for w in end.exits), after))

    def _await(self, part: AwaitPlan, front: Front) -> Front:
        pill = self.canvas.signal if part.signal else self.canvas.message
        node = pill(part.path, labels.waiting(part), part.event)
        done = self.enter(node, front)
        if part.on_timeout is not None:
            way = Exit(node, "on timeout", "failure")
            return self.either(done, self.block(part.on_timeout, Front((way,), front.undos)))
        if part.within and not self._forward:
            self._undone_from(node, self._begin(front.undos), "failure", "timeout")
        return done

    def either(self, one: Front, other: Front) -> Front:
        """Where two ways meet; one that has ended has nothing left to undo. An undo that stands
        behind another is left out: on the way back, what was not done is passed over."""
        fronts = [f for f in (one, other) if f.exits] or [one]
        undos = dict.fromkeys(u for f in fronts for u in f.undos)
        behind = {b for u in undos for b in self.canvas.leads(u)}
        ahead = tuple(u for u in undos if u not in behind)
        return Front(tuple(way for f in fronts for way in f.exits), ahead)


def _parks(step: StepPlan) -> bool:
    """Whether a person decides when the step's attempts are used up."""
    handled = any(h.failure == "exhausted" for h in step.handlers)
    return step.call.policy.exhausted is Exhausted.PARK and not handled
