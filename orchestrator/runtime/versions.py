"""Plans by module and version, read from the store once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dsl.model import EventModel, wire_type
from dsl.types import Named
from orchestrator.compile.compile import instructions
from orchestrator.compile.plan import AwaitPlan, Instruction, Plan, RacePlan, SagaPlan, StartPlan
from orchestrator.compile.stored import read_plan
from orchestrator.messaging.codec import JsonCodec
from orchestrator.messaging.envelope import Envelope
from orchestrator.messaging.payloads import Payloads
from orchestrator.runtime.evaluation import Expressions
from orchestrator.store import versions


@dataclass(frozen=True, slots=True)
class Start:
    """A saga that an event starts."""

    saga: SagaPlan
    start: StartPlan


class Served:
    """One version of a module, ready to be served."""

    def __init__(self, plan: Plan, version: str) -> None:
        self.plan = plan
        self.version = version
        self.codec = JsonCodec(plan)
        self.payloads = Payloads(plan)
        self.expressions = Expressions()
        #: What an event, by its wire type, starts here.
        self.starts: dict[str, list[Start]] = {}
        #: The sagas, by short name, that wait for an event somewhere, by its wire type.
        self.awaits: dict[str, list[str]] = {}
        #: Qualified names of all these events, by wire type.
        self.events: dict[str, str] = {}
        for saga in plan.sagas.values():
            self._starts(saga)
        for saga in (*plan.sagas.values(), *plan.children.values()):
            self._awaits(saga)

    @property
    def topics(self) -> frozenset[str]:
        """The topics that its events come on."""
        return frozenset(self.plan.events[e].topic for e in self.events.values())

    def contract(self, type: str) -> EventModel:
        """One of `events`, by its wire type."""
        return self.plan.events[self.events[type]]

    def read(self, envelope: Envelope) -> tuple[Any, Named]:
        """One of `events` in JSON wire form, and its type. Raises DecodeError."""
        wire = self.payloads.read(envelope.data, envelope.content_type, envelope.type)
        return wire, Named(self.events[envelope.type])

    def _starts(self, saga: SagaPlan) -> None:
        for start in saga.starts:
            self.events[wire_type(start.event)] = start.event
            self.starts.setdefault(wire_type(start.event), []).append(Start(saga, start))

    def _awaits(self, saga: SagaPlan) -> None:
        for part in instructions(saga):
            for event in _awaited(part):
                waiting = self.awaits.setdefault(wire_type(event), [])
                self.events[wire_type(event)] = event
                if saga.short not in waiting:
                    waiting.append(saga.short)


def newest(versions: Sequence[Served], type: str) -> Served | None:
    """The last of several versions that knows an event, by its wire type."""
    return next((s for s in reversed(versions) if type in s.events), None)


def _awaited(part: Instruction) -> tuple[str, ...]:
    match part:
        case AwaitPlan(event=event, signal=False):
            return (event,)
        case RacePlan(arms=arms):
            return tuple(a.event for a in arms if not a.signal)
    return ()


class UnknownSagaError(Exception):
    """No deployed module has this saga; one sentence."""


async def current_saga(session: AsyncSession, name: str) -> tuple[Served, SagaPlan]:
    """The current version of a saga, by its short or its qualified name. Raises
    UnknownSagaError."""
    known: list[str] = []
    for module, version in (await versions.current(session)).items():
        stored = await versions.find_version(session, module, version)
        assert stored, "a current version is a stored one"
        plan = read_plan(stored.plan)
        for saga in plan.sagas.values():
            known.append(saga.short)
            if name in (saga.short, saga.name):
                return Served(plan, version), saga
    deployed = ", ".join(f"`{n}`" for n in sorted(known)) or "none: deploy a flow first"
    close = get_close_matches(name, known, 1)
    help = f"did you mean `{close[0]}`?" if close else f"deployed are {deployed}"
    raise UnknownSagaError(f"there is no saga `{name}`; {help}")
