"""Checked files, alone and all together."""

from __future__ import annotations

from pydantic import PrivateAttr

from dsl.model.contracts import CommandModel, EventModel, ServiceModel
from dsl.model.data import EnumModel, RecordModel
from dsl.model.part import Model
from dsl.model.policies import PolicyModel
from dsl.model.sagas import ActivityModel, SagaModel
from dsl.model.scenarios import ScenarioModel
from dsl.model.states import AggregateModel, ProjectionModel


class ModuleModel(Model):
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
        declared = {n for n, v in self if isinstance(v, tuple) and v}
        return declared == {"scenarios"}


class Program(Model):
    """All the checked files that were loaded together, by module name; records of messages are
    among their module's `records`."""

    modules: dict[str, ModuleModel]

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

    def model_post_init(self, context: object) -> None:
        """Indexes the declarations by qualified name."""
        modules = self.modules.values()
        self._records = {r.name: r for m in modules for r in m.records}
        self._enums = {e.name: e for m in modules for e in m.enums}
        self._activities = {a.name: a for m in modules for a in m.activities}
        self._sagas = {s.name: s for m in modules for s in m.sagas}
        services = [s for m in modules for s in m.services]
        self._commands = {c.name: c for s in services for c in s.commands}
        self._events = {e.name: e for s in services for e in s.events}

    _records: dict[str, RecordModel] = PrivateAttr(default_factory=dict)
    _enums: dict[str, EnumModel] = PrivateAttr(default_factory=dict)
    _activities: dict[str, ActivityModel] = PrivateAttr(default_factory=dict)
    _sagas: dict[str, SagaModel] = PrivateAttr(default_factory=dict)
    _commands: dict[str, CommandModel] = PrivateAttr(default_factory=dict)
    _events: dict[str, EventModel] = PrivateAttr(default_factory=dict)
