"""Scenarios of sagas that call sagas: all of them are played, in one world and one time."""

from __future__ import annotations

from dsl.load import check_texts
from orchestrator.compile.compile import compile_module, version_of
from orchestrator.runtime.versions import Served
from orchestrator.testing.course import End, Event
from orchestrator.testing.scenarios import run_scenarios
from tests.testing.stage import SHOP, verdict, wrong

SAGAS = """
saga Part(id: string, wait: bool) -> string key id {
  step goods = stock.Take(id: id, sku: "leg", count: 4) undo stock.PutBack(id: id, ref: "leg")
  step paid = bank.Pay(id: id, sum: decimal("2")) undo bank.Refund(id: id, ref: paid.ref)
    on Declined { fail "no money" }
  if wait { await stock.Arrived as _some within 9h }
  return paid.ref
}
saga Whole(id: string, wait: bool) -> string key id within 2d {
  step room = stock.Take(id: id, sku: "room", count: 1) undo stock.PutBack(id: id, ref: "room")
  step part = Part(id: id + "-c", wait: wait)
  step last = bank.Pay(id: id, sum: decimal("9")) undo none on Declined { fail "at last" }
  return part
}
saga Sure(id: string) -> string key id {
  step part = Part(id: id, wait: false) on failed as why { return "not: " + why }
  return part
}
saga Twice(id: string) -> string key id {
  try {
    step part = Part(id: id, wait: false)
    step again = Part(id: id, wait: false)
  } on failed as why { return why }
  return "both"
}
saga Kept(id: string) key id {
  step part = Part(id: id, wait: false) undo none
  step other = Part(id: id + "-o", wait: false) undo bank.Refund(id: id, ref: other)
  fail "always"
}
"""
WHOLE = 'run Whole(id: "1", wait: false)'


def sent(parts: str) -> list[str]:
    """What was sent, in order."""
    entries = verdict(parts, SAGAS).course.entries
    return [e.text for e in entries if e.event is Event.SENT]


def test_a_called_saga_is_played() -> None:
    """Its steps are answered in the same world; its result is the step's value."""
    given = 'given bank.Pay(id: "1-c") replies Paid(ref: "p") after 3s'
    expects = 'expect Part(id: "1-c") expect bank.Pay(id: "1-c") expect bank.Pay(id: "1")'
    assert wrong(f'{given}\n{WHOLE}\n{expects} expect result "p" expect within 3s', SAGAS) == []


def test_its_failure_is_the_steps_failure() -> None:
    """It undoes itself first."""
    given = 'given bank.Pay(id: "1-c") fails Declined\n'
    assert verdict(given + WHOLE, SAGAS).course.reason == "Part failed: no money"
    assert sent(given + WHOLE)[-2:] == [
        'stock.PutBack(ref: "leg") (undo)',
        'stock.PutBack(ref: "room") (undo)',
    ]
    given = "given bank.Pay fails Declined"
    assert wrong(f'{given}\nrun Sure(id: "1")\nexpect result "not: no money"', SAGAS) == []


def test_a_later_failure_undoes_it() -> None:
    """With its own undos, last first, and the answers that it had."""
    given = (
        'given bank.Pay(id: "1") fails Declined\n'
        'given bank.Pay(id: "1-c") replies Paid(ref: "p7")\n'
    )
    assert verdict(given + WHOLE, SAGAS).course.reason == "at last"
    assert sent(given + WHOLE)[-3:] == [
        'bank.Refund(ref: "p7") (undo)',
        'stock.PutBack(ref: "leg") (undo)',
        'stock.PutBack(ref: "room") (undo)',
    ]


def test_a_cancel_is_passed_on() -> None:
    """The called saga asks for what it does not know, and undoes it."""
    given = 'given bank.Pay(id: "1-c") replies Paid(ref: "p7") after 5s\ngiven cancelled after 2s\n'
    course = verdict(given + WHOLE, SAGAS).course
    assert course.end is End.CANCELLED
    assert sent(given + WHOLE)[-3:] == [
        'bank.Refund(ref: "p7") (undo)',
        'stock.PutBack(ref: "leg") (undo)',
        'stock.PutBack(ref: "room") (undo)',
    ]


def test_one_that_passed_its_pivot_ends_first() -> None:
    """It does not hear of a cancel and is not undone; then its caller is cancelled."""
    sagas = """
    saga Passed(id: string) -> string key id {
      pivot step goods = stock.Take(id: id, sku: "leg", count: 4) undo none
      sleep 1h
      return "x"
    }
    saga Around(id: string) -> string key id {
      step room = stock.Take(id: id, sku: "room", count: 1) undo stock.PutBack(id: id, ref: "room")
      step part = Passed(id: id + "-c")
      sleep 1h
      return part
    }
    """
    course = verdict('given cancelled after 2m\nrun Around(id: "1")', sagas).course
    assert (course.end, course.at) == (End.CANCELLED, 3600.0)
    assert course.entries[-2].text == 'stock.PutBack(ref: "room") (undo)'


def test_the_callers_deadline_holds() -> None:
    """A called saga that waits is stopped with it."""
    sagas = SAGAS.replace("within 2d", "within 1h")
    course = verdict('run Whole(id: "1", wait: true)', sagas).course
    assert (course.reason, course.at) == ("not done within 1h", 3600.0)


def test_events_reach_it() -> None:
    """Those of its key."""
    given = 'given stock.Arrived(id: "1-c") arrives after 2h'
    parts = f'{given}\nrun Whole(id: "1", wait: true)\nexpect within 2h expect result "ref"'
    assert wrong(parts, SAGAS) == []


def test_a_scope_undoes_it() -> None:
    """A key has one saga: the second call fails."""
    parts = """
      run Twice(id: "1")
      expect bank.Refund expect stock.PutBack
      expect result "`Part/1` was started before, and a key has one saga"
    """
    assert wrong(parts, SAGAS) == []


def test_a_step_may_have_an_undo_of_its_own() -> None:
    """Then that alone is done; `undo none` leaves all as it is."""
    found = sent('given bank.Pay replies Paid(ref: "p")\nrun Kept(id: "1")')
    assert [text for text in found if text.endswith("(undo)")] == ['bank.Refund(ref: "p") (undo)']


def test_an_undo_of_it_that_gets_no_answer_parks() -> None:
    given = 'given bank.Pay(id: "1") fails Declined given bank.Refund times out'
    assert wrong(f"{given}\n{WHOLE}\nexpect parked", SAGAS) == []


def test_a_saga_of_another_module_is_part_of_the_plan() -> None:
    """With all that it needs; it is played, waits for its events, and starts nothing there."""
    inner = SHOP + SAGAS.partition("saga Whole")[0].replace(
        "key id {", "key id starts on bank.Asked as e with (id: e.id, wait: false) {", 1
    )
    outer = """
module tour
from shop import Part
saga Tour(id: string) -> string key id { step part = Part(id: id, wait: false) return part }
scenario "it" { run Tour(id: "1") expect result "ref" }
"""
    loaded = check_texts({"shop.flow": inner, "tour.flow": outer})
    assert loaded.program, [d.message for d in loaded.diagnostics]
    plan = compile_module(loaded.program, "tour")
    assert (list(plan.sagas), list(plan.children)) == (["tour.Tour"], ["shop.Part"])
    served = Served(plan, version_of(plan))
    assert (list(served.starts), list(served.awaits)) == ([], ["stock.Arrived"])
    assert {"shop.stock.Take", "shop.bank.Refund"} <= plan.commands.keys()
    assert [v.ok for v in run_scenarios(loaded.program, ["tour"])] == [True]
