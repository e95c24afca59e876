"""Which process is meant: a pid alone is not enough, for the system uses it again."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Identity:
    """A process: its pid, and when it was created (seconds since the epoch)."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this pid now, if there is one that still runs."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, process.create_time())
        except psutil.Error:
            return None

    @classmethod
    def own(cls) -> Identity:
        """This process."""
        return cls(os.getpid(), psutil.Process().create_time())

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        now = Identity.of(self.pid)
        # Clock corrections shift what the system reports by a little.
        return now is not None and abs(now.created - self.created) < 2.0
