"""Services, their topics and messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from dsl.model.part import Part
from dsl.model.policies import PolicyModel
from dsl.stored import Stored


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicModel(Stored):
    """A Kafka topic as a service declares it."""

    name: str
    partitions: int = 6
    retention: timedelta | None = None


class WireFormat(StrEnum):
    """How a service's messages are written."""

    JSON = "json"
    AVRO = "avro"
    PROTOBUF = "protobuf"


class Compatibility(StrEnum):
    """What a new version of a service's messages owes to the last one, or to all before it: that
    its readers read old messages (`backward`), that old readers read its messages (`forward`), or
    both (`full`)."""

    NONE = "none"
    BACKWARD = "backward"
    BACKWARD_TRANSITIVE = "backward_transitive"
    FORWARD = "forward"
    FORWARD_TRANSITIVE = "forward_transitive"
    FULL = "full"
    FULL_TRANSITIVE = "full_transitive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Idempotency(Stored):
    """How a command's handler knows one that it has handled: by the message's id, by the fields
    of a business key, or by the field that holds the version it applies to."""

    by: Literal["message", "key", "version"] = "message"
    fields: tuple[str, ...] = ()


class Delivery(StrEnum):
    """How often an event reaches who consumes it, or a command who handles it."""

    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"
    EXACTLY_ONCE = "exactly_once"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandModel(Stored):
    """A command: `name` is its payload's qualified name, replies and failures are events'; `wire`
    is its service's format."""

    name: str
    key: str
    topic: str
    replies: tuple[str, ...]
    fails: tuple[str, ...] = ()
    doc: str = ""
    idempotency: Idempotency = Idempotency()
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    wire: WireFormat = WireFormat.JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class EventModel(Stored):
    """An event: `name` is its payload's qualified name; `sequence` the field that numbers the
    events of a key; `wire` its service's format."""

    name: str
    key: str
    topic: str
    doc: str = ""
    sequence: str | None = None
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    wire: WireFormat = WireFormat.JSON


class ServiceModel(Part, frozen=True, kw_only=True):
    """One bounded context's contract. `outside` tells that its events come from where no flow can
    see it."""

    name: str
    commands_topic: TopicModel
    events_topic: TopicModel
    format: WireFormat = WireFormat.JSON
    compatibility: Compatibility = Compatibility.FULL_TRANSITIVE
    policy: PolicyModel | None = None
    outside: bool = False
    commands: tuple[CommandModel, ...] = ()
    events: tuple[EventModel, ...] = ()
    doc: str = ""


def wire_type(qualified: str) -> str:
    """The name of a message on the wire, `service.Name`: a contract that moves to another file
    stays the same contract."""
    return ".".join(qualified.split(".")[-2:])
