"""Aggregates and projections, as the model has them."""

from __future__ import annotations

from datetime import timedelta

from dsl.cel.evaluate import compile_node
from dsl.load import Loaded, check_texts
from dsl.types import UUID, Named
from dsl.values import Struct

FLOW = """
module shop

enum Status { created placed paid }

service shop {
  event Placed key id { id: uuid  customer: string  total: int }
  event Paid key id { id: uuid  ref: string }
  event Moved key id { id: uuid  from: string  to: string  total: int }
}

/// An order's life.
aggregate Order key id snapshot every 100 buffer 50 within 10m {
  status: Status = created
  /// By whom.
  ref: string?

  on shop.Placed when status == created { set status = placed }
  on shop.Paid as e when status == placed && id == e.id {
    set ref = e.ref
    set status = ref.startsWith("p") ? paid : placed
  }
}

projection Customers key customer {
  customer: string
  orders: int = 0
  spent: int = 0

  on shop.Placed as e {
    set orders = orders + 1
    set spent = spent + e.total * orders
  }
  on shop.Moved as e for e.from when e.total > 0 { set spent = spent - e.total }
  on shop.Moved as e for e.to { set spent = spent + e.total }
}
"""


def loaded(text: str) -> Loaded:
    return check_texts({"main.flow": text})


def test_an_aggregate_has_its_clauses_and_state() -> None:
    """The key has the type of the events' keys; fields keep their defaults and docs."""
    program = loaded(FLOW).program
    assert program
    (order,) = program.modules["shop"].aggregates
    assert (order.name, order.key, order.key_type) == ("shop.Order", "id", UUID)
    assert (order.snapshot_every, order.buffer) == (100, 50)
    assert (order.within, order.doc) == (timedelta(minutes=10), "An order's life.")
    status, ref = order.fields
    assert (status.name, status.type, status.doc) == ("status", Named("shop.Status"), "")
    assert (ref.name, ref.doc) == ("ref", "By whom.")
    placed, paid = order.reactions
    assert (placed.event, placed.name, placed.text) == (
        "shop.shop.Placed",
        None,
        "status == created",
    )
    assert [s.name for s in paid.sets] == ["ref", "status"]


def test_expressions_see_the_state_the_key_and_the_event() -> None:
    """What is set is known to what is set after it, and no longer null."""
    program = loaded(FLOW).program
    assert program
    (customers,) = program.modules["shop"].projections
    event = Struct("shop.shop.Placed", {"id": None, "customer": "c", "total": 5})
    row = {"customer": "c", "orders": 2, "spent": 1}
    for assign in customers.reactions[0].sets:
        row[assign.name] = compile_node(assign.value)({**row, "e": event})
    assert row == {"customer": "c", "orders": 3, "spent": 16}


def test_a_projection_says_which_row_an_event_is_about() -> None:
    """Without `for` by the event's field of the key's name; one event may be about two rows."""
    program = loaded(FLOW).program
    assert program
    (customers,) = program.modules["shop"].projections
    rows = [r.row and compile_node(r.row) for r in customers.reactions]
    event = Struct("shop.shop.Moved", {"from": "a", "to": "b", "total": 1})
    assert rows[0] is None
    assert [row({"e": event}) for row in rows[1:] if row] == ["a", "b"]


def test_states_are_no_records() -> None:
    """Neither can be built or named as a type, and no participant is shown one."""
    program = loaded(FLOW).program
    assert program
    assert all(".Order" not in r.name for r in program.modules["shop"].records)
    wrong = loaded(FLOW + "\nrecord Basket { order: Order }\n")
    assert [d.code for d in wrong.diagnostics] == ["F104"]


def test_their_words_are_names_elsewhere() -> None:
    """Fields may be called what a clause or a reaction begins with."""
    text = """
module shop
service shop { event Placed key snapshot { snapshot: string  every: int  on: bool } }
aggregate projection key snapshot buffer 3 {
  on: bool = false
  buffer: int = 0
  set: int? = null
  aggregate: int = 0

  on shop.Placed as when when when.on {
    set on = true
    set buffer = when.every
    set set = buffer
  }
}
"""
    assert loaded(text).diagnostics == ()


def test_a_mistake_in_one_leaves_the_others() -> None:
    """The parser goes on with the next field, reaction and declaration."""
    text = FLOW.replace("set ref = e.ref", "set ref e.ref").replace(
        "spent: int = 0", "spent int = 0"
    )
    assert [d.code for d in loaded(text).diagnostics] == ["F001", "F001"]
