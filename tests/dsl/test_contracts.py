"""What services, messages and policies declare, as the model has it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dsl.load import Loaded, check_texts
from dsl.model import (
    Breaker,
    Compatibility,
    Delivery,
    Exhausted,
    Idempotency,
    Order,
    Overflow,
    RateLimit,
    WireFormat,
)
from orchestrator.compile.compile import compile_module
from orchestrator.compile.plan import StepPlan

CONTRACTS = """
module shop

policy patient {
  timeout: 10s
  exhausted: park
  order: blocking
  overflow: buffer
}
policy guarded extends patient {
  circuit_breaker: breaker(failures: 5, within: 30s, open_for: 10s)
  rate_limit: 1000 / 1s
  max_in_flight: 100
  overflow: block
}

service bank {
  format: protobuf
  compatibility: backward
  policy: guarded

  command Pay key id { id: string @1 } replies Paid
  command Move key id idempotent by version version {
    id: string @1
    version: int @2
  } replies Paid
  command Refund key id delivery exactly_once idempotent by key (id, payment) {
    id: string @1
    payment: string @2
  } replies Paid
  command Ring key id delivery at_most_once { id: string @1 } replies Paid

  event Paid key id delivery exactly_once sequence number { id: string @1  number: int @2 }
  event Seen key id delivery at_most_once { id: string @1 }
}
service stock {
  event Counted key id { id: string }
}

saga Buy(id: string)
  key id
{
  step paid = bank.Pay(id: id) undo none
  step _rung = bank.Ring(id: id) undo none
}
"""


def loaded(text: str) -> Loaded:
    return check_texts({"main.flow": text})


def test_services_and_messages_have_what_is_declared() -> None:
    """Formats, compatibility, idempotency, sequence and delivery are in the model, defaults
    where nothing is said."""
    program = loaded(CONTRACTS).program
    assert program
    bank, stock = program.modules["shop"].services
    assert (bank.format, bank.compatibility) == (WireFormat.PROTOBUF, Compatibility.BACKWARD)
    assert (stock.format, stock.compatibility) == (WireFormat.JSON, Compatibility.FULL_TRANSITIVE)
    assert [c.idempotency for c in bank.commands] == [
        Idempotency(),
        Idempotency(by="version", fields=("version",)),
        Idempotency(by="key", fields=("id", "payment")),
        Idempotency(),
    ]
    assert [c.delivery for c in bank.commands] == [
        *(Delivery.AT_LEAST_ONCE, Delivery.AT_LEAST_ONCE),
        *(Delivery.EXACTLY_ONCE, Delivery.AT_MOST_ONCE),
    ]
    assert [(e.sequence, e.delivery) for e in (*bank.events, *stock.events)] == [
        ("number", Delivery.EXACTLY_ONCE),
        (None, Delivery.AT_MOST_ONCE),
        (None, Delivery.AT_LEAST_ONCE),
    ]


def test_a_policy_takes_from_the_one_it_extends_what_it_does_not_say() -> None:
    """Limits and modes are in the model, and overridden one by one."""
    program = loaded(CONTRACTS).program
    assert program
    patient, guarded = program.modules["shop"].policies
    assert (patient.order, patient.overflow) == (Order.BLOCKING, Overflow.BUFFER)
    assert (patient.circuit_breaker, patient.rate_limit, patient.max_in_flight) == (None,) * 3
    assert (guarded.order, guarded.overflow) == (Order.BLOCKING, Overflow.BLOCK)
    assert guarded.exhausted is Exhausted.PARK
    assert guarded.circuit_breaker == Breaker(
        failures=5, within=timedelta(seconds=30), open_for=timedelta(seconds=10)
    )
    assert guarded.rate_limit == RateLimit(count=1000, per=timedelta(seconds=1))
    assert guarded.max_in_flight == 100


def test_what_is_delivered_at_most_once_has_one_attempt() -> None:
    """Whatever the policy of its service says, which is kept for the rest: so the plan, the budget
    and scenarios count one."""
    program = loaded(CONTRACTS).program
    assert program
    paid, rung = compile_module(program, "shop").sagas["shop.Buy"].body
    assert isinstance(paid, StepPlan) and isinstance(rung, StepPlan)
    assert (paid.call.once, rung.call.once) == (False, True)
    assert (rung.call.policy.attempts, rung.call.policy.exhausted) == (1, "park")
    assert paid.call.policy.attempts > 1
    assert rung.call.policy.timeout == paid.call.policy.timeout


def test_the_plan_carries_them() -> None:
    """A worker finds formats, idempotency and the whole policy in the plan."""
    program = loaded(CONTRACTS).program
    assert program
    plan = compile_module(program, "shop")
    assert plan.commands["shop.bank.Refund"].idempotency.fields == ("id", "payment")
    assert plan.events["shop.bank.Paid"].wire is WireFormat.PROTOBUF
    step = plan.sagas["shop.Buy"].body[0]
    assert step.kind == "step"
    policy = step.call.policy
    assert policy.breaker and policy.rate
    assert (policy.breaker.failures, policy.breaker.open_for) == (5, 10.0)
    assert (policy.rate.count, policy.rate.per) == (1000, 1.0)
    assert (policy.exhausted, policy.max_in_flight) == ("park", 100)


@pytest.mark.parametrize(
    ("fields", "fixed"),
    [
        ("id: string  at: int", "id: string @1  at: int @2"),
        ("id: string  at: int @7", "id: string @8  at: int @7"),
        ("id: string @18999  at: int?", "id: string @18999  at: int? @20000"),
        (
            "id: string @2  to: list<string>  at: int = 3 where at > 2",
            "id: string @2  to: list<string> @3  at: int @4 = 3 where at > 2",
        ),
    ],
)
def test_missing_numbers_are_given_by_the_fix(fields: str, fixed: str) -> None:
    """The fix gives the next free numbers, none of Protobuf's own, and leaves nothing to report."""
    template = "module shop\nservice bank {{ format: protobuf\n event Paid key id {{ {} }}\n}}\n"
    text = template.format(fields)
    (found,) = loaded(text).diagnostics
    assert found.code == "F213"
    for edit in sorted(found.fix, key=lambda e: -e.at.start):
        text = text[: edit.at.start] + edit.text + text[edit.at.end :]
    assert text == template.format(fixed)
    assert loaded(text).diagnostics == ()


def test_the_words_of_clauses_are_names_elsewhere() -> None:
    """Fields may be called what a clause begins with."""
    text = """
module shop
service bank {
  command Pay key version idempotent by key (by, message) {
    by: string
    message: string
    version: int
    idempotent: bool
  } replies Paid
  event Paid key delivery sequence sequence delivery at_most_once { delivery: string sequence: int }
}
"""
    assert loaded(text).diagnostics == ()
