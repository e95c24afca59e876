"""Sagas in memory: flows from text, run by the interpreter against scripted effects."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from dsl.load import check_texts
from dsl.values import Struct
from orchestrator.compile.compile import compile_module
from orchestrator.compile.plan import Plan
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.effects import Command, CommandFailed, Decision, Reason, SagaFailed
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.interpreter import Interpreter

#: Three services of one shape: `Do*` is undone by `Undo*`, which reads the reply only for `c`.
CONTRACTS = """
module t
policy quick { timeout: 1s retry: none dead_letter: "dead" }
policy hasty { timeout: 100ms retry: none }
policy waiting { timeout: 1s retry: none exhausted: park }
""" + "".join(
    f"""
service {s} {{
  policy: quick
  command Do key id {{ id: string }} replies Done fails Refused
  command Undo key id {{ id: string  ref: string }} replies Undone
  event Done key id {{ id: string  ref: string  n: int }}
  event Undone key id {{ id: string }}
  event Refused key id {{ id: string  why: string }}
  event News key id {{ id: string  n: int }}
}}
"""
    for s in ("a", "b", "c", "d")
)

#: The line of `plan_of`'s text on which a body begins.
BODY = CONTRACTS.count("\n") + 3

TIMEOUT = CommandFailed(Reason.TIMEOUT, "no answer within 1s in 1 attempt")
EXHAUSTED = CommandFailed(Reason.EXHAUSTED, "boom, in 1 attempt")
INVALID = CommandFailed(Reason.INVALID, "`a` sent an answer not to be used: nonsense")


def plan_of(body: str, header: str = "-> string") -> Plan:
    """The plan of `saga S(id: string, n: int)` with this body."""
    text = f"{CONTRACTS}\nsaga S(id: string, n: int) {header} key id {{\n{body}\n}}\n"
    loaded = check_texts({"t.flow": text})
    assert loaded.program, [str(d.message) for d in loaded.diagnostics]
    return compile_module(loaded.program, "t")


def done(service: str, ref: str = "r", n: int = 1) -> Struct:
    """The reply of a `Do`."""
    return Struct(f"t.{service}.Done", {"id": "k", "ref": ref, "n": n})


def refused(service: str, why: str = "no") -> CommandFailed:
    """The declared failure of a `Do`."""
    failure = Struct(f"t.{service}.Refused", {"id": "k", "why": why})
    return CommandFailed(Reason.DECLARED, f'Refused(why: "{why}")', failure)


def news(service: str, n: int) -> Struct:
    """An event."""
    return Struct(f"t.{service}.News", {"id": "k", "n": n})


class Script:
    """Scripted effects. `answers` holds, by message path, what a command leads to: a reply, an
    exception, or an event to wait for before the reply; each is used once, the last one again and
    again. `log` is what the saga did, in order."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {k.replace("__", ":").replace("_in_", "."): v for k, v in answers.items()}
        self.early: list[Struct] = []
        self.decisions: dict[str, list[Decision]] = defaultdict(list)
        self.log: list[str] = []
        self.sent: list[Command] = []
        self.started = asyncio.Event()

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    async def call(self, command: Command) -> Struct:
        self.log.append(command.message)
        self.sent.append(command)
        self.started.set()
        answer = self._answer(command)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self._answer(command)
        await asyncio.sleep(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _answer(self, command: Command) -> Any:
        service, _, name = command.name.removeprefix("t.").partition(".")
        usual = done(service) if name == "Do" else Struct(f"t.{service}.Undone", {"id": "k"})
        given = self.answers.get(command.message, usual)
        if not isinstance(given, list):
            return given
        return given.pop(0) if len(given) > 1 else given[0]

    async def bury(self, command: Command, reason: str) -> None:
        self.log.append(f"bury {command.message}: {reason}")

    async def publish(self, path: str, event: str, payload: Struct) -> None:
        self.log.append(f"emit {path} {event} {payload['n']}")

    async def receive(
        self, arms: Sequence[tuple[str, Callable[[Struct], bool]]], limit: float | None
    ) -> tuple[int, Struct] | None:
        self.log.append(f"await {' or '.join(event for event, _ in arms)} {limit}")
        for event in self.early:
            for index, (name, fits) in enumerate(arms):
                if event.type == name and fits(event):
                    self.early.remove(event)
                    return index, event
        return None

    async def sleep(self, seconds: float) -> None:
        self.log.append(f"sleep {seconds}")

    def pass_pivot(self) -> None:
        self.log.append("pivot")

    async def attention(self, path: str, reason: str) -> Decision:
        self.log.append(f"park {path}: {reason}")
        return self.decisions[path].pop(0)

    async def settle(self) -> None:
        pass

    async def run(self, body: str, header: str = "-> string", n: int = 1) -> str:
        """Runs the saga to its end and compensates as the workflow does; how it ended."""
        interpreter = self.interpreter(plan_of(body, header))
        return await self.to_the_end(interpreter, asyncio.ensure_future(self._body(interpreter, n)))

    def interpreter(self, plan: Plan, undos: Any = None) -> Interpreter:
        """One that begins, or that has a frozen stack to undo."""
        state = None if undos is None else {"undos": undos, "forward": False}
        return Interpreter(plan.sagas["t.S"], self, Expressions(), state=state)

    async def _body(self, interpreter: Interpreter, n: int) -> Any:
        return await interpreter.run({"id": "k", "n": n})

    async def to_the_end(self, interpreter: Interpreter, body: asyncio.Future[Any]) -> str:
        try:
            async with asyncio.timeout(30):
                return f"returned {await body}"
        except SagaFailed as failed:
            end = f"failed: {failed}"
        except asyncio.CancelledError:
            end = "cancelled"
        self.log.append("--")
        try:
            await interpreter.compensate()
        except CompensationFailed as failed:
            return f"{end}; {failed}"
        return end

    async def cancelled_when(self, body: str, path: str) -> str:
        """Runs the saga and cancels it when this message has been sent."""
        interpreter = self.interpreter(plan_of(body))
        running = asyncio.ensure_future(self._body(interpreter, 1))
        async with asyncio.timeout(30):
            while path not in self.log:  # noqa: ASYNC110 - turn after turn of the loop
                await asyncio.sleep(0)
        running.cancel()
        return await self.to_the_end(interpreter, running)

    @property
    def undone(self) -> list[str]:
        """What was done after the saga failed, in order."""
        return self.log[self.log.index("--") + 1 :]
