"""Flows of any length, for tests and measurements of speed."""

from __future__ import annotations

_HEAD = """\
/// A generated flow.
module generated

type Money = decimal
"""

_PART = """
/// The part number {n}.
record Line{n} {{
  sku: string
  quantity: int @2 where quantity > 0
  price: Money where price >= decimal("0")
}}

enum State{n} {{ OPEN CLOSED }}

policy patient{n} {{
  timeout: 3s
  retry: exponential(attempts: 3, initial: 500ms, factor: 2, max: 5s, jitter: 20%)
  dead_letter: "generated.dlq"
}}

/// Owns what the part is about.
service stock{n} {{
  policy: patient{n}

  command Reserve key order_id {{
    order_id: uuid
    lines: list<Line{n}>
  }} replies Reserved fails Missing

  command Release key order_id {{
    order_id: uuid
    reservation_id: string
  }} replies Released

  event Reserved key order_id {{ order_id: uuid  reservation_id: string }}
  event Released key order_id {{ order_id: uuid  reservation_id: string }}
  event Missing key order_id {{ order_id: uuid  sku: string  at: timestamp? }}
}}

/// Reserves what an order needs.
saga Reserve{n}(order_id: uuid, lines: list<Line{n}>, state: State{n}) -> Money
  key order_id
  within 10m
{{
  let total = lines.map(l, l.price * decimal(l.quantity)).sum()

  // An order without lines is a mistake.
  if size(lines) == 0 || total <= decimal("0") && state == State{n}.OPEN {{
    fail "nothing to reserve: " + string(total)
  }}

  step first = stock{n}.Reserve(order_id: order_id, lines: lines)
    undo stock{n}.Release(order_id: order_id, reservation_id: first.reservation_id)
    on Missing as missing {{ fail "out of stock: " + missing.sku }}

  parallel {{
    branch left {{
      step second = stock{n}.Reserve(order_id: order_id, lines: lines.filter(l, l.quantity > 1))
        undo stock{n}.Release(order_id: order_id, reservation_id: second.reservation_id)
    }}
    branch right {{
      emit stock{n}.Missing(order_id: order_id, sku: lines[0].sku + " and more")
    }}
  }}
  await stock{n}.Released as ref when ref.order_id == order_id within 2m on timeout {{ fail "no" }}
  return total * decimal("1.19")
}}
"""


def flow_of(lines: int) -> str:
    """A flow of about that many lines that checks without a finding."""
    each = _PART.count("\n")
    return _HEAD + "".join(_PART.format(n=n) for n in range(max(1, round(lines / each))))
