"""What a diagram shows of loops, choices, scopes, waits and the pivot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsl.load import check_texts, load
from orchestrator.diagrams import dot, render

FLOW = Path(__file__).parents[1] / "golden" / "flows" / "statements.flow"


@pytest.fixture
def drawn() -> str:
    loaded = load([FLOW])
    assert loaded.program
    (saga,) = loaded.program.modules["corpus.statements"].sagas
    return dot(saga, loaded.program)


@pytest.fixture
def picture(drawn: str, read: Callable[[str], Any]) -> Any:
    return read(drawn)


def ways(picture: Any, node: str) -> set[tuple[str, str]]:
    """Where a node leads, with the labels."""
    return {(head, label) for tail, head, _, label in picture.edges if tail == node}


def frames(picture: Any) -> list[tuple[str, set[str]]]:
    """The label of each frame and the names of its nodes."""
    by_id = {o["_gvid"]: o["name"] for o in picture.graph["objects"]}
    return [
        (o["label"], {by_id[n] for n in o["nodes"]})
        for o in picture.graph["objects"]
        if o["name"].startswith("cluster_") and o.get("nodes")
    ]


def test_a_match_is_a_diamond_with_a_way_for_each_case(picture: Any) -> None:
    assert picture.nodes["match:1"]["shape"] == "diamond"
    assert ways(picture, "match:2") == {("gift", "LARGE"), ("match:3", "SMALL")}
    assert ways(picture, "match:3") == {("timer:2", "LARGE"), ("while:1", "else")}


def test_a_loop_leads_back_to_its_head(picture: Any) -> None:
    assert picture.nodes["for:2"]["shape"] == "hexagon"
    for text in ("line in lines", "3 at once", "gives refs"):
        assert text in picture.nodes["for:2"]["label"]
    assert ways(picture, "for:2") == {("taken", "each"), ("match:2", "then")}
    assert picture.ways("loop") == {
        *(("for:1", "for:1"), ("match:1", "for:2"), ("timer:1", "for:2")),
        *(("on:1", "while:1"), ("while:2", "while:2")),
    }
    assert ways(picture, "while:1") == {("race:1", "yes"), ("while:2", "no")}


def test_loops_and_scopes_are_framed(picture: Any) -> None:
    found = dict(frames(picture))
    assert [label.partition("\\l")[0] for label in found] == ["for, 3 at once", "try", "while"]
    loop, scope, _ = found.values()
    assert {"for:2", "taken", "undo:taken", "match:1", "timer:1"} <= loop
    assert scope == {"gift", "undo:gift", "undo:try:1"}
    assert "undone turn by turn" in next(iter(found))


def test_a_scope_is_undone_before_its_handler(picture: Any) -> None:
    assert picture.label("gift", "undo:gift") == "exhausted"
    assert picture.label("gift", "undo:try:1") == "Missing"
    assert ("undo:gift", "undo:try:1") in picture.ways("undo")
    assert ("undo:try:1", "undo:taken") in picture.ways("undo")
    handled = {
        t for a, b, k, t in picture.edges if (a, b, k) == ("undo:try:1", "match:3", "failure")
    }
    assert handled == {"on Missing", "on exhausted"}


def test_a_race_leads_to_its_events_and_its_timer(picture: Any) -> None:
    assert {head for head, _ in ways(picture, "race:1")} == {"on:1", "on:2", "timer:3"}
    assert "when some.count" in picture.nodes["on:1"]["label"]
    assert picture.nodes["timer:3"]["shape"] == "ellipse"
    assert picture.nodes["timer:3"]["label"] == "after\\n7d"
    assert picture.nodes["timer:2"]["label"] == "sleep\\n10m"


def test_nothing_leads_back_from_behind_the_pivot(picture: Any) -> None:
    assert ("shipped", "pivot:1") in picture.ways("forward")
    assert picture.nodes["pivot:1"]["label"] == "point of no return"
    assert "parks when exhausted" in picture.nodes["again"]["label"]
    assert "parks" not in picture.nodes["shipped"]["label"]
    for kind in ("undo", "failure", "pair"):
        ends = [(a, b) for a, b in picture.ways(kind) if "again" in (a, b) or "pivot:1" in (a, b)]
        assert ends == ([("again", "if:2")] if kind == "failure" else [])


CONTRACTS = """
module a
service s {
  command Do key id { id: string } replies Done
  event Done key id { id: string }
}
"""


@pytest.mark.parametrize(
    "body",
    [
        "pivot step p = s.Do(id: id) undo none parallel { branch a { step b = s.Do(id: id) } }",
        "try { sleep 1s } on timeout { }",
        "parallel { branch a { try { step b = s.Do(id: id) undo s.Do(id: id) } on timeout { } } }",
        "for i in [1, 2] { for j in [i] { if j > 1 { return } step b = s.Do(id: id) undo none } }",
        "let xs = for i in [1, 2] { while true { yield i } } fail string(size(xs))",
        "while true { step b = s.Do(id: id) undo s.Do(id: id) }",
        "while true { step b = s.Do(id: id) undo { step c = s.Do(id: b.id) sleep 1s } }",
        "for _i in [1, 2] { fail id }",
        "race { on s.Done { return } }",
    ],
)
def test_every_nesting_is_drawn(body: str) -> None:
    program = check_texts({"a.flow": f"{CONTRACTS}saga S(id: string) key id {{ {body} }}"}).program
    assert program
    assert render(dot(program.modules["a"].sagas[0], program), "svg")


def test_an_undo_in_steps_says_what_it_does(read: Callable[[str], Any]) -> None:
    """It is one box on the way back, with what it calls."""
    body = """
      step x = s.Do(id: id) undo none
      step a = s.Do(id: id) undo { step back = s.Do(id: a.id) await s.Done }
      step b = s.Do(id: id) undo s.Do(id: b.id)
    """
    program = check_texts({"a.flow": f"{CONTRACTS}saga S(id: string) key id {{ {body} }}"}).program
    assert program
    picture = read(dot(program.modules["a"].sagas[0], program))
    label = picture.nodes["undo:a"]["label"]
    assert all(text in label for text in ("undo a, in steps", "s.Do", "waits for s.Done"))
    assert ("undo:b", "undo:a") in picture.ways("undo")


def test_a_called_saga_is_a_box_of_its_own(read: Callable[[str], Any]) -> None:
    """With a double border; the way back leads through what it did."""
    text = f"""{CONTRACTS}
    saga Part(id: string) key id {{ step a = s.Do(id: id) undo s.Do(id: a.id) }}
    saga S(id: string) key id {{
      step x = s.Do(id: id) undo s.Do(id: x.id)
      step part = Part(id: id)
      step kept = Part(id: id + "-k") undo none on failed {{ }}
    }}"""
    program = check_texts({"a.flow": text}).program
    assert program
    drawn = dot(program.modules["a"].sagas[1], program)
    picture = read(drawn)
    assert picture.nodes["part"]["peripheries"] == "2"
    assert "saga Part" in picture.nodes["part"]["label"]
    assert "its own undos" in picture.nodes["undo:part"]["label"]
    assert ("undo:part", "undo:x") in picture.ways("undo")
    assert "undo:kept" not in picture.nodes
    assert picture.label("part", "undo:x") == "failed"
    assert render(drawn, "svg")


def test_a_head_shows_the_inputs_and_an_await_its_signal() -> None:
    """What the saga may be told, asked and changed by stands in its head."""
    body = """
      signal Approve { by: string }
      query state -> string = progress
      update Rename { to: string } { set progress = to }
      var progress = "new"
      race { on Approve as one when one.by != id { } after 1d { } }
      await Approve
    """
    program = check_texts({"a.flow": f"{CONTRACTS}saga S(id: string) key id {{ {body} }}"}).program
    assert program
    text = dot(program.modules["a"].sagas[0], program)
    for line in ("signals Approve", "queries state", "updates Rename", "waits for signal"):
        assert line in text
    assert "on signal\\nApprove\\nwhen one.by != id" in text
    assert "S.Approve" not in text
    assert render(text, "svg")


def test_a_saga_is_drawn_with_all_that_starts_it(read: Callable[[str], Any]) -> None:
    """An event, an interval and the times of a cron lead to its first statement."""
    head = """
      saga S(id: string) key id
        starts on s.Done as e with (id: e.id)
        starts every 90m with (id: string(at))
        starts at "0 9 * * MON" in "Europe/Berlin" with (id: string(at))
    """
    text = f"{CONTRACTS}{head} {{ step a = s.Do(id: id) undo none }}"
    program = check_texts({"a.flow": text}).program
    assert program
    picture = read(dot(program.modules["a"].sagas[0], program))
    starts = {tail for tail, head in picture.ways("forward") if head == "a"}
    assert starts == {"start:s.Done", "start:0", "start:1"}
    assert "1h30m" in picture.nodes["start:0"]["label"]
    assert all(t in picture.nodes["start:1"]["label"] for t in ("0 9 * * MON", "Europe/Berlin"))


def test_a_step_says_that_it_is_delivered_at_most_once() -> None:
    """In place of attempts, which it has not."""
    text = """
    module m
    policy patient { timeout: 5s retry: fixed(attempts: 3, every: 1s) }
    service bell {
      policy: patient
      command Ring key id delivery at_most_once { id: string } replies Rung
      command Hush key id { id: string } replies Rung
      event Rung key id { id: string }
    }
    saga S(id: string) key id { step a = bell.Ring(id: id) undo bell.Hush(id: id) }
    """
    loaded = check_texts({"m.flow": text})
    assert loaded.program
    (saga,) = loaded.program.modules["m"].sagas
    drawn = dot(saga, loaded.program)
    assert "at most once, within 5s" in drawn
    assert drawn.count("3 attempts of 5s") == 1  # the undo's
