"""The index of dead letters, and who may do what to them at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from orchestrator.store import letter_deeds, letters
from orchestrator.store.database import Database
from orchestrator.store.letter_choice import Choice
from orchestrator.store.letters import Found, Letter, State
from orchestrator.store.migrate import migrate

DIED = datetime(2026, 3, 1, 12, tzinfo=UTC)

FOUND = Found(
    letter_topic="orders.events.billing-events-dlt",
    letter_partition=0,
    letter_offset=0,
    flow="shop",
    topic="orders.events",
    partition=1,
    offset=7,
    consumer="billing-events",
    type="orders.Placed",
    message_id="m0",
    saga_id=None,
    disposition="exhausted",
    error="billing.gateway.DownError",
    message="the gateway is 100% down",
    place="services.py:31 in placed",
    died_at=DIED,
    holds=False,
    after_run=None,
    after_letter=None,
    key=b"k",
    value=b"{}",
    headers=(("ce_id", b"m0"), ("odd", b"\xff\x00")),
)


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    """A migrated database."""
    await migrate(database.engine, "orchestrator")
    yield database


async def keep(store: Database, *found: Found) -> list[Letter]:
    """Adds letters; all there are."""
    async with store.transaction() as session:
        await letters.add(session, found)
    async with store.reading() as session:
        return await letters.page(session, Choice())


def some(count: int, **changes: object) -> list[Found]:
    """So many letters, one behind the other."""
    change = replace(FOUND, **changes)  # type: ignore[arg-type]
    return [replace(change, letter_offset=n, message_id=f"m{n}") for n in range(count)]


async def claim(store: Database, run: str, lease: float = 60.0, **choice: object) -> list[int]:
    """What a run takes."""
    async with store.transaction() as session:
        found = await letter_deeds.claim(
            *(session, Choice(**choice), run, 0, 10, lease),  # type: ignore[arg-type]
        )
    return [letter.id for letter in found]


async def test_a_letter_that_is_read_twice_is_one(store: Database) -> None:
    """And keeps its bytes, whatever they are."""
    two = some(2, key=b"\xff\x00k", value=b"\x00\xfe")
    async with store.transaction() as session:
        assert await letters.add(session, two) == 2
    async with store.transaction() as session:
        assert await letters.add(session, [*two, *two]) == 0
        found = await letters.page(session, Choice())
        body = (await letters.bodies(session, [found[0].id]))[found[0].id]
    assert [f.message_id for f in found] == ["m0", "m1"]
    assert found[0].key == "\\xff\\x00k"
    assert (body.key, body.value, body.headers) == (b"\xff\x00k", b"\x00\xfe", FOUND.headers)


async def test_texts_that_are_too_long_are_cut(store: Database) -> None:
    """A letter is indexed whatever it says of itself."""
    long = replace(FOUND, type="t" * 900, error="e" * 900, place="p" * 900, message_id="i" * 900)
    [letter] = await keep(store, replace(long, key=b"k" * 9000, saga_id="s" * 900))
    assert letter.type == "t" * 255 and letter.key == "k" * 512


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(), "abcd"),
        (Choice(error="DownError"), "ad"),
        (Choice(error="billing.gateway.DownError"), "ad"),
        (Choice(error="ownError"), ""),
        (Choice(error="100%"), "ad"),
        (Choice(error="is _ down"), ""),
        (Choice(type="orders.Paid"), "b"),
        (Choice(topic="orders.commands"), "c"),
        (Choice(flow="other"), "d"),
        (Choice(disposition="poison"), "b"),
        (Choice(since=DIED + timedelta(hours=1)), "cd"),
        (Choice(until=DIED + timedelta(hours=1)), "ab"),
        (Choice(states=("redriven",)), ""),
        (Choice(key="k", consumer="billing-events", states=("waiting", "edited")), "abcd"),
    ],
)
async def test_letters_are_chosen(store: Database, choice: Choice, chosen: str) -> None:
    """By all that is asked for; what is asked for is no pattern."""
    later = DIED + timedelta(hours=1)
    await keep(
        store,
        replace(FOUND, letter_offset=0, message_id="a"),
        replace(
            *(FOUND,),
            letter_offset=1,
            message_id="b",
            type="orders.Paid",
            error="E",
            message="",
            disposition="poison",
        ),
        replace(
            *(FOUND,),
            letter_offset=2,
            message_id="c",
            topic="orders.commands",
            error=None,
            message="",
            died_at=later,
        ),
        replace(FOUND, letter_offset=3, message_id="d", flow="other", died_at=later),
    )
    async with store.reading() as session:
        found = await letters.page(session, choice)
        assert "".join(f.message_id or "" for f in found) == chosen
        assert await letters.count(session, choice) == len(chosen)


async def test_groups_are_by_error_and_place(store: Database) -> None:
    """The largest first, with how many, since when and one of them."""
    last = replace(FOUND, letter_offset=9, message_id="z", died_at=DIED + timedelta(hours=1))
    found = await keep(store, *some(3), replace(last, place="services.py:9 in paid"))
    async with store.reading() as session:
        large, small = await letters.groups(session, Choice())
    assert (large.count, large.place, large.first, large.last) == (3, FOUND.place, DIED, DIED)
    assert large.example == found[2].id
    assert (small.count, small.place) == (1, "services.py:9 in paid")


async def test_pages_go_on_behind_an_id(store: Database) -> None:
    """So that any number of letters is read without holding them."""
    found = await keep(store, *some(5))
    async with store.reading() as session:
        second = await letters.page(session, Choice(), found[1].id, 2)
    assert [f.message_id for f in second] == ["m2", "m3"]


async def test_of_two_who_claim_at_once_one_has_it(store: Database) -> None:
    """However many they are; together they have all."""
    await keep(store, *[replace(f, key=str(n).encode()) for n, f in enumerate(some(20))])
    taken = await asyncio.gather(*(claim(store, f"run{n}") for n in range(4)))
    claimed = [id for some in taken for id in some]
    assert len(claimed) == len(set(claimed)) == 20


async def test_a_key_is_one_run_s(store: Database) -> None:
    """Two runs do not change the order of its letters; other keys go on."""
    found = await keep(store, *some(2), replace(FOUND, letter_offset=9, key=b"other"))
    assert await claim(store, "one", ids=(found[0].id,)) == [found[0].id]
    assert await claim(store, "two") == [found[2].id]
    assert await claim(store, "one") == [found[1].id]


async def test_what_was_left_by_who_died_is_taken_again(store: Database) -> None:
    """When its lease is over."""
    [letter] = await keep(store, FOUND)
    assert await claim(store, "one", lease=-1.0) == [letter.id]
    assert await claim(store, "two") == [letter.id]
    assert await claim(store, "three") == []


async def test_what_is_done_is_noted(store: Database) -> None:
    """Who, when and what; and a settled letter is nobody's any more."""
    found = await keep(store, *some(2, key=None))
    assert len(await claim(store, "run")) == 2
    async with store.transaction() as session:
        await letter_deeds.settle(session, found[:1], "run", State.REDRIVEN, "ada", "run run")
        await letter_deeds.release(session, found[1:], "run")
    async with store.reading() as session:
        assert [f.state for f in await letters.page(session, Choice())] == ["redriven", "waiting"]
        [deed] = await letters.deeds(session, found[0].id)
        assert (deed.deed, deed.who, deed.note) == ("redriven", "ada", "run run")
        assert datetime.now(UTC) - deed.at < timedelta(minutes=5)
        assert await letters.deeds(session, found[1].id) == []
    assert await claim(store, "again") == [found[1].id]


async def test_what_another_run_has_cannot_be_settled(store: Database) -> None:
    """Its lease was over, and somebody else took it: the late one changes nothing."""
    [letter] = await keep(store, FOUND)
    await claim(store, "late", lease=-1.0)
    await claim(store, "quick")
    async with store.transaction() as session:
        await letter_deeds.settle(session, [letter], "late", State.DISCARDED, "bob")
        await letter_deeds.release(session, [letter], "late")
    async with store.reading() as session:
        assert [f.state for f in await letters.page(session, Choice())] == ["redriving"]
        assert await letters.deeds(session, letter.id) == []


async def test_an_edited_letter_waits_with_what_it_holds_now(store: Database) -> None:
    """What it held is kept with the deed; one that is under way is not edited."""
    [letter] = await keep(store, FOUND)
    change = {"key": b"n", "value": b"[]", "headers": (("ce_id", b"n1"),)}

    async def edit() -> bool:
        async with store.transaction() as session:
            return await letter_deeds.edit(
                *(session, letter, "ada"), **change, message_id="n1", type="t", was=b"{}"
            )

    assert await edit()
    async with store.reading() as session:
        [edited] = await letters.page(session, Choice())
        assert (edited.state, edited.key, edited.message_id) == ("edited", "n", "n1")
        assert (await letters.bodies(session, [letter.id]))[letter.id].value == b"[]"
        assert [d.note for d in await letters.deeds(session, letter.id)] == ["was message m0"]
    await claim(store, "run")
    assert not await edit()


async def test_those_before_it_are_counted(store: Database) -> None:
    """Of the same consumer, topic and key, that still wait."""
    found = await keep(store, *some(3), replace(FOUND, letter_offset=9, key=b"other"))
    async with store.reading() as session:
        assert [await letters.before(session, f) for f in found] == [0, 1, 2, 0]


async def test_those_that_died_after_a_run_are_counted(store: Database) -> None:
    """By the run that had sent them."""
    await keep(store, *some(2), replace(FOUND, letter_offset=9, after_run="r", after_letter=1))
    async with store.reading() as session:
        assert [await letters.came_back(session, r) for r in ("r", "s")] == [1, 0]


async def test_a_step_that_was_decided_on_asks_nobody_any_longer(store: Database) -> None:
    """By the id of its command."""
    found = await keep(store, *some(2))
    async with store.transaction() as session:
        await letter_deeds.settled_elsewhere(session, "m1", State.DISCARDED, "ada", "skipped")
    async with store.reading() as session:
        assert [f.state for f in await letters.page(session, Choice())] == ["waiting", "discarded"]
        assert [d.note for d in await letters.deeds(session, found[1].id)] == ["skipped"]


async def test_what_is_settled_is_forgotten_some_day(store: Database) -> None:
    """In batches, with what was done to it; what waits is kept."""
    found = await keep(store, *some(4, key=None))
    await claim(store, "run")
    async with store.transaction() as session:
        await letter_deeds.settle(session, found[:3], "run", State.REDRIVEN, "ada")
    async with store.transaction() as session:
        assert await letter_deeds.remove(session, DIED, 10) == 0
        assert await letter_deeds.remove(session, DIED + timedelta(days=1), 2) == 2
        assert await letter_deeds.remove(session, DIED + timedelta(days=1), 2) == 1
        assert [f.id for f in await letters.page(session, Choice())] == [found[3].id]
        assert await letters.deeds(session, found[0].id) == []
