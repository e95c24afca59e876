"""The version: blind to comments, layout, docs and places; changed by every change of meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.load import check_texts
from orchestrator.compile.compile import compile_module, version_of

_FOLDER = Path(__file__).parent.parent.parent / "flows" / "orders"
_FLOWS = {n: (_FOLDER / n).read_text("utf-8") for n in ("contracts.flow", "orders.flow")}


def version(texts: dict[str, str]) -> str:
    found = check_texts(texts)
    assert found.program, found.diagnostics
    return version_of(compile_module(found.program, "shop.orders"))


def edited(old: str, new: str) -> dict[str, str]:
    """The flows with one text replaced, wherever it stands first."""
    name = next(n for n, text in _FLOWS.items() if old in text)
    return {**_FLOWS, name: _FLOWS[name].replace(old, new, 1)}


VERSION = version(_FLOWS)

MEANINGLESS = [
    ("/// Places one order.", "/// Something else."),
    ("/// Set the goods aside.\n", ""),
    ("/// What the customer gets.", "// What the customer gets."),
    ("module shop.orders\n", "module shop.orders // here\n\n\n"),
    ("  within 10m\n", "  within\n\n10m // ten minutes\n"),
    ("within 10m", "within 600s"),
    ("l.price * decimal(l.quantity)", "(l.price * (decimal(l.quantity)))"),
    ('"out of stock: "', "'out of stock: '"),
    ("inventory, payments, shipping,", "shipping, payments, inventory,"),
    (
        "(order_id: order.order_id, lines: order.lines)",
        "(lines: order.lines, order_id: order.order_id)",
    ),
    ("timeout: 3s\n", "timeout: 3000ms\n"),
    ("factor: 2,", "factor: 2.0,"),
    ("policy standard {", "policy standard2 {\n}\npolicy standard {"),
    ("jitter: 20%", "jitter: 20.0%"),
]

MEANINGFUL = [
    ("within 10m", "within 11m"),
    ("  within 10m\n", ""),
    ('"out of stock: "', '"sold out: "'),
    ('text: "Your parcel "', 'text: "The parcel "'),
    ("on exhausted { }", 'on exhausted { fail "unheard" }'),
    ("    on exhausted { }\n", ""),
    ("undo shipping.CancelShipment(order_id: order.order_id)", "undo none"),
    ("amount: total)", 'amount: total + decimal("1"))'),
    ("timeout: 3s", "timeout: 4s"),
    ("attempts: 10, initial", "attempts: 4, initial"),
    ("initial: 500ms", "initial: 501ms"),
    ("factor: 2", "factor: 3"),
    ("max: 5s", "max: 6s"),
    ("jitter: 20%", "jitter: 21%"),
    ('"shop.dlq"', '"shop.dead"'),
    ("retry: fixed(attempts: 3, every: 500ms)", "retry: none"),
    ("quantity: int where quantity > 0", "quantity: int where quantity > 1"),
    ("quantity: int where quantity > 0", "quantity: int"),
    ("sku: string\n", "sku: string?\n"),
    ("customer_id: string\n  card", 'customer_id: string = "nobody"\n  card'),
    ("replies StockReserved fails", "replies StockReserved | StockReleased fails"),
    ("starts on orders.OrderSubmitted as e with (order: e.order)\n", ""),
    ("key order.order_id\n", "key order.customer_id\n"),
    ("    with courier\n", ""),
    ("service inventory {", 'service inventory {\n  commands: topic(name: "inv")'),
    ("service inventory {", "service inventory {\n  commands: topic(partitions: 7)"),
    ("customer_id: order.customer_id, total: total)\n", 'customer_id: "x", total: total)\n'),
    ("total: total, tracking:", 'total: total * decimal("2"), tracking:'),
    ("/// Take the money.", 'if total == decimal("0") { fail "free" }'),
]


@pytest.mark.parametrize(("old", "new"), MEANINGLESS, ids=[o[:30] for o, _ in MEANINGLESS])
def test_what_means_the_same_has_the_same_version(old: str, new: str) -> None:
    assert version(edited(old, new)) == VERSION


@pytest.mark.parametrize(("old", "new"), MEANINGFUL, ids=[n[:30] for _, n in MEANINGFUL])
def test_what_means_something_else_has_another_version(old: str, new: str) -> None:
    assert version(edited(old, new)) != VERSION


def test_no_two_changes_share_a_version() -> None:
    found = [version(edited(*change)) for change in MEANINGFUL]
    assert len(set(found)) == len(found)


_ANY_BLANKS = st.sampled_from([" ", "\n", "\r\n", "\t", " // note\n", "\n/// doc\n", "\n//\n\n  "])


@settings(max_examples=40, deadline=None, database=None)
@given(st.data())
def test_layout_never_counts(data: st.DataObject) -> None:
    """Blanks and comments in any place between two lines."""
    texts = {}
    for name, text in _FLOWS.items():
        lines = text.split("\n")
        texts[name] = "".join(line + "\n" + data.draw(_ANY_BLANKS) for line in lines)
    assert version(texts) == VERSION


@settings(max_examples=60, deadline=None, database=None)
@given(st.sets(st.sampled_from(MEANINGLESS)), st.sampled_from(MEANINGFUL))
def test_what_counts_counts_among_what_does_not(
    without: set[tuple[str, str]], change: tuple[str, str]
) -> None:
    texts = edited(*change)
    for old, new in without:
        texts = {n: t.replace(old, new, 1) for n, t in texts.items()}
    found = check_texts(texts)
    assert found.program, found.diagnostics
    assert version_of(compile_module(found.program, "shop.orders")) != VERSION


def test_a_version_is_16_hexadecimal_digits() -> None:
    assert len(VERSION) == 16
    assert int(VERSION, 16) >= 0
