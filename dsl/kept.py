"""The grammar's table, kept in the user's cache folder from run to run.

It is data, not code: what stands there is read as JSON, counts only with the digest it was written
with, and is computed anew wherever it cannot be had. Writers do not wait for each other: each puts
a whole file in place.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

from dsl.table import Table, compute, read, write

#: Changes with what a table holds, so that none is read that another release wrote. lark's version
#: does not count: a grammar without conflicts has one LALR table, whoever computes it.
_FORMAT = 2
#: How many tables stay: each change of the grammar makes one.
_MOST = 8


def cache_folder() -> Path:
    """`$ORCHESTRATE_CACHE`, else the system's place for a user's caches; it may not exist yet."""
    chosen = os.environ.get("ORCHESTRATE_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("orchestrate")


def table_of(grammar: str, start: str) -> Table:
    """The grammar's table for texts that are one `start`: as it was kept, else computed."""
    named = f"{_FORMAT} {start}\n{grammar}"
    try:
        path = cache_folder() / "grammar" / f"{sha256(named.encode()).hexdigest()[:32]}.json"
    except (OSError, RuntimeError):  # a `~` that leads nowhere
        return compute(grammar, start)
    if (kept := _kept(path)) is not None:
        return kept
    table = compute(grammar, start)
    with contextlib.suppress(OSError):
        _keep(path, write(table))
    return table


def _kept(path: Path) -> Table | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        digest, _, text = path.read_text("utf-8").partition("\n")
        if digest == sha256(text.encode()).hexdigest():
            return read(text)
    return None


def _keep(path: Path, text: str) -> None:
    import tempfile  # seldom needed, and slow to load

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix="making-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{sha256(text.encode()).hexdigest()}\n{text}")
        Path(fresh).replace(path)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
    by_age = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)
    for old in by_age[:-_MOST]:
        old.unlink(missing_ok=True)
