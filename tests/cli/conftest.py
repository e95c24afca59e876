"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.program import Cli, Dev, nothing_left


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The program, in an empty folder."""
    return Cli(tmp_path)


@pytest.fixture
def dev(cli: Cli) -> Iterator[Callable[..., Dev]]:
    """Starts `orchestrate dev`; it is killed when the test ends."""
    started: list[Dev] = []

    def start(*arguments: object, env: Mapping[str, str] | None = None) -> Dev:
        started.append(Dev(cli, *arguments, env=env))
        return started[-1]

    yield start
    for each in started:
        each.kill()
    assert nothing_left(cli.data) if (cli.data / "ports.json").exists() else True


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of the test's folder."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return put
