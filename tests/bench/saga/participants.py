"""A process with the four services: each answers from memory, after a while."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from orchestrator.messaging.consumer import KeyedConsumer
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.record import Record
from tests.bench.role import Parent, play
from tests.bench.saga.orders import COMMANDS, TRACKING

_ANSWERS = {
    "inventory.ReserveStock": ("inventory.StockReserved", {"reservation_id": "reservation-1"}),
    "payments.ChargeCard": ("payments.CardCharged", {"payment_id": "payment-1"}),
    "shipping.Ship": ("shipping.Shipped", {"tracking": TRACKING}),
    "notifications.Notify": ("notifications.Notified", {}),
}


async def participants(parent: Parent, config: dict[str, Any]) -> None:
    """Answers every command `delay` seconds after it came."""
    async with KafkaBus(config["kafka"]) as bus:

        async def answer(record: Record) -> None:
            command = from_record(record)
            await asyncio.sleep(config["delay"])
            reply = _reply(command)
            assert command.reply_to, "both kinds say where the answer goes"
            await bus.publish(to_record(reply, command.reply_to.topic, command.reply_to.partition))

        reader = await bus.reader(COMMANDS, "bench.participants")
        consumer = KeyedConsumer(reader, answer, name="participants", concurrency=2_000)
        await parent.until_ended(consumer.run(asyncio.Event()))


def _reply(command: Envelope) -> Envelope:
    type, fields = _ANSWERS[command.type]
    data = {"order_id": json.loads(command.data)["order_id"], **fields}
    return Envelope(
        id=f"{command.id}:reply",
        type=type,
        source="/services/bench",
        time=datetime.now(UTC),
        key=command.key,
        data=json.dumps(data).encode(),
        correlation_id=command.correlation_id,
        causation_id=command.id,
    )


if __name__ == "__main__":
    play(participants)
