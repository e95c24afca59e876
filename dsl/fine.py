"""Timestamps and durations that hold nanoseconds, where Python's own end at microseconds.

A value without a rest below the microsecond is a plain `datetime` or `timedelta`, so one value has
one form. One with a rest is of a subclass: whoever knows only Python's types sees it rounded down.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class _Fine:
    """Ordered, with what is plain as well, by the nanoseconds; the rest is `nanos`, 1 to 999."""

    nanos: int

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and nanoseconds(self) == nanoseconds(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return nanoseconds(self) < nanoseconds(other)

    def __le__(self, other: Any) -> bool:
        return nanoseconds(self) <= nanoseconds(other)

    def __gt__(self, other: Any) -> bool:
        return nanoseconds(self) > nanoseconds(other)

    def __ge__(self, other: Any) -> bool:
        return nanoseconds(self) >= nanoseconds(other)

    def __repr__(self) -> str:
        made_by = timestamp_of if isinstance(self, datetime) else duration_of
        return f"{made_by.__name__}({nanoseconds(self)})"

    def __hash__(self) -> int:
        return hash((type(self), nanoseconds(self)))


class FineTimestamp(_Fine, datetime):
    """An instant in UTC with a rest of nanoseconds. Made by `timestamp_of`."""

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return timestamp_of, (nanoseconds(self),)


class FineDuration(_Fine, timedelta):
    """A duration with a rest of nanoseconds. Made by `duration_of`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return duration_of, (nanoseconds(self),)


#: What is of the same type in the language.
PLAIN: dict[type, type] = {FineTimestamp: datetime, FineDuration: timedelta}


def nanoseconds(value: Any) -> int:
    """A duration, or what has passed since 1970-01-01T00:00:00Z, in nanoseconds."""
    length = datetime.__sub__(value, _EPOCH) if isinstance(value, datetime) else value
    micros: int = length // _MICRO
    return micros * 1000 + getattr(value, "nanos", 0)


def duration_of(nanos: int) -> timedelta:
    """The duration of so many nanoseconds. Raises OverflowError beyond Python's range."""
    micros, rest = divmod(nanos, 1000)
    plain = timedelta(microseconds=micros)
    if not rest:
        return plain
    fine = FineDuration(plain.days, plain.seconds, plain.microseconds)
    fine.nanos = rest
    return fine


def timestamp_of(nanos: int) -> datetime:
    """The instant so many nanoseconds after 1970-01-01T00:00:00Z. Raises OverflowError outside the
    years 1 to 9999."""
    micros, rest = divmod(nanos, 1000)
    plain = _EPOCH + timedelta(microseconds=micros)
    if not rest:
        return plain
    day = (plain.year, plain.month, plain.day)
    fine = FineTimestamp(*day, plain.hour, plain.minute, plain.second, plain.microsecond, UTC)
    fine.nanos = rest
    return fine


def coarse(value: Any) -> Any:
    """The value without its rest of nanoseconds; any other value as it is."""
    if type(value) is FineDuration:
        return timedelta(value.days, value.seconds, value.microseconds)
    if type(value) is FineTimestamp:
        return _EPOCH + datetime.__sub__(value, _EPOCH)
    return value
