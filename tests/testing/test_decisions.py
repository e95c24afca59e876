"""Scenarios in which a person decides about what is parked."""

from __future__ import annotations

import pytest

from orchestrator.testing.course import End, Event
from tests.testing.stage import BUY, verdict, wrong

RUN = 'run Buy(id: "1", sum: decimal("5"))'
#: The card is declined, and nobody answers that the goods are back.
STUCK = 'given bank.Pay fails Declined(why: "limit")\ngiven stock.PutBack times out'


def test_an_undo_that_is_sent_again_may_be_answered() -> None:
    """After a day a person says `--retry`; the fourth attempt is answered and all is undone."""
    given = f"{STUCK} 3 times\ngiven stock.PutBack resolved by retry after 1d"
    expects = 'expect failure "limit"\nexpect within 25h'
    assert wrong(f"{given}\n{RUN}\n{expects}") == []


def test_an_undo_may_be_skipped() -> None:
    """The saga ends as it would have, without it."""
    given = f"{STUCK}\ngiven stock.PutBack resolved by skip after 2h"
    course = verdict(f"{given}\n{RUN}").course
    assert (course.end, course.reason) == (End.FAILED, 'bank.Pay failed: Declined(why: "limit")')
    assert [e.text for e in course.entries if e.event is Event.NOTE] == [
        "parked at goods:undo: no answer within 10s in 3 attempts",
        "a person decides: skip",
    ]


def test_an_undo_may_be_given_up() -> None:
    """The saga ends as failed, and says what was given up."""
    given = f"{STUCK}\ngiven stock.PutBack resolved by fail"
    assert wrong(f'{given}\n{RUN}\nexpect failure "goods:undo was given up"') == []


def test_decisions_are_made_so_often() -> None:
    """Twice again, and then given up."""
    given = f"""{STUCK}
      given stock.PutBack resolved by retry after 1h 2 times
      given stock.PutBack resolved by fail after 1h
    """
    course = verdict(f"{given}\n{RUN}").course
    decided = [e.text for e in course.entries if e.text.startswith("a person")]
    assert decided == ["a person decides: retry"] * 2 + ["a person decides: fail"]
    assert course.end is End.FAILED


def test_what_nobody_decides_about_stays_parked() -> None:
    """A decision is for the calls that it names, with these values."""
    for other in ("bank.Refund", 'stock.PutBack(ref: "one")'):
        assert wrong(f"{STUCK}\ngiven {other} resolved by skip\n{RUN}\nexpect parked") == []


PIVOTED = BUY.replace("step paid", "pivot step paid").replace(
    "emit", 'step more = stock.Take(id: id, sku: "x", count: 1) on SoldOut { }\n emit'
)


@pytest.mark.parametrize(
    ("decision", "expects"),
    [
        ("retry", 'expect stock.Arrived\nexpect result "ref"'),
        ("skip", 'expect stock.Arrived\nexpect result "ref"'),
        ("fail", 'expect no stock.Arrived\nexpect no bank.Refund\nexpect failure "no answer"'),
    ],
)
def test_a_step_after_the_pivot(decision: str, expects: str) -> None:
    """Sent again, gone on without, or the end of the saga with what it did left as it is."""
    given = f"""given stock.Take(sku: "x") times out 3 times
      given stock.Take(sku: "x") resolved by {decision} after 3h"""
    assert wrong(f"{given}\n{RUN}\n{expects}", PIVOTED) == []


def test_what_is_read_later_on_cannot_be_skipped() -> None:
    """The saga stays parked and says so, until a person decides otherwise."""
    sagas = PIVOTED.replace("return paid.ref", 'return more == null ? "" : paid.ref')
    given = """given stock.Take(sku: "x") times out 3 times
      given stock.Take(sku: "x") resolved by skip after 1h 1 times
      given stock.Take(sku: "x") resolved by retry after 1h"""
    found = verdict(f'{given}\n{RUN}\nexpect result "ref"', sagas)
    assert found.ok
    told = [e.text for e in found.course.entries if e.event is Event.NOTE]
    assert any("cannot be skipped" in text for text in told), told


def test_a_cancel_ends_the_wait_for_a_decision() -> None:
    """Before the pivot a parked step is undone when the saga is cancelled."""
    sagas = BUY.replace("key id\n", "key id\n  with careful\n", 1)
    sagas = "policy careful extends quick { exhausted: park }\n" + sagas
    given = """given stock.Take times out 3 times
      given stock.Take resolved by retry after 3d
      given cancelled after 1h"""
    within = sagas.replace("within 1h", "")
    expects = 'expect stock.PutBack\nexpect failure "cancelled"\nexpect within 1h'
    assert wrong(f"{given}\n{RUN}\n{expects}", within) == []
