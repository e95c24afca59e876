"""What a saga's course has surely waited for at each of its places.

Sound and not complete: what is said to be waited for is waited for on every way that leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dsl import syntax
from dsl.depth import DEEPEST_BLOCK

#: The qualified names of events and of child sagas.
Needs = frozenset[str]
#: None stands for a place that no way leads to.
State = Needs | None
#: The qualified name of an event or a saga, None for what is of no interest.
Resolve = Callable[[syntax.Path], str | None]


class Course(msgspec.Struct):
    """What a walk through a saga found: `waits` are its waits for events, races' arms included, and
    for child sagas; `gives` are the events that it emits, each with what it has waited for before;
    `ends` the same for the ways on which the saga completes."""

    waits: list[tuple[str, syntax.Path]] = msgspec.field(default_factory=list)
    gives: list[tuple[str, Needs]] = msgspec.field(default_factory=list)
    ends: list[Needs] = msgspec.field(default_factory=list)


def course(saga: syntax.SagaDecl, event: Resolve, child: Resolve) -> Course:
    """Walks through a saga."""
    walk = _Walk(event, child)
    end = walk.block(saga.body, frozenset())
    if end is not None:
        walk.found.ends.append(end)
    return walk.found


class _Walk:
    def __init__(self, event: Resolve, child: Resolve) -> None:
        self._event = event
        self._child = child
        self._depth = 0
        self.found = Course()

    def block(self, block: syntax.Block, had: State) -> State:
        if self._depth > DEEPEST_BLOCK:
            return None  # refused elsewhere
        self._depth += 1
        for statement in block.statements:
            if had is None:
                break
            had = self._one(statement, had)
        self._depth -= 1
        return had

    def _one(self, statement: syntax.Statement, had: Needs) -> State:
        match statement:
            case syntax.Step(call=call, handlers=handlers, undo=undo):
                if isinstance(undo, syntax.Block):
                    self.block(undo, had)
                child = self._child(call.callee)
                return self._waited(child, call.callee, handlers, had)
            case syntax.Await(event=path, handlers=handlers):
                return self._waited(self._event(path), path, handlers, had)
            case syntax.Emit(event=call):
                if event := self._event(call.callee):
                    self.found.gives.append((event, had))
            case syntax.Return():
                self.found.ends.append(had)
                return None
            case syntax.Fail() | syntax.Yield():
                return None
            case syntax.If() | syntax.Match() | syntax.Race() | syntax.Try():
                return self._choice(statement, had)
            case syntax.Let(value=syntax.For(body=body)) | syntax.For(body=body):
                self.block(body, had)
            case syntax.While(condition=condition, body=body):
                self.block(body, had)
                if isinstance(condition, syntax.Literal) and condition.value is True:
                    return None
            case syntax.Parallel(branches=branches):
                # All of them have ended when the saga goes on.
                ends = [self.block(b.body, had) for b in branches]
                return None if None in ends else had.union(*filter(None, ends))
        return had

    def _choice(
        self, statement: syntax.If | syntax.Match | syntax.Race | syntax.Try, had: Needs
    ) -> State:
        match statement:
            case syntax.If(then=then, otherwise=otherwise):
                return _common([self.block(then, had), self._otherwise(otherwise, had)])
            case syntax.Match(cases=cases, otherwise=otherwise):
                ways = [self.block(c.body, had) for c in cases]
                if otherwise is not None:
                    ways.append(self.block(otherwise, had))
                return _common(ways) if ways else had
            case syntax.Race(arms=arms, after=after):
                ways = [self._arm(a, had) for a in arms]
                if after is not None:
                    ways.append(self.block(after.body, had))
                return _common(ways)
            case syntax.Try(body=body, handlers=handlers):
                return _common([self.block(body, had), *self._handlers(handlers, had)])

    def _arm(self, arm: syntax.Arm, had: Needs) -> State:
        event = self._event(arm.event)
        if event is not None:
            self.found.waits.append((event, arm.event))
            had |= {event}
        return self.block(arm.body, had)

    def _otherwise(self, part: syntax.Block | syntax.If | None, had: Needs) -> State:
        if isinstance(part, syntax.Block):
            return self.block(part, had)
        return had if part is None else self.block(syntax.Block((part,), part.at), had)

    def _waited(
        self,
        need: str | None,
        path: syntax.Path,
        handlers: Iterable[syntax.Handler],
        had: Needs,
    ) -> State:
        """After a step or an `await`, whose handlers may go on without it."""
        others = self._handlers(handlers, had)
        if need is None:
            return had
        self.found.waits.append((need, path))
        return _common([had | {need}, *others])

    def _handlers(self, handlers: Iterable[syntax.Handler], had: Needs) -> list[State]:
        return [self.block(h.body, had) for h in handlers]


def _common(ways: list[State]) -> State:
    """What has been waited for on each of several ways that go on."""
    open = [w for w in ways if w is not None]
    return frozenset.intersection(*open) if open else None
