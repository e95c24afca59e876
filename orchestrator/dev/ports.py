"""Free loopback ports, and waiting until one answers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Sequence

from orchestrator.dev.errors import ServerError

LOOPBACK = "127.0.0.1"

# Below the range from which systems take ports for outgoing connections: a port that is free now
# is not lost to somebody's connection before the server binds it.
_RANGE = range(18_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_ports(count: int, preferred: Sequence[int] = ()) -> list[int]:
    """`count` different free ports; the n-th is the n-th preferred one where that is free.

    Raises `ServerError` when none can be found.
    """
    chosen: list[int] = []
    for index in range(count):
        wish = preferred[index] if index < len(preferred) else 0
        good_wish = wish > 0 and wish not in chosen and is_free(wish)
        chosen.append(wish if good_wish else _other(chosen))
    return chosen


def free_port(preferred: int = 0) -> int:
    """One free port, the preferred one where that is free."""
    return free_ports(1, [preferred])[0]


def require_free(port: int, what: str) -> None:
    """Raise `ServerError` when a port that the user asked for is taken."""
    if not is_free(port):
        raise ServerError(
            f"port {port} for {what} is in use: choose another, or leave the choice to us"
        )


async def answers(port: int) -> bool:
    """Whether something accepts a TCP connection on this loopback port."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _other(taken: Sequence[int]) -> int:
    for _ in range(_TRIES):
        port = random.choice(_RANGE)
        if port not in taken and is_free(port):
            return port
    raise ServerError(f"no free port between {_RANGE.start} and {_RANGE.stop} on {LOOPBACK}")
