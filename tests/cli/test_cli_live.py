"""The live table, its end, and the summary."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestrator.cli.live import Board
from orchestrator.cli.summary import book, holds, outcomes
from orchestrator.runtime.instances import Outcome
from orchestrator.runtime.watch import Followed, Seen, Sight

KEYS = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(24)]
IDS = [f"PlaceOrder/{key}" for key in KEYS]
STEPS = ["stock", "payment", "parcel", "notice"]


def printed(what: object, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.fixture
def board() -> Board:
    """Twelve that ended, the last first, and twelve that run."""
    board = Board("PlaceOrder", IDS, STEPS)
    declined = Followed(
        {
            "stock": Sight(Seen.ANSWERED, 2, "StockReserved"),
            "payment": Sight(Seen.FAILED, 1, "CardDeclined"),
            "stock:undo": Sight(Seen.ANSWERED, 1, "StockReleased"),
        }
    )
    board.sagas = {IDS[0]: declined}
    for id in reversed(IDS[:12]):
        reason = 'payments.ChargeCard failed: CardDeclined(reason: "limit reached")'
        board.outcomes[id] = Outcome("failed", reason=reason)
    return board


@pytest.mark.parametrize(("width", "height"), [(100, 24), (160, 24), (100, 30), (80, 8)])
def test_it_fits_the_terminal(board: Board, width: int, height: int) -> None:
    """However low the terminal, the live table fits, and the running sagas are what it shows."""
    lines = printed(board, width, height)
    assert len(lines) < height and all(len(line) <= width for line in lines)
    rows = [line for line in lines if "-0000-" in line]
    shown = {line.split()[0] for line in rows}
    running = KEYS[12:]
    assert shown <= set(running) or set(running) <= shown
    hidden = f"; no room for {24 - len(rows)} more rows" if len(rows) < 24 else ""
    assert f"12 of 24 ended{hidden}" in lines


def test_then_those_that_ended_last(board: Board) -> None:
    """What room is left goes to those that ended last, in the order of the file."""
    shown = [line.split()[0] for line in printed(board, 120, 20) if "-0000-" in line]
    assert shown == [*KEYS[:4], *KEYS[12:]]


@pytest.mark.parametrize("width", [100, 160])
def test_the_end_shows_all(board: Board, width: int) -> None:
    """The table that stays shows every saga on one line, its key whole, whatever the height."""
    lines = printed(board.table(), width, 24)
    assert [line.split()[0] for line in lines] == ["PlaceOrder", *KEYS]
    assert "✓ ×2 ↩" in lines[1] and "✗ CardDeclined" in lines[1]
    assert ("limit reached" in lines[1]) is (width == 160)


def test_the_ways_sagas_ended(board: Board) -> None:
    """Sagas that failed at one step by one answer and undid the same are one row, with what was
    undone; the others are their own."""
    lines = printed(outcomes(board.outcomes, board.sagas), 200, 24)
    assert lines[0] == "outcomes"
    assert [line.split()[:2] for line in lines[2:]] == [["11", "failed"], ["1", "failed"]]
    assert lines[2].endswith("nothing to undo") and lines[3].endswith("stock")


def test_books() -> None:
    """A book is a table whose truths are `yes` and `NO`; a `NO` is what makes a run fail."""
    rows = [{"check": "a [bold]", "holds": True}, {"check": "b", "holds": False}]
    lines = printed(book("adds up", rows), 80, 24)
    assert lines == ["adds up", "check     holds", "a [bold]  yes", "b         NO"]
    assert not holds(rows) and holds(rows[:1]) and holds([])
    assert printed(book("empty", []), 80, 24) == ["empty", "nothing"]
