"""The benchmark `saga`: contenders take turns, in rounds of short slices.

Each has fresh servers of its own and stands still while another is measured. A shared machine's
speed changes from second to second, so what is compared is what was measured side by side: every
ratio is the median of the rounds' ratios, every value the median of the rounds' values.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from orchestrator.dev.temporal import TemporalServer
from tests.bench.child import Child
from tests.bench.rows import Row
from tests.bench.saga.contender import DELAY, Contender
from tests.bench.saga.orders import Kind
from tests.bench.saga.report import rows, show
from tests.bench.saga.rounds import Round

ROUNDS = 5
#: Sagas one after the other, per round; together at least 50.
ALONE = 10
IN_FLIGHT = 40
#: Seconds for which sagas are started.
SECONDS = 6.0


async def run(screen: Console) -> list[Row]:
    """Measures, prints the table and returns the rows. Raises BenchError, ServerError."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-bench-") as name:
        async with AsyncExitStack() as up:
            with screen.status("starting servers") as status:
                folder = Path(name)
                control = await _control(up, folder)
                contenders = [await up.enter_async_context(Contender(k, folder)) for k in Kind]
                status.update("warming up")
                for each in contenders:
                    await each.load(IN_FLIGHT, SECONDS / 3)
                measured = []
                for number in range(ROUNDS):
                    status.update(f"round {number + 1} of {ROUNDS}")
                    # There and back, so that a machine that gets slower is nobody's advantage.
                    turn = contenders if number % 2 == 0 else contenders[::-1]
                    measured.append(await _round(turn, control))
                end = await _rate(control)
    screen.print(
        f"{IN_FLIGHT} sagas in flight, {ROUNDS} rounds of {SECONDS:g} s each, "
        f"services answer after {DELAY * 1000:g} ms, medians",
        highlight=False,
    )
    show(screen, measured, end)
    return rows(measured)


async def _control(up: AsyncExitStack, folder: Path) -> Child:
    """On a server of its own, so that only the machine can change its rate."""
    server = await up.enter_async_context(TemporalServer(folder / "control", ui=False))
    return await up.enter_async_context(
        Child("tests.bench.control", folder, {"temporal": server.address})
    )


async def _rate(control: Child) -> float:
    told = await control.ask(in_flight=20, warm=0.5, seconds=1.5)
    return float(told["rate"])


async def _round(contenders: list[Contender], control: Child) -> Round:
    found = Round(await _rate(control))
    for each in contenders:
        if each.kind is not Kind.UNSANDBOXED:
            found.alone[each.kind] = await each.alone(ALONE)
    # One right after the other: the less the machine's speed changes between them, the better.
    for each in contenders:
        found.load[each.kind] = await each.load(IN_FLIGHT, SECONDS)
        await asyncio.sleep(0.2)  # what it left to do is not the next one's
    return found
