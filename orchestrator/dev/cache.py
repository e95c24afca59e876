"""The user's cache folder: what is fetched once and serves every project on the machine."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]
"""Where progress goes: one line at a time, without a line end."""


def quiet(_: str) -> None:
    """Say nothing."""


@contextmanager
def alone(path: Path, say: Say) -> Iterator[None]:
    """Hold this lock file; wait while another process does. The system frees it on any end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that prepares {path.parent}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
