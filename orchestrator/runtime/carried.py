"""What one run of a saga hands to the next, in the next one's input."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from orchestrator.runtime.wire import Arrival

#: From so many characters on it is sent compressed.
_LONG = 32_000
#: Temporal refuses an input of 2 MB; the start's parameters stand beside.
_MOST = 1_500_000


class Carried(BaseModel):
    """The interpreter's state and what the workflow knows beside it. Stands in histories: fields
    are added with defaults, never removed or renamed.

    `began` is when the first run did, `runs` how many there were; `known` are the ids of the
    messages that came and the updates that were made, the last ones.
    """

    state: dict[str, Any]
    waiting: list[dict[str, Any]] = []
    known: list[str] = []
    complete: bool = False
    began: datetime
    runs: int = 1

    def arrivals(self) -> list[Arrival]:
        """The events and signals that no statement has taken yet."""
        return [Arrival(**a) for a in self.waiting]


def carry(
    state: dict[str, Any],
    waiting: list[Arrival],
    known: list[str],
    complete: bool,
    began: datetime,
    runs: int,
) -> Any:
    """The wire form, which `carried` reads; None for more than an input may hold."""
    text = json.dumps(
        {
            "state": state,
            "waiting": [asdict(a) for a in waiting],
            "known": known,
            "complete": complete,
            "began": began.isoformat(),
            "runs": runs,
        },
        separators=(",", ":"),
    )
    return pack(text)


def carried(wire: Any) -> Carried | None:
    """What `carry` wrote; None of a first run."""
    if wire is None:
        return None
    return Carried.model_validate(unpack(wire))


def pack(text: str) -> Any:
    """A JSON text as a value to send; None for more than Temporal takes."""
    if len(text) < _LONG:
        return json.loads(text)
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    return {"zlib": packed} if len(packed) < _MOST else None


def unpack(wire: Any) -> Any:
    """The value that was packed; it is no object with the member `zlib` itself."""
    if isinstance(wire, dict) and "zlib" in wire:
        return json.loads(zlib.decompress(base64.b64decode(wire["zlib"])))
    return wire
