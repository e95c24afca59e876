"""A small shop whose sagas the scenarios of these tests run."""

from __future__ import annotations

from dsl.load import check_texts
from orchestrator.testing.scenarios import run_scenarios
from orchestrator.testing.verdict import Verdict

SHOP = """
module shop

policy quick { timeout: 10s retry: fixed(attempts: 3, every: 5s) dead_letter: "dead" }
policy once { timeout: 10s retry: none }

enum Size { SMALL LARGE }
record Box { size: Size  weight: float  labels: list<string> }

service stock {
  policy: quick
  command Take key id { id: string  sku: string  count: int } replies Taken | Ordered fails SoldOut
  command PutBack key id { id: string  ref: string } replies Back
  event Taken key id { id: string  ref: string  sku: string  box: Box  note: string? }
  event Ordered key id { id: string  days: int = 7 }
  event SoldOut key id { id: string  why: string }
  event Back key id { id: string }
  event Arrived key id { id: string  count: int }
}

service bank {
  policy: once
  command Pay key id { id: string  sum: decimal where sum > decimal("0") }
    replies Paid fails Declined
  command Refund key id { id: string  ref: string } replies Refunded
  event Paid key id { id: string  ref: string  at: timestamp }
  event Refunded key id { id: string }
  event Declined key id { id: string  why: string }
  event Asked key id { id: string  sum: decimal }
}
"""

BUY = """
saga Buy(id: string, sum: decimal) -> string
  key id
  starts on bank.Asked as e with (id: e.id, sum: e.sum)
  within 1h
{
  step goods = stock.Take(id: id, sku: "chair", count: 2)
    undo stock.PutBack(id: id, ref: "all")
    on SoldOut as no { fail "sold out: " + no.why }
  step paid = bank.Pay(id: id, sum: sum) undo bank.Refund(id: id, ref: paid.ref)
  emit stock.Arrived(id: id, count: 2)
  return paid.ref
}
"""


def verdicts(flow: str, sagas: str = BUY) -> list[Verdict]:
    """The verdicts on a flow's scenarios; the flow must check."""
    loaded = check_texts({"shop.flow": SHOP + sagas + flow})
    assert loaded.program, [(d.message, d.at) for d in loaded.diagnostics]
    return list(run_scenarios(loaded.program, loaded.asked))


def verdict(parts: str, sagas: str = BUY) -> Verdict:
    """The verdict on one scenario of these parts."""
    (one,) = verdicts(f'scenario "it" {{\n{parts}\n}}', sagas)
    return one


def wrong(parts: str, sagas: str = BUY) -> list[str]:
    """Why its expectations do not hold; nothing for those that do."""
    return [c.why for c in verdict(parts, sagas).checks if not c.ok]
