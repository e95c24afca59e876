"""Events with a `sequence` in scenarios: as production takes them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from orchestrator.store import sequences
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.sequences import Stream
from orchestrator.testing.course import Course, Event
from orchestrator.testing.order import Order
from tests.testing.stage import verdict, wrong

FOLLOW = """
service carrier {
  publisher: outside
  event Scanned key parcel sequence number { parcel: string  number: int  place: string }
}
saga Follow(parcel: string) -> string
  key parcel
  starts on carrier.Scanned as e with (parcel: e.parcel)
{
  await carrier.Scanned as a within 1d on timeout { return "" }
  await carrier.Scanned as b within 1d on timeout { return a.place }
  await carrier.Scanned as c within 1d on timeout { return a.place + b.place }
  return a.place + b.place + c.place
}
"""
RUN = 'run Follow(parcel: "p1")'


def scans(*came: tuple[int | None, str, str]) -> str:
    """Givens: a number, a place and a time each."""
    lines = []
    for number, place, time in came:
        named = "" if number is None else f"number: {number}, "
        lines.append(f'given carrier.Scanned({named}place: "{place}") arrives after {time}')
    return "\n".join(lines)


def buried(course: Course) -> list[str]:
    """The dead letters."""
    return [e.text for e in course.entries if e.event is Event.BURIED]


def test_early_ones_wait_and_duplicates_are_passed_over() -> None:
    """The saga gets each once, in the order of the numbers; the course says what came when."""
    given = scans((1, "a", "1s"), (3, "c", "2s"), (3, "x", "3s"), (1, "y", "4s"), (2, "b", "30s"))
    found = verdict(f'{given}\n{RUN}\nexpect result "abc"\nexpect within 30s', FOLLOW)
    assert found.ok
    told = [(e.at, e.text.partition("), ")[2]) for e in found.course.entries]
    assert told == [
        (1, ""),
        (2, "early: event 2 has not come"),
        (3, "passed over: 3 has come before"),
        (4, "passed over: 1 has come before"),
        (30, ""),
        (30, ""),
    ]


def test_a_gap_that_does_not_close_goes_to_the_dead_letters() -> None:
    """After a minute of virtual time, and what comes behind it at once, until the missing one
    comes and those are sent again."""
    given = scans((1, "a", "1s"), (3, "c", "2s"), (4, "d", "90s"), (2, "b", "2m"), (3, "C", "3m"))
    found = verdict(f'{given}\n{RUN}\nexpect result "abC"\nexpect within 3m', FOLLOW)
    assert found.ok
    assert buried(found.course) == [
        "dead letter of carrier.Scanned: event 3 came and event 2 did not",
        "dead letter of carrier.Scanned: event 4 came and event 2 did not",
    ]
    assert [e.at for e in found.course.entries if e.event is Event.BURIED] == [62, 90]


def test_an_order_that_is_younger_than_its_events_waits_once() -> None:
    """And begins with the first that came; what comes before that later is too late."""
    given = scans((6, "b", "1s"), (5, "a", "2s"), (4, "x", "90s"), (7, "c", "2m"))
    found = verdict(f'{given}\n{RUN}\nexpect result "abc"', FOLLOW)
    assert found.ok
    assert [e.at for e in found.course.entries if "Scanned(number: 5" in e.text] == [61]
    assert len(buried(found.course)) == 1


def test_an_event_that_names_no_number_has_the_next() -> None:
    """In the order in which they come, behind the one that starts the saga."""
    given = scans((None, "c", "3s"), (None, "a", "1s"), (None, "b", "2s"))
    assert wrong(f'{given}\n{RUN}\nexpect result "abc"', FOLLOW) == []
    begun = 'run on carrier.Scanned(parcel: "p1", number: 7)'
    assert wrong(f'{given}\n{begun}\nexpect result "abc"', FOLLOW) == []
    again = scans((7, "x", "1s"), (9, "b", "2s"), (8, "a", "3s"), (None, "c", "4s"))
    assert wrong(f'{again}\n{begun}\nexpect result "abc"', FOLLOW) == []


def test_keys_have_orders_of_their_own() -> None:
    """Another saga's number is no gap of this one."""
    given = scans((1, "a", "1s"), (2, "b", "3s"))
    other = 'given carrier.Scanned(parcel: "p2", number: 2, place: "x") arrives after 2s'
    assert wrong(f'{given}\n{other}\n{RUN}\nexpect result "ab"', FOLLOW) == []


@pytest.mark.parametrize("seed", range(6))
async def test_the_order_is_that_of_the_store(tmp_path: Path, seed: int) -> None:
    """Whatever comes, and whenever a gap is given up."""
    chance = random.Random(seed)
    order, stream = Order[int](), Stream("c", "t", "k")
    kept = sequences.participant
    async with Database(f"sqlite:///{tmp_path}/a.db") as database:
        await migrate(database.engine, "participant")
        for step in range(60):
            number = max(0, chance.randrange(step // 2 + 3) - chance.randrange(3))
            async with database.transaction() as session:
                if chance.random() < 0.15:
                    given_up = [e.number for e in await kept.give_up(session, stream)]
                    assert order.give_up() == given_up
                else:
                    place = await kept.place(session, stream, number, {}, limit=100, patience=0.0)
                    assert order.place(number, number).name == place.name
                while (early := await kept.turn(session, stream)) is not None:
                    again = await kept.place(
                        session, stream, early.number, {}, limit=100, patience=0.0
                    )
                    assert (again.name, order.turn()) == ("TAKEN", early.number)
                assert order.turn() is None
                assert order.next == await kept.missing(session, stream)
