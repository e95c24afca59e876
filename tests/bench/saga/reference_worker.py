"""A process with the hand-written saga's worker and its reply consumer."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.envelope import Envelope, ReplyTo, from_record, to_record
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from orchestrator.runtime import replies
from tests.bench.role import Parent, play
from tests.bench.saga.orders import Kind
from tests.bench.saga.reference_messages import QUEUE, Message, Reply
from tests.bench.saga.reference_workflow import PlaceOrder


class Publisher:
    """The activity."""

    def __init__(self, bus: KafkaBus) -> None:
        self._bus = bus

    @activity.defn
    async def publish(self, message: Message) -> None:
        """Returns when the message is acknowledged."""
        envelope = Envelope(
            id=message.id,
            type=message.type,
            source="/sagas/PlaceOrder",
            time=datetime.now(UTC),
            key=message.key,
            data=json.dumps(message.data, separators=(",", ":")).encode(),
            correlation_id=message.correlation_id,
            reply_to=ReplyTo(replies.TOPIC.name),
        )
        await self._bus.publish(to_record(envelope, message.topic))


class ReplyConsumer:
    """Signals each answer to the workflow that waits for it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def receive(self, record: Record) -> None:
        """One answer."""
        envelope = from_record(record)
        assert envelope.correlation_id and envelope.causation_id
        reply = Reply(envelope.causation_id, envelope.type, json.loads(envelope.data))
        handle = self._client.get_workflow_handle(envelope.correlation_id)
        try:
            await handle.signal(PlaceOrder.reply, reply)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def reference_worker(parent: Parent, config: dict[str, Any]) -> None:
    """Runs the workflow; in the default sandbox, unless the kind says otherwise."""
    client = await Client.connect(config["temporal"])
    plain = Kind(config["kind"]) is Kind.UNSANDBOXED
    async with KafkaBus(config["kafka"]) as bus:
        reader = await bus.reader([replies.TOPIC.name], "bench.reference")
        receive = ReplyConsumer(client).receive
        consumer = KeyedConsumer(reader, receive, name="replies", concurrency=256)
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[PlaceOrder],
            activities=[Publisher(bus).publish],
            workflow_runner=UnsandboxedWorkflowRunner() if plain else SandboxedWorkflowRunner(),
        ):
            await parent.until_ended(consumer.run(asyncio.Event()))


if __name__ == "__main__":
    play(reference_worker)
