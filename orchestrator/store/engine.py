"""A database URL to an engine, set up for many short transactions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.store.errors import StoreError

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}

#: Execution option of a connection that only reads; on SQLite it does not wait for the writer.
READ_ONLY = "orchestrate_read_only"

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
)


#: Seconds that a transaction may stand still, while nothing in it is asked of the database.
STILL = 120.0


def make_engine(url: str, still: float = STILL) -> AsyncEngine:
    """`sqlite:///path.db` or `postgresql://user@host/name`, with or without an async driver named.
    PostgreSQL ends a transaction that stands still for `still` seconds; 0: never. Does not
    connect. Raises StoreError for any other URL."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    return create_async_engine(
        parsed,
        pool_size=10,
        max_overflow=10,
        pool_pre_ping=True,  # the server's restart costs no transaction
        connect_args={
            "timeout": 5,
            # A process that is stopped, or whose machine is gone, holds its locks no longer.
            "server_settings": {"idle_in_transaction_session_timeout": f"{round(still * 1000)}ms"},
        },
        hide_parameters=True,  # payloads do not belong in errors
    )


def database_url(url: str) -> URL:
    """The URL with its async driver. Raises StoreError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not quoted: whatever it is, a password may be in it.
        raise StoreError(
            "the database URL cannot be read: it is like `sqlite:///orchestrate.db` or "
            "`postgresql://user@host/name`"
        ) from None
    backend = parsed.drivername.split("+")[0]
    driver = _DRIVERS.get(backend)
    if driver is None:
        raise StoreError(f"no support for `{backend}` databases: use `sqlite` or `postgresql`")
    return parsed if "+" in parsed.drivername else parsed.set(drivername=driver)


def shown(engine: AsyncEngine) -> str:
    """The URL as an error may show it."""
    return engine.url.render_as_string(hide_password=True)


def _sqlite(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True)

    def connected(connection: Any, _: object) -> None:
        # The driver's own BEGIN comes late, before the first write: two readers that both want to
        # write would then lock each other out.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine
