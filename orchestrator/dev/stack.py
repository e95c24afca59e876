"""Temporal and Kafka together: what `orchestrate dev`, the tests and the benchmarks run on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Self

from orchestrator.dev.cache import Say, quiet
from orchestrator.dev.errors import MissingError, ServerError
from orchestrator.dev.folderlock import FolderLock
from orchestrator.dev.kafka import KafkaServer
from orchestrator.dev.record import DEFAULT_FOLDER, Addresses, remove_running, write_running
from orchestrator.dev.server import Server
from orchestrator.dev.temporal import TemporalServer


class DevStack:
    """The servers on one data folder, up while the context lasts.

    `kafka` is nothing where Java or the jars cannot be had, and `kafka_missing` then says why, in
    one sentence; with `require_kafka` that is a `ServerError` instead. `ui` is Temporal's web UI,
    `in_memory` forgets Temporal's workflows, `search_attributes` are name to type. `say` gets
    progress, a line at a time.
    """

    def __init__(
        self,
        folder: Path = DEFAULT_FOLDER,
        *,
        ui: bool = True,
        in_memory: bool = False,
        require_kafka: bool = False,
        search_attributes: Mapping[str, str] | None = None,
        say: Say = quiet,
    ) -> None:
        self.folder = folder.absolute()
        self.kafka_missing = ""
        wishes = _read_ports(self.folder)
        self.temporal = TemporalServer(
            self.folder / "temporal",
            ui=ui,
            in_memory=in_memory,
            search_attributes=search_attributes,
            preferred_ports=wishes.get("temporal"),
        )
        self.kafka: KafkaServer | None = KafkaServer(
            self.folder / "kafka", preferred_ports=wishes.get("kafka"), say=say
        )
        self._require_kafka = require_kafka
        self._lock = FolderLock(self.folder)

    @property
    def addresses(self) -> Addresses:
        """Where the servers are, once they are up."""
        kafka = self.kafka.bootstrap if self.kafka else None
        return Addresses(self.temporal.address, self.temporal.ui_url, kafka)

    async def start(self) -> Self:
        """Start what is there and wait until it answers.

        Raises `ServerError`, and then nothing is left running.
        """
        self._lock.take()
        try:
            await _all_or_first_error(self.temporal.start(), self._start_kafka())
            self._keep_ports()
            write_running(self.folder, self.addresses)
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """Stop in reverse order; a second call does nothing.

        Where it is cancelled (Ctrl-C again), what still runs is killed at once.
        """
        servers: list[Server] = [self.temporal]
        servers[:0] = [self.kafka] if self.kafka else []
        try:
            for server in servers:
                await server.stop()
        finally:
            for server in servers:
                server.kill()
            self._forget()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start_kafka(self) -> None:
        assert self.kafka is not None
        try:
            await self.kafka.start()
        except MissingError as error:
            if self._require_kafka:
                raise ServerError(f"Kafka is required and cannot be started: {error}") from error
            self.kafka, self.kafka_missing = None, str(error)

    def _keep_ports(self) -> None:
        ports = {"temporal": self.temporal.ports.chosen}
        if self.kafka is not None:
            ports["kafka"] = self.kafka.ports.chosen
        (self.folder / "ports.json").write_text(json.dumps(ports))

    def _forget(self) -> None:
        if self._lock.held:
            remove_running(self.folder)
        self._lock.free()


async def _all_or_first_error(*starts: Awaitable[object]) -> None:
    """Run them side by side; the first failure cancels the others, and is raised."""
    tasks = [asyncio.ensure_future(each) for each in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def _read_ports(folder: Path) -> dict[str, dict[str, int]]:
    """The last run's ports, to use again where they are free: open pages and shells stay right."""
    try:
        noted = json.loads((folder / "ports.json").read_text())
        return {
            name: {use: int(port) for use, port in uses.items()} for name, uses in noted.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
