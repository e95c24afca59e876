"""Messages in Kafka records, as CloudEvents."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.messaging.envelope import Envelope, EnvelopeError, ReplyTo, from_record, to_record
from orchestrator.messaging.record import Record

_FULL = Envelope(
    id="PlaceOrder/1:reserve:0",
    type="inventory.ReserveStock",
    source="/sagas/PlaceOrder",
    time=datetime(2026, 1, 2, 3, 4, 5, 678, UTC),
    key="o-1",
    data=b"{}",
    correlation_id="PlaceOrder/1",
    causation_id="e-1",
    reply_to=ReplyTo("replies", 3),
    undoes="PlaceOrder/1:before",
    traceparent="00-1-2-01",
    tracestate="a=b",
)


def test_the_headers_are_those_of_the_design() -> None:
    """Binary mode: attributes as headers, the data as it is."""
    record = to_record(_FULL, "inventory.commands", 2)
    assert (record.topic, record.key, record.value, record.partition) == (
        "inventory.commands",
        "o-1",
        b"{}",
        2,
    )
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"PlaceOrder/1:reserve:0",
        "ce_source": b"/sagas/PlaceOrder",
        "ce_type": b"inventory.ReserveStock",
        "ce_time": b"2026-01-02T03:04:05.000678Z",
        "ce_subject": b"o-1",
        "content-type": b"application/json",
        "correlationid": b"PlaceOrder/1",
        "causationid": b"e-1",
        "replyto": b"replies:3",
        "undoes": b"PlaceOrder/1:before",
        "traceparent": b"00-1-2-01",
        "tracestate": b"a=b",
    }


def test_it_comes_back_whole() -> None:
    """Nothing is lost or changed."""
    assert from_record(to_record(_FULL, "t")) == _FULL


def test_absent_attributes_have_no_header() -> None:
    """And are None again."""
    small = replace(_FULL, correlation_id=None, causation_id=None, reply_to=None, traceparent=None)
    record = to_record(small, "t")
    assert record.header("replyto") is None
    assert from_record(record) == small


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_specversion"])
def test_what_is_required_is_named_with_the_place(name: str) -> None:
    """Topic, partition and offset tell where to look."""
    record = to_record(_FULL, "t")
    headers = tuple(h for h in record.headers if h[0] != name)
    with pytest.raises(EnvelopeError) as caught:
        from_record(record._replace(headers=headers, partition=4, offset=17))
    assert str(caught.value) == f"t[4]@17: header `{name}` is missing"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ce_time", b"yesterday", "`ce_time` is not a time"),
        ("ce_time", b"2026-01-01T00:00:00", "`ce_time` has no offset"),
        ("replyto", b"replies:x", "`replyto` is not a topic"),
        ("replyto", b":1", "`replyto` is not a topic"),
        ("ce_specversion", b"2.0", "CloudEvents 2.0 is not understood"),
        ("ce_id", b"\xff", "`ce_id` is not UTF-8"),
        ("ce_id", b"", "`ce_id` is missing"),
    ],
)
def test_bad_headers_are_named(name: str, value: bytes, message: str) -> None:
    """The last header of a name counts, as in Kafka."""
    record = to_record(_FULL, "t")
    with pytest.raises(EnvelopeError, match=message):
        from_record(record._replace(headers=(*record.headers, (name, value))))


def test_foreign_headers_do_not_matter() -> None:
    """Whatever their bytes are."""
    record = to_record(_FULL, "t")
    assert from_record(record._replace(headers=(*record.headers, ("x", b"\xff")))) == _FULL


def test_a_time_without_a_header_is_the_brokers() -> None:
    """CloudEvents leaves it optional."""
    record = to_record(_FULL, "t")
    headers = tuple(h for h in record.headers if h[0] != "ce_time")
    stamp = datetime(2030, 1, 1, tzinfo=UTC)
    assert from_record(record._replace(headers=headers, timestamp=stamp)).time == stamp


def test_a_time_is_sent_in_utc() -> None:
    """Whatever zone it is given in; without one it is refused."""
    local = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert to_record(replace(_FULL, time=local), "t").header("ce_time") == b"2025-12-31T22:00:00Z"
    with pytest.raises(ValueError, match="offset"):
        to_record(replace(_FULL, time=datetime(2026, 1, 1)), "t")


@given(
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_time", "replyto", "ce_type"]), st.binary()))
)
def test_nonsense_is_an_envelope_error(headers: list[tuple[str, bytes]]) -> None:
    """No other exception comes out."""
    record = to_record(_FULL, "t")
    with contextlib.suppress(EnvelopeError):
        from_record(Record("t", None, b"", (*record.headers, *headers)))
