"""The flows that the language was designed with: contracts of three formats, and the saga of an
order with a function, an approval, a pivot, a settlement to wait for, labels side by side and a
race; an aggregate, a projection, a scenario.

They stand in `design/` in canonical form. One thing is otherwise than in the design: the race's
`on shipping.Delivered` has no `as d`, because nothing reads `d`, and the design itself has a
warning for that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl.format import format
from dsl.load import load
from dsl.source import Source
from orchestrator.cli.verdicts import plain
from orchestrator.deploy.idle import idle
from orchestrator.diagrams import dot, render
from orchestrator.testing.scenarios import run_scenarios

DESIGN = Path(__file__).parent / "design"
FILES = sorted(DESIGN.glob("*.flow"))


def test_they_check_without_a_finding() -> None:
    """As `orchestrate check`."""
    loaded = load([DESIGN])
    assert [d.message for d in loaded.diagnostics] == []
    assert loaded.program
    assert set(loaded.program.modules) == {"shop.contracts", "shop.orders"}


def test_what_nothing_reads_is_the_one_finding(tmp_path: Path) -> None:
    """As the design has it, with `as d`."""
    for path in FILES:
        text = path.read_text("utf-8")
        text = text.replace("on shipping.Delivered {", "on shipping.Delivered as d {")
        (tmp_path / path.name).write_text(text, "utf-8")
    loaded = load([tmp_path])
    assert loaded.program
    assert [(d.code, d.message) for d in loaded.diagnostics] == [("F106", "nothing uses `d`")]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_they_are_in_form(path: Path) -> None:
    """As `orchestrate fmt --check`; and out of form they come back to it."""
    text = path.read_text("utf-8")
    assert format(Source("f", text)) == (text, ())
    loose = re.sub(r"\n +", "\n", text)
    assert format(Source("f", loose)) == (text, ())


def test_their_scenarios_hold() -> None:
    """As `orchestrate test`."""
    loaded = load([DESIGN])
    assert loaded.program
    (verdict,) = run_scenarios(loaded.program, loaded.asked)
    assert verdict.ok, plain(verdict)


def test_they_are_drawn() -> None:
    """Every step, wait, way out and undo of the order is in the picture."""
    program = load([DESIGN]).program
    assert program
    (saga,) = program.modules["shop.orders"].sagas
    text = dot(saga, program)
    for part in (
        *("discount", "inventory.ReserveStock", "undo stock", "on OutOfStock", "Approve"),
        *("point of no return", "ChargePending", "payments.PaymentSettled", "10 at once"),
        *("shipping.Ship", "orders.OrderPlaced", "shipping.Lost", "14d", "return total"),
    ):
        assert part in text, part
    assert render(text, "svg").startswith(b"<?xml")


def test_what_cannot_run_yet_is_said() -> None:
    """The words that `orchestrate deploy` prints."""
    program = load([DESIGN]).program
    assert program
    assert idle(program.modules["shop.orders"]) == (
        "aggregate `OrderState`",
        "projection `Customers`",
    )
    assert idle(program.modules["shop.contracts"]) == ()
