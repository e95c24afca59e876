"""Named arguments, for steps and emits as for records."""

from __future__ import annotations

import pytest

from dsl.cel.check import check_arguments
from dsl.cel.nodes import Const, Get
from dsl.cel.scope import FieldShape
from dsl.types import DECIMAL, INT, STRING, Optional

FIELDS = (
    FieldShape("a", INT),
    FieldShape("b", STRING, Const(type=STRING, value="x")),
    FieldShape("c", Optional(DECIMAL)),
)


@pytest.fixture
def checked(tree, shop):
    def check(text, fields=FIELDS, present=frozenset()):
        call = tree(text)
        return check_arguments(call.arguments, fields, shop, call.callee.at, "Pay", present)

    return check


def test_defaults_and_nulls_are_filled_in(checked):
    nodes, diagnostics = checked("Pay(a: 1)")
    assert diagnostics == ()
    assert list(nodes) == ["a", "b", "c"]
    assert nodes["b"] == Const(type=STRING, value="x")
    assert nodes["c"] == Const(type=Optional(DECIMAL), value=None)


def test_arguments_come_in_the_order_of_the_fields(checked):
    nodes, diagnostics = checked('Pay(c: d, b: "y", a: order.lines[0].quantity)')
    assert diagnostics == ()
    assert list(nodes) == ["a", "b", "c"]
    assert isinstance(nodes["a"], Get)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pay()", ["F203 Pay"]),
        ("Pay(a: 1, z: 2)", ["F204 z"]),
        ("Pay(a: 1, a: 2)", ["F204 a"]),
        ("Pay(1)", ["F204 1"]),
        ("Pay(1, 2)", ["F204 1"]),
        ("Pay(a: s)", ["F201 s"]),
        ("Pay(a: count)", ["F206 count"]),
        ("Pay(b: 1, c: 2)", ["F203 Pay", "F201 1", "F201 2"]),
        ("Pay(A: 1)", ["F204 A"]),
    ],
)
def test_faults(checked, text, found):
    _, diagnostics = checked(text)
    assert [f"{d.code} {d.at.text}" for d in diagnostics] == found


def test_a_repetition_points_at_the_first(checked):
    _, (diagnostic,) = checked("Pay(a: 1, a: 2)")
    assert [(n.at.text, n.label) for n in diagnostic.also] == [("a", "given here first")]
    assert diagnostic.also[0].at.start < diagnostic.at.start


def test_present_paths(checked):
    _, diagnostics = checked("Pay(a: count)", present=frozenset({("count",)}))
    assert diagnostics == ()


def test_no_fields(checked):
    assert checked("Pay()", ()) == ({}, ())
    _, (diagnostic,) = checked("Pay(1)", ())
    assert (diagnostic.code, diagnostic.help) == ("F204", "remove it")


def test_a_built_record_has_its_defaults(run):
    made = run('Order(order_id: id, customer_id: "c", lines: [])')
    assert made.type == "shop.Order"
    assert made == {
        "order_id": made["order_id"],
        "customer_id": "c",
        "lines": [],
        "currency": "EUR",
        "note": None,
        "parent": None,
    }
