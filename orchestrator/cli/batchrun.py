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
from orchestrator.runtime.instances import Instances
from orchestrator.runtime.starts import (
    AlreadyStartedError,
    InputError,
    read_parameters,
    start_saga,
)
from orchestrator.runtime.versions import Served
from orchestrator.runtime.watch import Watch

if TYPE_CHECKING:
    from temporalio.client import Client

    from dsl.load import Loaded


class BatchRun:
    """The sagas of a file, checked against the flows that declare them."""

    def __init__(self, batch: Batch, loaded: Loaded | None) -> None:
        """Raises CommandError."""
        self._served, self._saga = _find(loaded, batch.saga)
        self._parameters = [self._read(n, i) for n, i in enumerate(batch.inputs, 1)]

    async def run(self, client: Client, bus: Bus, out: Console) -> None:
        """Starts the sagas, follows them to their ends and prints these."""
        watch = Watch(bus, [self._served.plan])
        await watch.start()
        instances = Instances(client)
        ids = await self._start(client, out)
        steps = [i.path for i in instructions(self._saga) if isinstance(i, StepPlan)]
        board = Board(self._saga.short, ids, steps)
        board.sagas = watch.sagas
        await _follow(board, ids, watch, instances, out)
        await read_courses(board, ids, instances, self._served.plan)
        out.print(board.table())
        line(out, "✓ answered   ✗ failed   ↩ undone   ×n attempts", "dim")
        out.print()
        out.print(outcomes(board.outcomes, board.sagas))

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
                found[await start_saga(client, self._served, self._saga, parameters)] = None
            except AlreadyStartedError as error:
                line(out, f"not started: {error}", "yellow")
                found[error.id] = None
        return list(found)


async def _follow(
    board: Board, ids: list[str], watch: Watch, instances: Instances, out: Console
) -> None:
    """Shows the sagas live, where there is a terminal, until all have ended."""

    async def end(id: str) -> None:
        board.outcomes[id] = await instances.outcome(id)

    done = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(watch.run(done, lambda: None))
        with _live(board, out):
            await asyncio.gather(*(end(id) for id in ids))
        done.set()
        await following


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
