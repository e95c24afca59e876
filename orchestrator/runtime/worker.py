"""Serves every stored version: one Temporal worker for each, one set of consumers for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from dsl.model import TopicModel
from orchestrator.compile.plan import Plan
from orchestrator.compile.stored import read_plan
from orchestrator.messaging.bus import AwayError, Bus
from orchestrator.messaging.deadletter import dead_letter_topic
from orchestrator.messaging.observed import observed_bus
from orchestrator.runtime import events, replies
from orchestrator.runtime.activities import Activities
from orchestrator.runtime.claims import ClaimActivity
from orchestrator.runtime.connect import TemporalError, check
from orchestrator.runtime.deployment import deployment_name
from orchestrator.runtime.ends import metering
from orchestrator.runtime.functions import FunctionError, Functions, make_importable
from orchestrator.runtime.guards import Guards
from orchestrator.runtime.letters import Letters
from orchestrator.runtime.occurrences import Occurrences, OccurrenceWorkflow
from orchestrator.runtime.replies import Replies
from orchestrator.runtime.versions import Served
from orchestrator.runtime.window import Window
from orchestrator.runtime.workflow import workflow_classes
from orchestrator.store import letter_deeds, sequences, unclaimed, versions
from orchestrator.store.database import Database
from orchestrator.store.errors import StoreError
from orchestrator.store.sweep import Sweep

log = structlog.get_logger(__name__)

#: Seconds between two looks at the store for versions that were deployed meanwhile.
LOOK_EVERY = 1.0

#: How long an event that came for no saga waits for one, and how long it is known how far the
#: numbered events of a key have come: longer than a person needs to see it.
_KEPT = timedelta(days=14)

#: How long it can be seen what became of a dead letter.
_SETTLED = timedelta(days=90)

#: A saga in its fast window holds one of these; they cost nothing but memory.
_LOCAL_ACTIVITIES = 2000
_WORKFLOW_TASKS = 200
#: How many functions that are not async may run at once.
_THREADS = 100
#: How long a worker that stops waits for functions that run; then their attempt is lost.
_GRACE = timedelta(seconds=10)
#: How long a task waits for the worker that has its saga in memory: after a crash, for nothing.
_STICKY = timedelta(seconds=5)


class SagaWorker:
    """Runs the sagas of all deployed modules until it is told to stop. `window` is the seconds
    that the fast way waits for an answer; `code` is a folder in which functions are found, besides
    the folders that the flows were deployed from; of the sagas that the worker starts, a long loop
    goes on in a new run after `events_per_run` history events, by default when Temporal says
    so; an event with a `sequence` waits `gap` seconds for one before it."""

    def __init__(
        self,
        client: Client,
        bus: Bus,
        database: Database,
        window: float = 0.5,
        code: Path = Path(),
        events_per_run: int | None = None,
        gap: float = 60.0,
    ) -> None:
        self._events_per_run = events_per_run
        self._gap = gap
        self._client = client
        self._bus = bus = observed_bus(bus)
        self._database = database
        self._guards = Guards()
        self._replies = Replies(bus, client, self._guards)
        self._window = Window(window)
        self._code = code
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="activity")
        self._served: dict[tuple[str, str], Served] = {}
        self._refused: set[tuple[str, str]] = set()
        self._current: dict[str, str] = {}
        self._receiving: events.Events | None = None
        self.ready = asyncio.Event()

    @property
    def waits(self) -> str | None:
        """What its events wait for; None when they do not."""
        return self._receiving.waits if self._receiving else None

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then drains. What goes away once the topics are there is
        waited for. Raises what ends a consumer or a worker."""
        await self._bus.create_topics([replies.TOPIC, replies.DEAD_LETTERS])
        if not await self._replies.start(stop):
            return
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            done = asyncio.Event()
            stack.callback(done.set)
            # A function that outlives its attempt keeps nobody from stopping.
            stack.callback(self._threads.shutdown, wait=False, cancel_futures=True)
            tasks.create_task(_until(self._replies.run(done)))
            tasks.create_task(self._sweep().run(done))
            tasks.create_task(Letters(self._bus, self._database, self._plans).run(done))
            tasks.create_task(self._follow(stop, done, stack, tasks))

    async def _follow(
        self,
        stop: asyncio.Event,
        done: asyncio.Event,
        stack: AsyncExitStack,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Looks for new versions until `stop`; each change starts the event consumer anew."""
        changed = asyncio.Event()
        receiver: asyncio.Task[None] | None = None
        try:
            while not stop.is_set():
                if await self._look(stack):
                    changed.set()
                    if receiver:
                        await receiver
                    changed = asyncio.Event()
                    self._receiving = self._events()
                    receiver = tasks.create_task(self._receiving.run(changed))
                await _either(stop, LOOK_EVERY)
        finally:
            changed.set()
            if receiver:
                await receiver
            await stack.aclose()

    def _plans(self) -> list[Plan]:
        return [served.plan for served in self._served.values()]

    def _sweep(self) -> Sweep:
        of_streams = partial(sequences.orchestrator.remove, events.GROUP)
        return Sweep(
            self._database,
            [(unclaimed.remove, _KEPT), (of_streams, _KEPT), (letter_deeds.remove, _SETTLED)],
        )

    def _events(self) -> events.Events:
        current = [s for (m, v), s in self._served.items() if self._current.get(m) == v]
        return events.Events(
            self._bus,
            self._client,
            current,
            list(self._served.values()),
            self._database,
            self._events_per_run,
            self._gap,
        )

    async def _look(self, stack: AsyncExitStack) -> bool:
        """Loads what is new; whether anything was. A server that is away keeps nobody from serving
        what is loaded; a store that is away at the start is an error."""
        try:
            changed = await self._load(stack)
        except StoreError as error:
            if not self.ready.is_set():
                raise
            log.warning("no look for new versions", error=str(error))
            return False
        except (AwayError, TemporalError) as error:
            log.warning("new versions wait, trying again", error=str(error))
            return False
        self.ready.set()
        return changed

    async def _load(self, stack: AsyncExitStack) -> bool:
        """Serves the versions that are not served yet; whether anything changed. Raises
        FunctionError at the start for a current version whose functions are not there."""
        async with self._database.reading() as session:
            current = await versions.current(session)
            known = {*self._served, *self._refused}
            new = [i for i in await versions.identities(session) if i not in known]
            fresh = [v for m, n in new if (v := await versions.find_version(session, m, n))]
        for version in fresh:
            try:
                await self._serve(version, stack)
            except FunctionError as error:
                if current.get(version.module) == version.version and not self.ready.is_set():
                    raise
                # Its sagas wait for a worker that has the code; all others go on here.
                self._refused.add((version.module, version.version))
                about = {"module": version.module, "version": version.version}
                log.error("not served", **about, error=str(error))
        changed = bool(fresh) or current != self._current
        self._current = current
        return changed

    async def _serve(self, version: versions.Version, stack: AsyncExitStack) -> None:
        plan = read_plan(version.plan)
        served = Served(plan, version.version)
        if plan.activities:
            make_importable([self._code, *(Path(p).parent for p in version.sources)])
        functions = Functions(plan, self._threads)
        await self._create_topics(served)
        if plan.sagas:
            # A Temporal worker that cannot reach its server at its start ends with an error.
            await check(self._client)
            await stack.enter_async_context(self._worker(served, functions))
        self._served[version.module, version.version] = served
        log.info("serving", module=version.module, version=version.version)

    async def _create_topics(self, served: Served) -> None:
        letters = [
            TopicModel(name=dead_letter_topic(t.name, events.GROUP), partitions=t.partitions)
            for t in served.plan.topics
            if t.name in served.topics
        ]
        await self._bus.create_topics([*served.plan.topics, *letters])

    def _worker(self, served: Served, functions: Functions) -> Worker:
        messages = Activities(
            *(self._bus, self._replies, self._window, served.payloads, self._guards)
        )
        version = WorkerDeploymentVersion(deployment_name(served.plan.module), served.version)
        return Worker(
            self._client,
            task_queue=served.plan.module,
            workflows=[*workflow_classes(served.plan), OccurrenceWorkflow],
            activities=[
                *messages.all(),
                *ClaimActivity(self._database).all(),
                *functions.all(),
                *Occurrences(self._client, served).all(),
            ],
            # The plan is deterministic by construction, and the sandbox costs 1.7 times the CPU.
            workflow_runner=UnsandboxedWorkflowRunner(),
            interceptors=metering(),
            deployment_config=WorkerDeploymentConfig(
                version=version,
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            ),
            max_concurrent_local_activities=_LOCAL_ACTIVITIES,
            max_concurrent_workflow_tasks=_WORKFLOW_TASKS,
            sticky_queue_schedule_to_start_timeout=_STICKY,
            graceful_shutdown_timeout=_GRACE,
        )


async def _either(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _until(work: Awaitable[None]) -> None:
    await work
