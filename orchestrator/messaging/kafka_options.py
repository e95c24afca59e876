"""What all of our clients of Kafka have in common: how errors are read, how they end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RebalanceInProgressError,
    RecordListTooLargeError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)

from orchestrator.messaging.kafka_settings import NOT_ALLOWED

#: A record's or the login's fault; the producer is well.
REFUSALS = (
    *NOT_ALLOWED,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

#: The group goes on without this reader.
MOVED_ON = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


async def stop_client(client: Any, limit: float) -> None:
    """Stops a consumer or producer, as well as that goes within `limit` seconds."""
    with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError, OSError):
        async with asyncio.timeout(limit):
            await client.stop()
