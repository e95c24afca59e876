"""A class archive for the broker: Java reads its classes ready-made, and starts twice as fast."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestrator.dev.jars import JarSet
from orchestrator.dev.java import Java


@dataclass(frozen=True)
class Archive:
    """The archive for one Java and one set of jars; Java goes on without where it does not fit."""

    java: Java
    path: Path

    @classmethod
    def of(cls, java: Java, jars: JarSet) -> Archive:
        """The archive that fits; whether it exists is another question."""
        # Java compares the class path and the files' times, so these are part of the name.
        parts = [java.build, *(f"{each.path} {_time(each.path)}" for each in jars.jars)]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        ending = "aot" if _ahead_of_time(java) else "jsa"
        return cls(java, jars.folder / "archives" / f"{key}.{ending}")

    @property
    def exists(self) -> bool:
        """Whether it was made."""
        return self.path.exists()

    def reading(self) -> list[str]:
        """Java's flags for using it; none where there is none."""
        if not self.exists:
            return []
        if _ahead_of_time(self.java):
            # It warns of every small thing that it cannot take from the archive.
            return [f"-XX:AOTCache={self.path}", "-Xlog:aot*=error"]
        return [f"-XX:SharedArchiveFile={self.path}"]

    def writing(self, into: Path) -> list[str]:
        """Java's flags for a run that writes it when it ends."""
        option = "AOTCacheOutput" if _ahead_of_time(self.java) else "ArchiveClassesAtExit"
        return [f"-XX:{option}={into}"]


def _ahead_of_time(java: Java) -> bool:
    # From 25 on one flag does it, and without the default archive that slim runtimes lack.
    return java.major >= 25


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
