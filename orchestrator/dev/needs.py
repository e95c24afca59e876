"""What the project needs on a machine besides Python packages: how each is found and put right."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.dev.cache import Say
from orchestrator.dev.errors import MissingError
from orchestrator.dev.jars import ensure_jars
from orchestrator.dev.java import find_java
from orchestrator.dev.postgres import find_postgres
from orchestrator.dev.temporal import find_temporal
from orchestrator.dev.warm import warm_up


@dataclass(frozen=True)
class Need:
    """One thing. `see` says where it is, or raises `MissingError`; it may fetch what it can.

    `package` is Debian's, for what only the system's package manager can install. Without an
    `optional` thing all works, only slower or less.
    """

    name: str
    see: Callable[[Say], str]
    package: str | None = None
    optional: bool = False


def _temporal(_: Say) -> str:
    return str(find_temporal())


def _java(_: Say) -> str:
    java = find_java()
    return f"Java {java.major}, {java.path} (by {java.source})"


def _jars(say: Say) -> str:
    jars = ensure_jars(say)
    return f"{jars.version}, {len(jars.jars)} jars in {jars.folder}"


def _archive(say: Say) -> str:
    made = asyncio.run(warm_up(say))
    return "ready" if made else "could not be made; Kafka starts without, only slower"


def _postgres(_: Say) -> str:
    return str(find_postgres())


def _dot(_: Say) -> str:
    found = shutil.which("dot")
    if found is None:
        raise MissingError("no `dot` on the PATH: diagrams are made by its WebAssembly build")
    return found


TO_RUN = (
    Need("Temporal", _temporal),
    Need("Java", _java, package="default-jre-headless"),
    Need("Kafka", _jars),
    Need("Kafka's class archive", _archive, optional=True),
)
FOR_TESTS = (
    Need("PostgreSQL", _postgres, package="postgresql"),
    Need("Graphviz", _dot, package="graphviz", optional=True),
)
