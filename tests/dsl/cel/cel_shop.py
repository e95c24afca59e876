"""A small shop for expressions to speak of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from dsl import syntax
from dsl.cel.check import Typed, check
from dsl.cel.evaluate import CLOCK
from dsl.cel.nodes import Const
from dsl.cel.scope import FieldShape
from dsl.parse import parse_expression
from dsl.source import Source
from dsl.types import Named, Type, parse_type
from dsl.values import Struct

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
ORDER_ID = UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301")

_VARIABLES = {
    "order": "shop.Order",
    "maybe": "shop.Order?",
    "payment": "shop.CardCharged | shop.ChargePending",
    "currency": "shop.Currency",
    "coin": "shop.Coin",
    "n": "int",
    "f": "float",
    "s": "string",
    "d": "decimal",
    "flag": "bool",
    "t": "timestamp",
    "day": "date",
    "span": "duration",
    "id": "uuid",
    "note": "string?",
    "count": "int?",
    "tags": "list<string>",
    "prices": "map<string, decimal>",
    "notes": "map<string, string?>",
    "any": "any",
}
_RECORDS = {
    "shop.Line": {"sku": "string", "quantity": "int", "price": "decimal"},
    "shop.Order": {
        "order_id": "uuid",
        "customer_id": "string",
        "lines": "list<shop.Line>",
        "currency": "shop.Currency",
        "note": "string?",
        "parent": "shop.Order?",
    },
    "shop.CardCharged": {"payment_id": "string", "at": "timestamp"},
    "shop.ChargePending": {"payment_id": "string"},
    "shop.orders.OrderPlaced": {"order_id": "uuid", "total": "decimal"},
    "shop.Empty": {},
    "shop.Tree": {"child": "shop.Tree?"},
}
_ENUMS = {
    "shop.Currency": ("EUR", "USD", "GBP"),
    "shop.Coin": ("EUR", "CENT"),
    "shop.Status": ("created", "placed"),
}
_DEFAULTS = {"currency": Const(type=Named("shop.Currency"), value="EUR")}


class Shop:
    """A `Scope` over the tables above."""

    how_to_name = "declare it before this place"

    def variable(self, name: str) -> Type | None:
        return parse_type(_VARIABLES[name]) if name in _VARIABLES else None

    def type_at(self, path: tuple[str, ...]) -> Named | None:
        name = ".".join(("shop", *path))
        return Named(name) if name in _RECORDS or name in _ENUMS else None

    def fields(self, qualified: str) -> tuple[FieldShape, ...] | None:
        if qualified not in _RECORDS:
            return None
        fields = _RECORDS[qualified].items()
        return tuple(FieldShape(n, parse_type(t), _DEFAULTS.get(n)) for n, t in fields)

    def symbols(self, qualified: str) -> tuple[str, ...] | None:
        return _ENUMS.get(qualified)

    def enums_with(self, symbol: str) -> tuple[Named, ...]:
        return tuple(Named(n) for n, symbols in _ENUMS.items() if symbol in symbols)

    def names(self) -> Iterable[str]:
        return _VARIABLES


def _line(sku: str, quantity: int, price: str) -> Struct:
    fields = {"sku": sku, "quantity": quantity, "price": Decimal(price)}
    return Struct("shop.Line", fields)


def _order(note: str | None = None) -> Struct:
    lines = [_line("a", 2, "1.50"), _line("b", 1, "10.00")]
    fields = {"order_id": ORDER_ID, "customer_id": "c1", "lines": lines, "currency": "EUR"}
    return Struct("shop.Order", {**fields, "note": note, "parent": None})


VALUES: dict[str, Any] = {
    "order": _order(),
    "maybe": None,
    "payment": Struct("shop.ChargePending", {"payment_id": "p1"}),
    "currency": "USD",
    "coin": "CENT",
    "n": 7,
    "f": 2.5,
    "s": "text",
    "d": Decimal("12.30"),
    "flag": True,
    "t": NOON,
    "day": date(2024, 2, 29),
    "span": timedelta(hours=36),
    "id": ORDER_ID,
    "note": None,
    "count": None,
    "tags": ["x", "y"],
    "prices": {"a": Decimal("1.5"), "b": Decimal("2")},
    "notes": {"a": "first", "b": None},
    "any": {"k": [1, 2.0, "three"], "flag": True},
    CLOCK: NOON,
}


def parse(text: str) -> syntax.Expr:
    tree, diagnostics = parse_expression(Source("test.flow", text))
    assert tree is not None
    assert diagnostics == ()
    return tree


def type_of(text: str, expected: str | None = None, present: tuple[str, ...] = ()) -> Typed:
    known = frozenset(tuple(p.split(".")) for p in present)
    return check(parse(text), Shop(), parse_type(expected) if expected else None, known)
