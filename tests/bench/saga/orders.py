"""What both kinds have in common: the flow, its orders, its servers' state before a run."""

from __future__ import annotations

import uuid
from enum import StrEnum
from pathlib import Path
from typing import Any

from temporalio.client import Client

from dsl.load import Loaded, load
from orchestrator.compile.compile import compile_module, version_of
from orchestrator.deploy.deploy import deploy
from orchestrator.dev.record import Addresses
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.runtime import replies
from orchestrator.runtime.versions import Served
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.bench.child import ROOT

MODULE, SAGA = "shop.orders", "shop.orders.PlaceOrder"

#: The services' command topics; `deploy` makes them.
COMMANDS = [
    f"{service}.commands" for service in ("inventory", "payments", "shipping", "notifications")
]

#: What a placed order's result says, whoever ran the saga.
TRACKING = "parcel-1"


class Kind(StrEnum):
    """Who runs the saga."""

    OURS = "ours"
    REFERENCE = "reference"
    UNSANDBOXED = "unsandboxed"


def new_order() -> dict[str, Any]:
    """An order that will be placed, in its wire form."""
    return {
        "order_id": str(uuid.uuid4()),
        "customer_id": "customer-1",
        "card": "4242",
        "address": "1 Harbour Street",
        "lines": [
            {"sku": "lamp", "quantity": 2, "price": "19.90"},
            {"sku": "cable", "quantity": 1, "price": "4.50"},
        ],
    }


def served() -> Served:
    """The flow's module, compiled."""
    program = _loaded().program
    assert program, "the sample flow has no errors"
    plan = compile_module(program, MODULE)
    return Served(plan, version_of(plan))


def store_url(folder: Path) -> str:
    """The store of a run."""
    return f"sqlite:///{folder / 'store.db'}"


async def prepare(addresses: Addresses, folder: Path) -> None:
    """Deploys the flow, for both kinds alike: topics and partitions are the same."""
    assert addresses.kafka
    client = await Client.connect(addresses.temporal)
    async with KafkaBus(addresses.kafka) as bus, Database(store_url(folder)) as database:
        await migrate(database.engine)
        await deploy(_loaded(), client, bus, database)
        await bus.create_topics([replies.TOPIC, replies.DEAD_LETTERS])


def _loaded() -> Loaded:
    return load([ROOT / "flows" / "orders"])
