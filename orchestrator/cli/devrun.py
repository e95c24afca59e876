"""What `orchestrate dev` does, from the servers' start to their stop."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.load import Loaded
from orchestrator.cli.batch import read_batch
from orchestrator.cli.batchrun import BatchRun
from orchestrator.cli.deploy import describe
from orchestrator.cli.errors import CommandError
from orchestrator.cli.logs import log_to_file
from orchestrator.cli.output import console, line
from orchestrator.cli.participants import database_urls, load_module, services_of
from orchestrator.cli.signals import unless
from orchestrator.cli.summary import book, holds
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.stack import DevStack
from orchestrator.diagrams import DiagramError, dot, render
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime.connect import connect
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service import Service
from orchestrator.settings import load_settings
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.telemetry.exporting import exporting

if TYPE_CHECKING:
    from temporalio.client import Client

_SERVICES = "services.py"


class DevRun:
    """One run of the development stack. What can be wrong with flows, services and sagas is found
    when it is made, before anything starts."""

    def __init__(
        self, loaded: Loaded | None, batch: Path | None, *, once: bool, require_kafka: bool
    ) -> None:
        """Raises CommandError, InputError, SettingsError."""
        self._loaded = loaded
        self._settings = load_settings()
        self._batch = (
            BatchRun(read_batch(batch), loaded, self._settings.events_per_run) if batch else None
        )
        self._modules = {f: load_module(f) for f in _service_files(loaded)}
        self._services: dict[str, Service] = {}
        for file, module in self._modules.items():
            for name, service in services_of(module, file).items():
                if name in self._services:
                    raise CommandError(f"{file} defines service `{name}`, as another file does")
                self._services[name] = service
        self._once = once
        self._require_kafka = require_kafka
        self._out = console()
        self._says = console(stderr=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until the batch has ended (`once`) or `stop` is set. Raises InterruptedRunError
        when `stop` comes before it is up and the batch has ended."""
        data = self._settings.data
        log_to_file(data / "logs" / "dev.log")
        stack = DevStack(data, require_kafka=self._require_kafka, say=self._say)
        async with AsyncExitStack() as opened:
            opened.enter_context(exporting("orchestrate-dev"))
            opened.push_async_callback(stack.stop)
            self._say("starting Temporal and Kafka")
            await unless(stop, stack.start())
            if stack.kafka is None:
                self._warn_no_kafka(stack.kafka_missing)
            bus: Bus = await opened.enter_async_context(_bus(stack))
            database = await opened.enter_async_context(Database(self._settings.database_url))
            client = await connect(stack.addresses.temporal, self._settings.namespace)
            await unless(stop, self._deploy(client, bus, database))
            settings = self._settings
            worker = SagaWorker(
                *(client, bus, database, settings.window, settings.code),
                events_per_run=settings.events_per_run,
                gap=settings.gap,
            )
            await self._serve(worker, stack, client, bus, stop)
        self._say("stopped")

    async def _deploy(self, client: Client, bus: Bus, database: Database) -> None:
        await migrate(database.engine)
        if self._loaded is not None:
            for said in describe(await deploy(self._loaded, client, bus, database)):
                self._say(said)

    async def _serve(
        self, worker: SagaWorker, stack: DevStack, client: Client, bus: Bus, stop: asyncio.Event
    ) -> None:
        urls = database_urls(self._settings, self._services)
        closing = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(closing))
            for name, service in self._services.items():
                tasks.create_task(service.serve(bus, urls[name], stop=closing))
            try:
                await unless(stop, worker.ready.wait())
                await self._until_ended(stack, urls, client, bus, stop)
            finally:
                self._say("stopping")
                closing.set()

    async def _until_ended(
        self,
        stack: DevStack,
        urls: dict[str, str],
        client: Client,
        bus: Bus,
        stop: asyncio.Event,
    ) -> None:
        pictures = await asyncio.to_thread(self._draw)
        parked, adds_up = 0, True
        if self._batch:
            parked = await unless(stop, self._batch.run(client, bus, self._out))
            adds_up = await self._print_books(urls)
        self._print_places(stack, pictures)
        if not self._once:
            line(self._out, "\nup; Ctrl-C stops all of it")
            await stop.wait()
        elif parked:
            raise CommandError(f"{parked} of the sagas cannot end without a person's decision")
        elif not adds_up:
            raise CommandError("the services' books do not add up")

    def _draw(self) -> list[Path]:
        """One picture for each saga that was given."""
        program = self._loaded.program if self._loaded else None
        if self._loaded is None or program is None:
            return []
        folder = self._settings.data / "diagrams"
        folder.mkdir(parents=True, exist_ok=True)
        made: list[Path] = []
        for saga in (s for m in self._loaded.asked for s in program.modules[m].sagas):
            path = folder / f"{saga.name.rpartition('.')[2]}.svg"
            try:
                path.write_bytes(render(dot(saga, program), "svg"))
            except DiagramError as error:
                self._say(f"no diagram: {error}")
                return made
            made.append(path)
        return made

    # --- printing

    def _say(self, text: str) -> None:
        line(self._says, text, "dim")

    def _warn_no_kafka(self, why: str) -> None:
        from rich.panel import Panel

        text = (
            f"NO KAFKA: {why}.\n"
            "Messages stay inside this process: good for a look, lost when it ends."
        )
        self._says.print(Panel.fit(text, style="bold red"))

    async def _print_books(self, urls: dict[str, str]) -> bool:
        """What the services' `ledger` functions say; whether it adds up."""
        good = True
        for module in self._modules.values():
            ledger = getattr(module, "ledger", None)
            if ledger is None:
                continue
            for title, rows in (await ledger(urls)).items():
                self._out.print()
                self._out.print(book(title, rows))
                good = good and holds(rows)
        return good

    def _print_places(self, stack: DevStack, pictures: list[Path]) -> None:
        lines = [("diagram", str(path)) for path in pictures]
        lines.append(("log", str(self._settings.data / "logs" / "dev.log")))
        if not self._once:
            lines += [
                ("temporal", stack.addresses.temporal),
                ("temporal ui", stack.addresses.temporal_ui or "off"),
                ("kafka", stack.addresses.kafka or "none, messages stay in this process"),
                ("services", ", ".join(self._services) or "none"),
                ("look", "orchestrate list, orchestrate show ID"),
            ]
        self._out.print()
        for name, value in lines:
            line(self._out, f"{name:<12} {value}")


def _service_files(loaded: Loaded | None) -> list[Path]:
    """The files of participants beside the flows."""
    folders = dict.fromkeys(Path(source).parent for source in (loaded.sources if loaded else ()))
    return [f / _SERVICES for f in folders if (f / _SERVICES).is_file()]


def _bus(stack: DevStack) -> AbstractAsyncContextManager[Bus]:
    return KafkaBus(stack.addresses.kafka) if stack.addresses.kafka else MemoryBus()
