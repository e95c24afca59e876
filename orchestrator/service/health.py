"""Health endpoints: whether a process lives, and whether its services are ready."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Self

from orchestrator.service.errors import ServiceError
from orchestrator.telemetry import metrics

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

#: Why a service is not ready; empty when it is.
Probe = Callable[[], Awaitable[Sequence[str]]]

_HOST = "127.0.0.1"

#: Seconds that a probe may take; whoever asks waits about ten.
_PATIENCE = 3.0


class Health:
    """An HTTP server on the loopback interface, while it is entered; port 0 takes any that is free.

    While it is open numbers are kept: `GET /metrics` is what Prometheus asks. What is to be counted
    is made after it.

    `GET /live` is answered with 200 as long as the process can answer at all. `GET /ready` is 200
    when every service is ready, else 503, with the reasons: `{"status": "not ready", "services":
    {"inventory": ["the database … does not answer …"]}}`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._probes: dict[str, Probe] = {}

    def watch(self, service: str, probe: Probe) -> None:
        """Asks this, too, from now on."""
        self._probes[service] = probe

    async def __aenter__(self) -> Self:
        """Raises ServiceError when the port is taken."""
        self._meters = metrics.begin()
        # An HTTP server is for those who want one; loading it takes a while.
        from uvicorn import Config, Server

        class Quiet(Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                """Signals are the program's affair."""
                yield

        try:
            listener = socket.create_server((_HOST, self.port))
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise ServiceError(
                f"health cannot be served on {_HOST}:{self.port}: {why or error}"
            ) from None
        self.port = listener.getsockname()[1]
        config = Config(
            self._application(), log_config=None, access_log=False, lifespan="off", ws="none"
        )
        self._server = Quiet(config)
        self._listener = listener
        self._task = asyncio.create_task(self._server.serve([listener]))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.should_exit = True
        await self._task
        self._listener.close()

    def _application(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route

        async def live(request: Request) -> JSONResponse:
            return JSONResponse({"status": "alive"})

        async def ready(request: Request) -> JSONResponse:
            reasons = await self._reasons()
            fine = bool(reasons) and not any(reasons.values())
            found = {"status": "ready" if fine else "not ready", "services": reasons}
            return JSONResponse(found, status_code=200 if fine else 503)

        async def numbers(request: Request) -> Response:
            accept = request.headers.get("accept", "")
            text, kind = metrics.exposition(self._meters.registry, accept)
            return Response(text, headers={"content-type": kind})

        paths = {"/live": live, "/ready": ready, "/metrics": numbers}
        return Starlette(routes=[Route(path, answer) for path, answer in paths.items()])

    async def _reasons(self) -> dict[str, list[str]]:
        found = await asyncio.gather(*(_asked(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, found, strict=True))


async def _asked(probe: Probe) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return list(await probe())
    except TimeoutError:
        return [f"it does not say within {_PATIENCE:g} s"]
    except Exception as error:
        # A driver's own words may hold what is nobody's business.
        return [f"it cannot say: {type(error).__name__}"]
