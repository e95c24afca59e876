"""One stack per data folder: a lock that the system frees however its holder ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

from orchestrator.dev.errors import ServerError


class FolderLock:
    """An flock on `<folder>/lock`, which holds the pid of who has it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: TextIO | None = None

    @property
    def held(self) -> bool:
        """Whether we have it."""
        return self._file is not None

    def take(self) -> None:
        """Take it. Raises `ServerError` naming the process that has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a+")
        except OSError as error:
            raise ServerError(
                f"cannot write to the data folder {self._path.parent}: {error}"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ServerError(
                f"the data folder {self._path.parent} is in use by process {holder}: "
                "stop that one, or use another folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def free(self) -> None:
        """Give it back; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
