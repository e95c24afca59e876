"""Where events wait for their next attempt when their order does not matter: in retry topics."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from functools import partial

import structlog

from dsl.model import Retry, TopicModel
from orchestrator import failpoint
from orchestrator.messaging.bus import Bus, BusError, Reader
from orchestrator.messaging.record import Record, TopicPartition
from orchestrator.messaging.retry_topic import Waiting, read_waiting, to_wait
from orchestrator.patience import outlast
from orchestrator.service.parking import Attempt, Failed
from orchestrator.service.post import Post
from orchestrator.service.topics import retry_topics
from orchestrator.service.waits import delay_for, delays
from orchestrator.store.outage import store_away

log = structlog.get_logger(__name__)

#: Records of one poll, and the most seconds that one waits.
_BATCH, _POLL = 500, 1.0


class Retries:
    """The events of one consumer that have failed and will be tried again: on a topic for each
    delay, whose partitions are paused until the first of their records is due. What was taken and
    is not done is read again after a rebalance, by whoever has the partition then. `sources` are
    the topics that the events come from; attempts that run when it stops get `drain` seconds."""

    def __init__(
        self,
        bus: Bus,
        group: str,
        sources: Sequence[TopicModel],
        retry: Retry,
        attempt: Attempt,
        *,
        drain: float = 20.0,
    ) -> None:
        self._bus = bus
        self._group = f"{group}-retry"
        self._post = Post(bus, group)
        self._attempt = attempt
        self._drain = drain
        self._delays = delays(retry)
        topics = retry_topics(sources, group, self._delays)
        self._names = {place: topic.name for place, topic in topics.items()}
        self._sources = {topic.name: source for (source, _), topic in topics.items()}
        self._taken: dict[TopicPartition, deque[Record]] = {}

    async def park(self, record: Record, failed: Failed, attempt: int = 1) -> None:
        """Has a record wait after this attempt, or for it where none was spent; returns when that
        is safe."""
        delay = delay_for(self._delays, failed.wait)
        topic = self._names[record.topic, delay]
        due = time.time() + failed.wait
        waiting = to_wait(record, topic, attempt + failed.spent, due)
        failpoint.reach("retry.before-wait")
        await self._post.publish(waiting, record.place)
        failpoint.reach("retry.after-wait")

    async def run(self, stop: asyncio.Event) -> None:
        """Makes the attempts that are due, until `stop` is set; then those under way end."""
        if not self._names:
            return
        reader = await self._bus.reader([*self._sources], self._group)
        reader.on_revoked(self._revoked)
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                poll = asyncio.create_task(reader.poll(_BATCH, self._rest()))
                await asyncio.wait((poll, stopped), return_when=asyncio.FIRST_COMPLETED)
                if not poll.done():
                    poll.cancel()
                    break
                self._take(poll.result())
                round = asyncio.create_task(self._round(reader))
                await asyncio.wait((round, stopped), return_when=asyncio.FIRST_COMPLETED)
                if not round.done():
                    await asyncio.wait((round,), timeout=self._drain)
                    round.cancel()  # what is not committed comes again
                    await asyncio.wait((round,))
                if not round.cancelled():
                    round.result()
        finally:
            stopped.cancel()
            await reader.close()

    async def _revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Not committed, so it comes again, here or elsewhere."""
        self._taken.clear()

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            place = (record.topic, record.partition or 0)
            self._taken.setdefault(place, deque()).append(record)

    def _rest(self) -> float:
        """Seconds until something may be due."""
        waiting = [self._waiting(queue[0]).due for queue in self._taken.values()]
        return max(0.05, min([_POLL, *(due - time.time() for due in waiting)]))

    async def _round(self, reader: Reader) -> None:
        """Makes what is due of each partition, and pauses those where something waits."""
        due: dict[TopicPartition, list[Record]] = {}
        for place, queue in list(self._taken.items()):
            while queue and self._waiting(queue[0]).due <= time.time():
                due.setdefault(place, []).append(queue.popleft())
            if not queue:
                del self._taken[place]
        reader.pause(self._taken)
        reader.resume(place for place in due if place not in self._taken)
        if not due:
            return
        every = [record for records in due.values() for record in records]
        failpoint.reach("retry.before-attempt")
        ended = await asyncio.gather(*map(self._again, every), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        failpoint.reach("retry.before-commit")
        try:
            await reader.commit({p: (some[-1].offset or 0) + 1 for p, some in due.items()})
        except BusError as error:
            log.info("retries come again", group=self._group, error=str(error))
        else:
            failpoint.reach("retry.after-commit")

    async def _again(self, record: Record) -> None:
        waiting = self._waiting(record)
        ended = await outlast(
            partial(self._attempt, waiting.record, waiting.attempt), store_away("an event")
        )
        if isinstance(ended, Failed):
            await self.park(waiting.record, ended, waiting.attempt)

    def _waiting(self, record: Record) -> Waiting:
        return read_waiting(record, self._sources[record.topic])
