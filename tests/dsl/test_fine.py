"""Times with nanoseconds are Python's times to whoever knows only those."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dsl.cel.wire import from_json, to_json
from dsl.fine import FineDuration, FineTimestamp, coarse, duration_of, nanoseconds, timestamp_of
from dsl.types import DURATION, TIMESTAMP, Type


@pytest.mark.parametrize("nanos", [0, 1, -1, 999, 1000, -1001, 10**18 + 1, -(10**18) - 1])
def test_nanoseconds_there_and_back(nanos: int) -> None:
    pairs: list[tuple[object, Type]] = [
        (duration_of(nanos), DURATION),
        (timestamp_of(nanos), TIMESTAMP),
    ]
    for value, type in pairs:
        assert nanoseconds(value) == nanos
        assert from_json(to_json(value, type), type) == value
        assert copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value
        assert (value == coarse(value)) == (nanos % 1000 == 0)


def test_what_has_no_rest_is_plain() -> None:
    assert type(duration_of(1000)) is timedelta
    assert type(timestamp_of(1000)) is datetime
    assert type(duration_of(1)) is FineDuration
    assert type(timestamp_of(1)) is FineTimestamp


def test_others_see_it_rounded_down() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert start + duration_of(1999) == start + timedelta(microseconds=1)
    assert duration_of(1_500_000_001).total_seconds() == 1.5
    assert timestamp_of(1).isoformat() == "1970-01-01T00:00:00+00:00"


def test_the_order_is_that_of_the_nanoseconds() -> None:
    times = [duration_of(n) for n in (-1001, -1000, -1, 0, 1, 999, 1000, 1001)]
    assert all(a < b and b > a and a <= b for a, b in pairwise(times))
    assert len(set(times)) == len(times)
    assert duration_of(1) != "1ns"
