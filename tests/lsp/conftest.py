"""Editors at work on a copy of the order flows."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lsp.client import Editor

ORDERS = Path(__file__).parents[2] / "flows" / "orders"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the order saga and its contracts."""
    for name in ("orders.flow", "contracts.flow"):
        shutil.copy(ORDERS / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="session")
async def session() -> AsyncIterator[Editor]:
    """One session for many tests; it must end well, and the server have nothing to complain
    about."""
    async with Editor() as editor:
        yield editor
        assert await editor.leave() == 0
    assert editor.log == b""


@pytest.fixture
async def editor(session: Editor, folder: Path) -> AsyncIterator[Editor]:
    """The session while it works on that workspace."""
    await session.work_on(added=[folder])
    yield session
    for uri in session.opened:
        await session.close(uri)
    await session.work_on(removed=[folder])
    assert session.log == b""
