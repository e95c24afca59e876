"""The guide "dead letters": its flow and its service run, and its commands print what it shows."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shlex
import types
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from dsl.load import check_texts
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.instances import Instances
from orchestrator.runtime.starts import read_parameters, start_saga
from orchestrator.runtime.versions import current_saga
from orchestrator.runtime.worker import SagaWorker
from orchestrator.service import Service
from orchestrator.service.runner import ServiceRunner
from orchestrator.store import letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.migrate import migrate
from tests.cli.program import Cli
from tests.runtime.eventually import eventually

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "dead-letters.md"
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def block(kind: str) -> str:
    """All of the page's code of a kind."""
    return "".join(re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S))


class Guide:
    """What the page's commands talk about."""

    def __init__(self, cli: Cli, stack: DevStack, client: Client, bus: Bus) -> None:
        self.cli, self.client, self.bus = cli, client, bus
        self.env = {
            "ORCHESTRATE_TEMPORAL": stack.addresses.temporal,
            "ORCHESTRATE_KAFKA": stack.addresses.kafka or "",
            "TERM": "dumb",
        }
        self.gateway = types.SimpleNamespace(down=True, host="mail.example")
        self.database: Database

    def service(self, program: Any) -> Service:
        """The page's, from a file of its own."""
        made = Service("greetings", program=program)
        path = self.cli.cwd / "greetings.py"
        path.write_text(block("python"), "utf-8")
        spec = importlib.util.spec_from_file_location("greetings", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        vars(module).update(service=made, gateway=self.gateway, messages=made.messages)
        spec.loader.exec_module(module)
        return made

    async def sign_up(self, customer: str) -> None:
        """An event of the service outside."""
        data = b'{"customer": "%s", "language": "en"}' % customer.encode()
        event = Envelope(
            id=f"signup-{customer}",
            type="signups.SignedUp",
            source="/outside",
            time=datetime(2026, 1, 31, tzinfo=UTC),
            key=customer,
            data=data,
        )
        await self.bus.publish(to_record(event, "signups.events"))

    async def indexed(self, count: int) -> None:
        """Waits until so many letters are there."""

        async def there() -> bool:
            async with self.database.reading() as session:
                return await letters.count(session, Choice()) == count

        await eventually(there, f"{count} letters are indexed")

    async def greet(self, customer: str) -> None:
        """A saga that is started."""
        async with self.database.reading() as session:
            served, plan = await current_saga(session, "Greet")
        given = read_parameters(plan, {"customer": customer}, served.codec)
        await start_saga(self.client, served, plan, given)

    async def printed(self, command: str) -> str:
        """What a command prints."""
        arguments = shlex.split(command)
        assert arguments[0] == "orchestrate"
        done = await asyncio.to_thread(self.cli.call, *arguments[1:], env=self.env)
        assert done.code == 0, done
        return "".join(f"{line.rstrip()}\n" for line in (done.out + done.err).splitlines())


@pytest_asyncio.fixture(loop_scope="session")
async def guide(
    tmp_path: Path, stack: DevStack, client: Client, kafka_bus: Bus
) -> AsyncIterator[Guide]:
    """The page's flow deployed, its service and a worker running."""
    made = Guide(Cli(tmp_path), stack, client, kafka_bus)
    made.cli.data.mkdir()
    loaded = check_texts({"guide.flow": "module guide\n\n" + block("flow")})
    assert loaded.program, loaded.diagnostics
    stop = asyncio.Event()
    async with AsyncExitStack() as opened:
        url = f"sqlite:///{made.cli.data}/store.db"
        made.database = await opened.enter_async_context(Database(url))
        await migrate(made.database.engine)
        await deploy(loaded, client, kafka_bus, made.database)
        runner = ServiceRunner(
            made.service(loaded.program), kafka_bus, f"sqlite:///{tmp_path}/greetings.db"
        )
        await opened.enter_async_context(runner)
        worker = SagaWorker(client, kafka_bus, made.database)
        tasks = [asyncio.create_task(each.run(stop)) for each in (runner, worker)]
        try:
            yield made
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def test_every_command_prints_what_the_guide_shows(
    guide: Guide, request: pytest.FixtureRequest
) -> None:
    """In the order of the page; times, and what is new in each run, aside."""
    await guide.sign_up("c1")
    await guide.indexed(1)
    await guide.sign_up("c2")
    await guide.indexed(2)
    await guide.bus.publish(Record("signups.events", None, b"\x00\x01hello"))
    await guide.indexed(3)
    await guide.greet("c4")
    await guide.indexed(4)
    page = PAGE.read_text("utf-8")
    shown = _CONSOLE.findall(page)
    found: list[str] = []
    for number, text in enumerate(shown):
        commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        guide.gateway.down = number < 3
        if commands[0].startswith("orchestrate dlq discard"):
            # The saga that was told to try again needs the gateway.
            outcome = await Instances(guide.client).outcome("Greet/c4")
            assert outcome.status == "completed"
            guide.gateway.down = True
            await guide.sign_up("c5")
            await guide.indexed(5)
        found.append("".join([f"$ {c}\n{await guide.printed(c)}" for c in commands]))
    if request.config.getoption("--update-golden"):
        left = iter(found)
        page = _CONSOLE.sub(lambda _: f"```console\n{next(left)}```", page)
        PAGE.write_text(page, "utf-8")
    assert [*map(steady, found)] == [*map(steady, shown)]


def steady(text: str) -> str:
    """What is the same in every run."""
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "<time>", text)
    text = re.sub(r"\brun [0-9a-f]{12}\b", "run <run>", text)
    text = re.sub(r"(:edited:|message )[0-9a-f]{12}\b", r"\1<mark>", text)
    text = re.sub(r"\[\d\]@\d+", "[p]@o", text)
    text = re.sub(r'File ".*/', 'File "', text)
    return re.sub(r" {2,}", "  ", text)
