"""What is read out of a dead letter, and what is sent again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.messaging.deadletter import Disposition, dead_letter
from orchestrator.messaging.obituary import (
    before_edits,
    edited_id,
    is_for_another,
    read_obituary,
    sent_again,
)
from orchestrator.messaging.record import Record

AT = datetime(2026, 3, 1, tzinfo=UTC)
READ = Record(
    "orders.events",
    "k",
    b"{}",
    (("ce_id", b"m1"), ("ce_type", b"orders.Placed"), ("correlationid", b"Order/1")),
    2,
    7,
    AT,
)


def died(record: Record, error: BaseException | str) -> Record:
    """Its dead letter, as it is read again."""
    letter = dead_letter(record, "d", error, Disposition.EXHAUSTED, "billing-events")
    return letter._replace(partition=0, offset=1, timestamp=AT)


def error_of() -> Exception:
    """An exception that was raised here."""
    try:
        raise ConnectionError("down")
    except ConnectionError as error:
        return error


def test_all_that_it_says_is_read() -> None:
    """Where, who, why, and the line of the author's code."""
    told = read_obituary(died(READ, error_of()))
    assert (told.topic, told.partition, told.offset) == ("orders.events", 2, 7)
    assert (told.group, told.disposition, told.died) == ("billing-events", "exhausted", AT)
    assert (told.error, told.message) == ("builtins.ConnectionError", "down")
    assert (told.id, told.type, told.correlation_id) == ("m1", "orders.Placed", "Order/1")
    assert told.place is not None and told.place.startswith("test_obituary.py:")
    assert told.place.endswith(" in error_of") and told.after is None


def test_a_letter_that_says_nothing_is_read_all_the_same() -> None:
    """Of another program, or with headers that are none of ours."""
    headers = (("kafka_dlt-original-offset", b"x"), ("disposition", b"?"), ("redrive", b"a/b"))
    told = read_obituary(Record("d", None, b"\xff", headers, 0, 1, AT))
    assert (told.topic, told.offset, told.error, told.after) == (None, None, None, None)
    assert told.disposition is Disposition.EXHAUSTED


def test_texts_are_fit_for_sql() -> None:
    """Whatever bytes they are of."""
    told = read_obituary(Record("d", None, b"", (("ce_id", b"a\x00\xff"),), 0, 1, AT))
    assert told.id == "a\ufffd\ufffd"


@pytest.mark.parametrize(
    ("trace", "place"),
    [
        ('File "/app/shop.py", line 3, in f\nFile "/v/site-packages/x.py", line 1, in g', "shop"),
        ('File "C:\\app\\shop.py", line 3, in f', "shop"),
        ('File "/v/orchestrator/service/process.py", line 1, in g', None),
        ("java.lang.E: x\n\tat shop.Billing.pay(Billing.java:12)\n\tat a.b(C.java:1)", "java"),
        ("", None),
    ],
)
def test_the_place_is_in_the_author_s_code(trace: str, place: str | None) -> None:
    """Not in a library's, nor in ours."""
    shown = {"shop": "shop.py:3 in f", "java": "shop.Billing.pay(Billing.java:12)", None: None}
    header = ("kafka_dlt-exception-stacktrace", trace.encode())
    assert read_obituary(Record("d", None, b"", (header,))).place == shown[place]


def test_what_is_sent_again_is_what_came() -> None:
    """Its key, value and id; of its death it keeps where it was first read."""
    again = sent_again(died(READ, error_of()), "orders.events", "billing-events", "r1/17")
    assert (again.topic, again.key, again.value) == ("orders.events", "k", b"{}")
    names = [name for name, _ in again.headers]
    assert names[:3] == ["ce_id", "ce_type", "correlationid"]
    assert "kafka_dlt-original-topic" in names and "disposition" not in names
    assert not [name for name in names if "exception" in name]
    assert not is_for_another(again, "billing-events") and is_for_another(again, "mail-events")
    assert not is_for_another(READ, "mail-events")


def test_what_dies_again_says_after_which_redrive() -> None:
    """The last one, and where it was read for the first time."""
    once = sent_again(died(READ, "x"), "orders.events", "g", "r1/17")
    twice = sent_again(died(once, "y"), "orders.events", "g", "r2/18")
    told = read_obituary(died(twice._replace(partition=2, offset=99), "z"))
    assert told.after == ("r2", 18) and told.offset == 7


def test_an_edited_id_is_new_and_tells_the_old_one() -> None:
    """Also when it is edited again, and when there was none."""
    one, two = edited_id("Order/1#pay"), edited_id("Order/1#pay")
    assert len({one, two, edited_id(one), "Order/1#pay"}) == 4
    assert {before_edits(i) for i in (one, two, edited_id(one))} == {"Order/1#pay"}
    assert edited_id(None) != edited_id(None) and len(edited_id("x" * 5000)) < 100
