"""Timestamps, durations, dates and time zones: their texts and their parts.

Precision is a nanosecond; finer digits are cut off.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dsl.cel.arithmetic import duration
from dsl.cel.errors import INVALID_ARGUMENT, RANGE, CelError, no_overload
from dsl.fine import (
    FineDuration,
    FineTimestamp,
    coarse,
    duration_of,
    nanoseconds,
    timestamp_of,
)

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,18}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LONG_YEAR = re.compile(r"[0-9]{5,}-[0-9]{2}-[0-9]{2}T")
_DURATION_PART = r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h|d)"
_DURATION = re.compile(rf"([+-]?)((?:{_DURATION_PART})+)")
_PART = re.compile(_DURATION_PART)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET = re.compile(r"([+-]?)([0-9]{2}):([0-9]{2})")
_DURATIONS = (timedelta, FineDuration)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}


def parse_timestamp(text: str) -> datetime:
    """An RFC 3339 text as an instant in UTC."""
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        kind = RANGE if _LONG_YEAR.match(text) else INVALID_ARGUMENT
        raise CelError(kind, f"{text!r} is not an RFC 3339 timestamp")
    seconds, fraction, zone = found.groups()
    micros, rest = divmod(int((fraction or "0")[:9].ljust(9, "0")), 1000)
    try:
        instant = datetime.fromisoformat(seconds + zone).astimezone(UTC)
        instant += timedelta(microseconds=micros)
        return timestamp_of(nanoseconds(instant) + rest) if rest else instant
    except (ValueError, OverflowError):
        raise CelError(RANGE, f"{text!r} is no instant of the years 1 to 9999") from None


def format_timestamp(value: datetime) -> str:
    """RFC 3339 in UTC, with as many digits of a second as it needs."""
    utc = coarse(value).astimezone(UTC)
    nanos = utc.microsecond * 1000 + getattr(value, "nanos", 0)
    fraction = f".{nanos:09}".rstrip("0") if nanos else ""
    return f"{utc.replace(microsecond=0, tzinfo=None).isoformat()}{fraction}Z"


def from_epoch(seconds: int) -> datetime:
    """The instant so many seconds after 1970-01-01T00:00:00Z."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise CelError(RANGE, f"{seconds} is no instant of the years 1 to 9999") from None


def to_epoch(value: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00:00Z, rounded down."""
    return nanoseconds(value) // 10**9


def parse_duration(text: str) -> timedelta:
    """`1h30m`, `-1.5s`, `250ms`, `0`; `d` is 24 hours."""
    if text in ("0", "+0", "-0"):
        return timedelta()
    found = _DURATION.fullmatch(text)
    parts = _PART.findall(found[2]) if found else []
    if not found or any(not whole and not fraction for whole, fraction, _ in parts):
        raise CelError(INVALID_ARGUMENT, f"{text!r} is not a duration")
    nanos = sum(_nanoseconds(*part) for part in parts)
    try:
        return duration(duration_of(-nanos if found[1] == "-" else nanos))
    except (CelError, OverflowError):
        raise CelError(RANGE, f"{text!r} is longer than ten thousand years") from None


def _nanoseconds(whole: str, fraction: str, unit: str) -> int:
    try:
        size = _NANOSECONDS[unit]
        return (
            int(whole or "0") * size + int((fraction or "0")[:18].ljust(18, "0")) * size // 10**18
        )
    except ValueError:  # more digits than Python converts
        raise CelError(RANGE, "a duration lies within ten thousand years") from None


def format_duration(value: timedelta) -> str:
    """Seconds with as many digits as it needs: `3600s`, `-1.5s`."""
    nanos = nanoseconds(value)
    seconds, rest = divmod(abs(nanos), 10**9)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{'-' if nanos < 0 else ''}{seconds}{fraction}s"


def parse_date(text: str) -> date:
    """`2024-02-29`."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise CelError(INVALID_ARGUMENT, f"{text!r} is not a date such as `2024-02-29`")


@lru_cache(maxsize=256)
def zone(name: str) -> timezone | ZoneInfo:
    """An IANA zone, or an offset such as `-02:30`."""
    if found := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < timedelta(days=1) and int(found[3]) < 60:
            return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise CelError(INVALID_ARGUMENT, f"no time zone {name!r}") from None


_OF_A_DAY: dict[str, Callable[[Any], int]] = {
    "getFullYear": lambda t: int(t.year),
    "getMonth": lambda t: int(t.month) - 1,
    "getDate": lambda t: int(t.day),
    "getDayOfMonth": lambda t: int(t.day) - 1,
    "getDayOfWeek": lambda t: int(t.isoweekday()) % 7,
    "getDayOfYear": lambda t: int(t.timetuple().tm_yday) - 1,
}
_OF_AN_INSTANT: dict[str, Callable[[Any], int]] = {
    **_OF_A_DAY,
    "getHours": lambda t: int(t.hour),
    "getMinutes": lambda t: int(t.minute),
    "getSeconds": lambda t: int(t.second),
    "getMilliseconds": lambda t: int(t.microsecond) // 1000,
}
_OF_A_DURATION = {
    "getHours": 3600 * 10**9,
    "getMinutes": 60 * 10**9,
    "getSeconds": 10**9,
}

DAY_PARTS = tuple(_OF_A_DAY)
INSTANT_PARTS = tuple(_OF_AN_INSTANT)
DURATION_PARTS = (*_OF_A_DURATION, "getMilliseconds")


def accessor(name: str) -> Callable[..., int]:
    """The function `name`: a part of a timestamp (in a zone), of a date, or of a duration."""
    of_instant, of_day = _OF_AN_INSTANT[name], _OF_A_DAY.get(name)

    def run(value: Any, *zone_name: Any) -> int:
        value = coarse(value) if type(value) is FineTimestamp else value
        if type(value) is datetime:
            return of_instant(_in_zone(value, *zone_name))
        if type(value) is date and of_day and not zone_name:
            return of_day(value)
        if type(value) in _DURATIONS and name in DURATION_PARTS and not zone_name:
            return _of_duration(value, name)
        raise no_overload(name, value, *zone_name)

    return run


def _in_zone(value: datetime, name: Any = "UTC") -> datetime:
    if type(name) is not str:
        raise no_overload("time zone", name)
    try:
        return value.astimezone(UTC if name == "UTC" else zone(name))
    except OverflowError:
        raise CelError(RANGE, "a timestamp lies in the years 1 to 9999") from None


def _of_duration(value: timedelta, name: str) -> int:
    nanos = nanoseconds(value)
    sign = -1 if nanos < 0 else 1
    if name == "getMilliseconds":
        return sign * (abs(nanos) % 10**9 // 10**6)
    return sign * (abs(nanos) // _OF_A_DURATION[name])
