"""How loops, choices between several, scopes and races are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Protocol

from orchestrator.compile.compile import within
from orchestrator.compile.plan import (
    ArmPlan,
    ForPlan,
    Instruction,
    LetPlan,
    MatchPlan,
    RacePlan,
    SetPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)
from orchestrator.diagrams import labels
from orchestrator.diagrams.canvas import Canvas
from orchestrator.diagrams.front import Exit, Front
from orchestrator.diagrams.text import cut


class Walk(Protocol):
    """What these need of the walk that they are a part of. `turns` holds, for each `for` around,
    what has yielded in it; `all_branches` is where a failure in a `parallel` leads."""

    canvas: Canvas
    turns: list[list[Front]]
    all_branches: str | None

    def block(self, body: Iterable[Instruction], front: Front) -> Front: ...

    def enter(self, node: str, front: Front) -> Front: ...

    def either(self, one: Front, other: Front) -> Front: ...


def draw_match(walk: Walk, part: MatchPlan, front: Front) -> Front:
    """A diamond with a way for each case."""
    node = walk.canvas.choice(labels.matching(part.text), f"match {part.text}", "match")
    undos = walk.enter(node, front).undos
    ways = [(case.pattern.rpartition(".")[2], case.body) for case in part.cases]
    if part.otherwise is not None:
        ways.append(("else", part.otherwise))
    ends = [
        walk.block(body, Front((Exit(node, cut(word, 24)),), undos)) for word, body in ways
    ] or [Front((Exit(node),), undos)]
    end = ends[0]
    for other in ends[1:]:
        end = walk.either(end, other)
    return end


def draw_loop(walk: Walk, part: WhilePlan | ForPlan, front: Front) -> Front:
    """A frame; what ends a turn leads back to its head, which leads out of it."""
    canvas = walk.canvas
    inside = list(within(part))
    undone = any(
        isinstance(p, StepPlan) and (p.undo or p.undo_body or p.undoes_itself) for p in inside
    )
    # What is drawn as its head alone needs no frame.
    alone = all(isinstance(p, LetPlan | SetPlan | YieldPlan) for p in inside)
    with nullcontext() if alone else canvas.frame(labels.turns(part, undone)):
        if isinstance(part, WhilePlan):
            head = canvas.choice(labels.condition(part.text), f"while {part.text}", "while")
            turn, out = Exit(head, "yes"), Exit(head, "no")
        else:
            head = canvas.loop(labels.going_through(part), f"for {part.name} in {part.text}")
            turn, out = Exit(head, "each"), Exit(head, "then")
            walk.turns.append([])
        undos = walk.enter(head, front).undos
        end = walk.block(part.body, Front((turn,), undos))
        ends = [end, *(walk.turns.pop() if isinstance(part, ForPlan) else ())]
        for way in (way for e in ends for way in e.exits):
            canvas.again(way.node, head, way.label)
    after = Front((out,), undos)
    for e in ends:
        # A turn that has ended leads nowhere but to the head; what it did is to be undone.
        after = walk.either(after, Front((out,), e.undos)) if e.exits else after
    return Front((out,), after.undos)


def draw_try(walk: Walk, part: TryPlan, front: Front) -> Front:
    """A frame; what fails in it is undone, then a handler takes over."""
    canvas = walk.canvas
    outer, walk.all_branches = walk.all_branches, None
    with canvas.frame(labels.TRY):
        undone = canvas.undone()
        end = walk.block(part.body, Front(front.exits, (undone,)))
    walk.all_branches = outer
    if front.undos:
        canvas.back(undone, canvas.one_of(front.undos))
    if outer:
        canvas.edge(undone, outer, "failure", "else")
    for handler in part.handlers:
        way = Exit(undone, f"on {handler.failure.rpartition('.')[2]}", "failure")
        end = walk.either(end, walk.block(handler.body, Front((way,), front.undos)))
    return end


def draw_race(walk: Walk, part: RacePlan, front: Front) -> Front:
    """Ways to each event and to the timer, of which one is taken."""
    canvas = walk.canvas
    node = canvas.first(labels.RACE)
    undos = walk.enter(node, front).undos
    ends = [_arm(walk, arm, node, undos) for arm in part.arms]
    if part.limit is not None:
        timer = canvas.timer(labels.after(part.limit))
        way = walk.enter(timer, Front((Exit(node),), undos))
        ends.append(walk.block(part.after, way))
    end = ends[0]
    for other in ends[1:]:
        end = walk.either(end, other)
    return end


def _arm(walk: Walk, arm: ArmPlan, node: str, undos: tuple[str, ...]) -> Front:
    id = walk.canvas.numbered("on")
    pill = walk.canvas.signal if arm.signal else walk.canvas.message
    event = pill(id, labels.coming(arm), arm.event)
    return walk.block(arm.body, walk.enter(event, Front((Exit(node),), undos)))
