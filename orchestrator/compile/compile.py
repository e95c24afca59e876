"""The compiler's table of contents: program to plans, a plan to its version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import BaseModel

from dsl.cel.nodes import Build, Const
from dsl.depth import make_room
from dsl.model import Callee, ModuleModel, Program, TopicModel, walk
from dsl.stored import Stored
from dsl.types import ListOf, MapOf, Named, Optional, Type
from orchestrator.compile.lower import lower_saga
from orchestrator.compile.plan import (
    AwaitPlan,
    CallPlan,
    EmitPlan,
    ForPlan,
    IfPlan,
    Instruction,
    MatchPlan,
    ParallelPlan,
    Plan,
    RacePlan,
    SagaPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
)


def compile_module(program: Program, name: str) -> Plan:
    """The plan of one module: its sagas, and of all other declarations those that they use."""
    make_room()
    module = program.modules[name]
    sagas = {s.name: lower_saga(s) for s in module.sagas}
    children = _children(program, sagas)
    used = _Used(program)
    for saga in (*sagas.values(), *children.values()):
        used.saga(saga)
    used.own_services(module)
    return Plan(
        module=name,
        sagas=sagas,
        children=children,
        activities={n: program.activity(n) for n in sorted(used.activities)},
        commands={n: program.command(n) for n in sorted(used.commands)},
        events={n: program.event(n) for n in sorted(used.events)},
        records={n: program.record(n) for n in sorted(used.records)},
        enums={n: program.enum(n) for n in sorted(used.enums)},
        topics=_topics(program, used),
    )


def _children(program: Program, sagas: dict[str, SagaPlan]) -> dict[str, SagaPlan]:
    """The sagas of other modules that these call, and that those call, by name."""
    found: dict[str, SagaPlan] = {}
    left = list(sagas.values())
    while left:
        for part in instructions(left.pop()):
            if isinstance(part, StepPlan) and part.call.callee is Callee.SAGA:
                name = part.call.command
                if name not in sagas and name not in found:
                    found[name] = lower_saga(program.saga(name))
                    left.append(found[name])
    return dict(sorted(found.items()))


def version_of(plan: Plan) -> str:
    """The content hash that names a version: 16 hexadecimal digits of SHA-256 over the plan's
    canonical JSON. Places, docs and texts are left out, so a comment does not make a version."""
    make_room()
    canonical = json.dumps(_meaning(plan), sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def instructions(saga: SagaPlan) -> Iterator[Instruction]:
    """Every instruction of a saga, nested ones after the one that holds them."""
    return _all([saga.body])


def within(part: Instruction) -> Iterator[Instruction]:
    """Every instruction inside another one."""
    return _all(list(reversed(bodies(part))))


def inside(body: tuple[Instruction, ...]) -> Iterator[Instruction]:
    """Every instruction of a block, nested ones after the one that holds them."""
    return _all([body])


def _all(stack: list[Any]) -> Iterator[Instruction]:
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack.extend(reversed(part))
        else:
            yield part
            stack.extend(reversed(bodies(part)))


def bodies(part: Instruction) -> list[tuple[Instruction, ...]]:
    """The blocks inside an instruction, in the order in which they are written."""
    match part:
        case StepPlan():
            return [*(h.body for h in part.handlers), part.undo_body or ()]
        case IfPlan():
            return [part.then, part.otherwise]
        case MatchPlan():
            return [*(c.body for c in part.cases), part.otherwise or ()]
        case WhilePlan() | ForPlan():
            return [part.body]
        case TryPlan():
            return [part.body, *(h.body for h in part.handlers)]
        case ParallelPlan():
            return [b.body for b in part.branches]
        case RacePlan():
            return [*(a.body for a in part.arms), part.after]
        case AwaitPlan():
            return [part.on_timeout or ()]
    return []


class _Used:
    """What a module's sagas refer to, gathered step by step."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.activities: set[str] = set()
        self.commands: set[str] = set()
        self.events: set[str] = set()
        self.records: set[str] = set()
        self.enums: set[str] = set()

    def saga(self, saga: SagaPlan) -> None:
        for parameter in saga.parameters:
            self._type(parameter.type)
        if saga.result is not None:
            self._type(saga.result)
        self._nodes(saga)
        for start in saga.starts:
            self._event(start.event)
        for record in (*(s.record for s in saga.signals), *(u.record for u in saga.updates)):
            self._record(record)
        for query in saga.queries:
            self._type(query.type)
        for part in instructions(saga):
            match part:
                case StepPlan():
                    self._call(part.call)
                    if part.undo:
                        self._call(part.undo)
                case EmitPlan(event=event) | AwaitPlan(event=event, signal=False):
                    self._event(event)
                case RacePlan():
                    for arm in part.arms:
                        if not arm.signal:
                            self._event(arm.event)

    def own_services(self, module: ModuleModel) -> None:
        """A module's own contracts are deployed with it, used by its sagas or not."""
        for service in module.services:
            for command in service.commands:
                self._command(command.name)
            for event in service.events:
                self._event(event.name)

    def _call(self, call: CallPlan) -> None:
        match call.callee:
            case Callee.COMMAND:
                self._command(call.command)
            case Callee.ACTIVITY:
                self._activity(call.command)

    def _activity(self, name: str) -> None:
        self.activities.add(name)
        activity = self._program.activity(name)
        for parameter in activity.parameters:
            self._type(parameter.type)
        if activity.result is not None:
            self._type(activity.result)

    def _command(self, name: str) -> None:
        if name not in self.commands:
            self.commands.add(name)
            self._record(name)
            command = self._program.command(name)
            for answer in (*command.replies, *command.fails):
                self._event(answer)

    def _event(self, name: str) -> None:
        if name not in self.events:
            self.events.add(name)
            self._record(name)

    def _record(self, name: str) -> None:
        if name not in self.records:
            self.records.add(name)
            record = self._program.record(name)
            for field in record.fields:
                self._type(field.type)
            self._nodes(record)

    def _type(self, type: Type) -> None:
        match type:
            case ListOf(inner) | Optional(inner):
                self._type(inner)
            case MapOf(_, inner):
                self._type(inner)
            case Named(name) if name in self._program.enum_names:
                self.enums.add(name)
            case Named(name):
                self._record(name)

    def _nodes(self, part: Any) -> None:
        """Types that an expression makes although no declaration mentions them."""
        for inside in walk(part):
            if isinstance(inside, Build):
                self._record(inside.type)
            elif isinstance(inside, Const):
                self._type(inside.type)


def _topics(program: Program, used: _Used) -> tuple[TopicModel, ...]:
    """By name: in which order the files were given is no matter."""
    names = {program.command(c).topic for c in used.commands}
    names |= {program.event(e).topic for e in used.events}
    services = [s for m in program.modules.values() for s in m.services]
    topics = [t for s in services for t in (s.commands_topic, s.events_topic)]
    return tuple(sorted((t for t in topics if t.name in names), key=lambda t: t.name))


#: The fields of the plan's models that only people read.
_HIDDEN = frozenset(("place", "doc", "text", "constraint_text"))


def _meaning(part: Any) -> Any:
    """What counts, as JSON. A mapping's keys are names that a flow gave, a model's are ours; what
    is at its default is left out, so that a release that adds a field makes no new versions."""
    if isinstance(part, BaseModel | Stored):
        kind: Any = type(part)
        return {
            name: _meaning(value)
            for name, default in _defaults(kind).items()
            if name not in _HIDDEN and ((value := getattr(part, name)) != default or name in _TAGS)
        }
    if isinstance(part, dict):
        return {k: _meaning(v) for k, v in part.items()}
    return [_meaning(v) for v in part] if isinstance(part, list | tuple) else part


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """The fields of a part of the plan; what equals none where a field has no default."""
    if issubclass(kind, BaseModel):
        return {name: field.default for name, field in kind.model_fields.items()}
    return {field.name: field.default for field in fields(kind)}


#: What tells one model from another, whatever its default.
_TAGS = frozenset(("kind", "op", "format"))
