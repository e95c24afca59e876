"""Servers of the chaos suite's own, which may be killed, and a proxy before each."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path
from typing import Literal, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client

from dsl.load import load
from dsl.model import TopicModel
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.errors import MissingError
from orchestrator.dev.kafka import KafkaServer
from orchestrator.dev.postgres import PostgresServer
from orchestrator.dev.server import Server
from orchestrator.dev.temporal import TemporalServer
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.runtime import replies
from orchestrator.runtime.connect import connect
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.chaos import errands
from tests.chaos.numbered import BOARDS
from tests.chaos.nursery import Nursery
from tests.chaos.participants import FLOW
from tests.chaos.proxy import Proxy
from tests.chaos.requests import ANSWERS

Kind = Literal["sqlite", "postgres"]

#: Where each source's garbage belongs.
LETTERS = {
    "goods.commands": ["goods.commands.goods-dlt"],
    "orchestrate.replies": ["orchestrate.replies.orchestrate.replies-dlt"],
    "front.events": ["front.events.orchestrate.events-dlt"],
    "depot.events": [*errands.LETTERS, errands.TALLIED],
}

#: All topics with dead letters.
BURIED = tuple(chain.from_iterable(LETTERS.values()))

_databases = itertools.count()


class Arena:
    """Kafka, Temporal and PostgreSQL (`postgres` is nothing where it is missing), the flow
    deployed in a store of each kind, and a nursery for the processes."""

    client: Client
    bus: Bus
    nursery: Nursery
    postgres: PostgresServer | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka = KafkaServer(folder / "kafka")
        self.temporal = TemporalServer(folder / "temporal", ui=False)
        self.stores: dict[Kind, str] = {"sqlite": f"sqlite:///{folder}/store.db"}
        self.proxies: dict[str, Proxy] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def servers(self) -> dict[str, Server]:
        """By name."""
        found: dict[str, Server] = {"kafka": self.kafka, "temporal": self.temporal}
        return found | ({"postgres": self.postgres} if self.postgres else {})

    async def restart(self, server: str) -> None:
        """Kills a server and starts it again on the same ports and data."""
        self.servers[server].kill()
        await self.servers[server].start()

    async def new_database(self, kind: Kind) -> str:
        """The URL of an empty database."""
        name = f"chaos_{next(_databases)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder}/{name}.db"
        assert self.postgres
        admin = create_async_engine(self.postgres.url(), isolation_level="AUTOCOMMIT")
        async with admin.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        await admin.dispose()
        return self.postgres.url(database=name).replace("+asyncpg", "")

    async def _start(self) -> None:
        enter = self._stack.enter_async_context
        self.nursery = await enter(Nursery())
        await enter(self.kafka)
        await enter(self.temporal)
        try:
            self.postgres = await enter(PostgresServer())
        except MissingError:
            self.postgres = None
        ports = {
            "kafka": self.kafka.ports["broker"],
            "temporal": self.temporal.ports["grpc"],
            **({"postgres": self.postgres.port} if self.postgres else {}),
        }
        for name, port in ports.items():
            self.proxies[name] = await enter(Proxy(port))
        self.client = await connect(self.temporal.address)
        self.bus = await enter(KafkaBus(self.kafka.bootstrap))
        if self.postgres:
            self.stores["postgres"] = await self.new_database("postgres")
        for store in self.stores.values():
            async with Database(store) as database:
                await migrate(database.engine)
                await deploy(load([FLOW]), self.client, self.bus, database)
        # Whoever listens does so before the first process makes these.
        topics = [TopicModel(name=n, partitions=12) for n in (*BURIED, ANSWERS, BOARDS)]
        await self.bus.create_topics([replies.TOPIC, *topics])
