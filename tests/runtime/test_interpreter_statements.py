"""Loops, choices, scopes, races and the pivot, run in memory."""

from __future__ import annotations

import pytest
from script import EXHAUSTED, TIMEOUT, Script, done, news, refused

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


RACE = 'race { on a.News as e when e.n > 1 { return "a" } on b.News { return "b" } after 1h { } } return "late"'


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
