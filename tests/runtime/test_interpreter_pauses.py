"""A saga that stops between two turns and goes on in another interpreter, run in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dsl.values import Struct
from orchestrator.compile.plan import Plan
from orchestrator.runtime.backward import CompensationFailed
from orchestrator.runtime.effects import Command, Decision, SagaFailed
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.interpreter import Interpreter
from orchestrator.runtime.standing import Paused
from tests.runtime.script import EXHAUSTED, TIMEOUT, Script, done, news, plan_of, refused

Full = Callable[[], bool]


def always() -> bool:
    """Stops wherever it can."""
    return True


def every(n: int) -> Full:
    """Stops at each n-th place where it can."""
    numbers = count(1)
    return lambda: next(numbers) % n == 0


class Relay:
    """Runs a saga in as many interpreters as it takes; each gets what `json` read, and no more."""

    def __init__(self, script: Script, full: Full) -> None:
        self.script = script
        self.full = full
        self.runs = 0

    def _next(self, text: str, state: str | None = None) -> Interpreter:
        self.runs += 1
        plan, read = Plan.model_validate_json(text), json.loads(state) if state else None
        saga = plan.sagas["t.S"]
        return Interpreter(saga, self.script, Expressions(), self.full, state=read)

    async def run(self, body: str, header: str = "-> string", n: int = 1) -> str:
        """How the saga ended, as `Script.run` says it."""
        text = plan_of(body, header).model_dump_json()
        async with asyncio.timeout(60):
            return await self._forward(text, {"id": "k", "n": n})

    async def _forward(self, text: str, parameters: dict[str, Any]) -> str:
        interpreter, first = self._next(text), True
        while True:
            try:
                going = interpreter.run(parameters) if first else interpreter.resume()
                return f"returned {await going}"
            except Paused as paused:
                interpreter, first = (
                    self._next(text, json.dumps(paused.state, allow_nan=False)),
                    False,
                )
            except SagaFailed as failed:
                self.script.log.append("--")
                return await self._backward(text, interpreter, f"failed: {failed}")

    async def _backward(self, text: str, interpreter: Interpreter, end: str) -> str:
        while True:
            try:
                await interpreter.compensate()
                return end
            except Paused as paused:
                state = json.dumps(paused.state, allow_nan=False)
                interpreter = self._next(text, state)
            except CompensationFailed as failed:
                return f"{end}; {failed}"


def step(name: str, service: str, ref: str = '"-"') -> str:
    """A step with an undo."""
    return f"step {name} = {service}.Do(id: id) undo {service}.Undo(id: id, ref: {ref})\n"


def sent(script: Script) -> list[tuple[str, Any]]:
    """The messages, with what they said."""
    return [(c.message, dict(c.arguments)) for c in script.sent]


async def test_turns_of_many_runs_are_one_course() -> None:
    """Messages have the ids of a single run; all are undone, last first, with the values that they
    were done with."""
    body = f"""
      var x = 0
      while x < 5 {{ set x = x + 1 {step("s", "a", "string(x) + s.ref")} }}
      fail "at " + string(x)
    """
    script = Script()
    relay = Relay(script, always)
    assert await relay.run(body) == "failed: at 5"
    turns = [(f"s[{i}]", {"id": "k"}) for i in range(5)]
    undone = [(f"s[{i}]:undo", {"id": "k", "ref": f"{i + 1}r"}) for i in reversed(range(5))]
    assert sent(script) == turns + undone
    assert relay.runs == 11  # the last boundary ends the loop; between undos it stops as well


NESTS = [
    # a `for` keeps its items and what was yielded, also when they were computed from what changed
    (
        "var x = [1, 2, 3] let ys = for i in x { set x = [] for j in [i, i] "
        "{ sleep 1s } if i != 2 { yield i * 10 } } return string(ys.sum()) + string(size(x))"
    ),
    # names of outer turns, and of blocks
    (
        "var t = 0 for i in [1, 2] { let a = i * 100 while t < i * 2 { let b = a + t "
        "set t = t + 1 emit a.News(id: id, n: b) } } return string(t)"
    ),
    # choices are not made again
    "var x = 0 if n == 1 { set x = 5 while x < 8 { set x = x + 1 } } return string(x)",
    "var y = n if y == 2 { } else { set y = 2 for i in [1, 2] { } } return string(y)",
    "step s = a.Do(id: id) undo none match s { case Done as d { for i in [1, 2] { sleep 1s } "
    "return d.ref } }",
    # a loop in each kind of block
    "step s = a.Do(id: id) undo none on Refused as r { for i in [1, 2] { emit a.News(id: id, n: i) "
    '} return r.why } return "no"',
    "await a.News as e within 1s on timeout { for i in [1, 2] { emit b.News(id: id, n: i) } } "
    'return e == null ? "late" : string(e.n)',
    'race { on b.News as e { for i in [1, 2] { emit b.News(id: id, n: e.n) } return "b" } '
    'after 1s { for i in [1, 2] { emit b.News(id: id, n: i) } } } return "late"',
    # leaving from a turn of another run
    'for i in [1, 2] { for j in [1, 2] { if i * j == 4 { return "four" } } } return "no"',
    "let ys = for i in [1, 2] { while true { yield i } } return string(ys.sum())",
    # values of every kind
    (
        'let d = decimal("1.50") let t = timestamp("2026-01-02T03:04:05.5Z") let m = {"a": [1.5]} '
        'let u = 90s let z: string? = null let b = b"x" for i in [1, 2] { sleep u } '
        'return string(d) + string(t) + string(m["a"][0]) + (z == null ? "" : z) + string(b)'
    ).replace("let z: string? = null", "var z: string? = null"),
    # what runs side by side does not stop, what comes after it does
    "for i in [1, 2] { parallel { branch p { for j in [1, 2] { "
    + step("s", "a")
    + "} } branch q { "
    + step("t", "b")
    + '} } for j in [1, 2] parallel 2 { while false { } } } fail "no"',
]


@pytest.mark.parametrize("body", NESTS)
@pytest.mark.parametrize("n", [1, 2, 3])
async def test_the_course_is_that_of_one_run(body: str, n: int) -> None:
    """Wherever it stops: what is done, in which order, and how it ends."""
    runs = 0
    for answer, events in ((done("a", "it"), [news("b", 7)]), (refused("a", "it"), [])):
        whole, parts = Script(s=answer), Script(s=answer)
        whole.early, parts.early = list(events), list(events)
        end = await whole.run(body)
        relay = Relay(parts, every(n))
        assert (await relay.run(body), parts.log, sent(parts)) == (end, whole.log, sent(whole))
        runs += relay.runs
    assert n > 1 or runs > 2


async def test_a_scope_is_undone_across_runs() -> None:
    """What the turns in a `try` did is undone in the scope's order before its handler runs, and
    what came before the scope stays."""
    body = f"""
      {step("first", "a")}
      try {{
        for i in [1, 2, 3] {{ {step("s", "b", "string(i)")} }}
        {step("bad", "c")}
      }} on c.Refused as r {{ for i in [1, 2] {{ emit a.News(id: id, n: size(r.why)) }} }}
      return "went on"
    """
    whole, parts = Script(bad=refused("c", "why")), Script(bad=refused("c", "why"))
    relay = Relay(parts, always)
    assert await relay.run(body) == await whole.run(body) == "returned went on"
    assert (parts.log, sent(parts)) == (whole.log, sent(whole))
    assert relay.runs == 8


async def test_a_failure_after_runs_undoes_scopes_that_are_open() -> None:
    """A scope that another run began is undone with the rest when no handler fits."""
    body = f"""
      {step("first", "a")}
      try {{ for i in [1, 2] {{ {step("s", "b")} }} {step("bad", "c")} }} on c.Refused {{ }}
      return "no"
    """
    script = Script(bad=TIMEOUT)
    assert (await Relay(script, every(2)).run(body)).startswith("failed: c.Do failed")
    assert script.undone == ["bad:undo", "s[1]:undo", "s[0]:undo", "first:undo"]


async def test_a_step_of_unknown_outcome_is_settled_in_another_run() -> None:
    """Its command is sent once more as it was, to learn what is to be undone."""
    body = """
      var x = "a"
      for i in [1, 2, 3] {
        step s = c.Do(id: id + x) undo c.Undo(id: id, ref: s.ref) on exhausted { set x = x + "b" }
      }
      fail "no"
    """
    script = Script()
    for i in range(3):
        script.answers[f"s[{i}]"] = [EXHAUSTED, done("c", f"r{i}")]
    assert await Relay(script, always).run(body) == "failed: no"
    again = [(m, a) for m, a in sent(script)[3:]]
    assert again[:2] == [("s[2]", {"id": "kabb"}), ("s[2]:undo", {"id": "k", "ref": "r2"})]
    assert again[4:] == [("s[0]", {"id": "ka"}), ("s[0]:undo", {"id": "k", "ref": "r0"})]


async def test_an_undo_block_of_an_earlier_run_sees_its_names() -> None:
    """It runs as a whole; the saga stops before and after it."""
    body = """
      var x = 1
      for i in [1, 2] {
        let y = x * 10
        step s = a.Do(id: id) undo {
          for j in [y, i] { step u = b.Undo(id: id, ref: string(j) + s.ref) with quick }
        }
        set x = x + 1
      }
      fail "no"
    """
    whole, parts = Script(), Script()
    relay = Relay(parts, always)
    assert await relay.run(body) == await whole.run(body) == "failed: no"
    assert sent(parts) == sent(whole)
    refs = [a["ref"] for _, a in sent(parts) if "ref" in a]
    assert refs == ["20r", "2r", "10r", "1r"]
    assert relay.runs == 4


async def test_another_run_knows_that_the_pivot_is_passed() -> None:
    """It only goes forward: a person decides about what is exhausted."""
    body = f"""
      {step("a", "a")} pivot {step("p", "b")}
      for i in [1, 2] {{ step t = c.Do(id: id) on Refused {{ }} }}
      return "x"
    """
    script = Script()
    script.answers["t[1]"] = TIMEOUT
    script.decisions["t[1]"] = [Decision.SKIP]
    assert await Relay(script, always).run(body) == "returned x"
    assert script.log[-1].startswith("park t[1]: c.Do failed")


async def test_an_undo_that_a_person_gives_up_ends_the_way_back_of_many_runs() -> None:
    """As in one run, what is left stays as it is."""
    script = Script()
    script.answers["s[1]:undo"] = EXHAUSTED
    script.decisions["s[1]:undo"] = [Decision.FAIL]
    body = f'for i in [1, 2, 3] {{ {step("s", "a")} }} fail "no"'
    assert await Relay(script, always).run(body) == "failed: no; s[1]:undo was given up"
    assert script.undone[0] == "s[2]:undo"
    assert "s[0]:undo" not in script.log


async def test_turns_at_once_end_before_another_run_begins_the_rest() -> None:
    """Each is done once; yields are in the order of the items, and all are undone, last first."""
    body = f"""
      let ys = for i in [1, 2, 3, 4, 5, 6, 7] parallel 3 {{
        {step("s", "a", "string(i)")}
        if i != 4 {{ yield i }}
      }}
      fail "at " + string(ys.sum()) + ":" + string(ys[3])
    """
    for full in (always, every(2), every(5)):
        script = Script()
        relay = Relay(script, full)
        assert await relay.run(body) == "failed: at 24:5"
        before = script.log[: script.log.index("--")]
        assert sorted(before) == [f"s[{i}]" for i in range(7)]
        assert script.undone == [f"s[{i}]:undo" for i in reversed(range(7))]
        assert relay.runs > 2


async def test_branches_are_undone_across_runs() -> None:
    """Side by side, each in its own order; none twice."""
    body = f"""
      {step("first", "a")}
      parallel {{
        branch p {{ for i in [1, 2, 3] {{ {step("s", "b", "string(i)")} }} }}
        branch q {{ {step("t", "c")} {step("u", "d")} }}
      }}
      fail "no"
    """
    whole, parts = Script(), Script()
    relay = Relay(parts, always)
    assert await relay.run(body) == await whole.run(body) == "failed: no"
    assert sorted(sent(parts), key=str) == sorted(sent(whole), key=str)
    for branch in ("s", "t"):
        assert [m for m in parts.undone if m[0] == branch] == [
            m for m in whole.undone if m[0] == branch
        ]
    assert parts.undone[-1] == "first:undo"
    assert relay.runs > 3


@pytest.mark.parametrize(
    "loop", ["while n == 1", "for i in [1, 2, 3]", "for i in [1, 2, 3, 4] parallel 2"]
)
async def test_a_loop_that_has_no_room_and_cannot_stop_fails(loop: str) -> None:
    """Before Temporal ends the saga with nothing undone; a loop that can stop does."""
    body = f"""
      parallel {{ branch p {{ {loop} {{ {step("s", "a")} }} }} branch q {{ }} }}
      return "no"
    """
    script = Script()
    end = await script.to_the_end(*begun(script, body, lambda: "p.s[1]" in script.log))
    assert "too many turns for one run, and no place to go on in another" in end
    assert script.undone[-1] == "p.s[0]:undo"


async def test_after_the_pivot_a_loop_without_room_goes_on() -> None:
    """There is no way back: what cannot fail does not."""
    body = f"""
      pivot {step("p", "b")}
      parallel {{ branch p {{ for i in [1, 2] {{ step s = a.Do(id: id) on Refused {{ }} }} }} }}
      return "x"
    """
    script = Script()
    assert await script.to_the_end(*begun(script, body, always)) == "returned x"


async def test_an_undo_block_comes_to_its_end_without_room() -> None:
    """There is room kept for it."""
    body = """
      step s = a.Do(id: id) undo { for i in [1, 2] { step u = b.Do(id: id) on Refused { } } }
      fail "no"
    """
    script = Script()
    assert await script.to_the_end(*begun(script, body, always)) == "failed: no"
    assert script.undone == ["s:undo.u[0]", "s:undo.u[1]"]


def begun(script: Script, body: str, spent: Full) -> tuple[Interpreter, asyncio.Future[Any]]:
    """A saga in a run that has no more room when `spent` says so."""
    plan = plan_of(body)
    interpreter = Interpreter(plan.sagas["t.S"], script, Expressions(), spent=spent)
    return interpreter, asyncio.ensure_future(interpreter.run({"id": "k", "n": 1}))


class Meanwhile(Script):
    """Something comes while the saga settles before its next run."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    async def settle(self) -> None:
        self._act()
        await asyncio.sleep(0)


async def test_an_update_that_comes_as_the_saga_stops_goes_on() -> None:
    """The next run has the variable as it was last."""
    script = Meanwhile(lambda: interpreter.names.update(x=5))
    plan = plan_of("var x = 0 while x < 9 { set x = x + 1 } return string(x)")
    interpreter = Interpreter(plan.sagas["t.S"], script, Expressions(), always)
    with pytest.raises(Paused) as paused:
        await interpreter.run({"id": "k", "n": 1})
    again = Interpreter(plan.sagas["t.S"], script, Expressions(), state=paused.value.state)
    assert again.names["x"] == 5
    assert await again.resume() == "9"


async def test_a_cancel_that_comes_as_the_saga_stops_undoes_all() -> None:
    """What this run did and what the one before did, a scope's, too."""
    script = Meanwhile(lambda: len(script.sent) == 4 and body.cancel())
    loop = f"while true {{ try {{ {step('s', 'a')} }} on Refused {{ }} }}"
    plan = plan_of(loop, header="")

    def run(state: Any = None) -> tuple[Interpreter, asyncio.Future[Any]]:
        saga = Interpreter(
            plan.sagas["t.S"],
            script,
            Expressions(),
            lambda: len(script.sent) in (2, 4),
            state=state,
        )
        return saga, asyncio.ensure_future(saga.resume() if state else saga.run({"id": "k"}))

    _, body = run()
    with pytest.raises(Paused) as paused:
        await body
    saga, body = run(json.loads(json.dumps(paused.value.state)))
    assert await script.to_the_end(saga, body) == "cancelled"
    assert script.undone == [f"s[{i}]:undo" for i in (3, 2, 1, 0)]


async def test_a_saga_that_is_never_full_does_not_stop() -> None:
    """Its course is one run's, to the letter."""
    relay = Relay(Script(), lambda: False)
    assert await relay.run('for i in [1, 2, 3] { sleep 1s } return "x"') == "returned x"
    assert relay.runs == 1


# --- any nest of blocks


class Chance(Script):
    """Answers by chance, the same for the same message."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def _answer(self, command: Command) -> Any:
        if command.name.endswith("Undo"):
            return Struct(command.name.replace("Undo", "Undone"), {"id": "k"})
        chance = crc32(f"{self._seed}{command.message}".encode()) % 12
        service = command.name.split(".")[1]
        if chance == 0:
            return refused(service)
        return TIMEOUT if chance == 1 else done(service, f"r{chance}", chance)

    async def attention(self, path: str, reason: str) -> Decision:
        self.log.append(f"park {path}: {reason}")
        return Decision.SKIP


class Writer:
    """Writes a body from a tree of kinds of statements."""

    def __init__(self) -> None:
        self._numbers = count()

    def block(self, tree: list[Any]) -> str:
        return "\n".join(self._one(kind, blocks) for kind, blocks in tree)

    def _one(self, kind: str, blocks: list[Any]) -> str:
        i = next(self._numbers)
        first, second = (self.block(b) for b in blocks)
        step = f"step s{i} = a.Do(id: id) undo a.Undo(id: string(v), ref: s{i}.ref)"
        match kind:
            case "step":
                return f"{step} set v = v + s{i}.n"
            case "handled":
                return f"{step} on Refused as r{i} {{ set v = v + size(r{i}.why) {first} }}"
            case "if":
                return f"if v % 2 == 0 {{ {first} }} else {{ {second} }}"
            case "for":
                return (
                    f"let y{i} = for i{i} in [1, 2, 3] {{ {first} set v = v + i{i} "
                    f"if v % 3 != 0 {{ yield i{i} }} {second} }} set v = v + y{i}.sum()"
                )
            case "while":
                return (
                    f"var w{i} = 0 while w{i} < 3 {{ set w{i} = w{i} + 1 let o{i} = v {first} "
                    f"set v = v + o{i} % 2 }}"
                )
            case "try":
                return f"try {{ {step} {first} }} on a.Refused {{ set v = v + 1 {second} }}"
            case "race":
                return f"race {{ on b.News {{ {first} }} after 1s {{ {second} }} }}"
            case "parallel":
                return f"parallel {{ branch p{i} {{ {first} }} branch q{i} {{ {second} }} }}"
            case "fail":
                return f'if v > 40 {{ fail "at " + string(v) }} emit d.News(id: id, n: v) {first}'
        raise AssertionError(kind)


KINDS = ("step", "handled", "if", "for", "while", "try", "race", "parallel", "fail")
TREES = st.recursive(
    st.lists(st.tuples(st.sampled_from(("step", "fail")), st.just([[], []])), max_size=2),
    lambda inner: st.lists(
        st.tuples(st.sampled_from(KINDS), st.lists(inner, min_size=2, max_size=2)), max_size=3
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, st.integers(0, 1000), st.integers(1, 4), st.integers(0, 3))
@example([("for", [[("try", [[("while", [[("step", [[], []])], []])], []])], []])], 1, 1, 0)
async def test_any_nest_of_blocks_is_one_course(
    tree: list[Any], seed: int, often: int, events: int
) -> None:
    """Whatever stands in whatever, wherever it stops; branches that are undone side by side may
    take turns otherwise."""
    body = f"var v = n\n{Writer().block(tree)}\nreturn string(v)"

    def script() -> Chance:
        made = Chance(seed)
        made.early = [news("b", i) for i in range(events)]
        return made

    whole, parts = script(), script()
    end = await whole.run(body)
    assert await Relay(parts, every(often)).run(body) == end
    if "parallel" in body:
        for course in (whole, parts):
            course.log.sort()
            course.sent.sort(key=lambda c: c.message)
    assert (parts.log, sent(parts)) == (whole.log, sent(whole))
