"""Running a program that does one thing and ends (formatting storage, creating a database)."""

from __future__ import annotations

import asyncio
import contextlib
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.dev.errors import ServerError


async def run_tool(
    name: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    limit: float = 60.0,
) -> str:
    """What the program wrote. Raises `ServerError` where it fails or needs over `limit` seconds."""
    process = await asyncio.create_subprocess_exec(
        *(str(part) for part in command),
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        **as_user(user),
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), limit)
    except TimeoutError:
        raise ServerError(f"{name} did not end within {limit:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    text = output.decode(errors="replace").strip()
    if process.returncode != 0:
        raise ServerError(f"{name} failed with status {process.returncode}:\n{text[-2000:]}")
    return text


def as_user(user: str | None) -> dict[str, Any]:
    """The arguments that let a subprocess run as this user; none where it is nobody else."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
