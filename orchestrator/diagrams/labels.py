"""What stands in each kind of node."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.cel.nodes import Node
from dsl.model import Callee, wire_type
from orchestrator.compile.compile import inside
from orchestrator.compile.plan import (
    ArmPlan,
    AwaitPlan,
    CallPlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    Instruction,
    PolicyPlan,
    ReturnPlan,
    SagaPlan,
    SchedulePlan,
    SleepPlan,
    StepPlan,
    WhilePlan,
)
from orchestrator.diagrams.expression import shown
from orchestrator.diagrams.label import Label, Line
from orchestrator.diagrams.state import StepState
from orchestrator.diagrams.text import clean, cut, duration, wrap

_WIDE = 34
_CAPTION = (30, 3)
#: How many calls of an undo's block are named.
_FEW = 4

DONE: Label = (Line("w", "done"),)
RACE: Label = (Line("c", "the first of"),)
TRY: Label = (Line("k", "try"), Line("s", "undone by itself when it fails"))
PARKS: Label = (Line("s", "parks when exhausted"),)
NO_RETURN: Label = (Line("w", "point of no return"),)


def header(saga: SagaPlan) -> Label:
    """Signature, doc comment, key and deadline."""
    parameters = ", ".join(f"{p.name}: {_short(str(p.type))}" for p in saga.parameters)
    result = f" → {_short(str(saga.result))}" if saga.result else ""
    within = f"  ·  within {duration(saga.within)}" if saga.within is not None else ""
    return (
        Line("h", cut(saga.short, 60)),
        Line("c", cut(f"({parameters}){result}", 90)),
        *(Line("d", text) for text in wrap(saga.doc, 90, 2)),
        Line("k", f"key {cut(shown(saga.key), 60)}{within}"),
        *_inputs(saga),
    )


def _inputs(saga: SagaPlan) -> Iterator[Line]:
    """What the saga may be told, a line for each kind."""
    for word, names in (
        ("signals", [s.name for s in saga.signals]),
        ("queries", [q.name for q in saga.queries]),
        ("updates", [u.name for u in saga.updates]),
    ):
        if names:
            yield Line("s", cut(f"{word} {', '.join(names)}", 90))


def step(name: str, call: CallPlan, doc: str, state: StepState | None) -> Label:
    """A step's name, callee, short doc, policy, and what became of it."""
    granted = [] if call.callee is Callee.SAGA else [Line("s", _granted(call))]
    return (
        Line("t", cut(name, _WIDE)),
        Line("c", cut(callee(call), _WIDE + 6)),
        *caption(doc),
        *granted,
        *([Line("b", cut(state.text, _WIDE))] if state else []),
    )


def undo(name: str, call: CallPlan) -> Label:
    """The compensating call of a step."""
    return (
        Line("s", cut(f"undo {name}", _WIDE)),
        Line("c", cut(callee(call), _WIDE + 6)),
        Line("s", policy(call.policy)),
    )


def undo_itself(name: str, call: CallPlan) -> Label:
    """A called saga on the way back."""
    text = f"{call.command.rpartition('.')[2]}, its own undos"
    return (Line("s", cut(f"undo {name}", _WIDE)), Line("c", cut(text, _WIDE + 6)))


def undo_block(name: str, body: tuple[Instruction, ...]) -> Label:
    """The block that undoes a step: what it calls and publishes, the first few."""
    calls = [c for part in inside(body) if (c := _does(part))]
    more = [Line("s", f"and {len(calls) - _FEW} more")] if len(calls) > _FEW else []
    shown = [Line("c", cut(text, _WIDE + 6)) for text in calls[:_FEW]]
    return (Line("s", cut(f"undo {name}, in steps", _WIDE)), *shown, *more)


def _does(part: Instruction) -> str:
    match part:
        case StepPlan():
            return callee(part.call)
        case EmitPlan():
            return f"publishes {wire_type(part.event)}"
        case AwaitPlan():
            return f"waits for {wire_type(part.event)}"
    return ""


def callee(call: CallPlan) -> str:
    """`service.Command`; `saga Other`; or `Activity()`, a function of the flow's own."""
    if call.callee is Callee.COMMAND:
        return wire_type(call.command)
    if call.callee is Callee.SAGA:
        return f"saga {call.command.rpartition('.')[2]}"
    return f"{call.command.rpartition('.')[2]}()"


def caption(doc: str) -> Iterator[Line]:
    """A doc comment, where it is short: half of one says less than none."""
    across, high = _CAPTION
    text = wrap(doc, across, high + 1)
    if len(text) <= high:
        yield from (Line("d", t) for t in text)


def _granted(call: CallPlan) -> str:
    """What a call is granted; `at most once, within 3s`."""
    if call.once:
        return f"at most once, within {duration(call.policy.timeout)}"
    return policy(call.policy)


def policy(granted: PolicyPlan) -> str:
    """`3 attempts of 3s`."""
    if granted.attempts == 1:
        return f"1 attempt of {duration(granted.timeout)}"
    return f"{granted.attempts} attempts of {duration(granted.timeout)}"


def event(verb: str, name: str) -> Label:
    """An event that is waited for or published."""
    return (Line("s", verb), Line("c", cut(wire_type(name), _WIDE + 6)))


def clock(schedule: SchedulePlan) -> Label:
    """When a saga starts by itself."""
    if schedule.every is not None:
        return (Line("s", "starts every"), Line("c", duration(schedule.every)))
    at, zone = Line("c", cut(schedule.cron or "", _WIDE)), Line("s", cut(schedule.zone, _WIDE))
    return (Line("s", "starts at"), at, zone)


def waiting(part: AwaitPlan) -> Label:
    """The event, its condition and its limit."""
    limit = [Line("s", cut(f"within {shown(part.within)}", _WIDE))] if part.within else []
    when = [Line("s", text) for text in wrap(f"when {part.text}", _WIDE, 2)] if part.text else []
    return (*_awaited("waits for", part), *when, *limit)


def condition(text: str) -> Label:
    """The condition of an `if`."""
    return tuple(Line("c", t) for t in wrap(text, 24, 3))


def matching(text: str) -> Label:
    """What a `match` looks at."""
    return (Line("s", "match"), *condition(text))


def turns(part: WhilePlan | ForPlan, undone: bool) -> Label:
    """How the turns of a loop follow each other, and how they are undone."""
    back = [Line("s", "undone turn by turn, last first")] if undone else []
    if isinstance(part, WhilePlan):
        return (Line("k", "while"), *back)
    many = "one after another" if part.at_most is None else f"{part.at_most} at once"
    return (Line("k", f"for, {many}"), *back)


def going_through(part: ForPlan) -> Label:
    """What a `for` goes through, how many at once, and what it gives."""
    gives = [Line("s", cut(f"gives {part.collect}", _WIDE))] if part.collect else []
    many = [Line("b", f"{part.at_most} at once")] if part.at_most is not None else []
    items = [Line("c", t) for t in wrap(f"{part.name} in {part.text}", _WIDE, 2)]
    return (Line("s", "for each"), *items, *many, *gives)


def coming(arm: ArmPlan) -> Label:
    """An event or a signal of a race, with its condition."""
    rest = [Line("s", text) for text in wrap(f"when {arm.text}", _WIDE, 2)] if arm.text else []
    return (*_awaited("on", arm), *rest)


def _awaited(verb: str, part: AwaitPlan | ArmPlan) -> Label:
    """A signal is its saga's own, and named without it."""
    if not part.signal:
        return event(verb, part.event)
    return (Line("s", f"{verb} signal"), Line("c", cut(part.event.rpartition(".")[2], _WIDE + 6)))


def after(limit: Node) -> Label:
    """The timer of a race."""
    return (Line("s", "after"), Line("c", cut(shown(limit), _WIDE)))


def sleeping(part: SleepPlan) -> Label:
    """The timer of a `sleep`."""
    return (Line("s", "sleep"), *(Line("c", t) for t in wrap(part.text, 24, 2)))


def failing(part: FailPlan, undoes: bool) -> Label:
    """The reason of a `fail`; one that undoes nothing says so, for no edge leaves it."""
    reason = wrap(clean(part.text) or shown(part.reason), 28, 2)
    rest = reason if undoes else [*reason, "nothing to undo"]
    return (Line("f", "fail"), *(Line("s", t) for t in rest))


def returning(part: ReturnPlan) -> Label:
    """The result of a saga."""
    if part.value is None:
        return DONE
    return (Line("w", cut(f"return {shown(part.value)}", _WIDE)),)


def _short(name: str) -> str:
    """A type without its modules: `list<shop.contracts.Line>` is `list<Line>`."""
    word, out = "", ""
    for character in name:
        if character.isalnum() or character in "_.":
            word += character
        else:
            out, word = out + word.rpartition(".")[2] + character, ""
    return out + word.rpartition(".")[2]
