"""`dev.json`: where the running stack's servers are, for other commands of the same project."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.dev.identity import Identity

DEFAULT_FOLDER = Path(".orchestrate")
_NAME = "dev.json"


@dataclass(frozen=True)
class Addresses:
    """Where a stack's servers are: `host:port` for clients, a URL for browsers.

    `kafka` is absent where no broker runs, `temporal_ui` where the web UI is off.
    """

    temporal: str
    temporal_ui: str | None
    kafka: str | None


@dataclass(frozen=True)
class Running:
    """A stack that is up: its addresses and the process that owns it."""

    addresses: Addresses
    pid: int


def read_running(folder: Path = DEFAULT_FOLDER) -> Running | None:
    """The stack that runs on this data folder; nothing where none does any more."""
    try:
        noted = json.loads((folder / _NAME).read_text())
        owner, addresses = Identity(**noted["owner"]), Addresses(**noted["addresses"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Running(addresses, owner.pid) if owner.alive else None


def write_running(folder: Path, addresses: Addresses) -> None:
    """Note that this process has a stack up; a reader never sees half of it."""
    noted = {"addresses": asdict(addresses), "owner": asdict(Identity.own())}
    part = folder / f"{_NAME}.{os.getpid()}"
    part.write_text(json.dumps(noted, indent=2) + "\n")
    part.replace(folder / _NAME)


def remove_running(folder: Path) -> None:
    """Note that no stack is up."""
    (folder / _NAME).unlink(missing_ok=True)
