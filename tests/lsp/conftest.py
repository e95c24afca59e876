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


@pytest.fixture
async def editor(folder: Path) -> AsyncIterator[Editor]:
    """A session on that workspace. The server must have nothing to complain about."""
    async with Editor(folder) as editor:
        yield editor
        assert await editor.leave() == 0
    assert editor.log == b""
