"""The interpreter on its way back through `undo { }` blocks."""

from __future__ import annotations

import pytest

from orchestrator.runtime.effects import Decision, SagaFailed
from orchestrator.runtime.snapshot import freeze_undos
from tests.runtime.script import EXHAUSTED, TIMEOUT, Script, done, news, plan_of, refused

BACK = """
step x = a.Do(id: id) undo {
  step back = a.Undo(id: id, ref: x.ref)
  if n > 0 { step told = b.Do(id: back.id) on Refused { } }
  emit b.News(id: id, n: n)
}
"""
FAIL = 'fail "no"'


async def test_a_block_undoes_its_step() -> None:
    """Its statements run in their order, with the step's answer, under ids of their own."""
    script = Script(x=done("a", "r-1"))
    assert await script.run(BACK + FAIL) == "failed: no"
    assert script.undone == ["x:undo.back", "x:undo.told", "emit x:undo.News t.b.News 1"]
    assert script.sent[1].arguments["ref"] == "r-1"


async def test_a_block_stands_among_other_undos() -> None:
    """What was done last is undone first, block or call."""
    script = Script()
    more = 'step y = c.Do(id: id) undo c.Undo(id: id, ref: "-") '
    await script.run(more + BACK + more.replace("step y", "step z") + FAIL)
    assert [p for p in script.undone if "emit" not in p] == [
        *("z:undo", "x:undo.back", "x:undo.told", "y:undo")
    ]


async def test_names_are_as_they_were() -> None:
    """A block sees copies, taken when its step began."""
    script = Script()
    body = """
    var count = 1
    step x = a.Do(id: id) undo { emit a.News(id: id, n: count) }
    set count = 2
    """
    await script.run(body + FAIL)
    assert script.undone == ["emit x:undo.News t.a.News 1"]


async def test_each_turn_has_a_block_of_its_own() -> None:
    """Loops in the block count after the loops around the step."""
    script = Script()
    body = """
    for v in [7, 8] {
      step x = a.Do(id: id) undo {
        var left = 2
        while left > 0 { step back = a.Undo(id: id, ref: string(v)) set left = left - 1 }
      }
    }
    """
    await script.run(body + FAIL)
    assert script.undone == [f"x:undo.back[{turn}][{i}]" for turn in (1, 0) for i in (0, 1)]
    assert [c.arguments["ref"] for c in script.sent[2:]] == ["8", "8", "7", "7"]


async def test_an_answer_that_is_unknown_is_asked_for() -> None:
    """A block that reads its step's answer needs it; one that does not, runs at once."""
    script = Script(x=[TIMEOUT, done("a", "late")])
    await script.run(BACK + FAIL)
    assert script.undone[:2] == ["x", "x:undo.back"]
    script = Script(x=[TIMEOUT, refused("a")])
    await script.run(BACK + FAIL)
    assert script.undone == ["x"]
    script = Script(x=TIMEOUT)
    await script.run('step x = a.Do(id: id) undo { step y = a.Undo(id: id, ref: "-") }' + FAIL)
    assert script.undone == ["x:undo.y"]


async def test_what_cannot_be_done_is_parked_and_repeated() -> None:
    """The block is repeated from its beginning, under the same ids."""
    script = Script(x__undo_in_told=[EXHAUSTED, done("b")])
    script.decisions["x:undo"] = [Decision.RETRY]
    assert await script.run(BACK + FAIL) == "failed: no"
    assert script.undone == [
        *("x:undo.back", "x:undo.told", "bury x:undo.told: boom, in 1 attempt"),
        "park x:undo: b.Do failed: boom, in 1 attempt",
        *("x:undo.back", "x:undo.told", "emit x:undo.News t.b.News 1"),
    ]


async def test_a_person_may_skip_or_give_up_a_block() -> None:
    """The rest of it is left out."""
    script = Script(x__undo_in_back=EXHAUSTED)
    script.decisions["x:undo"] = [Decision.SKIP]
    assert await script.run(BACK + FAIL) == "failed: no"
    script.decisions["x:undo"] = [Decision.FAIL]
    assert await script.run(BACK + FAIL) == "failed: no; x:undo was given up"
    assert "x:undo.told" not in script.log


async def test_a_handler_in_a_block_goes_on() -> None:
    """A declared failure that it handles is no reason to park."""
    script = Script(x__undo_in_told=refused("b"))
    await script.run(BACK + FAIL)
    assert script.undone[-1] == "emit x:undo.News t.b.News 1"


class Late(Script):
    """The event comes while a person thinks."""

    async def attention(self, path: str, reason: str) -> Decision:
        self.early.append(news("a", 2))
        return await super().attention(path, reason)


async def test_a_block_may_wait() -> None:
    """An event that does not come in time parks it."""
    script = Late()
    script.early = [news("a", 1)]
    script.decisions["x:undo"] = [Decision.RETRY]
    wait = "step x = a.Do(id: id) undo { await a.News as e when e.n == 2 within 5s }"
    assert await script.run(wait + FAIL) == "failed: no"
    assert script.undone[1] == "park x:undo: no a.News came within 5s"
    assert script.early == [news("a", 1)]


async def test_a_scope_is_undone_by_blocks_too() -> None:
    """And the saga goes on."""
    script = Script(y=refused("b"))
    body = (
        "try {"
        + BACK
        + 'step y = b.Do(id: id) undo none } on b.Refused { return "went on" }'
        + FAIL
    )
    assert await script.run(body) == "returned went on"
    assert "x:undo.told" in script.log


async def test_a_block_is_kept_in_a_snapshot() -> None:
    """What it reads is kept, and nothing else; it runs from there."""
    plan = plan_of("let m = n\n" + BACK + "fail string(m)")
    before = Script(x=done("a", "r-1")).interpreter(plan)
    with pytest.raises(SagaFailed):
        await before.run({"id": "k", "n": 1})
    (entry,) = freeze_undos(before.undos)
    assert sorted(entry["names"]) == ["id", "n", "x"]
    script = Script()
    await script.interpreter(plan, [entry]).compensate()
    assert script.log == ["x:undo.back", "x:undo.told", "emit x:undo.News t.b.News 1"]
    assert script.sent[0].arguments["ref"] == "r-1"
