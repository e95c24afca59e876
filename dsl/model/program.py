"""Checked files, alone and all together."""

from __future__ import annotations

from collections.abc import Mapping

from dsl.model.contracts import CommandModel, EventModel, ServiceModel
from dsl.model.data import EnumModel, RecordModel
from dsl.model.part import Part
from dsl.model.policies import PolicyModel
from dsl.model.sagas import ActivityModel, SagaModel
from dsl.model.scenarios import ScenarioModel
from dsl.model.states import AggregateModel, ProjectionModel


class ModuleModel(Part, frozen=True, kw_only=True):
    """One checked file: what it declares itself."""

    name: str
    path: str
    records: tuple[RecordModel, ...] = ()
    enums: tuple[EnumModel, ...] = ()
    policies: tuple[PolicyModel, ...] = ()
    services: tuple[ServiceModel, ...] = ()
    activities: tuple[ActivityModel, ...] = ()
    sagas: tuple[SagaModel, ...] = ()
    aggregates: tuple[AggregateModel, ...] = ()
    projections: tuple[ProjectionModel, ...] = ()
    scenarios: tuple[ScenarioModel, ...] = ()

    @property
    def only_scenarios(self) -> bool:
        """Whether there is nothing in it but scenarios, so that there is nothing to deploy."""
        held = (n for n in self.__struct_fields__ if n not in ("name", "path") and getattr(self, n))
        return set(held) == {"scenarios"}


class Program:
    """All the checked files that were loaded together, by module name; records of messages are
    among their module's `records`."""

    def __init__(self, modules: Mapping[str, ModuleModel]) -> None:
        self.modules = modules
        own = modules.values()
        services = [s for m in own for s in m.services]
        self._records = {r.name: r for m in own for r in m.records}
        self._enums = {e.name: e for m in own for e in m.enums}
        self._activities = {a.name: a for m in own for a in m.activities}
        self._sagas = {s.name: s for m in own for s in m.sagas}
        self._commands = {c.name: c for s in services for c in s.commands}
        self._events = {e.name: e for s in services for e in s.events}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.modules == other.modules

    def record(self, name: str) -> RecordModel:
        """A record or payload by qualified name. Raises KeyError."""
        return self._records[name]

    def enum(self, name: str) -> EnumModel:
        """An enum by qualified name. Raises KeyError."""
        return self._enums[name]

    @property
    def enum_names(self) -> frozenset[str]:
        """The qualified names of all enums."""
        return frozenset(self._enums)

    @property
    def messages(self) -> tuple[CommandModel | EventModel, ...]:
        """All commands and events."""
        return (*self._commands.values(), *self._events.values())

    def command(self, name: str) -> CommandModel:
        """A command by qualified name. Raises KeyError."""
        return self._commands[name]

    def activity(self, name: str) -> ActivityModel:
        """An activity by qualified name. Raises KeyError."""
        return self._activities[name]

    def event(self, name: str) -> EventModel:
        """An event by qualified name. Raises KeyError."""
        return self._events[name]

    def saga(self, name: str) -> SagaModel:
        """A saga by qualified name. Raises KeyError."""
        return self._sagas[name]
