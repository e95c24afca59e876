"""What a saga has done and knows, as JSON and back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.cel.evaluate import CLOCK
from dsl.fine import duration_of, timestamp_of
from dsl.values import Struct, TypeValue
from orchestrator.compile.plan import StepPlan
from orchestrator.runtime.effects import Command, SagaFailed
from orchestrator.runtime.env import Env
from orchestrator.runtime.snapshot import freeze_names, freeze_undos, thaw_names, thaw_undos
from orchestrator.runtime.tagged import from_tagged, to_tagged
from orchestrator.runtime.undo import Undo, Undos
from tests.runtime.script import EXHAUSTED, Script, plan_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.binary(),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(fold=0)),
    st.timedeltas(timedelta(days=-3_652_000), timedelta(days=3_652_000)),
    st.integers(-(10**18), 10**18).map(timestamp_of),
    st.integers(-(10**18), 10**18).map(duration_of),
    st.builds(TypeValue, st.sampled_from(["int", "list<string>"])),
)
NAMES = st.text("abcxyz_", min_size=1, max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(), st.integers(2)), inner, max_size=4),
        st.builds(Struct, NAMES, st.dictionaries(NAMES, inner, max_size=4)),
    ),
    max_leaves=12,
)


def exact(value: Any) -> Any:
    """A value with all that `==` does not tell: types, a struct's name, a decimal's zeros."""
    if isinstance(value, dict):
        name = value.type if isinstance(value, Struct) else ""
        return type(value), name, [(exact(k), exact(v)) for k, v in value.items()]
    if isinstance(value, list):
        return [exact(v) for v in value]
    return type(value), repr(value)


def there_and_back(frozen: Any) -> Any:
    """What another process reads."""
    return json.loads(json.dumps(frozen, allow_nan=False))


@settings(deadline=None)
@given(VALUES)
def test_every_value_comes_back_exactly(value: Any) -> None:
    """Types, fractions of a second, trailing zeros, the names of structs: nothing is lost."""
    assert exact(from_tagged(there_and_back(to_tagged(value)))) == exact(value)


@pytest.mark.parametrize(
    "value",
    [
        *(Decimal("1.20"), Decimal("-0"), Decimal("1E+70"), float("nan"), float("-inf"), -0.0),
        *(2**63 - 1, "\ud800", {True: 1, False: 2}, {1: "a"}, {"struct": 1}, [{"float": "1"}]),
        *(Struct("a.B", {}), date(1, 1, 1), datetime.max.replace(tzinfo=UTC)),
        *(timedelta(microseconds=-1), duration_of(-1), duration_of(1), timestamp_of(-1)),
    ],
    ids=repr,
)
def test_a_value_at_the_edge_comes_back_exactly(value: Any) -> None:
    """Also one that looks like the form of another."""
    assert exact(from_tagged(there_and_back(to_tagged(value)))) == exact(value)


def test_a_symbol_of_an_enum_is_its_text() -> None:
    """A member that a Python program gave is the string that the language knows."""

    class Size(StrEnum):
        SMALL = "SMALL"

    assert exact(to_tagged(Size.SMALL)) == exact("SMALL")


def test_what_is_no_value_is_refused() -> None:
    """It would not come back."""
    with pytest.raises(TypeError, match="not a value of the language: object"):
        to_tagged([object()])
    with pytest.raises(ValueError, match="not the tag of a value: 'odd'"):
        from_tagged({"odd": 1})


def test_the_clock_is_not_kept_with_the_names() -> None:
    """Each run has its own."""
    env = Env()
    env.update({CLOCK: lambda: NOW, "n": Decimal("1.0")})
    assert exact(thaw_names(there_and_back(freeze_names(env)))) == exact({"n": Decimal("1.0")})


# --- stacks of undos

SAGA = plan_of(
    """
      step a = a.Do(id: id) undo a.Undo(id: id, ref: "-")
      step b = b.Do(id: id) undo b.Undo(id: x, ref: b.ref)
      step c = c.Do(id: id) undo c.Undo(id: id, ref: string(now()))
      return "end"
    """.replace("id: x", "id: id + string(n)")
).sagas["t.S"]
STEPS: list[StepPlan] = [s for s in SAGA.body if isinstance(s, StepPlan)]
READS = {"a": ["id"], "b": ["id", "n", "b"], "c": ["id"]}


@st.composite
def undos(draw: st.DrawFn) -> Undo:
    """A step's undo with any values."""
    step = draw(st.sampled_from(STEPS))
    env = Env(turn=draw(st.sampled_from(["", "[0]", "[12][3]"])))
    names = {n: draw(VALUES) for n in READS[step.name]}
    env.update({CLOCK: NOW, "big": "not read by any undo", **names})
    arguments = Struct(step.call.command, {"id": draw(VALUES)})
    command = Command(f"{step.path}{env.turn}", step.call.command, arguments, step.call.policy)
    return Undo(step, command, env, known=draw(st.booleans()))


STACKS = st.recursive(
    st.builds(Undos, st.lists(undos(), max_size=3)),
    lambda inner: st.builds(
        Undos, st.lists(st.one_of(undos(), inner, st.lists(inner, max_size=3)), max_size=3)
    ),
    max_leaves=8,
)


def told(entry: Undo | Undos | list[Undos]) -> Any:
    """What of an entry matters: all that undoing it may read."""
    if isinstance(entry, Undos):
        return [told(e) for e in entry.entries]
    if isinstance(entry, list):
        return tuple(told(e) for e in entry)
    names = {n: exact(entry.env[n]) for n in (*READS[entry.step.name], CLOCK)}
    command = entry.command
    arguments = None if entry.known else exact(command.arguments)
    sent = (command.message, command.name, arguments, command.policy)
    return entry.step, entry.env.turn, entry.known, names, sent


@settings(deadline=None)
@given(STACKS)
def test_a_stack_of_undos_comes_back(stack: Undos) -> None:
    """In its order, scopes and branches included, with what each undo reads and no more."""
    before = told(stack)
    frozen = there_and_back(freeze_undos(stack))
    assert "not read by any undo" not in json.dumps(frozen)
    assert told(thaw_undos(frozen, SAGA, NOW)) == before
    assert told(stack) == before  # and it is still there


def test_an_undo_is_small() -> None:
    """What nothing has to be said about is left out: a loop may have thousands of turns."""
    env = Env(turn="[7]")
    env.update({"id": "k", "n": 1, "a": None})
    command = Command("a[7]", "t.a.Do", Struct("t.a.Do", {"id": "k"}), STEPS[0].call.policy)
    frozen = freeze_undos(Undos([Undo(STEPS[0], command, env, known=True)]))
    assert frozen == [{"step": "a", "turn": "[7]", "names": {"id": "k"}}]


def test_a_step_that_the_saga_does_not_have_is_refused() -> None:
    """A stack belongs to the version that wrote it."""
    with pytest.raises(KeyError, match="gone"):
        thaw_undos([{"step": "gone"}], SAGA, NOW)


BODY = """
  step one = a.Do(id: id) undo a.Undo(id: id, ref: one.ref)
  for i in [1, 2] {
    try {
      step two = b.Do(id: id) undo b.Undo(id: id, ref: string(i) + two.ref)
    } on timeout { }
  }
  parallel {
    branch l { step x = c.Do(id: id) undo c.Undo(id: id, ref: "l" + string(n)) }
    branch r { step y = d.Do(id: id) undo d.Undo(id: id, ref: "r") }
  }
  fail "no"
"""


async def test_another_process_undoes_the_same_in_the_same_order() -> None:
    """What was frozen by one is undone by another as the first would have undone it."""

    async def course(frozen: bool) -> list[tuple[str, Any]]:
        script = Script(y=EXHAUSTED)
        plan = plan_of(BODY)
        interpreter = script.interpreter(plan)
        with pytest.raises(SagaFailed):
            await interpreter.run({"id": "k", "n": 1})
        if frozen:
            stack = there_and_back(freeze_undos(interpreter.undos))
            interpreter = script.interpreter(plan, stack)
        await interpreter.compensate()
        return [(c.message, exact(c.arguments)) for c in script.sent]

    assert await course(frozen=True) == await course(frozen=False)
