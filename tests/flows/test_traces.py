"""One trace from the event that starts a saga through all that it leads to, across processes; and
what the processes count."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from dsl.load import load
from orchestrator.compile.compile import compile_module
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.stack import DevStack
from orchestrator.messaging.bus import Bus
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Record
from orchestrator.runtime.workflow import workflow_classes
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.cli.program import PROGRAM, environment
from tests.flows.collector import Collector, Seen, collecting
from tests.runtime.eventually import eventually

TRACED = Path(__file__).parent / "traced"
SERVICES = str(TRACED / "services.py")
NOTE = "a-note-that-no-span-may-hold"
WHY = "nobody signs here"


@contextmanager
def running(stack: DevStack, data: Path, collector: Collector) -> Iterator[None]:
    """A worker and a participant, each a process that exports its spans."""
    env = environment(
        data,
        {
            "ORCHESTRATE_TEMPORAL": stack.addresses.temporal,
            "ORCHESTRATE_KAFKA": stack.addresses.kafka or "",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        },
    )
    programs = (("worker", "--health", "0"), ("service", SERVICES, "--health", "0"))
    with ExitStack() as started, (data / "programs.log").open("wb") as log:
        for program in programs:
            process = subprocess.Popen([*PROGRAM, *program], env=env, cwd=data, stderr=log)
            started.callback(process.wait, 30)
            started.callback(process.terminate)
        yield


async def test_one_trace(client: Client, kafka_bus: Bus, stack: DevStack, tmp_path: Path) -> None:
    """The event's own trace holds every command, handler, reply and undo, each under the one that
    led to it; no payload, and a history that replays with traces and without."""
    loaded = load([TRACED])
    async with Database(f"sqlite:///{tmp_path}/store.db") as database:
        await migrate(database.engine)
        await deploy(loaded, client, kafka_bus, database)
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    with collecting() as collector, running(stack, tmp_path, collector):
        await kafka_bus.publish(an_event(f"00-{trace}-{root}-01"))

        def undone() -> bool:
            spans = collector.spans(trace).values()
            return any(s.name == "process orchestrate.replies" and is_undo(s) for s in spans)

        await eventually(undone, "the undo is answered", limit=90)
        pages = [await page(url) for url in await addresses(tmp_path / "programs.log")]
    spans = collector.spans(trace)

    def above(span: Seen) -> list[str]:
        """The names of what led to a span, nearest first."""
        names = []
        while span.parent != root:
            span = spans[span.parent]
            names.append(span.name)
        return names

    undo = next(s for s in spans.values() if s.name == "process orchestrate.replies" and is_undo(s))
    assert above(undo) == [
        "send orchestrate.replies",
        "process desk.commands",
        "send desk.commands",
        "RunActivity:exchange",
        "StartActivity:exchange",
        "StartWorkflow:traced.desk.SignAtDesk",
        "process desk.events",
    ]
    for span in spans.values():
        above(span)  # which fails where one is missing
    services = {s.name: s.service for s in spans.values()}
    assert services["process desk.commands"] == services["send orchestrate.replies"] == "desk"
    assert services["send desk.commands"] == "orchestrate-worker"
    handled = [s for s in spans.values() if s.name == "process desk.commands"]
    told = {s.attributes["orchestrate.message.type"] for s in handled}
    assert told == {"desk.Open", "desk.Sign", "desk.Shut"}
    assert handled[0].attributes["messaging.system"] == "kafka"
    assert handled[0].attributes["messaging.destination.name"] == "desk.commands"
    assert handled[0].attributes["messaging.operation.type"] == "process"
    assert handled[0].attributes["messaging.consumer.group.name"] == "desk"
    assert handled[0].attributes["messaging.message.conversation_id"] == "SignAtDesk/d1"
    # By the outbox and its relay.
    [event] = [s for s in spans.values() if s.name == "send desk.events"]
    assert spans[event.parent].name == "process desk.commands"
    told = "".join(pages)
    for sample in (
        'orchestrate_sagas_total{saga="traced.desk.SignAtDesk",state="started"} 1.0',
        'orchestrate_sagas_total{saga="traced.desk.SignAtDesk",state="failed"} 1.0',
        'orchestrate_events_total{outcome="started"} 1.0',
        'orchestrate_replies_total{outcome="fast"}',
        'kafka_consumergroup_lag{consumergroup="orchestrate.events",partition="0",topic=',
        'kafka_consumergroup_lag{consumergroup="desk",partition="0",topic="desk.commands"} 0.0',
        'messaging_client_sent_messages_total{error_type="",messaging_destination_name="desk.',
    ):
        assert sample in told, told
    sent = b"".join(collector.bodies) + told.encode()
    assert NOTE.encode() not in sent and WHY.encode() not in sent
    assert loaded.program
    history = await client.get_workflow_handle("SignAtDesk/d1").fetch_history()
    classes = workflow_classes(compile_module(loaded.program, "traced.desk"))
    for interceptors in ([], [TracingInterceptor()]):
        await Replayer(
            workflows=classes,
            workflow_runner=UnsandboxedWorkflowRunner(),
            interceptors=interceptors,
        ).replay_workflow(history)


async def addresses(log: Path) -> list[str]:
    """Where the two programs say that they can be asked."""

    def both() -> list[str] | None:
        found = re.findall(r"(http://127\.0\.0\.1:\d+)/ready", log.read_text())
        return found if len(found) == 2 else None

    return await eventually(both, "both programs are up")


async def page(url: str) -> str:
    """All numbers of a program, when it has looked at its lag and counted the saga's end."""

    def look() -> str | None:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        worker = "orchestrate_replies_total" in text
        ended = 'state="failed"' in text or not worker
        return text if ended and "kafka_consumergroup_lag{" in text else None

    async def asked() -> str | None:
        return await asyncio.to_thread(look)

    return await eventually(asked, "its numbers", limit=90)


def an_event(traceparent: str) -> Record:
    """What starts the saga."""
    envelope = Envelope(
        id="asked-1",
        type="desk.Asked",
        source="/test",
        time=datetime.now(UTC),
        key="d1",
        data=json.dumps({"id": "d1", "note": NOTE}).encode(),
        traceparent=traceparent,
    )
    return to_record(envelope, "desk.events")


def is_undo(span: Seen) -> bool:
    """Whether it is about the undo of the first step."""
    return ":undo" in str(span.attributes.get("messaging.message.id"))
