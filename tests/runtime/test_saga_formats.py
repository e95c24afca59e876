"""Sagas whose services speak Avro and Protobuf, over real Temporal and Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
import pytest_asyncio
from temporalio.service import RPCError

from dsl.load import check_texts
from orchestrator.messaging.deadletter import dead_letter_topic
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.runtime.events import GROUP
from orchestrator.runtime.running import find_running
from orchestrator.service import Service
from orchestrator.service.runner import ServiceRunner
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, Behaviour, World, after, reply

WORLD = (
    FLOW
    + """
enum NAMESize { SMALL LARGE }
record NAMEPart { sku: string @1  size: NAMESize @2  weights: map<string, decimal?> @3 }

service NAMEtill {
  commands: topic("NAMEtill.inbox", partitions: 1)
  format: protobuf

  command Charge key id { id: string @1  amount: decimal @2  parts: list<NAMEPart> @3 }
    replies Charged fails Refused
  command GiveBack key id { id: string @1  since: timestamp @2 } replies Given

  event Charged key id { id: string @1  at: timestamp @2  parts: list<NAMEPart> @3 }
  event Refused key id { id: string @1  why: string @2 }
  event Given key id { id: string @1 }
  event Settled key id { id: string @1  ref: string? @2 }
}

service NAMEdepot {
  commands: topic("NAMEdepot.inbox", partitions: 1)
  format: avro

  command Pack key id { id: string  parts: list<NAMEPart> } replies Packed fails Torn
  event Packed key id { id: string  took: duration }
  event Torn key id { id: string }
  event Wanted key id { id: string  parts: list<NAMEPart>  urgent: bool = false }
}

/// Answered by the test, not by a service.
service NAMEbox {
  format: protobuf
  policy: quick
  command Open key id { id: string @1 } replies Opened
  event Opened key id { id: string @1  code: string @2 }
}

saga NAMEPeek(id: string) -> string key id {
  step first = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step opened = NAMEbox.Open(id: id) undo none
  return opened.code
}

/// Begun by an Avro event, goes on with a Protobuf one.
saga NAMESend(id: string, parts: list<NAMEPart>) -> string
  key id
  starts on NAMEdepot.Wanted as e with (id: e.id, parts: e.parts)
{
  step paid = NAMEtill.Charge(id: id, amount: decimal("12.30"), parts: parts)
    undo NAMEtill.GiveBack(id: id, since: paid.at)
  step packed = NAMEdepot.Pack(id: id, parts: paid.parts) undo none
  await NAMEtill.Settled as settled when settled.ref != null within 30s
  return string(packed.took)
}

/// Asks for one.
saga NAMEAsk(id: string) key id {
  emit NAMEdepot.Wanted(id: id, parts: [
    NAMEPart(sku: "s", size: NAMESize.LARGE, weights: {"net": decimal("1.5"), "gross": null})
  ])
}
"""
)


class Participants:
    """Both services, and what they were sent."""

    def __init__(self, shop: World) -> None:
        program = check_texts({"f.flow": WORLD.replace("NAME", shop.name)}).program
        assert program
        self.till = Service(f"{shop.name}till", program=program)
        self.depot = Service(f"{shop.name}depot", program=program)
        self.charged: list[Any] = []
        self.given_back: list[Any] = []
        self._handle()

    def _handle(self) -> None:
        till, depot = self.till, self.depot

        @till.handles("Charge")
        async def charge(command: Any, context: Any) -> Any:
            self.charged.append(command)
            if command.id.startswith("poor"):
                raise till.failures.Refused(id=command.id, why="poor")
            if command.id.startswith("slow"):
                await asyncio.sleep(1)  # past the fast way
            context.publish(till.messages.Settled(id=command.id, ref=None))
            context.publish(till.messages.Settled(id=command.id, ref="r"))
            return till.messages.Charged(id=command.id, at=context.sent_at, parts=command.parts)

        @till.handles("GiveBack")
        async def give_back(command: Any) -> Any:
            self.given_back.append(command)
            return till.messages.Given(id=command.id)

        @depot.handles("Pack")
        async def pack(command: Any) -> Any:
            if command.id.startswith("torn"):
                raise depot.failures.Torn(id=command.id)
            return depot.messages.Packed(id=command.id, took=timedelta(seconds=len(command.parts)))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def participants(shop: World, tmp_path_factory: Any) -> AsyncIterator[Participants]:
    """Both services, running."""
    made, stop = Participants(shop), asyncio.Event()
    folder: Path = tmp_path_factory.mktemp("participants")
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for service in (made.till, made.depot):
            runner = ServiceRunner(service, shop.bus, f"sqlite:///{folder}/{service.name}.db")
            tasks.create_task((await stack.enter_async_context(runner)).run(stop))
        yield made
        stop.set()


async def begun_by_event(shop: World, key: str) -> str:
    """A saga that an Avro event starts."""
    await shop.run("Ask", key)
    return await appears(shop, key)


async def appears(shop: World, key: str) -> str:
    """The id of a saga that is started."""
    id = f"{shop.name}Send/{key}"

    async def there() -> bool:
        try:
            await shop.client.get_workflow_handle(id).describe()
        except RPCError:
            return False
        return True

    await eventually(there, "the saga is started")
    return id


async def sent(shop: World, key: str, *types: str) -> list[Envelope]:
    """The messages with this key, one of each of the types."""
    topics = (f"{shop.name}till", f"{shop.name}depot")

    def came() -> list[Envelope] | None:
        found = [from_record(r) for r in shop.records if r.topic.startswith(topics)]
        by_type = {e.type: e for e in found if e.key == key}
        wanted = [by_type.get(shop.name + t) for t in types]
        return [e for e in wanted if e] if all(wanted) else None

    messages: list[Envelope] = await eventually(came, f"{types} of {key} came")
    return messages


@pytest.mark.parametrize("key", ["quick", "slow"])
async def test_a_saga_goes_through(shop: World, participants: Participants, key: str) -> None:
    """Commands, replies on both ways, and events in both formats carry their values."""
    id = await begun_by_event(shop, key)
    assert (await shop.end(id)).result == "1s"
    (command,) = [c for c in participants.charged if c.id == key][:1]
    assert command.amount == Decimal("12.30")
    (part,) = command.parts
    assert (part.sku, part.size.value) == ("s", "LARGE")
    assert part.weights == {"net": Decimal("1.5"), "gross": None}


async def test_the_records_say_what_they_are(shop: World, participants: Participants) -> None:
    """Every message of such a service has its content type, and no JSON in it."""
    await shop.end(await begun_by_event(shop, "seen"))
    formats = {
        "till.Charge": "application/protobuf",
        "till.Settled": "application/protobuf",
        "depot.Pack": "application/avro",
        "depot.Wanted": "application/avro",
    }
    assert [e.content_type for e in await sent(shop, "seen", *formats)] == [*formats.values()]


async def test_a_declared_failure_is_read(shop: World, participants: Participants) -> None:
    """Its fields are in the saga's reason."""
    id = await begun_by_event(shop, "poor")
    assert (await shop.end(id)).reason == 'formatstill.Charge failed: Refused(why: "poor")'


async def test_an_undo_has_its_values(shop: World, participants: Participants) -> None:
    """What a reply said goes into the undo, to the microsecond."""
    id = await begun_by_event(shop, "torn")
    assert (await shop.end(id)).reason == "formatsdepot.Pack failed: Torn()"
    (undo,) = participants.given_back
    assert undo.id == "torn"
    assert undo.since.tzinfo is not None


@pytest.mark.parametrize(
    ("type", "topic", "group"),
    [
        ("depot.Wanted", "depot.events", GROUP),
        ("till.Settled", "till.events", GROUP),
        ("depot.Pack", "depot.inbox", "NAMEdepot"),
        ("till.Charge", "till.inbox", "NAMEtill"),
    ],
)
async def test_what_cannot_be_read_is_buried(
    shop: World, participants: Participants, type: str, topic: str, group: str
) -> None:
    """Events and commands whose bytes mean nothing are poison, and hold up nothing."""
    await shop.end(await begun_by_event(shop, f"before-{type}"))
    (good,) = await sent(shop, f"before-{type}", type)
    wrong = replace(good, id=f"wrong-{type}", data=b"\x0a\xff\x01")
    letters = dead_letter_topic(shop.name + topic, group.replace("NAME", shop.name))
    reader = await shop.bus.tap([letters])
    await shop.bus.publish(to_record(wrong, shop.name + topic))

    async def buried() -> bool:
        return any(from_record(r).id == wrong.id for r in await reader.poll(100, 0.1))

    try:
        await eventually(buried, "it is a dead letter")
    finally:
        await reader.close()
    assert (await shop.end(await begun_by_event(shop, f"after-{type}"))).result == "1s"


def binary(data: bytes, kind: str = "application/protobuf") -> Behaviour:
    """A reply of these bytes."""
    return lambda w, c: w.answer(c, "box.Opened", data, content_type=kind)


@pytest.mark.parametrize("late", [0.0, 0.8])
async def test_replies_are_read_as_what_they_say_that_they_are(shop: World, late: float) -> None:
    """On both ways; a service that still writes JSON is understood, too."""
    for key, behaviour in (
        (f"proto-{late}", binary(b"\x0a\x01k\x12\x01c")),
        (f"json-{late}", reply("box.Opened", code="c")),
    ):
        shop.script[key, "Open"] = [after(late, behaviour)]
        id = await shop.start("Peek", key)
        assert (await shop.end(id)).result == "c"
        course = (await shop.instances.show(id)).course
        if late and key.startswith("proto"):
            raw = {"content_type": "application/protobuf", "encoded": "CgFrEgFj"}
            assert [e.data for e in course.encoded] == [raw]
            async with shop.database.reading() as session:
                (await find_running(shop.client, session, id)).read(course)
        shown = course.entries[-1].data
        assert shown == {"id": shown["id"], "code": "c"}


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (
            binary(b"\x12\xff"),
            "box.Opened`: the message is not Protobuf of its declaration",
        ),
        (binary(b"\x0a\x01k"), "`code` is missing"),
        (binary(b"Obj\x01", "application/avro"), "is not an Avro container"),
    ],
)
@pytest.mark.parametrize("late", [0.0, 0.8])
async def test_a_reply_that_cannot_be_read_fails_the_saga(
    shop: World, behaviour: Behaviour, problem: str, late: float
) -> None:
    """As in JSON: it says what is wrong, and what was done is undone."""
    key = shop.key()
    shop.script[key, "Open"] = [after(late, behaviour)]
    id = await shop.start("Peek", key)
    outcome = await shop.end(id)
    assert outcome.reason is not None
    assert "`formatsbox` sent an answer not to be used" in outcome.reason
    assert problem in outcome.reason
    assert shop.undone(id) == ["first:undo"]


async def test_a_newer_contract_is_understood(shop: World, participants: Participants) -> None:
    """Avro of a writer that has a field more and another one less."""
    schema = {
        "type": "record",
        "name": "Wanted",
        "fields": [
            {"name": "colour", "type": "string"},
            {"name": "id", "type": "string"},
            {"name": "parts", "type": {"type": "array", "items": "string"}},
        ],
    }
    out, message = BytesIO(), {"colour": "red", "id": "newer", "parts": []}
    fastavro.writer(out, fastavro.parse_schema(schema), [message])
    await begun_by_event(shop, "older")
    (good,) = await sent(shop, "older", "depot.Wanted")
    event = replace(good, id="newer", key="newer", data=out.getvalue())
    await shop.bus.publish(to_record(event, f"{shop.name}depot.events"))
    assert (await shop.end(await appears(shop, "newer"))).result == "0s"


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) >= 8
