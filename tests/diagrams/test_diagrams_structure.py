"""What a diagram shows: the way on, the way back, failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsl.load import check_texts
from orchestrator.compile.compile import instructions
from orchestrator.compile.lower import lower_saga
from orchestrator.diagrams import DiagramError, Status, StepState, dot, dot_program

GOLDEN = Path(__file__).parent / "golden" / "place-order.dot"


def test_the_order_saga_looks_as_reviewed(order: Any) -> None:
    """`UPDATE_GOLDEN=1 pytest tests/diagrams` rewrites it; review the difference as code."""
    drawn = dot(*order)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(drawn, encoding="utf-8")
    assert drawn == GOLDEN.read_text(encoding="utf-8")


def test_nodes_are_named_by_the_plans_paths(trip: Any, read: Callable[[str], Any]) -> None:
    nodes = read(dot(*trip)).nodes
    paths = {getattr(i, "path", None) for i in instructions(lower_saga(trip[0]))} - {None}
    assert paths <= nodes.keys()
    assert "flight.flight" in paths
    assert all(node["id"] == name for name, node in nodes.items())


def test_the_way_on_goes_through_all_steps(order: Any, read: Callable[[str], Any]) -> None:
    assert read(dot(*order)).ways("forward") == {
        ("start:orders.OrderSubmitted", "stock"),
        ("stock", "payment"),
        ("payment", "parcel"),
        ("parcel", "notice"),
        ("notice", "OrderPlaced"),
        ("OrderPlaced", "return:1"),
    }


def test_undos_run_in_reverse_order_and_end_in_failure(
    order: Any, read: Callable[[str], Any]
) -> None:
    assert read(dot(*order)).ways("undo") == {
        ("undo:parcel", "undo:payment"),
        ("undo:payment", "undo:stock"),
        ("undo:stock", ":failed"),
    }


def test_each_failure_leads_to_what_is_undone_first(order: Any, read: Callable[[str], Any]) -> None:
    picture = read(dot(*order))
    assert picture.label("payment", "undo:stock") == "CardDeclined"
    assert picture.label("payment", "undo:payment") == "exhausted"
    assert picture.label("stock", "fail:1") == "on OutOfStock"
    assert picture.label("notice", "OrderPlaced") == "on exhausted"
    assert "nothing to undo" in picture.nodes["fail:1"]["label"]


def test_a_dead_letter_topic_is_a_note(order: Any, read: Callable[[str], Any]) -> None:
    picture = read(dot(*order))
    assert ("parcel", "dead:parcel") in picture.ways("dead")
    assert "shop.dlq" in picture.nodes["dead:parcel"]["label"]


def test_a_step_says_its_command_policy_and_doc(order: Any, read: Callable[[str], Any]) -> None:
    stock = read(dot(*order)).nodes["stock"]
    for text in ("inventory.ReserveStock", "10 attempts of 3s", "Set the goods aside."):
        assert text in stock["label"]
    assert stock["tooltip"] == "Set the goods aside."


def test_the_header_says_key_and_deadline(order: Any, read: Callable[[str], Any]) -> None:
    label = read(dot(*order)).graph["label"]
    for text in ("PlaceOrder", "(order: Order) → Receipt", "key order.order_id", "within 10m"):
        assert text in label


def test_branches_part_and_meet_and_are_all_undone(trip: Any, read: Callable[[str], Any]) -> None:
    picture = read(dot(*trip))
    on, back = picture.ways("forward"), picture.ways("undo")
    for branch in ("flight.flight", "room.room"):
        assert {("parallel", branch), (branch, "join:parallel")} <= on
        assert {("undo:parallel", f"undo:{branch}"), (f"undo:{branch}", ":failed")} <= back
    assert ("fail:2", "undo:parallel") in back
    assert picture.label("flight.flight", "undo:parallel") == "NoSeat, exhausted"


def test_a_condition_is_a_diamond_with_two_ways(trip: Any, read: Callable[[str], Any]) -> None:
    picture = read(dot(*trip))
    assert picture.nodes["if:2"]["shape"] == "diamond"
    assert "amount > 5000" in picture.nodes["if:2"]["label"].replace("&amp;", "&")
    ways = {(head, label) for tail, head, _, label in picture.edges if tail == "if:2"}
    assert ways == {("ApprovalWanted", "yes"), ("payment", "no")}


def test_an_await_shows_event_condition_and_limit(trip: Any, read: Callable[[str], Any]) -> None:
    picture = read(dot(*trip))
    for text in ("trips.TripApproved", "within 2d", "when ok.by !="):
        assert text in picture.nodes["ok"]["label"]
    assert picture.label("ok", "fail:3") == "on timeout"
    assert ("fail:3", "undo:car_rental") in picture.ways("undo")


def test_an_undo_of_one_side_is_passed_over_on_the_way_back(
    trip: Any, read: Callable[[str], Any]
) -> None:
    back = read(dot(*trip)).ways("undo")
    assert {("undo:payment", "undo:car_rental"), ("undo:car_rental", "undo:parallel")} <= back


def test_an_instance_is_seen_on_its_diagram(order: Any, read: Callable[[str], Any]) -> None:
    state = {
        "stock": StepState(Status.UNDONE),
        "payment": StepState(Status.FAILED, attempts=3, note="no answer"),
    }
    plain, seen = read(dot(*order)).nodes, read(dot(*order, state=state)).nodes
    assert "failed · 3 attempts · no answer" in seen["payment"]["label"]
    assert "state-failed" in seen["payment"]["class"].split()
    assert "state-undone" in seen["undo:stock"]["class"].split()
    assert seen["parcel"]["fillcolor"] == "#ffffff" != plain["parcel"]["fillcolor"]


def test_sagas_of_a_program_stand_side_by_side(trip: Any, read: Callable[[str], Any]) -> None:
    drawn = dot_program(trip[1], ["travel.trips"])
    picture = read(drawn)
    assert "BookTrip/payment" in picture.nodes
    assert 'subgraph "cluster_BookTrip"' in drawn


def test_a_program_without_sagas_is_said(order: Any) -> None:
    with pytest.raises(DiagramError, match=r"no saga in shop\.contracts"):
        dot_program(order[1], ["shop.contracts"])
    with pytest.raises(DiagramError, match="no module `nowhere`"):
        dot_program(order[1], ["nowhere"])


def test_a_saga_of_its_failures_alone_is_drawn(read: Callable[[str], Any]) -> None:
    text = 'module a\nsaga S(id: string) key id { fail "no" }'
    program = check_texts({"a.flow": text}).program
    assert program
    picture = read(dot(program.modules["a"].sagas[0], program))
    assert set(picture.nodes) == {":start", "fail:1"}
