"""Apache Kafka: one KRaft node that is broker and controller, on loopback ports."""

from __future__ import annotations

import asyncio
import base64
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from orchestrator.dev.archive import Archive
from orchestrator.dev.cache import Say, quiet
from orchestrator.dev.jars import JarSet, ensure_jars
from orchestrator.dev.java import Java, find_java
from orchestrator.dev.kafka_settings import DATA, LOG4J, server_properties
from orchestrator.dev.portplan import PortPlan
from orchestrator.dev.ports import LOOPBACK, answers
from orchestrator.dev.process import ServerProcess, end_stale
from orchestrator.dev.server import Server
from orchestrator.dev.tool import run_tool


class KafkaServer(Server):
    """A broker on `folder`, which keeps its topics over restarts and changed ports.

    A port of 0 is chosen; `heap` is in MiB, `limit` the seconds it has to become ready,
    `grace` those to stop in order; `java_flags` go before our own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        controller_port: int = 0,
        preferred_ports: Mapping[str, int] | None = None,
        heap: int = 512,
        limit: float = 60.0,
        grace: float = 15.0,
        java_flags: Sequence[str] = (),
        say: Say = quiet,
    ) -> None:
        self.folder = folder.absolute()
        self.ports = PortPlan(
            "Kafka", {"broker": port, "controller": controller_port}, preferred_ports
        )
        self._heap = heap
        self._limit = limit
        self._grace = grace
        self._java_flags = list(java_flags)
        self._say = say

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:port`, for clients."""
        return f"{LOOPBACK}:{self.ports['broker']}"

    async def start(self) -> Self:
        """Start it and wait until it answers.

        Raises `MissingError` where Java or the jars cannot be had, else `ServerError`.
        """
        if self.pid is not None:
            return self
        java = await asyncio.to_thread(find_java)
        jars = await asyncio.to_thread(ensure_jars, self._say)
        await end_stale("kafka", self.folder)
        await self.ports.start(lambda: self._start_once(java, jars))
        return self

    async def _start_once(self, java: Java, jars: JarSet) -> None:
        self._write_settings()
        options = _java_options(java, jars, self._heap)
        await self._format_once([java.path, *options])
        command = [str(java.path), *self._java_flags, *options, "kafka.Kafka", "server.properties"]
        self._process = ServerProcess(
            "kafka", command, self.folder, cwd=self.folder, grace=self._grace
        )
        await self._process.start()
        await self._process.until_ready(self._ready, self._limit)

    def _write_settings(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = server_properties(self.ports["broker"], self.ports["controller"])
        (self.folder / "server.properties").write_text(text)
        (self.folder / "log4j2.properties").write_text(LOG4J)

    async def _format_once(self, java_command: Sequence[str | Path]) -> None:
        # The tool writes this file last, so a format that was cut short is done again.
        if (self.folder / DATA / "meta.properties").exists():
            return
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # In one word: an id may begin with a dash, which would be taken for an option.
        arguments = ["format", f"--cluster-id={cluster}", "-c", "server.properties"]
        command = [*java_command, "kafka.tools.StorageTool", *arguments]
        await run_tool("formatting Kafka's storage", command, cwd=self.folder)

    async def _ready(self) -> bool:
        return await answers(self.ports["broker"]) and await _has_broker(self.bootstrap)


def _java_options(java: Java, jars: JarSet, heap: int) -> list[str]:
    quieter = ["--sun-misc-unsafe-memory-access=allow"] if java.major >= 23 else []
    native = ["--enable-native-access=ALL-UNNAMED"] if java.major >= 22 else []
    return [
        f"-Xmx{heap}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        "-Dlog4j2.configurationFile=log4j2.properties",
        *quieter,
        *native,
        *Archive.of(java, jars).reading(),
        "-cp",
        jars.class_path,
    ]


async def _has_broker(bootstrap: str) -> bool:
    with _silent(logging.getLogger("aiokafka")):
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """A broker that does not answer yet is no news."""
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
