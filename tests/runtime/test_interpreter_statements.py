"""Loops, choices, scopes, races and the pivot, run in memory."""

from __future__ import annotations

import asyncio

import pytest
from script import EXHAUSTED, TIMEOUT, Script, done, news, plan_of, refused

from orchestrator.runtime.effects import Decision

STEP = "step {n} = {s}.Do(id: id) undo {s}.Undo(id: id, ref: {ref})"


def step(name: str, service: str) -> str:
    """A step with an undo that reads nothing of it."""
    return STEP.format(n=name, s=service, ref='"x"')


@pytest.mark.parametrize(
    ("body", "returned"),
    [
        ('var x = "a" set x = x + "b" return x', "ab"),
        ('var x: string? = null if n == 1 { set x = "y" } return x != null ? x : "no"', "y"),
        ('var x = "" while size(x) < 3 { set x = x + "." } return x', "..."),
        ('var x = "" for i in [1, 2, 3] { set x = x + string(i) } return x', "123"),
        ("let xs = for i in [1, 2, 3] { yield i * 2 } return string(xs.sum())", "12"),
        ("let xs = for i in [1, 2, 3] { if i != 2 { yield i } } return string(size(xs))", "2"),
        ("let xs = for i in [3, 1, 2] parallel 2 { yield i } return string(xs[0])", "3"),
        ('for i in [1, 2] { if i == 2 { return "two" } } return "none"', "two"),
        (
            'var x = "" for i in [1, 2] { for j in [1, 2] { set x = x + string(i * j) } } return x',
            "1224",
        ),
        ('sleep 10m return "awake"', "awake"),
    ],
)
async def test_variables_and_loops(body: str, returned: str) -> None:
    """A variable has its last value, a loop takes every turn in order, yields are collected."""
    assert await Script().run(body) == f"returned {returned}"


async def test_a_parallel_branch_sets_an_outer_variable() -> None:
    """What a branch sets is set for the saga."""
    body = 'var x = "a" parallel { branch p { set x = "b" } branch q { } } return x'
    assert await Script().run(body) == "returned b"


async def test_turns_have_messages_of_their_own() -> None:
    """Each turn's command has the loop's index in its id, and is undone, last turn first."""
    script = Script(s=done("a"))
    for turn in ("s[0]", "s[1]"):
        script.answers[turn] = done("a")
        script.answers[f"s{turn[1:]}:undo"] = done("a")
    body = f'for i in [1, 2] {{ {step("s", "a")} }} fail "no"'
    assert await script.run(body) == "failed: no"
    sent = [c.message for c in script.sent]
    assert sent == ["s[0]", "s[1]", "s[1]:undo", "s[0]:undo"]


async def test_a_match_takes_the_way_of_the_subject() -> None:
    """The case of the message that came is taken, under its name."""
    body = "step s = a.Do(id: id) undo none match s { case Done as d { return d.ref } }"
    assert await Script(s=done("a", "it")).run(body) == "returned it"


async def test_a_try_undoes_what_is_inside_before_its_handler() -> None:
    """What completed in a failed scope is undone first, then the handler runs and it goes on."""
    body = f"""
      try {{ {step("s", "a")} {step("t", "b")} }} on b.Refused {{ emit c.News(id: id, n: 1) }}
      return "went on"
    """
    script = Script(s=done("a"), t=refused("b"), s__undo=done("a"))
    assert await script.run(body) == "returned went on"
    order = [entry for entry in script.log if entry != "--"]
    undone = next(i for i, e in enumerate(order) if "s:undo" in e)
    emitted = next(i for i, e in enumerate(order) if "News" in e)
    assert undone < emitted


async def test_a_try_that_does_not_handle_a_failure_passes_it_on() -> None:
    """Without a handler the saga compensates, what was in the scope included."""
    body = f'try {{ {step("s", "a")} {step("t", "b")} }} on timeout {{ }} return "no"'
    script = Script(s=done("a"), t=refused("b"), s__undo=done("a"))
    assert (await script.run(body)).startswith("failed: b.Do failed")
    assert [c.message for c in script.sent] == ["s", "t", "s:undo"]


async def test_a_completed_try_is_undone_with_the_rest() -> None:
    """What a scope did is undone when the saga fails later."""
    body = f'try {{ {step("s", "a")} }} on timeout {{ }} fail "later"'
    script = Script(s=done("a"), s__undo=done("a"))
    assert await script.run(body) == "failed: later"
    assert [c.message for c in script.sent] == ["s", "s:undo"]


async def test_after_the_pivot_nothing_is_undone() -> None:
    """What was done before the pivot stays when a person gives the rest up."""
    body = (
        f'{step("s", "a")} pivot {step("p", "b")} step t = c.Do(id: id) on Refused {{ }} return "x"'
    )
    script = Script(s=done("a"), p=done("b"), t=TIMEOUT)
    script.decisions["t"] = [Decision.FAIL]
    assert (await script.run(body)).startswith("failed: c.Do failed")
    assert [c.message for c in script.sent] == ["s", "p", "t"]


async def test_after_the_pivot_a_person_has_a_step_tried_again() -> None:
    """An exhausted step parks the saga; retried, it goes on."""
    body = f'pivot {step("p", "b")} step t = c.Do(id: id) on Refused {{ }} return "x"'
    script = Script(p=done("b"), t=[EXHAUSTED, done("c")])
    script.decisions["t"] = [Decision.RETRY]
    assert await script.run(body) == "returned x"


async def test_a_pivot_that_fails_is_undone_like_any_step() -> None:
    """Before it has succeeded, the pivot is a step whose outcome may be unknown."""
    body = f'{step("s", "a")} pivot {step("p", "b")} return "x"'
    script = Script(s=done("a"), p=TIMEOUT, p__undo=done("b"), s__undo=done("a"))
    assert (await script.run(body)).startswith("failed: b.Do failed")
    assert [c.message for c in script.sent] == ["s", "p", "p:undo", "s:undo"]


RACE = """
  race { on a.News as e when e.n > 1 { return "a" } on b.News { return "b" } after 1h { } }
  return "late"
"""


@pytest.mark.parametrize(
    ("events", "returned"),
    [
        ([news("b", 1), news("a", 2)], "b"),
        ([news("a", 1), news("a", 2)], "a"),
        ([news("a", 1)], "late"),
    ],
)
async def test_the_first_event_wins_a_race(events: list, returned: str) -> None:
    """The first event that fits its arm decides; without one the time does."""
    script = Script()
    script.early = events
    assert await script.run(RACE) == f"returned {returned}"


# --- what is undone, and with which values


async def test_an_undo_sees_the_names_as_they_were_when_its_step_began() -> None:
    """What is set later, or by a branch beside the step, is not what it was done with."""
    body = """
      var ref = "first"
      step s = a.Do(id: ref) undo a.Undo(id: id, ref: ref)
      set ref = "second"
      fail ref
    """
    script = Script()
    assert await script.run(body) == "failed: second"
    assert script.sent[-1].arguments["ref"] == "first"


async def test_a_command_that_is_asked_again_is_the_same() -> None:
    """A step without an answer, whose undo reads it, is sent once more with the same values."""
    body = """
      var ref = "first"
      parallel {
        branch p { step s = a.Do(id: ref) undo a.Undo(id: id, ref: s.ref) }
        branch q { set ref = "second" }
      }
      return "no"
    """
    script = Script(p_in_s=[TIMEOUT, done("a", "it")])
    assert (await script.run(body)).startswith("failed: a.Do failed")
    again = [c for c in script.sent if c.message == "p.s"]
    assert [c.arguments["id"] for c in again] == ["first", "first"]
    assert script.sent[-1].arguments["ref"] == "it"


async def test_a_cancel_while_a_try_is_undone_waits_for_it() -> None:
    """No undo is lost: the scope is undone to its end, then the saga is cancelled."""
    gate = asyncio.Event()
    body = f"""
      {step("o", "c")}
      try {{ {step("r", "d")} {step("s", "a")} {step("t", "b")} }} on b.Refused {{ sleep 1s }}
      return "no"
    """
    script = Script(t=refused("b"), s__undo=[gate, done("a")])
    interpreter = script.interpreter(plan_of(body))
    running = asyncio.ensure_future(interpreter.run({"id": "k", "n": 1}))
    while "s:undo" not in script.log:  # noqa: ASYNC110 - turn after turn of the loop
        await asyncio.sleep(0)
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    gate.set()
    assert await script.to_the_end(interpreter, running) == "cancelled"
    assert [c.message for c in script.sent][4:] == ["s:undo", "r:undo", "o:undo"]
    assert "sleep 1.0" not in script.log


async def test_a_try_around_a_parallel_undoes_its_branches() -> None:
    """Both branches are undone before the handler runs, and once."""
    body = f"""
      {step("o", "c")}
      try {{
        parallel {{ branch p {{ {step("s", "a")} }} branch q {{ {step("t", "d")} }} }}
        {step("u", "b")}
      }} on b.Refused {{ emit c.News(id: id, n: 1) }}
      fail "later"
    """
    script = Script(u=refused("b"))
    assert await script.run(body) == "failed: later"
    order = [entry for entry in script.log if ":undo" in entry or "News" in entry or entry == "--"]
    assert sorted(order[:2]) == ["p.s:undo", "q.t:undo"]
    assert order[2:] == ["emit News t.c.News 1", "--", "o:undo"]


async def test_a_parallel_in_a_loop_is_undone_turn_by_turn() -> None:
    """Each turn's branches have messages of their own."""
    body = f"""
      for i in [1, 2] {{
        parallel {{ branch p {{ {step("s", "a")} }} branch q {{ {step("t", "b")} }} }}
        for j in [1, 2] {{ if i + j > 2 {{ {step("u", "c")} }} }}
      }}
      fail "no"
    """
    script = Script()
    assert await script.run(body) == "failed: no"
    sent = [c.message for c in script.sent]
    assert sent[:7] == ["p.s[0]", "q.t[0]", "u[0][1]", "p.s[1]", "q.t[1]", "u[1][0]", "u[1][1]"]
    assert sent[7:9] == ["u[1][1]:undo", "u[1][0]:undo"]
    assert sorted(sent[9:11]) == ["p.s[1]:undo", "q.t[1]:undo"]
    assert sent[11] == "u[0][1]:undo"
    assert sorted(sent[12:]) == ["p.s[0]:undo", "q.t[0]:undo"]


async def test_turns_at_once_are_undone_one_by_one_last_first() -> None:
    """The first failure cancels the others; one under way may have taken effect."""
    body = f'for i in [1, 2, 3] parallel 2 {{ {step("s", "a")} }} return "no"'
    script = Script()
    script.answers = {"s[0]": asyncio.Event(), "s[1]": refused("a"), "s[0]:undo": done("a")}
    assert (await script.run(body)).startswith("failed: a.Do failed")
    assert [c.message for c in script.sent] == ["s[0]", "s[1]", "s[0]:undo"]


async def test_no_turn_at_all() -> None:
    """An empty list has no turns, in order or at once."""
    body = """
      let none = [1].filter(i, i > 1)
      let xs = for i in none parallel 3 { yield i }
      let ys = for i in none { yield i }
      return string(size(xs) + size(ys))
    """
    assert await Script().run(body) == "returned 0"


@pytest.mark.parametrize(
    ("body", "returned"),
    [
        ('if n == 1 { let x = "a" } else { let x = "b" } let x = "c" return x', "c"),
        ('for i in [1, 2] { let x = i } let x = "c" return x', "c"),
        ('var x = "" for i in [1, 2] { var y = "" set y = y + "." set x = x + y } return x', ".."),
        ("let xs = for i in [1, 2] { while true { yield i } } return string(xs.sum())", "3"),
        ("let xs = for i in [1, 2] { for j in [1] { } yield i } return string(xs.sum())", "3"),
        ('while n == 1 { return "out" } return "no"', "out"),
    ],
)
async def test_names_and_ways_out_of_blocks(body: str, returned: str) -> None:
    """A name of one block is none of another's; a turn's own variable begins anew."""
    assert await Script().run(body) == f"returned {returned}"


async def test_a_try_handles_an_event_that_did_not_come() -> None:
    """The end of an `await` is a timeout, and nothing that was exhausted."""
    body = """
      try { await a.News within 1s } on timeout { return "late" }
      return "no"
    """
    assert await Script().run(body) == "returned late"
    assert await Script().run(body.replace("on timeout", "on exhausted")) == (
        "failed: no a.News came within 1s"
    )


@pytest.mark.parametrize("wait", ["", "sleep 0s", "race { on a.News { } after 0s { } }"])
async def test_a_loop_that_waits_for_nothing_is_ended(wait: str) -> None:
    """It would hold the worker for ever."""
    ended = await Script().run(f"while n == 1 {{ {wait} }} return id")
    assert ended.endswith("10000 turns of this loop waited for nothing")


# --- the pivot


async def test_a_step_whose_answer_is_read_cannot_be_skipped() -> None:
    """After the pivot a person who skips it is asked again."""
    body = f"""pivot {step("p", "b")} step t = c.Do(id: id) on Refused {{ return "refused" }}
      return t.ref"""
    script = Script(t=[EXHAUSTED, done("c", "it")])
    script.decisions["t"] = [Decision.SKIP, Decision.RETRY]
    assert await script.run(body) == "returned it"
    assert [e for e in script.log if e.startswith("park")][1].endswith("it cannot be skipped")


async def test_a_step_that_nothing_reads_is_skipped() -> None:
    """The saga goes on after it."""
    body = f'pivot {step("p", "b")} step t = c.Do(id: id) on Refused {{ }} return "x"'
    script = Script(t=EXHAUSTED)
    script.decisions["t"] = [Decision.SKIP]
    assert await script.run(body) == "returned x"


async def test_a_saga_that_failed_before_the_pivot_never_passes_it() -> None:
    """The pivot's own handler ends the saga, and what was done before is undone."""
    body = f'''{step("s", "a")} pivot {step("p", "b")} on Refused {{ fail "no" }} return "x"'''
    script = Script(p=refused("b"))
    assert await script.run(body) == "failed: no"
    assert script.undone == ["s:undo"]
    assert "pivot" not in script.log
