"""Completion over the real protocol: `¦` marks the cursor in what is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Editor, at, place

RESERVE = "inventory.ReserveStock(order_id: order.order_id, lines: order.lines)"
HANDLER = 'on OutOfStock as missing { fail "out of stock: " + missing.sku }'
BODY = "within 10m\n{"


async def proposals(
    editor: Editor, folder: Path, old: str, typed: str, file: str = "orders.flow"
) -> list[dict[str, Any]]:
    """What is proposed after `old` was replaced by what is typed, nothing saved."""
    path = folder / file
    text = path.read_text()
    assert old in text
    text = text.replace(old, typed, 1)
    line, character = place(text, "¦")
    uri = await editor.open(path, text.replace("¦", ""))
    found = await editor.ask("textDocument/completion", at(uri, line, character))
    return found["items"] if found else []


@pytest.mark.parametrize(
    ("old", "typed", "first"),
    [
        # members of a value, however broken the rest is
        ("stock.reservation_id", "stock.¦", ["order_id", "reservation_id"]),
        ("stock.reservation_id)", "stock.res¦", ["order_id", "reservation_id"]),
        ("l.price * decimal(l.quantity)", "l.¦", ["price", "quantity", "sku"]),
        ("e.order)", "e.¦", ["order", "order_id"]),
        ("order.order_id\n", "order.¦\n", ["address", "card", "customer_id", "lines", "order_id"]),
        ("inventory.ReserveStock", "inventory.¦", ["ReleaseStock", "ReserveStock"]),
        ("orders.OrderPlaced", "orders.¦", ["OrderPlaced", "OrderSubmitted"]),
        # arguments that are still missing
        (RESERVE, "inventory.ReserveStock(¦", ["lines", "order_id"]),
        (RESERVE, "inventory.ReserveStock(lines: [], ¦)", ["order_id"]),
        ("Receipt(order_id: order.order_id,", "Receipt(¦", ["order_id", "total", "tracking"]),
        ("(order: e.order)", "(¦)", ["order"]),
        # what a clause wants
        (HANDLER, "on ¦", ["OutOfStock", "exhausted", "timeout"]),
        ("with courier", "with ¦", ["courier"]),
        ("shop.contracts import", "¦ import", ["shop.contracts"]),
        (", Order, Money", ", ¦", ["Line", "Money", "Order", "standard"]),
        (BODY, BODY + " var n = 1 let m = 2 set ¦", ["n"]),
        (BODY, BODY + " try { step a = payments.ChargeCard() } on ¦", ["CardDeclined"]),
        (BODY, BODY + " signal Go { } await ¦", ["Go"]),
        # values in sight, those that are declared later or just now left out
        (RESERVE, "inventory.ReserveStock(order_id: ¦", ["order", "total"]),
    ],
)
async def test_what_fits_comes_first(
    editor: Editor, folder: Path, old: str, typed: str, first: list[str]
) -> None:
    """The proposals that the place calls for stand before all others."""
    found = await proposals(editor, folder, old, typed)
    ordered = sorted(found, key=lambda c: c["sortText"])
    assert [c["label"] for c in ordered][: len(first)] == first


@pytest.mark.parametrize(
    ("old", "typed", "there", "missing"),
    [
        ("/// Places one order.", "¦", {"saga", "record", "policy"}, {"step", "undo"}),
        ("  emit orders", "  ¦ emit orders", {"step", "let", "await", "on"}, {"saga", "else"}),
        (HANDLER, "¦", {"on", "let"}, {"record", "else"}),
        ("within 10m", "¦", {"within", "key"}, {"step"}),
        ("total: Money\n", "total: ¦\n", {"Money", "Order", "decimal"}, {"PlaceOrder", "saga"}),
        ("service orders {", "policy p { ¦ }\nservice orders {", {"retry", "timeout"}, {"event"}),
        ("service orders {", "service orders { ¦", {"command", "event", "format"}, {"retry"}),
        (RESERVE, "¦", {"inventory.ReserveStock", "payments.ChargeCard"}, {"order"}),
        ("emit orders.OrderPlaced", "emit ¦", {"orders.OrderPlaced"}, {"payments.ChargeCard"}),
        (BODY, BODY + " race { on ¦", {"orders.OrderSubmitted"}, {"exhausted"}),
        (BODY, BODY + " step a = PlaceOrder(order: order) on ¦", {"failed"}, {"exhausted"}),
        (
            BODY,
            BODY + " try { step a = PlaceOrder(order: order) } on ¦",
            {"failed", "timeout"},
            set(),
        ),
        ("return Receipt", "return ¦", {"Receipt", "total", "parcel"}, {"step"}),
    ],
)
async def test_only_what_may_stand_there(
    editor: Editor, folder: Path, old: str, typed: str, there: set[str], missing: set[str]
) -> None:
    """Words of the language are proposed where the grammar takes them, names where they mean
    something."""
    labels = {c["label"] for c in await proposals(editor, folder, old, typed)}
    assert there <= labels
    assert not missing & labels


@pytest.mark.parametrize(
    ("old", "typed"),
    [
        ("/// Places one order.", "/// Places ¦"),
        ('"out of stock: "', '"out of ¦"'),
        ("within 10m", "within 10¦m"),
    ],
)
async def test_nothing_is_proposed_inside_of_a_text(
    editor: Editor, folder: Path, old: str, typed: str
) -> None:
    """Comments, strings and numbers are left alone."""
    assert await proposals(editor, folder, old, typed) == []


async def test_enum_symbols_come_first_where_one_is_wanted(editor: Editor, folder: Path) -> None:
    """For an argument of an enum its symbols are proposed, and in a `match` the cases."""
    text = """module a
enum Size { small large }
record Box { size: Size }
saga S(id: string, size: Size) key id {
  let b = Box(size: ¦)
}
"""
    for typed in (text, text.replace("let b = Box(size: ¦)", "match size { case ¦ }")):
        uri = await editor.open(folder / "a.flow", typed.replace("¦", ""))
        line, character = place(typed, "¦")
        found = await editor.ask("textDocument/completion", at(uri, line, character))
        ordered = sorted(found["items"], key=lambda c: c["sortText"])
        assert [c["label"] for c in ordered][:2] == ["large", "small"]


async def test_a_proposal_replaces_the_word_before_the_cursor(editor: Editor, folder: Path) -> None:
    """An argument is written with its colon, in the place of what was typed, emoji counted."""
    typed = "step s = inventory.ReserveStock(ord¦"
    found = await proposals(editor, folder, BODY, BODY + ' let x = "😀" ' + typed)
    item = next(c for c in found if c["label"] == "order_id")
    assert item["textEdit"]["newText"] == "order_id: "
    range = item["textEdit"]["range"]
    assert range["end"]["character"] - range["start"]["character"] == len("ord")
    assert item["detail"] == "uuid"


async def test_docs_come_with_the_proposals(editor: Editor, folder: Path) -> None:
    """A proposed command has what is written above it."""
    found = await proposals(editor, folder, "shipping.CancelShipment", "shipping.¦")
    item = next(c for c in found if c["label"] == "CancelShipment")
    assert item["documentation"]["value"].startswith("Takes a parcel back")


async def test_formatting_makes_the_canonical_form(editor: Editor, folder: Path) -> None:
    """Formatting gives edits that leave alone what is right, none for a broken text, and what is
    formatted has nothing to format."""
    path = folder / "orders.flow"
    text = path.read_text()
    crooked = text.replace("  let total", "        let   total").replace(
        "within 10m", "within   10m"
    )
    uri = await editor.open(path, crooked)
    params = {"textDocument": {"uri": uri}, "options": {"tabSize": 2, "insertSpaces": True}}
    edits = await editor.ask("textDocument/formatting", params)
    assert 1 <= len(edits) <= 2
    lines = crooked.split("\n")
    for edit in reversed(edits):
        start, end = edit["range"]["start"], edit["range"]["end"]
        assert start["character"] == end["character"] == 0
        lines[start["line"] : end["line"]] = edit["newText"].split("\n")[:-1]
    await editor.replace(uri, "\n".join(lines))
    assert await editor.ask("textDocument/formatting", params) == []
    await editor.replace(uri, "module a saga {")
    assert await editor.ask("textDocument/formatting", params) == []
