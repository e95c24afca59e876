"""Sagas that wait for days and months, on Temporal's server that skips time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from dsl.load import check_texts
from orchestrator.compile.compile import compile_module
from orchestrator.messaging.envelope import Envelope, from_record, to_record
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime import replies
from orchestrator.runtime.activities import Activities
from orchestrator.runtime.claims import ClaimActivity
from orchestrator.runtime.events import Events
from orchestrator.runtime.guards import Guards
from orchestrator.runtime.replies import Replies
from orchestrator.runtime.starts import read_parameters, start_saga
from orchestrator.runtime.versions import Served
from orchestrator.runtime.window import Window
from orchestrator.runtime.workflow import workflow_classes
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate

FLOW = """
module months

policy daily { timeout: 1h retry: exponential(attempts: 5, initial: 1d, factor: 2, max: 7d) }

service bank {
  policy: daily
  command Pay key id { id: string  month: int } replies Paid fails Declined
  command Refund key id { id: string  month: int } replies Refunded
  event Paid key id { id: string }
  event Refunded key id { id: string }
  event Declined key id { id: string }
  event Settled key id { id: string }
}

/// A year.
saga Year(id: string) -> int key id {
  var month = 0
  while month < 12 {
    sleep 30d
    step paid = bank.Pay(id: id, month: month) undo bank.Refund(id: id, month: month)
    set month = month + 1
  }
  return month
}

/// Asks for a payment, twice.
saga Remind(id: string) -> string key id {
  await bank.Settled within 14d on timeout {
    race {
      on bank.Settled { return "settled late" }
      after 90d { return "never settled" }
    }
  }
  return "settled"
}

/// Would go on for ever.
saga Overdue(id: string) key id within 60d {
  step paid = bank.Pay(id: id, month: 0) undo bank.Refund(id: id, month: 0)
  while true { sleep 7d }
}
"""


class Bank:
    """Answers what comes on the bus, and notes it."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.seen: list[str] = []

    async def run(self) -> None:
        reader = await self._bus.tap(["bank.commands"])
        while True:
            for record in await reader.poll(100, 0.1):
                await self._answer(from_record(record))

    async def _answer(self, command: Envelope) -> None:
        self.seen.append(command.id)
        assert command.reply_to
        reply = Envelope(
            id=f"{command.id}:reply",
            type={"bank.Pay": "bank.Paid", "bank.Refund": "bank.Refunded"}[command.type],
            source="/test",
            time=datetime.now(UTC),
            key=command.key,
            data=json.dumps({"id": command.key}).encode(),
            correlation_id=command.correlation_id,
            causation_id=command.id,
        )
        await self._bus.publish(
            to_record(reply, command.reply_to.topic, command.reply_to.partition)
        )


class Calendar:
    """The server, with a worker of the flow."""

    def __init__(self, server: WorkflowEnvironment, served: Served, bank: Bank) -> None:
        self._server = server
        self._served = served
        self.bank = bank

    async def run(self, saga: str) -> tuple[Any, timedelta]:
        """A saga's result, or the text of its failure, and how long it took."""
        plan = self._served.plan.sagas[f"months.{saga}"]
        given = read_parameters(plan, {"id": "1"}, self._served.codec)
        id = await start_saga(self._server.client, self._served, plan, given)
        handle = self._server.client.get_workflow_handle(id)
        try:
            result: Any = await handle.result()
        except WorkflowFailureError as failed:
            assert isinstance(failed.cause, ApplicationError)
            result = failed.cause.message
        described = await handle.describe()
        assert described.close_time
        return result, described.close_time - described.start_time


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calendar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Calendar]:
    """One server for the file."""
    program = check_texts({"months.flow": FLOW}).program
    assert program
    served = Served(compile_module(program, "months"), "1")
    binary = Path(sys.executable).parent / "temporal-test-server"
    folder = tmp_path_factory.mktemp("time")
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(binary)
        ) as server,
        MemoryBus() as bus,
        Database(f"sqlite:///{folder}/store.db") as database,
    ):
        await migrate(database.engine)
        await server.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        await bus.create_topics([*served.plan.topics, replies.TOPIC, replies.DEAD_LETTERS])
        guards = Guards()
        answers, bank = Replies(bus, server.client, guards), Bank(bus)
        stop = asyncio.Event()
        assert await answers.start(stop)
        messages = Activities(bus, answers, Window(2.0), served.payloads, guards)
        worker = Worker(
            server.client,
            task_queue="months",
            workflows=workflow_classes(served.plan),
            activities=[*messages.all(), *ClaimActivity(database).all()],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        events = Events(bus, server.client, [served], [served], database)
        async with worker:
            beside = [
                asyncio.create_task(w) for w in (answers.run(stop), events.run(stop), bank.run())
            ]
            yield Calendar(server, served, bank)
            stop.set()
            beside[-1].cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def test_a_year_of_payments(calendar: Calendar) -> None:
    """Each thirty days after the one before."""
    result, took = await calendar.run("Year")
    assert result == 12
    assert timedelta(days=360) <= took < timedelta(days=361)
    assert calendar.bank.seen == [f"Year/1#paid[{n}]" for n in range(12)]


async def test_an_event_that_never_comes(calendar: Calendar) -> None:
    """The wait ends after its limit, and the race after its own."""
    result, took = await calendar.run("Remind")
    assert result == "never settled"
    assert timedelta(days=104) <= took < timedelta(days=105)


async def test_a_deadline_of_months(calendar: Calendar) -> None:
    """It passes while the saga sleeps, and what was done is undone."""
    before = len(calendar.bank.seen)
    result, took = await calendar.run("Overdue")
    assert result == "not done within 60d"
    assert timedelta(days=60) <= took < timedelta(days=61)
    assert calendar.bank.seen[before:] == ["Overdue/1#paid", "Overdue/1#paid:undo"]
