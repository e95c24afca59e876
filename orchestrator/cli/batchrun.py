"""Runs a batch of sagas and shows their course."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live

from orchestrator.cli.batch import Batch
from orchestrator.cli.courses import read_courses
from orchestrator.cli.errors import CommandError
from orchestrator.cli.live import Board
from orchestrator.cli.output import line
from orchestrator.cli.summary import outcomes
from orchestrator.compile.compile import compile_module, instructions
from orchestrator.compile.plan import SagaPlan, StepPlan
from orchestrator.messaging.bus import Bus
from orchestrator.runtime.instances import Instances, Outcome
from orchestrator.runtime.signature import InputError
from orchestrator.runtime.starts import (
    AlreadyStartedError,
    read_parameters,
    start_saga,
)
from orchestrator.runtime.versions import Served
from orchestrator.runtime.watch import Watch
from orchestrator.runtime.wire import is_undo

if TYPE_CHECKING:
    from temporalio.client import Client

    from dsl.load import Loaded


ATTENTION = "needs attention"

#: Seconds without an end, after which it is asked whether a saga is parked.
_LOOK_EVERY = 1.0


class BatchRun:
    """The sagas of a file, checked against the flows that declare them."""

    def __init__(
        self, batch: Batch, loaded: Loaded | None, events_per_run: int | None = None
    ) -> None:
        """Raises CommandError."""
        self._events = events_per_run
        self._served, self._saga = _find(loaded, batch.saga)
        self._parameters = [self._read(n, i) for n, i in enumerate(batch.inputs, 1)]

    async def run(self, client: Client, bus: Bus, out: Console) -> int:
        """Starts the sagas, follows them to their ends and prints these; how many there are that
        need a person."""
        watch = Watch(bus, [self._served.plan])
        await watch.start()
        instances = Instances(client)
        ids = await self._start(client, out)
        steps = [
            i.path
            for i in instructions(self._saga)
            if isinstance(i, StepPlan) and not is_undo(i.path)
        ]
        board = Board(self._saga.short, ids, steps)
        board.sagas = watch.sagas
        await _follow(board, ids, watch, instances, out)
        await read_courses(board, ids, instances, self._served.plan)
        out.print(board.table())
        line(out, "✓ answered   ✗ failed   ↩ undone   ×n attempts", "dim")
        out.print()
        out.print(outcomes(board.outcomes, board.sagas))
        return sum(o.status == ATTENTION for o in board.outcomes.values())

    def _read(self, number: int, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return read_parameters(self._saga, given, self._served.codec)
        except InputError as error:
            raise CommandError(f"input {number} of --run: {error}") from None

    async def _start(self, client: Client, out: Console) -> list[str]:
        """Starts each once; one that was started before is followed all the same."""
        found: dict[str, None] = {}
        for parameters in self._parameters:
            try:
                id = await start_saga(
                    client, self._served, self._saga, parameters, events=self._events
                )
                found[id] = None
            except AlreadyStartedError as error:
                line(out, f"not started: {error}", "yellow")
                found[error.id] = None
        return list(found)


async def _follow(
    board: Board, ids: list[str], watch: Watch, instances: Instances, out: Console
) -> None:
    """Shows the sagas live, where there is a terminal, until all have ended."""
    done = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(watch.run(done, lambda: None))
        with _live(board, out):
            await _ended(board, ids, instances)
        done.set()
        await following


async def _ended(board: Board, ids: list[str], instances: Instances) -> None:
    """Returns when each saga has ended, or needs a person's decision."""
    ends = {asyncio.ensure_future(instances.outcome(id)): id for id in ids}
    try:
        while any(id not in board.outcomes for id in ids):
            done, _ = await asyncio.wait(
                ends, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
            )
            board.outcomes |= {ends.pop(task): task.result() for task in done}
            if not done:
                parked = await instances.list(None, "running", True, len(ids))
                reasons = {i.id: i.attention for i in parked}
                for id in reasons.keys() & set(ids):
                    board.outcomes[id] = Outcome(ATTENTION, reason=reasons[id])
    finally:
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


def _live(board: Board, out: Console) -> AbstractContextManager[object]:
    """The board on the screen while the block runs; nothing where there is no terminal."""
    if not out.is_terminal:
        return nullcontext()
    return Live(board, console=out, refresh_per_second=8, transient=True)


def _find(loaded: Loaded | None, name: str) -> tuple[Served, SagaPlan]:
    if loaded is None or loaded.program is None:
        raise CommandError(f"--run needs the flows that declare `{name}`: name their folder")
    for module in loaded.asked:
        plan = compile_module(loaded.program, module)
        for saga in plan.sagas.values():
            if name in (saga.short, saga.name):
                return Served(plan, ""), saga
    raise CommandError(f"the given flows declare no saga `{name}`, which --run names")
