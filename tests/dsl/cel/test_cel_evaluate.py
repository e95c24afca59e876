"""Compiled expressions as the runtime uses them: plans, depth, speed, errors."""

from __future__ import annotations

import pickle
import timeit

import pytest
from cel_shop import VALUES
from pydantic import TypeAdapter

from dsl.cel.check import DEEPEST
from dsl.cel.errors import CelError
from dsl.cel.evaluate import compile_node
from dsl.cel.nodes import Call, Const, Node, Ref
from dsl.types import INT

PLAN = TypeAdapter(Node)

SURVIVES = [
    'order.lines.map(l, l.quantity > 1, l.price * decimal(l.quantity)).sum() > decimal("1")',
    'has(order.note) && order.note.matches("a+") || currency in [EUR, USD]',
    '{"a": [1, 2], "b": []}.map(k, size(k) == 1 ? t + 1h : now())',
    'Order(order_id: id, customer_id: "c", lines: [Line(sku: s, quantity: 1, price: 20%)])',
    'b"\\xff" + bytes("x") == b"" || -9223372036854775808 < n || d < 20%',
]


@pytest.mark.parametrize("text", SURVIVES)
def test_a_stored_plan_gives_the_same(typed, run, text):
    node = typed(text).node
    again = PLAN.validate_json(PLAN.dump_json(node))
    assert again == node
    assert compile_node(again)(VALUES) == run(text)


def nested(shape: str, depth: int) -> str:
    open, close = shape.split("x")
    return open * depth + "n" + close * depth


#: A shape, and how many levels of nesting one `x` of it is.
SHAPES = [
    ("(1 + x)", 1),
    ("-(x)", 1),
    ("[x]", 1),
    ("(flag ? x : 1)", 1),
    ("dyn(x)", 1),
    ("int(string(x))", 2),
    ("{1: x}[1]", 2),
    ("[1].map(q, x)[0]", 2),
    ("(flag && x == 1 ? 1 : 2)", 3),
]


@pytest.mark.parametrize(("shape", "levels"), SHAPES)
def test_two_hundred_levels(typed, shape, levels):
    found = typed(nested(shape, 200 // levels))
    assert found.diagnostics == ()
    compile_node(found.node)({"n": 1, "flag": True})


@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
def test_too_deep_is_one_report(typed, shape):
    found = typed(nested(shape, DEEPEST + 10))
    assert [d.code for d in found.diagnostics] == ["F003"]


def test_a_trivial_comparison_is_fast(typed):
    run = compile_node(typed('order.customer_id == "c1"').node)
    env = {"order": {"customer_id": "c1"}}
    best = min(timeit.repeat(lambda: run(env), number=20_000, repeat=5)) / 20_000
    assert best < 2e-6


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(CelError("overflow", "5 is too much")))
    assert (error.kind, error.detail, str(error)) == (
        "overflow",
        "5 is too much",
        "overflow: 5 is too much",
    )


def test_a_missing_name_is_an_error():
    with pytest.raises(CelError, match="no such name: x"):
        compile_node(Ref(name="x"))({})


def test_a_function_that_does_not_exist_is_an_error():
    with pytest.raises(CelError, match="no function 'frobnicate'"):
        compile_node(Call(function="frobnicate", args=(Const(type=INT, value=1),)))


def test_the_names_are_left_alone(run, typed):
    env = {"tags": ["x"], "n": 5}
    compile_node(typed("tags.map(n, n)").node)(env)
    assert env == {"tags": ["x"], "n": 5}
