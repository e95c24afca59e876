"""The sample shop under load: its orders, what must become of each, and its books."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from temporalio.client import Client

from dsl.load import load
from orchestrator.cli.batch import read_batch
from orchestrator.cli.participants import load_module
from orchestrator.compile.compile import compile_module
from orchestrator.messaging.bus import Bus, Reader
from orchestrator.messaging.envelope import from_record
from orchestrator.messaging.record import Record
from orchestrator.runtime import replies
from orchestrator.runtime.instances import Instances, Outcome
from orchestrator.runtime.starts import read_parameters, start_saga
from orchestrator.runtime.versions import Served
from orchestrator.store.database import Database
from orchestrator.store.tables import inbox
from tests.chaos.processes import REPOSITORY

FLOWS = REPOSITORY / "flows" / "orders"
SERVICES = ("inventory", "payments", "shipping", "notifications")

#: By kind of order: how its saga ends, what it says, and the messages it comes to, in order.
PLACED = ("completed", None, ["stock", "payment", "parcel", "notice"])
NO_STOCK = ("failed", "out of stock: unicorn", ["stock"])
DECLINED = (
    "failed",
    'payments.ChargeCard failed: CardDeclined(reason: "limit reached")',
    ["stock", "payment", "stock:undo"],
)
UNSHIPPED = (
    "failed",
    "shipping.Ship failed: no answer within 1s in 3 attempts",
    ["stock", "payment", "parcel", "parcel:undo", "payment:undo", "stock:undo"],
)

_SERVICE = {
    "stock": "inventory",
    "payment": "payments",
    "parcel": "shipping",
    "notice": "notifications",
}


@dataclass
class Shop:
    """The orders of one test, and what was seen of them on the bus. `databases` are the services'
    URLs."""

    client: Client
    databases: dict[str, str]
    orders: list[dict[str, Any]]
    ids: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @classmethod
    def of(cls, client: Client, databases: dict[str, str], count: int) -> Shop:
        """A shop with so many orders, all kinds mixed as in orders.json."""
        orders: list[dict[str, Any]] = []
        while len(orders) < count:
            orders += read_batch(FLOWS / "orders.json").inputs
        return cls(client, databases, orders[:count])

    async def order(self) -> None:
        """Starts all sagas."""
        loaded = load([FLOWS])
        assert loaded.program
        served = Served(compile_module(loaded.program, "shop.orders"), "")
        saga = served.plan.sagas["shop.orders.PlaceOrder"]
        starts = (
            start_saga(self.client, served, saga, read_parameters(saga, o, served.codec))
            for o in self.orders
        )
        self.ids = await asyncio.gather(*starts)

    async def listen(self, bus: Bus) -> Reader:
        """Hears all commands and answers from now on, with `hear`."""
        await bus.create_topics([replies.TOPIC])
        return await bus.tap([replies.TOPIC.name, *(f"{s}.commands" for s in SERVICES)])

    async def hear(self, reader: Reader, stop: asyncio.Event) -> None:
        """Keeps what it hears until told to stop."""
        while not stop.is_set():
            self.records += await reader.poll(500, 0.1)

    def answered(self, path: str) -> int:
        """How many sagas have an answer to this step."""
        causes = (r.header("causationid") or b"" for r in self.records)
        return len({c for c in causes if c.endswith(f"#{path}".encode())})

    async def ends(self, limit: float) -> list[Outcome]:
        """How all sagas end, within `limit` seconds."""
        instances = Instances(self.client)
        async with asyncio.timeout(limit):
            return await asyncio.gather(*(instances.outcome(i) for i in self.ids))

    # --- what must hold afterwards

    async def check(self, outcomes: list[Outcome]) -> None:
        """Every saga ended as its order says, each message had one effect and one answer, undos
        ran in reverse order, and the books add up to the last piece."""
        expected = [_expected(o) for o in self.orders]
        wrong = Counter(
            (e[0], o.status, o.reason)
            for e, o in zip(expected, outcomes, strict=True)
            if (o.status, o.reason) != e[:2]
        )
        assert not wrong, wrong
        self._check_order(expected)
        await self._check_effects(expected)
        await self._check_books()

    def _check_order(self, expected: list[Any]) -> None:
        first: dict[str, dict[str, Any]] = {i: {} for i in self.ids}
        for record in self.records:
            if record.topic == replies.TOPIC.name:
                continue
            saga, _, path = from_record(record).id.rpartition("#")
            if saga in first:
                sent = first[saga].setdefault(path, record.timestamp)
                first[saga][path] = min(sent, record.timestamp)
        for id, (_, _, paths) in zip(self.ids, expected, strict=True):
            assert first[id].keys() == set(paths), id
            # Topics have no common order but time: two that share a millisecond are in any.
            times = [first[id][p] for p in paths]
            assert times == sorted(times), id
        answers: dict[bytes, set[tuple[Any, bytes]]] = {}
        for record in self.records:
            if record.topic == replies.TOPIC.name:
                cause = record.header("causationid") or b""
                answers.setdefault(cause, set()).add((record.header("ce_type"), record.value))
        assert all(len(a) == 1 for a in answers.values()), "one command was answered in two ways"

    async def _check_effects(self, expected: list[Any]) -> None:
        wanted = {
            (_SERVICE[p.partition(":")[0]], f"{id}#{p}")
            for id, (_, _, paths) in zip(self.ids, expected, strict=True)
            for p in paths
            # The carrier never comes as far as an effect.
            if not (p == "parcel" and "parcel:undo" in paths)
        }
        found: list[tuple[str, str]] = []
        for url in set(self.databases.values()):
            async with Database(url) as database, database.reading() as session:
                # One without an answer never took effect, and was undone.
                answered = inbox.c.answer.is_not(None)
                rows = await session.execute(
                    select(inbox.c.consumer, inbox.c.message_id).where(answered)
                )
                found += [(r.consumer, r.message_id) for r in rows]
        assert Counter(found) == Counter(wanted)

    async def _check_books(self) -> None:
        ledger = await load_module(FLOWS / "services.py").ledger(self.databases)
        assert all(check["holds"] for check in ledger["adds up"]), ledger
        placed = [o["order"] for o in self.orders if _expected(o) is PLACED]
        held: Counter[str] = Counter()
        for order in placed:
            for line in order["lines"]:
                held[line["sku"]] += line["quantity"]
        assert {g["sku"]: g["held"] for g in ledger["goods"] if g["held"]} == dict(held)
        status = {m["status"]: m["charges"] for m in ledger["money"]}
        unshipped = sum(_expected(o) is UNSHIPPED for o in self.orders)
        assert status == {"charged": len(placed), "refunded": unshipped}
        assert ledger["parcels"] == [{"status": "shipped", "parcels": len(placed)}]
        assert ledger["notices"] == [{"notices": len(placed)}]


def _expected(order: dict[str, Any]) -> Any:
    order = order["order"]
    if any(line["sku"] == "unicorn" for line in order["lines"]):
        return NO_STOCK
    if order["card"].startswith("declined"):
        return DECLINED
    return UNSHIPPED if "Moon" in order["address"] else PLACED
