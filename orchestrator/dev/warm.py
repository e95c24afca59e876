"""Making the broker's class archive: one run on an empty folder, whose end writes it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

from orchestrator.dev.archive import Archive
from orchestrator.dev.cache import Say, quiet
from orchestrator.dev.errors import ServerError
from orchestrator.dev.jars import ensure_jars
from orchestrator.dev.java import find_java
from orchestrator.dev.kafka import KafkaServer

_GRACE = 120.0  # seconds; writing the archive is part of the stop


async def warm_up(say: Say = quiet) -> bool:
    """Make the archive where it is absent (about 10 s once); whether there is one now.

    Raises `MissingError` where Java or the jars cannot be had. A failure to make it is no error:
    the broker starts without, only slower.
    """
    java = await asyncio.to_thread(find_java)
    archive = Archive.of(java, await asyncio.to_thread(ensure_jars, say))
    if not archive.exists:
        say("preparing Java's class archive, which halves the time in which Kafka starts")
        with contextlib.suppress(ServerError, OSError):
            await _make(archive)
    return archive.exists


async def _make(archive: Archive) -> None:
    archive.path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.path.parent, prefix="making-") as name:
        fresh = Path(name) / archive.path.name
        async with KafkaServer(
            Path(name) / "kafka", grace=_GRACE, java_flags=archive.writing(fresh)
        ):
            pass
        fresh.replace(archive.path)
    _forget_others(archive)


def _forget_others(archive: Archive) -> None:
    # Each is some 60 MB. Another Java's archive is made again where it is needed again.
    for other in archive.path.parent.glob("*.*"):
        if other != archive.path and other.is_file():
            other.unlink(missing_ok=True)
