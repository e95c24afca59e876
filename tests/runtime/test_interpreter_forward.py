"""The interpreter on its way forward, without servers."""

from __future__ import annotations

import pytest

from orchestrator.compile.compile import instructions
from orchestrator.compile.plan import StepPlan
from tests.runtime.script import (
    BODY,
    EXHAUSTED,
    INVALID,
    TIMEOUT,
    Script,
    done,
    news,
    plan_of,
    refused,
)

A = 'step x = a.Do(id: id) undo a.Undo(id: id, ref: "-")'

ENDS = {
    "return": ('return "r"', "returned r"),
    "a step's reply is its name": (f"{A} return x.ref", "returned r"),
    "let": ('let y = id + "!" return y', "returned k!"),
    "if": ('if n > 0 { return "yes" } return "no"', "returned yes"),
    "if that does not hold": ('if n > 1 { return "yes" } return "no"', "returned no"),
    "else": ('if n > 1 { return "a" } else { return "b" }', "returned b"),
    "else if": (
        'if n > 2 { return "a" } else if n == 1 { return "b" } else { return "c" }',
        "returned b",
    ),
    "fail": ('fail "no " + id', "failed: no k"),
    "the clock": ("return string(now())", "returned 2026-01-02T03:04:05Z"),
    "an error in an expression": (
        "let y = 10 / (n - 1)\nreturn string(y)",
        f"failed: t.flow:{BODY}: divide by zero",
    ),
}


@pytest.mark.parametrize(("body", "end"), ENDS.values(), ids=ENDS.keys())
async def test_each_statement_has_its_meaning(body: str, end: str) -> None:
    """A statement does what the language says."""
    assert await Script().run(body) == end


async def test_a_saga_without_a_result_ends_with_nothing() -> None:
    """A saga that returns nothing may just come to its end."""
    assert await Script().run(A, header="") == "returned None"


async def test_emit_publishes_under_its_own_path() -> None:
    """Two events of one kind have two paths, so two ids."""
    script = Script()
    await script.run("emit a.News(id: id, n: 1) emit a.News(id: id, n: 2)", header="")
    assert script.log == ["emit News t.a.News 1", "emit News~2 t.a.News 2"]


async def test_a_return_inside_blocks_ends_the_saga() -> None:
    """Nothing after a `return` runs, however deep it stands."""
    script = Script()
    end = await script.run(f'if n == 1 {{ if n < 5 {{ return "deep" }} }} {A} return "late"')
    assert (end, script.log) == ("returned deep", [])


async def test_two_sides_of_an_if_may_use_one_name() -> None:
    """A name of one side is not seen on the other, and each side's step has its own path."""
    body = """
      if n > 1 { step x = a.Do(id: id) undo none } else { step x = b.Do(id: id) undo none }
      return "end"
    """
    first, second = Script(), Script()
    await first.run(body, n=2)
    await second.run(body, n=1)
    assert (first.log, second.log) == (["x"], ["x~2"])


HANDLED = {
    "a declared failure": (refused("a", "dear"), "on Refused as f { fail f.why }", "dear"),
    "a timeout": (TIMEOUT, 'on timeout { fail "slow" }', "slow"),
    "a timeout is exhaustion, too": (TIMEOUT, 'on exhausted { fail "gone" }', "gone"),
    "attempts that ended otherwise": (EXHAUSTED, 'on exhausted { fail "gone" }', "gone"),
    "an answer not to be used": (INVALID, 'on exhausted { fail "gone" }', "gone"),
    "the closer handler wins": (
        TIMEOUT,
        'on exhausted { fail "gone" } on timeout { fail "slow" }',
        "slow",
    ),
    "exhaustion is no timeout": (
        EXHAUSTED,
        'on timeout { fail "slow" }',
        "a.Do failed: boom, in 1 attempt",
    ),
    "no handler": (refused("a"), "", 'a.Do failed: Refused(why: "no")'),
}


@pytest.mark.parametrize(("answer", "handler", "reason"), HANDLED.values(), ids=HANDLED.keys())
async def test_a_failure_finds_its_handler(answer: Exception, handler: str, reason: str) -> None:
    """A step's failure runs the handler that names it, else it fails the saga."""
    script = Script(x=answer)
    assert await script.run(f"{A} {handler} return x.ref") == f"failed: {reason}"


async def test_a_handler_that_falls_through_leaves_null() -> None:
    """After a handler that ends normally the step's name is null and the saga goes on."""
    script = Script(x=refused("a"))
    end = await script.run(f'{A} on Refused {{ }} return x == null ? "null" : "there"')
    assert end == "returned null"


async def test_a_handler_may_run_steps() -> None:
    """A handler is a block like any other."""
    script = Script(x=refused("a"))
    body = f'{A} on Refused {{ step y = b.Do(id: id) undo none return "by " + y.ref }} return "-"'
    assert await script.run(body) == "returned by r"
    assert script.log == ["x", "y"]


async def test_a_dead_letter_comes_once_and_before_the_undos() -> None:
    """A command whose attempts are used up is buried before anything is undone."""
    script = Script(y=TIMEOUT)
    await script.run(f"{A} step y = b.Do(id: id) undo none return x.ref")
    assert script.log == ["x", "y", f"bury y: {TIMEOUT}", "--", "x:undo"]


async def test_a_declared_failure_is_no_dead_letter() -> None:
    """A service that says no has answered."""
    script = Script(x=refused("a"))
    await script.run(f"{A} return x.ref")
    assert script.log == ["x", "--"]


# --- await


WAIT = "await a.News as e"


async def test_an_early_event_is_not_lost() -> None:
    """An event that came before its `await` is taken by it."""
    script = Script()
    script.early = [news("a", 7)]
    assert await script.run(f"{WAIT} return string(e.n)") == "returned 7"


async def test_an_event_that_does_not_fit_is_left() -> None:
    """`when` sees the event and the names around it; what it refuses stays."""
    script = Script()
    script.early = [news("a", 1), news("b", 9), news("a", 5)]
    assert await script.run(f"{WAIT} when e.n > n return string(e.n)") == "returned 5"
    assert script.early == [news("a", 1), news("b", 9)]


AWAITS = {
    "a handler that goes on": (
        f'{WAIT} within 2s on timeout {{ }} return e == null ? "none" : "one"',
        "returned none",
    ),
    "a handler that fails": (
        f'{WAIT} within 2s on timeout {{ fail "late" }} return string(e.n)',
        "failed: late",
    ),
    "no handler": (f"{WAIT} within 2s return string(e.n)", "failed: no a.News came within 2s"),
    "a limit by expression": (
        f'{WAIT} within duration("1m30s") return string(e.n)',
        "failed: no a.News came within 90s",
    ),
}


@pytest.mark.parametrize(("body", "end"), AWAITS.values(), ids=AWAITS.keys())
async def test_an_await_has_a_limit(body: str, end: str) -> None:
    """When the time is up the handler runs; without one the saga fails."""
    assert await Script().run(body) == end


async def test_an_error_in_a_condition_fails_the_saga() -> None:
    """The error names the `await` and its line."""
    script = Script()
    script.early = [news("a", 0)]
    end = await script.run(f"{WAIT} when 1 / e.n > 0 return string(e.n)")
    assert end == f"failed: t.flow:{BODY}: divide by zero"


# --- parallel


TWO = """
  parallel {
    branch left { step x = a.Do(id: id) undo a.Undo(id: id, ref: "-") }
    branch right { step y = b.Do(id: id) undo b.Undo(id: id, ref: "-") }
  }
"""


async def test_branches_run_side_by_side() -> None:
    """Both commands are out before either is answered, and both names are there afterwards."""
    script = Script(left_in_x=done("a", "1"), right_in_y=done("b", "2"))
    assert await script.run(f"{TWO} return x.ref + y.ref") == "returned 12"
    assert script.log == ["left.x", "right.y"]


async def test_a_let_of_a_branch_is_the_branchs_own() -> None:
    """Two branches may give one name to different values."""
    body = """
      parallel {
        branch l { let v = "1" step x = a.Do(id: v) undo none }
        branch r { let v = "2" step y = b.Do(id: v) undo none }
      }
      return x.ref + y.ref
    """
    script = Script()
    assert await script.run(body) == "returned rr"
    assert [c.arguments["id"] for c in script.sent] == ["1", "2"]


# --- paths


async def test_paths_are_unique_and_stable() -> None:
    """Every message of a saga has a path of its own, the same each time it is compiled."""
    body = f"""
      {A}
      if n == 1 {{ step z = a.Do(id: id) undo none }} else {{ step z = b.Do(id: id) undo none }}
      {TWO.replace("x =", "p =").replace("y =", "q =")}
      return x.ref
    """
    first, again = (
        [i.path for i in instructions(plan_of(body).sagas["t.S"]) if isinstance(i, StepPlan)]
        for _ in range(2)
    )
    assert first == again == ["x", "z", "z~2", "left.p", "right.q"]
