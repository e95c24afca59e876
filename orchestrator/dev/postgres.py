"""PostgreSQL: a server of its own for tests, on a loopback port, with trust for who is local."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Self

from orchestrator.dev.errors import MissingError, ServerError
from orchestrator.dev.portplan import PortPlan
from orchestrator.dev.ports import LOOPBACK
from orchestrator.dev.process import ServerProcess, end_stale
from orchestrator.dev.server import Server
from orchestrator.dev.tool import run_tool

_DEBIAN = Path("/usr/lib/postgresql")
# Commits stay synchronous: they reach the system's cache, and so survive a kill of the server.
_UNSAFE_BUT_FAST = ("fsync=off", "full_page_writes=off")


class PostgresServer(Server):
    """A PostgreSQL on `folder`, or on a temporary one that goes with the stop.

    `durable` keeps what is committed over a crash of the machine; without it (the default, for
    tests) it survives only crashes of the server itself. As root, it runs as an unprivileged user
    who then owns the folder. `limit` is the seconds it has to become ready.
    """

    host = LOOPBACK
    user = "orchestrate"
    database = "postgres"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = 0,
        durable: bool = False,
        max_connections: int = 200,
        limit: float = 60.0,
    ) -> None:
        self._asked_folder = folder.absolute() if folder else None
        self.folder = self._asked_folder or Path()
        self.ports = PortPlan("PostgreSQL", {"sql": port})
        self._durable = durable
        self._max_connections = max_connections
        self._limit = limit
        self._run_as = unprivileged_user()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.ports["sql"]

    def url(self, driver: str = "asyncpg", database: str = database) -> str:
        """A SQLAlchemy URL, `postgresql+driver://user@host:port/database`."""
        return f"postgresql+{driver}://{self.user}@{self.host}:{self.port}/{database}"

    async def start(self) -> Self:
        """Start it and wait for it to be ready. Raises `MissingError` or `ServerError`."""
        if self.pid is not None:
            return self
        binaries = find_postgres()
        self._prepare_folder()
        await end_stale("postgres", self.folder)
        await self._create_once(binaries)
        await self.ports.start(lambda: self._start_once(binaries))
        return self

    async def stop(self) -> None:
        """Stop it without waiting for its clients; a second call does nothing."""
        await super().stop()
        if self._asked_folder is None and self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _prepare_folder(self) -> None:
        if self._asked_folder is None and self.folder == Path():
            self.folder = Path(tempfile.mkdtemp(prefix="orchestrate-pg-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._run_as is None:
            return
        account = pwd.getpwnam(self._run_as)
        os.chown(self.folder, account.pw_uid, account.pw_gid)
        closed = _closed_parent(self.folder)
        if closed is not None:
            raise ServerError(
                f"user {self._run_as}, who runs PostgreSQL for root, cannot enter {closed}: "
                "choose a data folder elsewhere, or none for a temporary one"
            )

    async def _create_once(self, binaries: Path) -> None:
        # Written last; what an interrupted creation left is thrown away.
        if (self._data / "postgresql.auto.conf").exists() and (self.folder / "created").exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        command = [str(binaries / "initdb"), "-D", str(self._data), "-U", self.user, "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        await run_tool("initdb", command, cwd=self.folder, user=self._run_as)
        (self.folder / "created").touch()

    async def _start_once(self, binaries: Path) -> None:
        settings = [
            f"listen_addresses={LOOPBACK}",
            # TCP serves all; a socket would need a short path that is ours alone.
            "unix_socket_directories=",
            f"max_connections={self._max_connections}",
            *(() if self._durable else _UNSAFE_BUT_FAST),
        ]
        command = [str(binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        for setting in settings:
            command += ["-c", setting]
        self._process = ServerProcess(
            "postgres",
            command,
            self.folder,
            cwd=self.folder,
            user=self._run_as,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        )
        await self._process.start()
        await self._process.until_ready(self._ready, self._limit)

    async def _ready(self) -> bool:
        # The server notes its state in the last line of this file, beside its pid in the first.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


def find_postgres() -> Path:
    """The folder of `initdb` and `postgres`: Debian's newest, else by the PATH.

    Raises `MissingError` where there is none.
    """
    versions = [each for each in _DEBIAN.glob("*/bin") if each.parent.name.isdigit()]
    on_path = shutil.which("initdb")
    places = sorted(versions, key=lambda each: int(each.parent.name), reverse=True)
    places += [Path(on_path).resolve().parent] if on_path else []
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise MissingError("PostgreSQL's server was not found: run `apt-get install postgresql`")


def unprivileged_user() -> str | None:
    """Whom PostgreSQL, which refuses to run as root, runs as; nobody else where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise ServerError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`"
    )


def _closed_parent(folder: Path) -> Path | None:
    """The outermost parent that another user may not enter."""
    for parent in reversed(folder.parents):
        if not parent.stat().st_mode & 0o001:
            return parent
    return None
