"""The interpreter and the sagas that a saga calls."""

from __future__ import annotations

from typing import Any

import pytest

from dsl.load import check_texts
from dsl.model import Callee
from orchestrator.compile.compile import compile_module
from orchestrator.compile.plan import Plan
from orchestrator.runtime.effects import (
    Command,
    CommandFailed,
    Decision,
    Finished,
    Reason,
    SagaFailed,
    Untouched,
)
from orchestrator.runtime.snapshot import freeze_undos
from tests.runtime.script import CONTRACTS, Script

DID = [{"step": "q", "names": {"q": "…"}}]
FAILED = CommandFailed(Reason.FAILED, "no room")
BROKEN = CommandFailed(Reason.BROKEN, "`Part/k` was ended by force")


def plan(body: str) -> Plan:
    """A saga with this body, and one that it may call."""
    text = f"""{CONTRACTS}
    saga Part(id: string, n: int) -> string key id {{
      step q = b.Do(id: id) undo b.Undo(id: id, ref: q.ref)
      return q.ref
    }}
    saga S(id: string, n: int) -> string key id {{ {body} }}"""
    loaded = check_texts({"t.flow": text})
    assert loaded.program, [d.message for d in loaded.diagnostics]
    return compile_module(loaded.program, "t")


class Caller(Script):
    """Called sagas end as the script says, each time in the same way."""

    def __init__(self, *ends: Any) -> None:
        super().__init__()
        self.ends = list(ends)
        self.undos: list[tuple[str, Any]] = []

    async def call(self, command: Command) -> Any:
        if command.callee is not Callee.SAGA:
            return await super().call(command)
        self.log.append(command.message)
        end = self.ends.pop(0)
        if isinstance(end, BaseException):
            raise end
        return end

    async def undo_child(self, command: Command, undos: Any) -> None:
        self.log.append(f"{command.message}:undo {command.arguments['n']}")
        self.undos.append((command.name, undos))

    async def play(self, body: str) -> str:
        interpreter = self.interpreter(plan(body))
        return await self.to_the_end(interpreter, self.body(interpreter))

    def body(self, interpreter: Any) -> Any:
        return interpreter.run({"id": "k", "n": 1})


BACK = "step x = Part(id: id, n: n + 1) step y = c.Do(id: id) undo c.Undo(id: id, ref: x) fail x"


async def test_it_is_undone_in_its_turn() -> None:
    """With what it did, as it said."""
    script = Caller(Finished("value", DID))
    assert await script.play(BACK) == "failed: value"
    assert script.undone == ["y:undo", "x:undo 2"]
    assert script.undos == [("t.Part", DID)]


async def test_one_that_did_nothing_is_not_undone() -> None:
    script = Caller(Finished("value", []))
    await script.play(BACK)
    assert script.undone == ["y:undo"]


async def test_its_failure_leaves_nothing_to_undo() -> None:
    """It has undone itself; the reason is the step's."""
    script = Caller(FAILED)
    assert await script.play(BACK) == "failed: Part failed: no room"
    assert script.undone == []


async def test_its_failure_has_a_name() -> None:
    """For the step's handler, and for that of a scope."""
    script = Caller(FAILED)
    assert await script.play(
        "step x = Part(id: id, n: n) on failed as why { return why } return x"
    ) == ("returned no room")
    script = Caller(FAILED)
    assert (
        await script.play(
            "try { step x = Part(id: id, n: n) return x } on failed as why { return why }"
        )
        == "returned no room"
    )


async def test_one_that_was_ended_by_force_needs_a_person() -> None:
    """Each time that it is tried again."""
    script = Caller(BROKEN)
    script.decisions["x:undo"] = [Decision.RETRY, Decision.SKIP]
    assert await script.play(BACK) == "failed: Part failed: `Part/k` was ended by force"
    parked = "park x:undo: `Part` was ended by force, and nobody knows what it did"
    assert script.undone == [parked, parked]
    assert script.undos == []


async def test_a_cancel_that_it_undid_leaves_nothing() -> None:
    script = Caller(Untouched())
    assert await script.play(BACK) == "cancelled"
    assert script.undone == []


async def test_its_stack_is_carried() -> None:
    """With its arguments, which its id is made of."""
    made = plan(BACK)
    before = Caller(Finished("value", DID)).interpreter(made)
    with pytest.raises(SagaFailed):
        await before.run({"id": "k", "n": 1})
    frozen = freeze_undos(before.undos)
    assert frozen[0] == {
        "step": "x",
        "child": DID,
        "arguments": frozen[0]["arguments"],
    }
    script = Caller()
    await script.interpreter(made, frozen).compensate()
    assert script.log == ["y:undo", "x:undo 2"]
    assert script.undos == [("t.Part", DID)]
