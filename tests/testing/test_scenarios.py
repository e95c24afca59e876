"""Scenarios: what is given happens, in virtual time, as the real runtime would do it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from orchestrator.testing.course import End, Event
from tests.testing.stage import BUY, verdict, wrong

RUN = 'run Buy(id: "1", sum: decimal("5"))'


def texts(parts: str, sagas: str = BUY, event: Event = Event.SENT) -> list[str]:
    return [e.text for e in verdict(parts, sagas).course.entries if e.event is event]


# --- what nothing is given for


def test_a_command_that_nothing_is_given_for_gets_its_first_reply() -> None:
    """The saga runs to its result, and no time passes."""
    course = verdict(RUN).course
    assert (course.end, course.at) == (End.RETURNED, 0.0)


def test_fields_come_from_the_command_else_are_examples() -> None:
    """`sku` is the command's, `ref` its own name, a record is built, an optional is null."""
    assert texts(RUN, event=Event.ANSWERED) == [
        'Taken(ref: "ref", sku: "chair", box: Box(size: SMALL, weight: 1.0, labels: []), '
        "note: null)",
        'Paid(ref: "ref", at: 2026-01-01T00:00:00Z)',
    ]


def test_symbols_stand_without_quotes() -> None:
    """Wherever a course shows one: what a saga sends, gets and returns, in lists, maps and records,
    and in why an expectation does not hold."""
    sagas = """
    service packing {
      command Pack key id { id: string  size: Size  label: string } replies Packed
      event Packed key id { id: string  box: Box }
      event Sized key id { id: string  size: Size? }
    }
    activity Measure(size: Size, of: string) -> list<Size> from "m:f"
    saga Pack(id: string, size: Size) -> map<string, Size> key id {
      step sizes = Measure(size: size, of: "SMALL")
      step packed = packing.Pack(id: id, size: sizes[0], label: "SMALL") undo none
      emit packing.Sized(id: id, size: size)
      return {"a": packed.box.size}
    }
    """
    found = verdict(
        """
        given Measure returns [Size.LARGE]
        given packing.Pack replies Packed(box: Box(size: LARGE, weight: 1.0, labels: ["LARGE"]))
        run Pack(id: "a", size: LARGE)
        expect packing.Sized(size: SMALL)
        expect result {"a": Size.SMALL}
        """,
        sagas,
    )
    assert [e.text for e in found.course.entries] == [
        'Measure(size: LARGE, of: "SMALL")',
        "[LARGE]",
        'packing.Pack(size: LARGE, label: "SMALL")',
        'Packed(box: Box(size: LARGE, weight: 1.0, labels: ["LARGE"]))',
        "packing.Sized(size: LARGE)",
    ]
    assert [c.why for c in found.checks] == ["size is LARGE", 'it is {"a": LARGE}']


def test_a_default_comes_before_an_example() -> None:
    """`Ordered` says `days: int = 7`."""
    answers = texts(f"given stock.Take replies Ordered\n{RUN}", event=Event.ANSWERED)
    assert answers[0] == "Ordered(days: 7)"


# --- what is given


def test_a_reply_comes_when_it_is_given() -> None:
    """Its named fields are as given, and the virtual clock tells when."""
    course = verdict(f'given bank.Pay replies Paid(ref: "p1") after 7s\n{RUN}').course
    assert (course.result, course.at) == ("p1", 7.0)


def test_a_declared_failure_undoes() -> None:
    """A failed step leads to compensation and the saga's failure."""
    given = f'given bank.Pay fails Declined(why: "limit")\n{RUN}'
    assert texts(given)[-1] == 'stock.PutBack(ref: "all") (undo)'
    assert verdict(given).course.reason == 'bank.Pay failed: Declined(why: "limit")'


def test_a_given_with_values_is_for_commands_with_these() -> None:
    """Another sum is answered as usual."""
    given = f'given bank.Pay(sum: decimal("6")) fails Declined\n{RUN}'
    assert verdict(given).course.end is End.RETURNED
    assert verdict(given.replace('"5"', '"6"')).course.end is End.FAILED


def test_the_first_given_that_fits_counts_until_it_is_used_up() -> None:
    """Two attempts time out, the third has the next given's reply."""
    given = f"given stock.Take times out 2 times given stock.Take replies Ordered(days: 3)\n{RUN}"
    assert texts(given, event=Event.SILENT) == [
        "no answer within 10s, attempt 1 of 3",
        "no answer within 10s, attempt 2 of 3",
    ]
    assert texts(given, event=Event.ANSWERED)[0] == "Ordered(days: 3)"
    assert verdict(given).course.at == 30.0  # two attempts of 10 s, two waits of 5 s


def test_attempts_that_are_used_up_fail_the_step_and_undo_it() -> None:
    """The outcome is unknown: a dead letter, and the step itself is undone too."""
    course = verdict(f"given stock.Take times out\n{RUN}").course
    assert course.reason == "stock.Take failed: no answer within 10s in 3 attempts"
    assert [e.text for e in course.entries][-3:] == [
        "dead letter of stock.Take in dead",
        'stock.PutBack(ref: "all") (undo)',
        "Back()",
    ]


def test_a_late_answer_reaches_a_later_attempt() -> None:
    """It is there 12 s after the first sending: in the pause, so the second attempt has it."""
    course = verdict(f"given stock.Take replies Ordered after 12s\n{RUN}").course
    assert [(e.at, e.event.value) for e in course.entries[:3]] == [
        (0.0, "sent"),
        (10.0, "silent"),
        (15.0, "answered"),
    ]


def test_an_undo_without_an_answer_parks_the_saga() -> None:
    """`expect parked` holds: a person has to decide."""
    given = "given stock.PutBack times out given bank.Pay fails Declined"
    assert wrong(f"{given}\n{RUN}\nexpect parked") == []


def test_a_cancel_undoes_what_is_under_way() -> None:
    """The payment's outcome is asked for, then it is refunded and the goods are put back."""
    given = 'given bank.Pay replies Paid(ref: "p1") after 5s given cancelled after 2s'
    expects = """
      expect bank.Refund(ref: "p1")
      expect stock.PutBack
      expect failure "cancelled"
      expect within 5s
    """
    assert wrong(f"{given}\n{RUN}\n{expects}") == []


def test_the_deadline_ends_the_saga() -> None:
    """`within 1h` is kept in virtual time, and what was done is undone."""
    sagas = BUY.replace("emit", "await bank.Paid as x\n emit")
    course = verdict(RUN, sagas).course
    assert (course.end, course.reason, course.at) == (End.FAILED, "not done within 1h", 3600.0)


WAIT = """
saga Wait(id: string) -> int key id {
  await stock.Arrived as some when some.count > 1 within 2d on timeout { return 0 }
  return some.count
}
"""


def test_an_event_arrives_with_the_sagas_key() -> None:
    """Its key need not be named; one that does not fit is left alone."""
    given = "given stock.Arrived(count: 1) arrives given stock.Arrived(count: 3) arrives after 30h"
    parts = f'{given}\nrun Wait(id: "1")\nexpect result 3\nexpect within 30h'
    assert wrong(parts, WAIT) == []


def test_an_event_that_does_not_come_times_out() -> None:
    """Two days are over at once."""
    began = time.process_time()
    course = verdict('run Wait(id: "1")', WAIT).course
    assert (course.result, course.at) == (0, 2 * 86_400.0)
    assert time.process_time() - began < 5


def test_a_run_on_an_event_starts_the_saga_as_the_event_would() -> None:
    """The start's arguments are taken from the event."""
    parts = 'run on bank.Asked(id: "9", sum: decimal("4"))\nexpect bank.Pay(sum: decimal("4"))'
    assert wrong(parts) == []


def test_an_endless_saga_is_stopped() -> None:
    """A loop that never ends is a verdict, not a hang."""
    sagas = "saga On(id: string) key id { while true { sleep 1s } }"
    assert verdict('run On(id: "1")', sagas).course.end is End.ENDLESS


def test_a_saga_that_waits_for_ever_is_a_verdict() -> None:
    """It says for what."""
    course = verdict(
        'run Wait(id: "1")', WAIT.replace("within 2d on timeout { return 0 }", "")
    ).course
    assert (course.end, course.reason) == (End.WAITING, "`stock.Arrived`")


def test_a_pivot_is_the_point_of_no_return() -> None:
    """A cancel after it changes nothing; what is exhausted parks."""
    sagas = BUY.replace("step paid", "pivot step paid").replace(
        "emit", 'step more = stock.Take(id: id, sku: "x", count: 1) on SoldOut { }\n emit'
    )
    given = 'given stock.Take(sku: "x") times out given cancelled after 1s'
    assert wrong(f"{given}\n{RUN}\nexpect parked\nexpect no bank.Refund", sagas) == []


def test_branches_run_side_by_side() -> None:
    """Both answers take their time at once."""
    sagas = """
    saga Both(id: string) key id {
      parallel {
        branch a { step x = bank.Pay(id: id, sum: decimal("1")) undo none }
        branch b { step y = stock.Take(id: id, sku: "a", count: 1) undo none }
      }
    }
    """
    given = "given bank.Pay replies Paid after 4s given stock.Take replies Taken after 3s"
    assert wrong(f'{given}\nrun Both(id: "1")\nexpect within 4s', sagas) == []


def test_a_block_undoes_a_step() -> None:
    """Its statements are played on the way back, in their order."""
    block = """undo {
      step back = bank.Refund(id: id, ref: paid.ref)
      emit stock.Arrived(id: back.id, count: 9)
    }
    """
    sagas = BUY.replace("undo bank.Refund(id: id, ref: paid.ref)", block).replace(
        "return paid.ref", 'fail "changed"'
    )
    expects = "expect bank.Refund expect stock.Arrived(count: 9) expect stock.PutBack"
    assert wrong(f"{RUN}\n{expects}", sagas) == []
    assert "Refund" in texts(RUN, sagas)[-2]
    assert texts(RUN, sagas)[-2].endswith("(undo)")


# --- activities


RATED = """
activity Rate(of: string) -> decimal from "shop.rates:rate"
activity Forget(of: string) from "shop.rates:forget"

saga Rated(id: string) -> decimal key id {
  step rate = Rate(of: id) undo Forget(of: id)
  step paid = bank.Pay(id: id, sum: rate) undo none
  return rate
}
"""
RATE = 'run Rated(id: "1")'


def test_an_activity_returns_what_is_given() -> None:
    """No Python is called; its arguments are compared as a command's fields are."""
    given = 'given Rate(of: "2") returns decimal("9") given Rate returns decimal("4") after 2s'
    expects = 'expect Rate(of: "1") expect bank.Pay(sum: decimal("4")) expect within 2s'
    assert wrong(f"{given}\n{RATE}\n{expects}", RATED) == []


def test_an_activity_that_nothing_is_given_for_returns_an_example() -> None:
    """Of its type; one without a result gives null."""
    assert wrong(f'{RATE}\nexpect result decimal("1")', RATED) == []


def test_an_activity_may_time_out_and_is_undone() -> None:
    """The outcome is unknown after the last attempt."""
    parts = f"given Rate times out\n{RATE}\nexpect Forget\nexpect failure 'no answer'"
    assert wrong(parts, RATED) == []


def test_a_cancel_lets_a_function_end() -> None:
    """Nothing can stop it: its undo runs when it is done."""
    parts = f"given Rate returns decimal('4') after 3s given cancelled after 1s\n{RATE}"
    entries = verdict(parts, RATED).course.entries
    assert [(e.at, e.text) for e in entries if e.event is Event.SENT][1:] == [
        (3.0, 'Forget(of: "1") (undo)')
    ]


# --- what cannot start


def test_a_broken_input_cannot_start() -> None:
    """A sum of nothing is refused by its contract: the saga fails where it would send it."""
    course = verdict('run Buy(id: "1", sum: decimal("0"))').course
    assert course.end is End.FAILED
    assert "`bank.Pay` cannot be sent: `sum` must satisfy" in course.reason


def test_an_empty_key_cannot_start() -> None:
    """The scenario is a failure that says why."""
    found = verdict('run Buy(id: "", sum: decimal("1"))')
    assert (found.ok, found.course.reason) == (False, "`Buy` has an empty key for this input")


def test_a_given_without_a_value_cannot_start() -> None:
    """An error of an expression is no traceback."""
    found = verdict(f"given bank.Pay replies Paid(ref: string(1 / 0))\n{RUN}")
    assert (found.ok, found.course.reason) == (False, "divide by zero")


# --- expectations that do not hold


WRONG = {
    "expect bank.Refund": "never sent",
    "expect no stock.Take": "sent at 0s",
    'expect stock.Take(sku: "table", count: 2)': 'sku is "chair"',
    "expect bank.Pay\nexpect stock.Take": "sent at 0s, before `bank.Pay`",
    'expect result "p9"': 'it is "ref"',
    'expect failure "x"': 'it returned "ref"',
    "expect parked": 'it returned "ref"',
    "expect stock.Arrived\nexpect stock.Arrived": "not sent again after 0s",
    "expect result string(1 / 0)": "cannot be evaluated: divide by zero",
}


@pytest.mark.parametrize("expectation", WRONG)
def test_says_why_an_expectation_does_not_hold(expectation: str) -> None:
    """One sentence, from the course."""
    assert wrong(f"{RUN}\n{expectation}") == [WRONG[expectation]]


def test_says_how_long_it_took() -> None:
    """`within` compares virtual time."""
    assert wrong(f"given bank.Pay replies Paid after 3s\n{RUN}\nexpect within 2s") == ["it took 3s"]


def test_says_how_it_failed_otherwise() -> None:
    """The reason is quoted."""
    parts = f'given stock.Take fails SoldOut(why: "moths")\n{RUN}\nexpect failure "limit"'
    assert wrong(parts) == ["it failed otherwise: sold out: moths"]


# --- no server


def test_needs_no_servers_library() -> None:
    """The interpreter, and all that plays scenarios, load without Temporal, Kafka or SQL."""
    code = (
        "import sys; sys.modules.update(temporalio=None, aiokafka=None, sqlalchemy=None); "
        "import orchestrator.runtime.interpreter, orchestrator.testing.scenarios"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


TOLD = """
saga Told(id: string) -> string key id {
  signal Approve { by: string  granted: bool = true }
  await Approve as a when a.granted within 2d on timeout { return "nobody" }
  return a.by
}
"""


def test_a_signal_arrives_by_its_bare_name() -> None:
    """It has no key; fields that are not named have their defaults."""
    given = (
        'given Approve(by: "x", granted: false) arrives given Approve(by: "ada") arrives after 1h'
    )
    assert wrong(f'{given}\nrun Told(id: "1")\nexpect result "ada"', TOLD) == []
    assert wrong('run Told(id: "1")\nexpect result "nobody"', TOLD) == []


CLOCK = """
saga Nightly(night: timestamp) -> string
  key string(night)
  starts at "0 3 * * *" in "Europe/Berlin" with (night: at)
{
  step goods = stock.Take(id: string(night), sku: "chair", count: 1) undo none
  return goods.id
}
"""


def test_runs_a_saga_that_starts_by_the_clock() -> None:
    """The scenario gives the scheduled time as any other argument."""
    run = 'run Nightly(night: timestamp("2026-03-29T01:00:00Z"))'
    taken = 'expect stock.Take(id: "2026-03-29T01:00:00Z")'
    assert wrong(f'{run}\n{taken}\nexpect result "2026-03-29T01:00:00Z"', CLOCK) == []
