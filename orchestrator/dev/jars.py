"""Apache Kafka's jars: a pinned list, fetched once by a Maven client, checked at every start."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dsl.kept import cache_folder
from orchestrator.dev.cache import Say, alone, quiet
from orchestrator.dev.errors import MissingError

_AT_ONCE = 4
_SAY_EVERY = 15  # jars
_TIMEOUT = 30  # seconds without a byte from the registry


@dataclass(frozen=True)
class Jar:
    """One jar: its Maven coordinate `group:artifact:version`, its SHA-256, its place."""

    coordinate: str
    sha256: str
    path: Path

    @property
    def sound(self) -> bool:
        """Whether the file is there and is exactly the pinned one."""
        return _sha256(self.path) == self.sha256


@dataclass(frozen=True)
class JarSet:
    """All the jars of one Kafka version, in class path order."""

    version: str
    folder: Path
    jars: Sequence[Jar]

    @property
    def class_path(self) -> str:
        """What `java -cp` takes."""
        return ":".join(str(jar.path) for jar in self.jars)

    @property
    def damaged(self) -> list[Jar]:
        """The jars that are absent or not what the list says (about 60 ms for all 45 MB)."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sound = pool.map(lambda jar: jar.sound, self.jars)
        return [jar for jar, good in zip(self.jars, sound, strict=True) if not good]


def pinned_jars() -> JarSet:
    """The jars of the list in this package, and where they belong; nothing is fetched."""
    text = (resources.files("orchestrator.dev") / "kafka-jars.toml").read_text("utf-8")
    listed = tomllib.loads(text)
    folder = cache_folder() / "kafka" / listed["version"]
    jars = [Jar(name, digest, folder / _file(name)) for name, digest in listed["jars"].items()]
    return JarSet(listed["version"], folder, jars)


def ensure_jars(say: Say = quiet) -> JarSet:
    """The jars, complete and checked; what is absent or damaged is fetched first.

    Blocks while it fetches (45 MB once). Raises `MissingError` where that fails.
    """
    wanted = pinned_jars()
    if not wanted.damaged:
        return wanted
    try:
        with alone(wanted.folder.with_name(f"{wanted.version}.lock"), say):
            # Another process may have fetched them while we waited.
            _fetch_all(wanted, wanted.damaged, say)
    except OSError as error:
        raise MissingError(f"cannot write Kafka's jars to {wanted.folder}: {error}") from error
    return wanted


def _fetch_all(wanted: JarSet, absent: Sequence[Jar], say: Say) -> None:
    if not absent:
        return
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for left in wanted.folder.parent.glob("fetch-*"):
        # Of a process that was killed: we hold the lock, so nobody uses it.
        shutil.rmtree(left, ignore_errors=True)
    say(f"fetching {len(absent)} of {len(wanted.jars)} jars of Kafka {wanted.version}")
    # Beside their place, so that moving them there is atomic.
    with (
        tempfile.TemporaryDirectory(prefix="fetch-", dir=wanted.folder.parent) as name,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        work = [pool.submit(_fetch, jar, Path(name)) for jar in absent]
        try:
            for done, each in enumerate(work, 1):
                each.result()
                if done % _SAY_EVERY == 0:
                    say(f"fetched {done} of {len(absent)}")
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, folder: Path) -> None:
    # Imported here: most starts fetch nothing.
    from jgo.maven import MavenContext

    group, artifact, version = jar.coordinate.split(":")
    maven = MavenContext(repo_cache=folder, timeout=_TIMEOUT)
    try:
        got = maven.project(group, artifact).at_version(version).artifact(packaging="jar").resolve()
    except Exception as error:  # whatever the client raises, the way out is the same
        raise MissingError(
            f"cannot fetch {jar.coordinate} ({type(error).__name__}): "
            "run `make setup` with access to a Maven registry"
        ) from error
    if _sha256(got) != jar.sha256:
        raise MissingError(
            f"{jar.coordinate} is not the file of the pinned list (its SHA-256 differs): "
            "nothing of it was kept; see what changes downloads on this network"
        )
    got.replace(jar.path)


def _file(coordinate: str) -> str:
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
