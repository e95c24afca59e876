"""The servers a command talks to: by the settings, else the embedded stack that runs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from orchestrator.cli.errors import CommandError

if TYPE_CHECKING:
    from temporalio.client import Client

    from orchestrator.messaging.bus import Bus
    from orchestrator.messaging.kafka_lag import KafkaLag
    from orchestrator.runtime.running import Running
    from orchestrator.store.database import Database

#: Seconds; a closed port answers at once, a wrong address never.
_CONNECT = 8.0

_START = "start the embedded servers with `orchestrate dev`, or set"


class Connections:
    """Opens connections when they are first needed and closes them at the end of the block.

    A command asks for the servers before the store, so that it changes nothing when one is down.
    """

    def __init__(self, environment: str | None = None, role: str = "orchestrate") -> None:
        """`role` is the process's name in its traces, where the environment names no other."""
        from orchestrator.dev.record import read_running
        from orchestrator.settings import load_settings

        self.settings = load_settings(environment)
        running = read_running(self.settings.data)
        self._running = running.addresses if running else None
        self._stack = AsyncExitStack()
        self._role = role

    async def __aenter__(self) -> Self:
        from orchestrator.telemetry.exporting import exporting

        self._stack.enter_context(exporting(self._role))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def client(self) -> Client:
        """Temporal. Raises CommandError without an address, TemporalError without an answer."""
        import asyncio

        from orchestrator.runtime.connect import connect

        address = self.settings.temporal or (self._running.temporal if self._running else None)
        if address is None:
            raise CommandError(f"no Temporal to talk to: {_START} ORCHESTRATE_TEMPORAL=host:port")
        try:
            async with asyncio.timeout(_CONNECT):
                return await connect(address, self.settings.namespace)
        except TimeoutError:
            raise CommandError(
                f"Temporal does not answer at {address}: correct ORCHESTRATE_TEMPORAL"
            ) from None

    async def bus(self) -> Bus:
        """Kafka. Raises CommandError without an address, BusError without an answer."""
        from orchestrator.messaging.kafka import KafkaBus

        return await self._stack.enter_async_context(KafkaBus(self.kafka))

    async def lag(self) -> KafkaLag:
        """What Kafka knows of groups. Raises CommandError, BusError."""
        from orchestrator.messaging.kafka_lag import KafkaLag

        return await self._stack.enter_async_context(KafkaLag(self.kafka))

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap servers. Raises CommandError without."""
        address = self.settings.kafka or (self._running.kafka if self._running else None)
        if address is None and self._running:
            raise CommandError(
                "the running stack has no Kafka, its messages stay in its own process:"
                " install Java and start `orchestrate dev` again,"
                " or set ORCHESTRATE_KAFKA=host:port"
            )
        if address is None:
            raise CommandError(f"no Kafka to talk to: {_START} ORCHESTRATE_KAFKA=host:port")
        return address

    async def database(self) -> Database:
        """The store, migrated. Raises StoreError."""
        from orchestrator.store.database import Database
        from orchestrator.store.migrate import migrate

        if self.settings.database is None:
            make_folder(self.settings.data)
        database = await self._stack.enter_async_context(Database(self.settings.database_url))
        await migrate(database.engine)
        return database

    async def topics(self) -> list[str]:
        """Those of the deployed modules, and the one of the answers to sagas. Raises StoreError."""
        from orchestrator.compile.stored import read_plan
        from orchestrator.runtime.replies import TOPIC
        from orchestrator.store import versions

        found = {TOPIC.name}
        async with (await self.database()).reading() as session:
            for module, version in (await versions.current(session)).items():
                stored = await versions.find_version(session, module, version)
                found |= {t.name for t in read_plan(stored.plan).topics} if stored else set()
        return sorted(found)

    async def running(self, id: str) -> Running:
        """A saga, with the plan that it follows. Raises what `client`, `database` and
        `find_running` raise."""
        from orchestrator.runtime.running import find_running

        client = await self.client()
        async with (await self.database()).reading() as session:
            return await find_running(client, session, id)


def make_folder(folder: Path) -> Path:
    """The folder, there now. Raises CommandError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"the folder {folder} cannot be made: {error.strerror}; name another data folder with"
            " ORCHESTRATE_DATA"
        ) from None
    return folder
