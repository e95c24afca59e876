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


#: What a client may end with whose broker is away.
_GONE = (KafkaError, IllegalStateError, TimeoutError, OSError)

#: Seconds that what a client left behind has to end.
_CUT = 1.0


async def stop_client(client: Any, limit: float) -> None:
    """Stops a consumer or producer in order, if that goes within `limit` seconds; else what a
    producer has not sent is given up, and a consumer's place in its group is free when its session
    has timed out."""
    # Waited for, not awaited: when its broker is away, aiokafka cancels a task of its own and lets
    # that out of `stop`, as if it were the caller who was cancelled.
    stopping = asyncio.ensure_future(client.stop())
    try:
        await asyncio.wait((stopping,), timeout=limit)
    finally:
        if not stopping.done() or stopping.cancelled() or stopping.exception():
            await _cut(client, stopping)
        _overlook(client)
    if stopping.done() and not stopping.cancelled() and (error := stopping.exception()):
        with contextlib.suppress(*_GONE):
            raise error


async def _cut(client: Any, stopping: asyncio.Future[Any]) -> None:
    """aiokafka does not stop a client twice, and one that was cut short goes on: a producer tries
    to send for ever, a consumer to fetch."""
    names = ("_sender", "_message_accumulator", "_coordinator", "_fetcher")
    parts = [part for name in names if (part := getattr(client, name, None)) is not None]
    tasks = [t for t in asyncio.all_tasks() if any(_owner(t) is part for part in parts)]
    for task in (*tasks, stopping):
        task.cancel()
    done, _ = await asyncio.wait((*tasks, stopping), timeout=_CUT)
    for each in done:
        if not each.cancelled():
            each.exception()
    connections = client.client if hasattr(client, "client") else client._client
    with contextlib.suppress(*_GONE):
        async with asyncio.timeout(_CUT):
            await connections.close()


def _owner(task: asyncio.Task[Any]) -> object:
    """Whose method a task runs."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return None if frame is None else frame.f_locals.get("self")


def _overlook(producer: Any) -> None:
    """The end of a transaction that nobody waits for any more is not reported as overlooked."""
    waiter = getattr(getattr(producer, "_txn_manager", None), "_transaction_waiter", None)
    if waiter is not None and waiter.done() and not waiter.cancelled():
        waiter.exception()
