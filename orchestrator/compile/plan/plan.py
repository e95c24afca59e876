"""The plan of a module."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from dsl.model import ActivityModel, CommandModel, EnumModel, EventModel, RecordModel, TopicModel
from orchestrator.compile.plan.sagas import SagaPlan


class Plan(BaseModel):
    """A module's sagas with all that they refer to: one deployable version. `children` are the
    sagas of other modules that they call, and those that these call: they run on this version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    module: str
    sagas: dict[str, SagaPlan] = {}
    children: dict[str, SagaPlan] = {}
    activities: dict[str, ActivityModel] = {}
    commands: dict[str, CommandModel] = {}
    events: dict[str, EventModel] = {}
    records: dict[str, RecordModel] = {}
    enums: dict[str, EnumModel] = {}
    topics: tuple[TopicModel, ...] = ()

    @property
    def messages(self) -> tuple[CommandModel | EventModel, ...]:
        """All commands and events."""
        return (*self.commands.values(), *self.events.values())

    def saga(self, name: str) -> SagaPlan:
        """One of its own sagas or of those that they call. Raises KeyError."""
        return self.sagas[name] if name in self.sagas else self.children[name]

    def record(self, name: str) -> RecordModel:
        """A record or payload by qualified name. Raises KeyError."""
        return self.records[name]

    def enum(self, name: str) -> EnumModel:
        """An enum by qualified name. Raises KeyError."""
        return self.enums[name]
