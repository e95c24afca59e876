"""The ports of one server: those asked for, and those that we choose and then keep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from orchestrator.dev.errors import EarlyDeathError
from orchestrator.dev.ports import free_ports, is_free, require_free

_ATTEMPTS = 3


class PortPlan:
    """Ports by use ("grpc", "ui"). An asked one is fixed; 0 means that we choose.

    `preferred` are tried first where we choose. Chosen ports stay the same over restarts, so that
    clients find the server again, unless somebody else took one meanwhile.
    """

    def __init__(
        self, server: str, asked: Mapping[str, int], preferred: Mapping[str, int] | None = None
    ) -> None:
        self._server = server
        self._asked = dict(asked)
        self._wished = dict(preferred or {})
        self._chosen: dict[str, int] = {}

    def __getitem__(self, use: str) -> int:
        return self._chosen[use]

    @property
    def chosen(self) -> dict[str, int]:
        """The ports in use, by use; empty before the first start."""
        return dict(self._chosen)

    async def start(self, start_once: Callable[[], Awaitable[None]]) -> None:
        """Settle the ports and start; with other ports again where one was taken under our hands.

        Raises `ServerError` where an asked port is in use.
        """
        for left in reversed(range(_ATTEMPTS)):
            self._settle()
            try:
                await start_once()
            except EarlyDeathError as error:
                free_to_move = any(port == 0 for port in self._asked.values())
                if not (left and free_to_move and error.port_was_taken):
                    raise
                self._wished.clear()
                self._chosen.clear()
            else:
                return

    def _settle(self) -> None:
        if self._chosen and all(is_free(port) for port in self._chosen.values()):
            return
        for use, port in self._asked.items():
            if port:
                require_free(port, f"{self._server} ({use})")
        wishes = [port or self._wished.get(use, 0) for use, port in self._asked.items()]
        self._chosen = dict(zip(self._asked, free_ports(len(wishes), wishes), strict=True))
