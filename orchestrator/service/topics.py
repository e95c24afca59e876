"""The topics of a service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsl.model import Order, PolicyModel, TopicModel
from orchestrator.messaging.deadletter import dead_letter_topic
from orchestrator.messaging.retry_topic import retry_topic
from orchestrator.service.reaction import reaction_group
from orchestrator.service.waits import delays, retry_of

if TYPE_CHECKING:
    from orchestrator.service.service import Service


def topics_of(service: Service) -> list[TopicModel]:
    """Those that it reads and writes; dead letters, and what waits for a retry, with as many
    partitions as their source, so that a key keeps its partition."""
    read = {t.name: t for t in event_topics(service)}
    group = reaction_group(service.name)
    beside = [_like(topic, dead_letter_topic(topic.name, group)) for topic in read.values()]
    if order_of(service.model.policy) is Order.UNORDERED:
        waits = delays(retry_of(service.model.policy))
        beside += retry_topics([*read.values()], group, waits).values()
    if service.handlers:
        commands = service.model.commands_topic
        beside.append(_like(commands, dead_letter_topic(commands.name, service.name)))
        read[commands.name] = commands
    own = service.model.events_topic
    return [*({own.name: own} | read).values(), *beside]


def event_topics(service: Service) -> list[TopicModel]:
    """Those of the events that it handles."""
    events = {r.event.topic for r in service.reactions.values()}
    services = (s for m in service.program.modules.values() for s in m.services)
    found = {s.events_topic.name: s.events_topic for s in services}
    return [topic for name, topic in found.items() if name in events]


def retry_topics(
    sources: Sequence[TopicModel], group: str, waits: Sequence[float]
) -> dict[tuple[str, float], TopicModel]:
    """Those of a group, by the topic that a record comes from and the seconds that it waits."""
    return {
        (source.name, wait): _like(source, retry_topic(source.name, group, wait))
        for source in sources
        for wait in waits
    }


def order_of(policy: PolicyModel | None) -> Order:
    """What becomes of those behind an event that waits."""
    return Order.ORDERED if policy is None else policy.order


def _like(topic: TopicModel, name: str) -> TopicModel:
    return TopicModel(name=name, partitions=topic.partitions)
