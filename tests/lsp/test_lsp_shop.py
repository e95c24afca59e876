"""A shop with all that the language has, over the real protocol: signals, queries, updates,
activities, undo blocks, aggregates, projections, scenarios, policies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Editor, Refused, at, changed, place, shown

ASK = "textDocument/"
SHOP = Path(__file__).parent / "shop"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with the shop."""
    for path in SHOP.glob("*.flow"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


async def test_it_has_no_findings(editor: Editor, folder: Path) -> None:
    """Three files that import from one another are sound, opened in any order."""
    for name in ("scenarios", "shop", "contracts"):
        uri, _ = await editor.open_file(folder / f"{name}.flow")
        assert await editor.diagnostics(uri) == []


@pytest.mark.parametrize(
    ("file", "mark", "said"),
    [
        # what a saga may be told, asked and changed by
        ("shop", "Approve {", ["signal Approve", "Somebody has looked", "from `shop.saga.Sell`"]),
        ("shop", "Approve as approval", ["signal Approve"]),
        ("shop", "approval.granted", ["approval: Approve", "`granted: bool`"]),
        ("shop", "state ->", ["query state -> Status", "How far it is."]),
        ("shop", "Rebate {", ["update Rebate", "A better price."]),
        ("shop", "rebate {", ["var rebate: decimal"]),
        ("shop", "amount > rebate", ["amount: decimal"]),
        ("scenarios", "Approve(by", ["signal Approve", "from `shop.saga.Sell`"]),
        ("scenarios", "granted: true", ["granted: bool", "field of `shop.saga.Sell.Approve`"]),
        # activities and steps
        ("shop", "Discount(customer: string", ["activity Discount", "The going discount."]),
        ("shop", "customer: order", ["customer: string"]),
        ("shop", "discount = ", ["step discount: decimal", "calls `Discount`"]),
        ("shop", "taken = ", ["step taken: stock.Taken", "undone by a block", "`ref: string`"]),
        ("shop", "back = ", ["step back: stock.Back"]),
        ("scenarios", "Discount returns", ["activity Discount"]),
        # expressions, macros' elements, symbols
        ("shop", "line.count", ["line: Line"]),
        ("shop", "count > 1", ["count: int where count > 0", "At least one."]),
        ("shop", "filter(", ["the elements that meet a condition"]),
        ("shop", "size())", ["the length of a string"]),
        ("shop", "lost {", ["Status.lost"]),
        # states made of events
        ("shop", "OrderState key", ["aggregate OrderState", "An order's life."]),
        ("shop", "order_id snapshot", ["field of `shop.contracts.orders.Placed`"]),
        ("shop", "state = Status.placed", ["state: Status", "field of `shop.saga.OrderState`"]),
        ("shop", "place = e.place", ["place: string?"]),
        ("shop", "Totals key", ["projection Totals", "How much was ordered."]),
        ("shop", "lines = lines + e", ["lines: int = 0"]),
        # contracts and policies
        ("contracts", "timeout: 30s", ["How long one attempt waits"]),
        ("contracts", "max: 1m", ["The longest wait."]),
        ("contracts", "exponential(", ["Waits that grow"]),
        ("contracts", "policy: patient", ["What its commands are granted"]),
        ("contracts", "exactly_once", ["It takes effect once."]),
        ("shop", "patient\n", ["policy patient", "5 attempts, waits from 1s × 2 up to 1m"]),
        ("shop", "shop.contracts", ["module shop.contracts", "have agreed on"]),
        # scenarios
        ("scenarios", "Taken(ref", ["event Taken"]),
        ("scenarios", "ref: ", ["ref: string"]),
        ("scenarios", "Sell(order: Order(", ["saga Sell(order: Order) -> string"]),
        ("scenarios", "arrives", ["An event or a signal that comes"]),
        ("scenarios", "SoldOut(sku", ["event SoldOut"]),
    ],
)
async def test_hover_tells_what_it_is(
    editor: Editor, folder: Path, file: str, mark: str, said: list[str]
) -> None:
    """Every construct tells its declaration, its type or its meaning."""
    uri, text = await editor.open_file(folder / f"{file}.flow")
    found = await editor.ask(ASK + "hover", at(uri, *place(text, mark)))
    for part in said:
        assert part in found["contents"]["value"]


@pytest.mark.parametrize(
    ("file", "mark", "home", "declared", "uses"),
    [
        ("scenarios", "Approve(by", "shop", "Approve {", 4),
        ("shop", "approval.granted", "shop", "approval when", 3),
        ("scenarios", "granted: true", "shop", "granted: bool", 3),
        ("scenarios", "Discount returns", "shop", "Discount(customer", 4),
        ("shop", "customer: order", "shop", "customer: string", 2),
        ("shop", "status {", "shop", "status: Status", 6),
        ("shop", "lost {", "contracts", "lost }", 4),
        ("shop", "patient\n", "contracts", "patient {", 4),
        ("shop", "place = e.place", "shop", "place: string?", 2),
        ("scenarios", "SoldOut(sku", "contracts", "SoldOut key", 4),
        ("scenarios", "order_id: \"o1\", lines", "contracts", "order_id: string\n", 7),
        ("scenarios", "Sell(order: Order(order_id: \"o1\"", "shop", "Sell(order", 3),
    ],
)  # fmt: skip
async def test_declarations_and_uses_are_found(
    editor: Editor, folder: Path, file: str, mark: str, home: str, declared: str, uses: int
) -> None:
    """From a use one gets to the declaration, from there to all uses, in all files."""
    uri, text = await editor.open_file(folder / f"{file}.flow")
    found = await editor.ask(ASK + "definition", at(uri, *place(text, mark)))
    target = folder / f"{home}.flow"
    line, character = place(target.read_text(), declared)
    assert found["uri"] == target.as_uri()
    assert found["range"]["start"] == {"line": line, "character": character}
    asked = at(uri, *place(text, mark)) | {"context": {"includeDeclaration": True}}
    places = await editor.ask(ASK + "references", asked)
    assert len(places) == uses
    word = shown(text, _word(text, mark))
    for found in places:
        other = (folder / Path(found["uri"]).name).read_text()
        assert shown(other, found["range"]) == word


@pytest.mark.parametrize(
    ("file", "mark", "name", "files"),
    [
        ("scenarios", "Approve(by", "Agree", {"shop", "scenarios"}),
        ("shop", "granted: bool", "agreed", {"shop", "scenarios"}),
        ("shop", "Discount(customer: string", "Cut", {"shop", "scenarios"}),
        ("shop", "state ->", "progress", {"shop"}),
        ("shop", "status: Status", "now_it_is", {"shop"}),
        ("shop", "lost {", "gone_astray", {"shop", "contracts"}),
        ("contracts", "patient {", "slow", {"shop", "contracts"}),
        ("contracts", "Take key", "Reserve", {"shop", "contracts", "scenarios"}),
        ("contracts", "ref: string", "number", {"shop", "contracts", "scenarios"}),
        ("shop", "Sell(order", "Trade", {"shop", "scenarios"}),
    ],
)
async def test_renaming_keeps_all_files_sound(
    editor: Editor, folder: Path, file: str, mark: str, name: str, files: set[str]
) -> None:
    """A renamed declaration changes every file that uses it, and none has a finding after."""
    uri, text = await editor.open_file(folder / f"{file}.flow")
    await editor.diagnostics(uri)
    edit = await editor.ask(ASK + "rename", at(uri, *place(text, mark)) | {"newName": name})
    assert {Path(u).stem for u in edit["changes"]} == files
    for other in ("contracts", "shop", "scenarios"):
        path = folder / f"{other}.flow"
        path.write_text(changed(path.read_text(), edit["changes"].get(path.as_uri(), [])))
    await editor.close(uri)
    for other in ("contracts", "shop", "scenarios"):
        opened, _ = await editor.open_file(folder / f"{other}.flow")
        assert await editor.diagnostics(opened) == []


@pytest.mark.parametrize(
    ("mark", "name", "reason"),
    [
        ("Approve {", "Rebate", "`Rebate` is declared twice"),
        ("Approve {", "resolve", "`resolve` is no name for an input"),
        ("approval when", "status", "`status` is declared twice"),
        ("lines: int = 0", "order_id", "twice"),
        ("size())", "length", "no name here"),
        ("decimal(", "exact", "no name here"),
    ],
)
async def test_a_rename_that_breaks_something_is_refused(
    editor: Editor, folder: Path, mark: str, name: str, reason: str
) -> None:
    """A name that is taken, or not the user's, is refused with a sentence that says why."""
    uri, text = await editor.open_file(folder / "shop.flow")
    with pytest.raises(Refused, match=reason):
        await editor.ask(ASK + "rename", at(uri, *place(text, mark)) | {"newName": name})


BODY = "within 30d\n{"


@pytest.mark.parametrize(
    ("file", "old", "typed", "first"),
    [
        ("shop", BODY, BODY + " await ¦", ["Approve", "orders.Placed"]),
        ("shop", BODY, BODY + " await Approve as x when x.¦", ["by", "granted"]),
        ("shop", "set rebate = amount", "set ¦", ["rebate", "status"]),
        ("shop", "when amount >", "when ¦", ["amount", "approval", "discount", "order", "rebate"]),
        ("shop", "Status = status", "Status = ¦", ["approval", "discount", "order", "rebate"]),
        ("shop", "customer: order.order_id, at: now()", "¦", ["at", "customer"]),
        ("shop", "step back = stock.PutBack", "step back = ¦", ["stock.PutBack", "stock.Take"]),
        ("shop", "order_id: order.order_id)\n    }", "order_id: taken.¦", ["order_id", "ref"]),
        ("shop", BODY, BODY + " step c = Sell(order: order) on ¦", ["failed"]),
        ("shop", BODY, BODY + " step c = Sell(¦", ["order"]),
        ("shop", BODY, BODY + " try { step c = Sell() } on ¦", ["exhausted", "failed", "timeout"]),
        (
            "shop",
            "order_id: order.order_id)\n    }",
            "order_id: order.order_id) undo ¦",
            ["stock.PutBack", "stock.Take", "Discount", "none"],
        ),
        ("shop", "line.count > 1", "¦", ["line"]),
        ("shop", "line.count > 1", "line.¦", ["count", "sku"]),
        ("shop", "case lost", "case ¦", ["created", "lost", "placed", "settled"]),
        ("shop", "set state = Status.lost", "set ¦", ["place", "state"]),
        ("shop", "place = e.place", "place = e.¦", ["order_id", "place"]),
        ("shop", "snapshot every 100", "¦", ["buffer", "snapshot", "within"]),
        ("shop", "lines + e.order", "lines + e.¦", ["order", "order_id"]),
        ("scenarios", "replies Taken", "replies ¦", ["Taken"]),
        ("scenarios", 'Taken(ref: "r1")', "Taken(¦)", ["order_id", "ref"]),
        ("scenarios", "fails SoldOut", "fails ¦", ["SoldOut"]),
        ("scenarios", "given Approve(by", "given ¦(by", ["Approve", "Rebate"]),
        ("scenarios", 'Approve(by: "ann", granted: true)', "Approve(¦)", ["by", "granted"]),
        ("scenarios", "run Sell", "run ¦", ["Sell", "on"]),
        ("scenarios", 'stock.Take(order_id: "o1")', "stock.Take(¦)", ["lines", "order_id"]),
        ("contracts", "timeout: 30s", "¦", ["circuit_breaker", "dead_letter", "exhausted"]),
        ("contracts", "timeout: 30s", "exhausted: ¦", ["compensate", "park"]),
        ("contracts", "attempts: 5,", "¦", ["attempts"]),
        ("contracts", "policy: patient", "policy: ¦", ["patient"]),
        ("contracts", "delivery exactly_once", "delivery ¦", ["at_least_once", "at_most_once"]),
        ("contracts", "Take key order_id", "Take key ¦", ["lines", "order_id"]),
        ("contracts", "where count >", "where ¦", ["count", "sku"]),
        ("contracts", "list<Line> }", "list<¦> }", ["Line", "Order", "Status"]),
    ],
)
async def test_what_fits_comes_first(
    editor: Editor, folder: Path, file: str, old: str, typed: str, first: list[str]
) -> None:
    """The proposals that the place calls for stand before all others."""
    path = folder / f"{file}.flow"
    text = path.read_text()
    assert old in text
    text = text.replace(old, typed, 1)
    uri = await editor.open(path, text.replace("¦", ""))
    found = await editor.ask(ASK + "completion", at(uri, *place(text, "¦")))
    ordered = sorted(found["items"], key=lambda c: c["sortText"])
    assert [c["label"] for c in ordered][: len(first)] == first


async def test_the_outline_has_every_construct(editor: Editor, folder: Path) -> None:
    """Inputs, steps, fields and scenarios stand in the outline under what they belong to."""
    found: dict[str, list[str]] = {}
    for name in ("shop", "scenarios"):
        uri, _ = await editor.open_file(folder / f"{name}.flow")
        for symbol in await editor.ask(ASK + "documentSymbol", {"textDocument": {"uri": uri}}):
            found[symbol["name"]] = [c["name"] for c in symbol["children"]]
    assert found["Sell"] == [
        *("Approve", "state", "Rebate", "status", "rebate"),
        *("discount", "taken"),
    ]
    assert found["OrderState"] == ["state", "place"]
    assert found["Totals"] == ["order_id", "lines"]
    assert {"Discount", "somebody approves, nothing is lost", "sold out"} <= set(found)


async def test_a_broken_import_breaks_those_behind_it(editor: Editor, folder: Path) -> None:
    """A name that a contract no longer has is found wrong in each file that imports it, as it is
    typed, and right again when it is back."""
    opened = {n: (await editor.open_file(folder / f"{n}.flow"))[0] for n in ("shop", "scenarios")}
    for uri in opened.values():
        assert await editor.diagnostics(uri) == []
    uri, text = await editor.open_file(folder / "contracts.flow")
    assert await editor.diagnostics(uri) == []
    await editor.replace(uri, text.replace("module shop.contracts", "module shop.contract"))
    await editor.until(opened["shop"], ["F103"])
    await editor.until(opened["scenarios"], ["F103"])
    await editor.replace(uri, text)
    for other in opened.values():
        await editor.until(other, [])


async def test_fixes_of_unused_and_missing_things(editor: Editor, folder: Path) -> None:
    """Quick fixes add an import that is missing and take away one that is not used."""
    path = folder / "shop.flow"
    text = path.read_text()
    broken = text.replace("patient, Order", "Order").replace("orders, ", "orders, Line, ")
    uri = await editor.open(path, broken)
    while findings := await editor.diagnostics(uri):
        finding = findings[0]
        params: dict[str, Any] = {
            "textDocument": {"uri": uri},
            "range": finding["range"],
            "context": {"diagnostics": [finding]},
        }
        [action] = await editor.ask(ASK + "codeAction", params)
        broken = changed(broken, action["edit"]["changes"][uri])
        await editor.replace(uri, broken)
    assert set(re.findall(r"\w+", broken)) == set(re.findall(r"\w+", text))


def _word(text: str, mark: str) -> dict[str, Any]:
    """The range of the word that a mark begins with."""
    line, start = place(text, mark)
    length = len(re.match(r"\w+", mark)[0])  # type: ignore[index]
    end = {"line": line, "character": start + length}
    return {"start": {"line": line, "character": start}, "end": end}
