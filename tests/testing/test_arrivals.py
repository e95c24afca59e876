"""Events, signals and updates in scenarios: early, late, twice, for others."""

from __future__ import annotations

from orchestrator.testing.course import End, Event
from tests.testing.stage import verdict, wrong

SLOW = """
saga Slow(id: string) -> int key id {
  step goods = stock.Take(id: id, sku: "a", count: 1) undo none
  await stock.Arrived as first within 2d on timeout { return 0 }
  await stock.Arrived as second within 2d on timeout { return first.count }
  return 10 * first.count + second.count
}
"""
RUN = 'run Slow(id: "1")'


def test_one_that_comes_early_is_kept() -> None:
    """It is there before the saga waits for it."""
    given = "given stock.Take replies Taken after 5s given stock.Arrived(count: 3) arrives after 1s"
    assert wrong(f"{given}\n{RUN}\nexpect result 3", SLOW) == []


def test_one_that_comes_too_late_changes_nothing() -> None:
    """The wait is over; nothing in the saga takes it any more."""
    course = verdict(f"given stock.Arrived(count: 3) arrives after 49h\n{RUN}", SLOW).course
    assert (course.result, course.at) == (0, 48 * 3600.0)
    assert [e for e in course.entries if e.event is Event.ARRIVED] == []


def test_each_is_taken_once_the_oldest_first() -> None:
    """Two of a kind serve two waits, one serves one."""
    given = "given stock.Arrived(count: 4) arrives after 2s given stock.Arrived(count: 3) arrives"
    assert wrong(f"{given}\n{RUN}\nexpect result 34", SLOW) == []
    assert wrong(f"given stock.Arrived(count: 3) arrives\n{RUN}\nexpect result 3", SLOW) == []


def test_one_with_another_key_is_for_another_saga() -> None:
    """It is told, and taken by none."""
    given = 'given stock.Arrived(id: "2", count: 3) arrives after 1h'
    course = verdict(f"{given}\n{RUN}", SLOW).course
    assert course.result == 0
    assert [e.text for e in course.entries if e.event is Event.ARRIVED] == [
        'stock.Arrived(id: "2", count: 3), which has another key'
    ]


RACE = """
saga Race(id: string) -> string key id {
  signal Stop { why: string }
  sleep 1m
  race {
    on stock.Arrived as some when some.count > 1 { return "arrived" }
    on Stop as stop { return stop.why }
    after 7d { return "nothing" }
  }
}
"""


def test_a_race_takes_the_oldest_that_fits() -> None:
    """Early ones are asked in the order in which they came."""
    run = 'run Race(id: "1")'
    early = 'given Stop(why: "no") arrives after 2s given stock.Arrived(count: 2) arrives after 1s'
    assert wrong(f'{early}\n{run}\nexpect result "arrived"', RACE) == []
    unfit = early.replace("count: 2", "count: 1")
    assert wrong(f'{unfit}\n{run}\nexpect result "no"\nexpect within 1m', RACE) == []
    assert wrong(f'{run}\nexpect result "nothing"\nexpect within 8d', RACE) == []


PRICED = """
saga Priced(id: string, price: int) -> int key id {
  signal Go { }
  update Lower { to: int where to > 0 } when to < due { set due = to }
  var due = price
  await Go within 1d on timeout { return 0 }
  return due
}
"""
PRICE = 'given Go arrives after 1h\nrun Priced(id: "1", price: 9)'


def test_an_update_changes_the_running_saga() -> None:
    """By its bare name, when it comes."""
    assert wrong(f"given Lower(to: 4) arrives after 1m\n{PRICE}\nexpect result 4", PRICED) == []


def test_an_update_that_comes_after_the_end_changes_nothing() -> None:
    """The saga has its result."""
    assert wrong(f"given Lower(to: 4) arrives after 2h\n{PRICE}\nexpect result 9", PRICED) == []


def test_an_update_is_refused_as_in_production() -> None:
    """Its condition does not hold: the course says so, and nothing is changed."""
    course = verdict(f"given Lower(to: 12) arrives after 1m\n{PRICE}", PRICED).course
    assert (course.end, course.result) == (End.RETURNED, 9)
    assert [e.text for e in course.entries if e.event is Event.NOTE] == [
        "`Lower` is refused: `to < due` does not hold"
    ]


def test_an_update_that_breaks_a_constraint_cannot_be_given() -> None:
    """As a signal or an event cannot: the scenario is wrong, not the saga."""
    found = verdict(f"given Lower(to: 0) arrives\n{PRICE}", PRICED)
    assert found.course.end is End.NOT_STARTED
    assert "`to` must satisfy" in found.course.reason
