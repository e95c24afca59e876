"""Python functions as steps and as undos, on real Temporal and Kafka."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.client import Client

from dsl.load import check_texts, load
from orchestrator.deploy.deploy import DeployError, deploy
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime.functions import FunctionError
from orchestrator.runtime.worker import SagaWorker
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime import pricing
from tests.runtime.eventually import eventually
from tests.runtime.pricing import raising
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, World, reply

WORLD = (
    FLOW
    + """
enum NAMESize { SMALL LARGE }
record NAMEItem { sku: string  price: decimal  size: NAMESize  note: string? }
record NAMEBooking { ref: string  size: NAMESize }

activity Discount(id: string, basket: list<NAMEItem>) -> decimal
  from "tests.runtime.pricing:discount"
activity Book(id: string, days: duration) -> NAMEBooking from "tests.runtime.pricing:book"
activity Unbook(id: string, ref: string) from "tests.runtime.pricing:unbook"
activity Wait(id: string) -> string from "tests.runtime.pricing:wait"

saga NAMEPrice(id: string, basket: list<NAMEItem>) -> decimal key id {
  step discount = Discount(id: id, basket: basket) with quick
  return basket.map(i, i.price).sum() * (decimal("1") - discount)
}

saga NAMEBooks(id: string) -> string key id with quick {
  step booked = Book(id: id, days: 3d) undo Unbook(id: id, ref: booked.ref)
  step paid = NAMEbank.Pay(id: id) undo NAMEbank.Refund(id: id, ref: paid.ref)
    on Declined { fail "declined" }
  return booked.size == LARGE ? booked.ref : "small"
}

saga NAMEMaybe(id: string) -> string key id {
  step discount = Discount(id: id, basket: []) with quick
    undo Unbook(id: id, ref: "-")
    on exhausted { fail "no discount" }
  return string(discount)
}

saga NAMESlow(id: string) -> string key id {
  step a = NAMEwares.Take(id: id) undo NAMEwares.Put(id: id)
  step waited = Wait(id: id) with patient undo Unbook(id: id, ref: waited)
  return waited
}

saga NAMEHurry(id: string) -> string key id {
  step waited = Wait(id: id) with quick undo none on timeout { return "too late" }
  return waited
}
"""
)

BASKET = [
    {"sku": "a", "price": "10.00", "size": "SMALL"},
    {"sku": "b", "price": "5", "size": "LARGE"},
]


async def test_arguments_and_results_are_typed(shop: World) -> None:
    """A function is given records, enums and decimals, and its decimal is exact."""
    key = shop.key()
    outcome = await shop.run("Price", key, basket=BASKET)
    assert outcome.result == "13.5000"
    first, second = pricing.given[key]
    assert (first.price, second.size, first.note) == (Decimal("10.00"), "LARGE", None)


async def test_an_undo_may_be_a_function(shop: World) -> None:
    """It is given what the step answered."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    assert (await shop.run("Books", key)).reason == "declined"
    assert pricing.calls[key] == ["book", f"unbook {key}:3"]
    assert (await shop.run("Books", other := shop.key())).result == f"{other}:3"


async def test_an_exception_is_a_failed_attempt(shop: World) -> None:
    """The next attempt counts, and is known by the step's id, which stays; what is exhausted was
    perhaps done, and is undone."""
    key = shop.key()
    pricing.script[key] = [raising("away"), lambda: Decimal(1)]
    assert (await shop.run("Maybe", key)).result == "1"
    assert pricing.calls[key] == ["discount", "discount"]
    assert pricing.keys[key] == [f"activitiesMaybe/{key}#discount"] * 2
    key = shop.key()
    pricing.script[key] = [raising("away")]
    assert (await shop.run("Maybe", key)).reason == "no discount"
    assert pricing.calls[key] == ["discount", "discount", "unbook -"]


async def test_a_failure_names_the_function_and_what_it_raised(shop: World) -> None:
    """A person can read why."""
    key = shop.key()
    pricing.script[key] = [raising("away")]
    outcome = await shop.run("Price", key, basket=[])
    assert outcome.reason == "Discount failed: ValueError: away, in 2 attempts"


async def test_a_result_of_another_type_is_not_asked_for_again(shop: World) -> None:
    """The function would give it again."""
    key = shop.key()
    pricing.script[key] = [lambda: "much"]
    outcome = await shop.run("Price", key, basket=[])
    said = "Discount failed: `tests.runtime.pricing:discount` gave what is no `decimal`: "
    assert outcome.reason and outcome.reason.startswith(said), outcome
    assert pricing.calls[key] == ["discount"]


async def test_a_function_that_takes_too_long_times_out(shop: World) -> None:
    """Its handler runs, whatever the function is still doing."""
    key = shop.key()
    assert (await shop.run("Hurry", key)).result == "too late"
    pricing.gates[key].set()


async def test_an_undo_that_raises_parks(shop: World) -> None:
    """A person has it tried again."""
    key = shop.key()
    shop.script[key, "Pay"] = [reply("bank.Declined")]
    pricing.script[f"{key}:unbook"] = [raising("not now"), raising("not now"), lambda: None]
    id = await shop.start("Books", key)
    found = await eventually(lambda: listed(shop, id), "it is parked")
    assert found == "booked:undo: ValueError: not now, in 2 attempts"
    await shop.instances.resolve(id, "retry")
    assert (await shop.end(id)).reason == "declined"
    assert pricing.calls[key][1:] == [f"unbook {key}:3"] * 3


async def listed(shop: World, id: str) -> str | None:
    """What an instance needs attention for."""
    running = await shop.instances.list(None, "running", attention=True, limit=100)
    return next((i.attention for i in running if i.id == id), None)


async def test_a_cancel_lets_a_function_come_to_its_end(shop: World) -> None:
    """Its undo never runs beside it, and is given its answer."""
    key = shop.key()
    id = await shop.start("Slow", key)
    await eventually(lambda: pricing.calls[key] == ["wait"], "the function runs")
    await shop.instances.cancel(id)
    handle = shop.client.get_workflow_handle(id)

    async def asked() -> bool:
        return any(
            e.HasField("activity_task_cancel_requested_event_attributes")
            for e in (await handle.fetch_history()).events
        )

    await eventually(asked, "the cancel has come")
    assert shop.undone(id) == []
    pricing.gates[key].set()
    assert (await shop.end(id)).status == "cancelled"
    assert pricing.calls[key] == ["wait", "waited", "unbook waited"]
    assert shop.undone(id) == ["a:undo"]


async def test_a_new_worker_goes_on_with_a_function(shop: World) -> None:
    """A worker that stops lets it end; the next one has its answer."""
    key = shop.key()
    id = await shop.start("Slow", key)
    await eventually(lambda: pricing.calls[key] == ["wait"], "the function runs")
    pricing.gates[key].set()
    await shop.stop_worker()
    await shop.start_worker()
    assert (await shop.end(id)).result == "waited"
    assert pricing.calls[key] == ["wait", "waited"]


async def test_a_course_shows_its_functions(shop: World) -> None:
    """By their names, with their attempts and what they gave."""
    key = shop.key()
    pricing.script[key] = [raising("away"), lambda: Decimal(1)]
    await shop.run("Price", key, basket=[])
    (entry,) = (await shop.instances.show(f"{shop.name}Price/{key}")).course.entries
    assert (entry.path, entry.message, entry.attempts) == ("discount", "Discount", 2)
    assert (entry.status, entry.data) == ("returned", "1")


# --- functions that are not there

ONE = """
module NAME
activity Rate(id: string) -> int from "FUNCTION"
saga NAMERated(id: string) -> int key id { step rate = Rate(id: id) return rate }
"""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("no_such_module:f", "cannot import `no_such_module`: No module named 'no_such_module'"),
        ("tests.runtime.pricing:f", "`tests.runtime.pricing` has no `f`"),
        ("tests.runtime.pricing:calls", "`tests.runtime.pricing:calls` is not a function"),
        (
            "tests.runtime.pricing:unbook",
            "`tests.runtime.pricing:unbook`: missing a required argument: 'ref'",
        ),
    ],
)
async def test_a_function_that_is_not_there_is_not_deployed(
    client: Client, tmp_path: Path, function: str, why: str
) -> None:
    """One sentence says why, and nothing is stored."""
    async with Database(f"sqlite:///{tmp_path}/store.db") as database, MemoryBus() as bus:
        await migrate(database.engine)
        loaded = check_texts({"f.flow": ONE.replace("NAME", "rate").replace("FUNCTION", function)})
        with pytest.raises(DeployError) as refused:
            await deploy(loaded, client, bus, database)
    assert str(refused.value) == f"activity `Rate`: {why}"


async def test_modules_are_found_beside_the_flow(client: Client, tmp_path: Path) -> None:
    """As for services; a worker that finds them no more refuses to start."""
    module = tmp_path / "beside_the_flow.py"
    module.write_text("def rate(id: str) -> int:\n    return 7\n")
    text = ONE.replace("NAME", "beside").replace("FUNCTION", "beside_the_flow:rate")
    (tmp_path / "f.flow").write_text(text)
    async with Database(f"sqlite:///{tmp_path}/store.db") as database, MemoryBus() as bus:
        await migrate(database.engine)
        world = World("beside", client, bus, database)
        await world.deploy_loaded(load([tmp_path]))
        await world.start_worker()
        assert (await world.run("Rated", "k")).result == 7
        await world.stop_worker()
        _forget("beside_the_flow", module)
        with pytest.raises(BaseExceptionGroup) as refused:
            await SagaWorker(client, bus, database).run(asyncio.Event())
        (error,) = refused.value.exceptions
        assert isinstance(error, FunctionError)
        assert "cannot import `beside_the_flow`" in str(error)


def _forget(name: str, module: Path) -> None:
    module.unlink()
    del sys.modules[name]


async def test_all_histories_replay(shop: World) -> None:
    """Every saga above leaves a history that this code accepts again."""
    assert await replay_all(shop) > 8
