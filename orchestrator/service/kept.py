"""A record as SQL keeps it, until its turn comes."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from orchestrator.messaging.record import Record


def to_json(record: Record) -> dict[str, Any]:
    """The whole record, with its place."""
    return {
        "topic": record.topic,
        "key": record.key,
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": None if record.timestamp is None else record.timestamp.isoformat(),
    }


def from_json(found: dict[str, Any]) -> Record:
    """Back from SQL."""
    stamp = found["timestamp"]
    return Record(
        found["topic"],
        found["key"],
        base64.b64decode(found["value"]),
        tuple((name, base64.b64decode(value)) for name, value in found["headers"]),
        found["partition"],
        found["offset"],
        None if stamp is None else datetime.fromisoformat(stamp),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
