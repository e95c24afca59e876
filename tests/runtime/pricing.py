"""The functions that the flow of `test_saga_activities` calls. What they do for a key is scripted;
`calls` holds what came, in order."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from temporalio import activity

#: By key: what to do for each call, the last one again and again.
script: dict[str, list[Callable[[], Any]]] = {}
calls: dict[str, list[str]] = defaultdict(list)
given: dict[str, Any] = {}
#: By key: what each call could give others as its idempotency key.
keys: dict[str, list[str]] = defaultdict(list)
#: By key: lets a function that waits go on.
gates: dict[str, threading.Event] = defaultdict(threading.Event)


def _next(key: str, usual: Any) -> Any:
    left = script.get(key, [lambda: usual])
    return (left.pop(0) if len(left) > 1 else left[0])()


def discount(id: str, basket: Any) -> Decimal:
    """Not async: it may block, off the worker's loop."""
    assert threading.current_thread() is not threading.main_thread()
    info = activity.info()
    assert info.activity_type.endswith(".Discount")
    keys[id].append(f"{info.workflow_id}#{info.activity_id}")
    calls[id].append("discount")
    given[id] = basket
    found: Decimal = _next(id, Decimal("0.10"))
    return found


async def book(id: str, days: timedelta) -> dict[str, Any]:
    """Async, on the worker's loop."""
    calls[id].append("book")
    asyncio.get_running_loop()
    return {"ref": f"{id}:{days.days}", "size": "LARGE"}


def unbook(id: str, ref: str) -> None:
    """An undo."""
    calls[id].append(f"unbook {ref}")
    _next(f"{id}:unbook", None)


def wait(id: str) -> str:
    """Comes to its end when the test says so."""
    calls[id].append("wait")
    assert gates[id].wait(30)
    calls[id].append("waited")
    return "waited"


def raising(text: str) -> Callable[[], Any]:
    """A function that fails."""

    def fail() -> Any:
        raise ValueError(text)

    return fail
