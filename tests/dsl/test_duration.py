"""A time is written as the language reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsl.duration import written
from dsl.fine import duration_of
from dsl.literal import read_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_400, "1d"),
        (90, "1m30s"),
        (93_784, "1d2h3m4s"),
        (3600.25, "1h250ms"),
        (1.5, "1.5s"),
        (59.000_001, "59.000001s"),
        (0.0015, "1.5ms"),
        (0.000_007, "7us"),
        (0, "0s"),
        (-90, "-1m30s"),
    ],
)
def test_a_time_is_written_in_its_largest_units(seconds: float, text: str) -> None:
    assert written(timedelta(seconds=seconds)) == text


@given(st.integers(min_value=0, max_value=10**19))
def test_what_is_written_is_read_as_the_same_time(nanos: int) -> None:
    time = duration_of(nanos)
    assert read_duration(written(time)) == time
