"""Hover, definitions, references, renaming, outline and quick fixes over the real protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lsp.client import Editor, Refused, at, changed, place, shown

ASK = "textDocument/"


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("stock.res", ["step stock: inventory.StockReserved", "Set the goods aside.", "undone by"]),
        ("total)", ["let total: decimal"]),
        ("courier\n", ["policy courier", "`timeout`: 1s", "`dead_letter`: shop.dlq", "Carriers"]),
        ("Ship(", ["command Ship key order_id", "replies Shipped"]),
        ("price *", ["price: Money"]),
        ("l.price", ["l: Line"]),
        ("missing.sku", ["missing: inventory.OutOfStock", "sku: string"]),
        ("PlaceOrder(", ["saga PlaceOrder(order: Order) -> Receipt", "Places one order."]),
        ("Receipt(", ["record Receipt", "What the customer gets."]),
        ("undo none", ["What undoes the step"]),
        ("order: e.order", ["order: Order"]),
    ],
)
async def test_hover_tells_what_a_name_is(
    editor: Editor, folder: Path, mark: str, said: list[str]
) -> None:
    """Hovering shows the declaration or the type, the doc comment, and a policy's values."""
    uri, text = await editor.open_file(folder / "orders.flow")
    found = await editor.ask(ASK + "hover", at(uri, *place(text, mark)))
    assert found["contents"]["kind"] == "markdown"
    for part in said:
        assert part in found["contents"]["value"]


@pytest.mark.parametrize(
    ("mark", "file", "declared"),
    [
        ("inventory,", "contracts", "inventory {"),
        ("shop.contracts", "contracts", "shop.contracts"),
        ("ReserveStock(", "contracts", "ReserveStock key"),
        ("OutOfStock as", "contracts", "OutOfStock key"),
        ("courier\n", "contracts", "courier extends"),
        ("stock.reservation_id", "orders", "stock = "),
        ("price *", "contracts", "price: Money"),
        ("order: e.order", "orders", "order: Order) ->"),
        ("e.order)", "orders", "e with"),
        ("order_id: order.order_id)\n", "contracts", None),
        ("tracking: parcel", "orders", "tracking: string"),
    ],
)
async def test_definitions_are_found_across_files(
    editor: Editor, folder: Path, mark: str, file: str, declared: str | None
) -> None:
    """Going to a definition leads to the declaring name, in whichever file it is."""
    uri, text = await editor.open_file(folder / "orders.flow")
    found = await editor.ask(ASK + "definition", at(uri, *place(text, mark)))
    target = folder / f"{file}.flow"
    assert found["uri"] == target.as_uri()
    if declared:
        line, character = place(target.read_text(), declared)
        assert found["range"]["start"] == {"line": line, "character": character}


async def test_references_are_found_in_files_that_are_not_open(
    editor: Editor, folder: Path
) -> None:
    """References of a contract's event are found in every file, with and without its
    declaration."""
    uri, text = await editor.open_file(folder / "contracts.flow")
    asked = at(uri, *place(text, "event OutOfStock", 6))
    for include, count in ((True, 3), (False, 2)):
        asked["context"] = {"includeDeclaration": include}
        found = await editor.ask(ASK + "references", asked)
        assert len(found) == count
        assert {f["uri"].rpartition("/")[2] for f in found} == {"contracts.flow", "orders.flow"}


async def test_references_count_what_is_not_saved(editor: Editor, folder: Path) -> None:
    """A use that was typed and not saved is found; one of another thing of that name is not."""
    uri, text = await editor.open_file(folder / "orders.flow")
    await editor.replace(uri, text.replace("amount: total", "amount: total + total"))
    asked = at(uri, *place(text, "let total", 4)) | {"context": {"includeDeclaration": True}}
    assert len(await editor.ask(ASK + "references", asked)) == 5


async def test_highlights_stay_in_the_file(editor: Editor, folder: Path) -> None:
    """The places of a step's name in its own file, the declaring one marked."""
    uri, text = await editor.open_file(folder / "orders.flow")
    found = await editor.ask(ASK + "documentHighlight", at(uri, *place(text, "parcel = ")))
    assert [shown(text, f["range"]) for f in found] == ["parcel"] * 3
    assert [f["kind"] for f in found] == [3, 2, 2]


async def test_renaming_changes_all_files(editor: Editor, folder: Path) -> None:
    """Renaming a command changes its declaration and every use, and nothing breaks."""
    uri, text = await editor.open_file(folder / "orders.flow")
    asked = at(uri, *place(text, "ReserveStock("))
    prepared = await editor.ask(ASK + "prepareRename", asked)
    assert prepared["placeholder"] == "ReserveStock"
    edit = await editor.ask(ASK + "rename", asked | {"newName": "SetAside"})
    contracts = folder / "contracts.flow"
    assert set(edit["changes"]) == {uri, contracts.as_uri()}
    after = changed(text, edit["changes"][uri])
    other = changed(contracts.read_text(), edit["changes"][contracts.as_uri()])
    assert after == text.replace("ReserveStock", "SetAside")
    assert "command SetAside key order_id" in other
    await editor.replace(uri, after)
    other_uri = await editor.open(contracts, other)
    assert await editor.diagnostics(other_uri) == []
    await editor.until(uri, [])


@pytest.mark.parametrize(
    ("mark", "old", "new"),
    [
        ("let total", "total", "sum_of_lines"),
        ("parcel = ", "parcel", "box"),
        ("(order: Order", "order", "placed"),
        ("as missing", "missing", "gone"),
        ("(l, l", "l", "line"),
        ("tracking: string", "tracking", "number"),
    ],
)
async def test_a_renamed_flow_stays_sound(
    editor: Editor, folder: Path, mark: str, old: str, new: str
) -> None:
    """Any kind of name can be changed, and what comes out has no findings."""
    uri, text = await editor.open_file(folder / "orders.flow")
    asked = at(uri, *place(text, mark, mark.index(old)))
    edit = await editor.ask(ASK + "rename", asked | {"newName": new})
    edits = edit["changes"][uri]
    assert {shown(text, e["range"]) for e in edits} == {old}
    version = await editor.replace(uri, changed(text, edits))
    assert await editor.diagnostics(uri, version) == []


@pytest.mark.parametrize(
    ("mark", "name", "reason"),
    [
        ("stock = ", "payment", "declared twice"),
        ("stock = ", "1st", "not a name"),
        ("stock = ", "a b", "not a name"),
        ("stock = ", "", "not a name"),
        ("stock = ", "true", "`true` cannot stand there"),
        ("ReserveStock(", "ReleaseStock", "declared twice"),
        ("shop.contracts", "shop.other", "by hand"),
        ("undo none", "x", "no name here"),
    ],
)
async def test_a_name_that_would_break_something_is_refused(
    editor: Editor, folder: Path, mark: str, name: str, reason: str
) -> None:
    """A rename to no name, to one that is taken, or of what is no name is refused with a
    reason."""
    uri, text = await editor.open_file(folder / "orders.flow")
    with pytest.raises(Refused, match=reason):
        await editor.ask(ASK + "rename", at(uri, *place(text, mark)) | {"newName": name})


async def test_the_outline_shows_declarations_and_steps(editor: Editor, folder: Path) -> None:
    """Document symbols are the declarations with what is inside them, each name in its range."""
    uri, text = await editor.open_file(folder / "orders.flow")
    found = await editor.ask(ASK + "documentSymbol", {"textDocument": {"uri": uri}})
    names = {s["name"]: [c["name"] for c in s["children"]] for s in found}
    assert names == {
        "Receipt": ["order_id", "total", "tracking"],
        "orders": ["OrderSubmitted", "OrderPlaced"],
        "PlaceOrder": ["stock", "payment", "parcel", "notice"],
    }
    for symbol in found:
        assert shown(text, symbol["selectionRange"]) == symbol["name"]
        assert symbol["name"] in shown(text, symbol["range"])


async def test_a_quick_fix_puts_a_finding_right(editor: Editor, folder: Path) -> None:
    """What a finding suggests is offered as an edit, and that makes it go away."""
    path = folder / "orders.flow"
    text = path.read_text().replace("stock.reservation_id", "stok.reservation_id")
    uri = await editor.open(path, text)
    [finding] = await editor.diagnostics(uri)
    params = {
        "textDocument": {"uri": uri},
        "range": finding["range"],
        "context": {"diagnostics": [finding]},
    }
    [action] = await editor.ask(ASK + "codeAction", params)
    assert action["kind"] == "quickfix"
    assert action["diagnostics"][0]["code"] == "F101"
    version = await editor.replace(uri, changed(text, action["edit"]["changes"][uri]))
    assert await editor.diagnostics(uri, version) == []
