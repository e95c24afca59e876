"""The interpreter on its way back: what is undone, in which order, and who decides what is not."""

from __future__ import annotations

import asyncio

import pytest

from dsl.values import Struct
from orchestrator.runtime.effects import Command, CommandFailed, Decision, Reason
from tests.runtime.script import BODY, EXHAUSTED, INVALID, TIMEOUT, Script, done, refused


def step(name: str, service: str, ref: str = '"-"') -> str:
    """A step with its undo; `ref` is what the undo is given."""
    return f"step {name} = {service}.Do(id: id) undo {service}.Undo(id: id, ref: {ref})\n"


THREE = step("x", "a") + step("y", "b") + step("z", "c")
END = '\nreturn "end"'


async def test_undos_run_in_reverse_order() -> None:
    """What was done last is undone first."""
    script = Script()
    assert await script.run(THREE + 'fail "no"') == "failed: no"
    assert script.undone == ["z:undo", "y:undo", "x:undo"]


async def test_undo_none_is_not_undone() -> None:
    """A step that says `undo none` is left as it is."""
    script = Script()
    await script.run(step("x", "a") + 'step y = b.Do(id: id) undo none fail "no"')
    assert script.undone == ["x:undo"]


async def test_an_undo_sees_the_reply() -> None:
    """An undo is given the values of the moment its step was done."""
    script = Script(x=done("a", "r-1"))
    await script.run(step("x", "a", "x.ref") + 'fail "no"')
    assert script.sent[-1].arguments["ref"] == "r-1"


async def test_a_declared_failure_leaves_nothing_to_undo() -> None:
    """A step that was refused did nothing."""
    script = Script(y=refused("b"))
    await script.run(step("x", "a") + step("y", "b") + END)
    assert script.undone == ["x:undo"]


@pytest.mark.parametrize("outcome", [TIMEOUT, EXHAUSTED, INVALID], ids=lambda o: o.reason.value)
async def test_an_unknown_outcome_is_undone_too(outcome: CommandFailed) -> None:
    """Nobody knows whether the command took effect, so it is undone, first of all."""
    script = Script(y=outcome)
    await script.run(step("x", "a") + step("y", "b") + END)
    assert script.undone == ["y:undo", "x:undo"]


async def test_a_cancel_in_flight_is_an_unknown_outcome() -> None:
    """A saga that is cancelled undoes the step that it was waiting for, too."""
    script = Script(y=asyncio.Event())
    end = await script.cancelled_when(step("x", "a") + step("y", "b") + END, "y")
    assert (end, script.undone) == ("cancelled", ["y:undo", "x:undo"])


async def test_a_handled_unknown_outcome_is_undone_when_the_saga_fails_later() -> None:
    """A handler lets the saga go on; it does not make the outcome known."""
    script = Script(x=TIMEOUT)
    await script.run(step("x", "a") + "on timeout { }\n" + step("y", "b") + 'fail "no"')
    assert script.undone == ["y:undo", "x:undo"]


# --- an undo that needs a reply which nobody has


NEEDS = step("x", "a") + step("y", "b", "y.ref") + END


async def test_an_undo_that_reads_the_reply_asks_for_it_first() -> None:
    """The command is sent once more under its id; what it answers is undone."""
    script = Script(y=[TIMEOUT, done("b", "late")])
    await script.run(NEEDS)
    assert script.undone == ["y", "y:undo", "x:undo"]
    assert script.sent[-2].arguments["ref"] == "late"
    assert script.sent[1].message == script.sent[2].message


async def test_a_refusal_found_out_late_needs_no_undo() -> None:
    """When the answer turns out to be a declared failure, nothing was done."""
    script = Script(y=[TIMEOUT, refused("b")])
    await script.run(NEEDS)
    assert script.undone == ["y", "x:undo"]


async def test_no_answer_at_all_is_for_a_person() -> None:
    """Without the reply the undo cannot be sent: the saga parks, and a retry asks again."""
    script = Script(y=[TIMEOUT, EXHAUSTED, done("b", "late")])
    script.decisions["y:undo"] = [Decision.RETRY]
    await script.run(NEEDS)
    assert script.undone == ["y", f"park y:undo: {EXHAUSTED}", "y", "y:undo", "x:undo"]


async def test_asking_again_has_the_undos_patience() -> None:
    """The question is part of the undo and is granted the undo's policy."""
    script = Script(y=[TIMEOUT, done("b")])
    await script.run(NEEDS.replace("b.Do(id: id)", "b.Do(id: id) with hasty"))
    first, asked, undo = script.sent[1:4]
    assert (first.policy.timeout, asked.policy) == (0.1, undo.policy)


# --- an undo that cannot be done


PARKED = "park y:undo: boom, in 1 attempt"
DECISIONS = {
    Decision.RETRY: ("failed: no", ["y:undo", PARKED, "y:undo", "x:undo"]),
    Decision.SKIP: ("failed: no", ["y:undo", PARKED, "x:undo"]),
    Decision.FAIL: ("failed: no; y:undo was given up", ["y:undo", PARKED]),
}


@pytest.mark.parametrize("decision", Decision)
async def test_a_person_settles_an_undo_that_failed(decision: Decision) -> None:
    """`retry` sends it again, `skip` goes on without it, `fail` gives the rest up."""
    usual = Script()._answer(Command("", "t.b.Undo", done("b"), None))  # type: ignore[arg-type]
    script = Script(y__undo=[EXHAUSTED, usual])
    script.decisions["y:undo"] = [decision]
    end = await script.run(step("x", "a") + step("y", "b") + 'fail "no"')
    assert (end, script.undone) == DECISIONS[decision]


async def test_an_undos_error_in_an_expression_is_for_a_person() -> None:
    """An undo whose arguments have no value parks the saga instead of being lost."""
    body = 'step x = a.Do(id: id) undo a.Undo(id: id, ref: string(1 / (n - 1)))\nfail "no"'
    script = Script()
    script.decisions["x:undo"] = [Decision.SKIP]
    assert await script.run(body) == "failed: no"
    assert script.undone == [f"park x:undo: t.flow:{BODY}: divide by zero"]


# --- parallel


BRANCHES = f"""
  parallel {{
    branch l {{ {step("p", "a")} {step("q", "b")} }}
    branch r {{ {step("u", "c")} {step("v", "d")} }}
  }}
"""


async def test_branches_undo_side_by_side_each_in_reverse() -> None:
    """Each branch goes back its own way, and no branch waits for the other's."""
    script = Script()
    await script.run(BRANCHES + 'fail "no"')
    assert sorted(script.undone[:2]) == ["l.q:undo", "r.v:undo"]
    assert sorted(script.undone[2:]) == ["l.p:undo", "r.u:undo"]


async def test_a_parallel_has_its_place_in_the_order() -> None:
    """What came after it is undone before it, what came before it after it."""
    one = step("first", "a")
    branches = f"parallel {{ branch l {{ {step('p', 'b')} }} branch r {{ {step('q', 'c')} }} }}\n"
    script = Script()
    await script.run(one + branches + step("last", "d") + 'fail "no"')
    assert script.undone[0] == "last:undo"
    assert sorted(script.undone[1:3]) == ["l.p:undo", "r.q:undo"]
    assert script.undone[3:] == ["first:undo"]


async def test_the_first_failure_cancels_the_other_branches() -> None:
    """A branch that still waits is cancelled, and what it had in flight is undone."""
    script = Script(l_in_q=refused("b"), r_in_u=asyncio.Event())
    end = await script.run(BRANCHES + END)
    assert end == 'failed: b.Do failed: Refused(why: "no")'
    assert sorted(script.undone) == ["l.p:undo", "r.u:undo"]
    assert "r.v" not in script.log


async def test_a_failure_handled_in_a_branch_cancels_nobody() -> None:
    """A handler that falls through keeps the failure inside its branch."""
    body = BRANCHES.replace(step("q", "b"), step("q", "b") + "on Refused { }\n")
    script = Script(l_in_q=refused("b"))
    assert await script.run(body + END) == "returned end"


async def test_a_branch_that_is_given_up_does_not_cut_the_others() -> None:
    """The other branches' undos run to their ends before the saga ends."""
    script = Script(l_in_q__undo=EXHAUSTED)
    script.decisions["l.q:undo"] = [Decision.FAIL]
    end = await script.run(BRANCHES + 'fail "no"')
    assert end == "failed: no; l.q:undo was given up"
    assert "r.u:undo" in script.undone


async def test_a_cancel_reaches_every_branch() -> None:
    """Both branches are cancelled in flight, and both are undone."""
    script = Script(l_in_p=asyncio.Event(), r_in_u=asyncio.Event())
    assert await script.cancelled_when(BRANCHES + END, "r.u") == "cancelled"
    assert sorted(script.undone) == ["l.p:undo", "r.u:undo"]


async def test_reasons_are_known_by_name() -> None:
    """Only a declared failure is a known outcome, and that of a saga, which has undone itself."""
    unknown = {r for r in Reason if CommandFailed(r, "").outcome_unknown}
    assert unknown == {Reason.TIMEOUT, Reason.EXHAUSTED, Reason.INVALID, Reason.BROKEN}


async def test_a_cancel_that_finds_all_branches_done_is_for_what_comes_next() -> None:
    """The group is done and known; the step after it is the one that is cancelled."""

    class Stubborn(Script):
        """Ends what was begun: as the workflow does with what it sends itself."""

        async def call(self, command: Command) -> Struct:
            if command.message not in ("l.p", "r.q"):
                return await super().call(command)
            self.log.append(command.message)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return done(command.name[2])
            raise AssertionError

    branches = f"""
      parallel {{ branch l {{ {step("p", "a")} }} branch r {{ {step("q", "b", "q.ref")} }} }}
    """
    script = Stubborn(last=asyncio.Event())
    end = await script.cancelled_when(branches + step("last", "d") + END, "r.q")
    assert (end, script.log[:3]) == ("cancelled", ["l.p", "r.q", "last"])
    assert script.undone[0] == "last:undo"
    assert sorted(script.undone[1:]) == ["l.p:undo", "r.q:undo"]
