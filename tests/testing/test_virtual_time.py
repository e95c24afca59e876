"""Scenarios in virtual time: retries, scopes, loops, and the order of what is expected."""

from __future__ import annotations

import pytest

from orchestrator.testing.course import End, Event
from tests.testing.stage import BUY, verdict, wrong

RUN = 'run Buy(id: "1", sum: decimal("5"))'


def test_waits_between_attempts_grow_to_their_maximum() -> None:
    """10 s for each attempt, then 1 s, 3 s, 5 s (not 9 s): jitter is left out."""
    policy = "retry: exponential(attempts: 5, initial: 1s, factor: 3, max: 5s, jitter: 50%)"
    sagas = f"policy growing {{ timeout: 10s {policy} }}\n" + BUY.replace(
        "undo stock", "with growing undo stock", 1
    )
    entries = verdict(f"given stock.Take times out\n{RUN}", sagas).course.entries
    silent = [e.at for e in entries if e.event is Event.SILENT]
    assert silent == [10.0, 21.0, 34.0, 49.0, 64.0]


def test_no_retry_is_one_attempt() -> None:
    """`bank` says `retry: none`: after its 10 s the outcome is unknown, and it is asked for."""
    given = 'given bank.Pay times out 1 times given bank.Pay replies Paid(ref: "p7")'
    expects = 'expect bank.Refund(ref: "p7") expect failure "in 1 attempt" expect within 10s'
    assert wrong(f"{given}\n{RUN}\n{expects}") == []


def test_a_step_that_never_happened_is_not_undone() -> None:
    """What was unknown turns out to have been refused."""
    given = "given bank.Pay times out 1 times given bank.Pay fails Declined"
    expects = "expect stock.PutBack expect no bank.Refund"
    assert wrong(f"{given}\n{RUN}\n{expects}") == []


TWO = """
saga Two(id: string) -> string key id {
  var way = "both"
  step first = stock.Take(id: id, sku: "a", count: 1) undo stock.PutBack(id: id, ref: "a")
  try {
    step second = stock.Take(id: id, sku: "b", count: 1) undo stock.PutBack(id: id, ref: "b")
    step paid = bank.Pay(id: id, sum: decimal("1")) undo none
  } on Declined as no { set way = no.why }
  step third = stock.Take(id: id, sku: "c", count: 1)
    undo stock.PutBack(id: id, ref: "c")
    on SoldOut { set way = way + ", no c" }
  if third == null { return way }
  fail "too much"
}
"""


def test_a_scope_is_undone_and_the_saga_goes_on() -> None:
    """Only what was done inside; then the handler, then what follows."""
    given = """given bank.Pay fails Declined(why: "limit")
      given stock.Take(sku: "c") fails SoldOut"""
    expects = """expect stock.PutBack(ref: "b")
      expect stock.Take(sku: "c")
      expect no stock.PutBack(ref: "a")
      expect result "limit, no c" """
    assert wrong(f'{given}\nrun Two(id: "1")\n{expects}', TWO) == []


def test_undos_run_last_first() -> None:
    """Each after the one before has been answered."""
    given = "given stock.PutBack replies Back after 2s"
    expects = """expect stock.PutBack(ref: "c") expect stock.PutBack(ref: "b")
      expect stock.PutBack(ref: "a") expect failure "too much" expect within 6s"""
    assert wrong(f'{given}\nrun Two(id: "1")\n{expects}', TWO) == []
    found = wrong(f'{given}\nrun Two(id: "1")\nexpect within 5s', TWO)
    assert found == ["it took 6s"]


@pytest.mark.parametrize(("at_most", "seconds"), [("", 12), (" parallel 2", 8), (" parallel 9", 4)])
def test_turns_of_a_loop_take_their_time(at_most: str, seconds: int) -> None:
    """Three turns of 4 s: in order, two at once, all at once."""
    sagas = f"""
    saga All(id: string, skus: list<string>) -> int key id {{
      let counts = for sku in skus{at_most} {{
        step one = stock.Take(id: id, sku: sku, count: 1) undo none
        yield 1
      }}
      return counts.sum()
    }}
    """
    given = "given stock.Take replies Taken after 4s"
    run = 'run All(id: "1", skus: ["a", "b", "c"])'
    course = verdict(f"{given}\n{run}\nexpect result 3", sagas).course
    assert (course.result, course.at) == (3, float(seconds))


def test_only_what_is_named_is_compared_and_others_may_stand_between() -> None:
    """In order: the first and the last of three messages, by one field."""
    assert wrong(f'{RUN}\nexpect stock.Take(sku: "chair")\nexpect stock.Arrived(count: 2)') == []


def test_an_expectation_takes_the_next_message_that_fits() -> None:
    """Two expectations of one kind are about two messages."""
    both = "expect stock.Take(count: 1)\nexpect stock.Take(count: 1)"
    assert wrong(f'run Two(id: "1")\n{both}', TWO) == []
    assert wrong(f'run Two(id: "1")\n{both}\n{both}', TWO) == ["not sent again after 0s"]


def test_absence_holds_for_the_whole_course() -> None:
    """Also before what was expected first."""
    assert wrong(f"{RUN}\nexpect bank.Pay\nexpect no stock.Take") == ["sent at 0s"]
    assert wrong(f"{RUN}\nexpect no stock.Take(count: 3)") == []


def test_a_reason_is_compared_without_capitals() -> None:
    """A part of it is enough."""
    given = 'given stock.Take fails SoldOut(why: "Moths")'
    assert wrong(f'{given}\n{RUN}\nexpect failure "sold OUT: m"') == []


def test_the_clock_of_a_scenario_is_always_the_same() -> None:
    """It begins with 2026, and sleeps move it."""
    sagas = """
    saga Clock(id: string) -> timestamp key id { sleep 36h return now() }
    """
    expects = 'expect result timestamp("2026-01-02T12:00:00Z") expect within 36h'
    assert wrong(f'run Clock(id: "1")\n{expects}', sagas) == []


def test_centuries_are_over_at_once() -> None:
    """A sleep may be longer than any clock counts; the time after the year 9999 has no name."""
    sagas = """
    saga Far(id: string) key id { sleep 2900000d }
    saga Beyond(id: string) -> timestamp key id { sleep 3000000d return now() }
    """
    far = verdict('run Far(id: "1")\nexpect within 2900000d', sagas)
    assert (far.ok, far.course.at) == (True, 2_900_000 * 86_400.0)
    beyond = verdict('run Beyond(id: "1")\nexpect within 3000000d', sagas).course
    assert (beyond.end, beyond.at) == (End.ENDLESS, 3_000_000 * 86_400.0)
