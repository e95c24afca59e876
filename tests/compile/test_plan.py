"""The plan: it holds what its sagas need, survives JSON, and every path in it is unique."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dsl.load import check_texts, load
from dsl.model import Program, walk
from orchestrator.compile.compile import compile_module, instructions, version_of
from orchestrator.compile.plan import Instruction, Plan, SagaPlan
from orchestrator.compile.stored import read_plan, write_plan

_ROOT = Path(__file__).parent.parent.parent
_ORDERS = _ROOT / "flows" / "orders"
_GOLDEN = _ROOT / "tests" / "golden" / "flows"

_HEAD = """module m
service s {
  command C key k { k: string } replies Done fails Bad
  event Done key k { k: string }
  event Bad key k { k: string }
}
saga S(k: string) key k {
"""


def program(path: Path) -> Program:
    found = load([path])
    assert found.program, found.diagnostics
    return found.program


def plan(body: str) -> Plan:
    found = check_texts({"f": _HEAD + body + "}"})
    assert found.program, found.diagnostics
    return compile_module(found.program, "m")


def plans() -> list[Plan]:
    return [
        compile_module(p, name)
        for path in (_ORDERS, _GOLDEN)
        for p in [program(path)]
        for name in p.modules
    ]


def paths(saga: SagaPlan) -> list[str]:
    return [i.path for i in instructions(saga) if hasattr(i, "path")]


@pytest.mark.parametrize("made", plans(), ids=lambda p: p.module)
def test_a_plan_survives_json(made: Plan) -> None:
    again = read_plan(write_plan(made))
    assert again == made
    assert version_of(again) == version_of(made)
    assert write_plan(again) == write_plan(made)


@pytest.mark.parametrize("made", plans(), ids=lambda p: p.module)
def test_pydantics_own_json_is_the_same_form(made: Plan) -> None:
    assert read_plan(made.model_dump_json()) == made
    assert Plan.model_validate_json(write_plan(made)) == made


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"module": 1}', '{"format": 2}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_plan(text)


def test_the_orders_plan_holds_what_its_saga_needs() -> None:
    made = compile_module(program(_ORDERS), "shop.orders")
    assert set(made.sagas) == {"shop.orders.PlaceOrder"}
    assert {c.rpartition(".")[2] for c in made.commands} == {
        *("ReserveStock", "ReleaseStock", "ChargeCard", "RefundCard", "Ship", "CancelShipment"),
        "Notify",
    }
    assert {"shop.contracts.Order", "shop.contracts.Line", "shop.orders.Receipt"} <= set(
        made.records
    )
    assert [t.name for t in made.topics] == sorted(t.name for t in made.topics)
    assert paths(made.sagas["shop.orders.PlaceOrder"]) == [
        *("stock", "payment", "parcel", "notice", "OrderPlaced")
    ]


@pytest.mark.parametrize("made", plans(), ids=lambda p: p.module)
def test_a_plan_is_closed(made: Plan) -> None:
    """Whatever an instruction or a contract refers to is in the plan."""
    topics = {t.name for t in made.topics}
    for name, command in made.commands.items():
        assert name in made.records
        assert command.topic in topics
        assert {*command.replies, *command.fails} <= set(made.events)
    for name, event in made.events.items():
        assert name in made.records
        assert event.topic in topics
    for part in walk(made):
        match getattr(part, "op", None), getattr(part, "kind", None):
            case "build", _:
                assert part.type in made.records
            case _, "step":
                assert part.call.command in made.commands
            case _, "emit" | "await":
                assert part.event in made.events


def test_types_that_only_an_expression_mentions_are_in_the_plan() -> None:
    text = (
        "module m enum Color { RED } record Hidden { n: int = 1 } "
        "record Given { n: int = Hidden().n } "
        'saga S(k: string, g: Given) key k { if Color.RED == RED { fail "red" } }'
    )
    found = check_texts({"f": text})
    assert found.program, found.diagnostics
    made = compile_module(found.program, "m")
    assert set(made.records) == {"m.Given", "m.Hidden"}
    assert set(made.enums) == {"m.Color"}


def test_the_order_of_the_files_is_no_matter() -> None:
    files = {p.name: p.read_text("utf-8") for p in sorted(_ORDERS.glob("*.flow"))}
    backwards = dict(reversed(files.items()))
    one, other = (check_texts(f).program for f in (files, backwards))
    assert one
    assert other
    assert write_plan(compile_module(one, "shop.orders")) == write_plan(
        compile_module(other, "shop.orders")
    )


_STEP = "step a = s.C(k: k) undo none "


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (_STEP, ["a"]),
        ('if k == "" { ' + _STEP + "} else { " + _STEP + "}", ["a", "a~2"]),
        ("emit s.Done(k: k) emit s.Done(k: k)", ["Done", "Done~2"]),
        ("parallel { branch b { " + _STEP + "} }", ["parallel", "b.a"]),
        (
            "parallel { branch b { " + _STEP + "} } parallel { branch b { emit s.Done(k: k) } }",
            ["parallel", "b.a", "parallel~2", "b.Done"],
        ),
        (
            "parallel { branch b { parallel { branch c { " + _STEP + "} } } }",
            ["parallel", "b.parallel", "b.c.a"],
        ),
        (
            "step x = s.C(k: k) undo none on Bad { " + _STEP + "} on timeout { " + _STEP + "}",
            ["x", "a", "a~2"],
        ),
        ("await s.Done await s.Done as d when d.k == k", ["Done", "d"]),
        ("step parallel = s.C(k: k) undo none parallel { }", ["parallel", "parallel~2"]),
    ],
)
def test_paths(body: str, wanted: list[str]) -> None:
    (saga,) = plan(body).sagas.values()
    assert paths(saga) == wanted


@pytest.mark.parametrize("made", plans(), ids=lambda p: p.module)
def test_every_path_is_unique(made: Plan) -> None:
    for saga in made.sagas.values():
        assert [p for p, n in Counter(paths(saga)).items() if n > 1] == []


@pytest.mark.parametrize("made", plans(), ids=lambda p: p.module)
def test_instructions_visits_all_in_order(made: Plan) -> None:
    kinds = {"step", "let", "if", "parallel", "await", "emit", "fail", "return"}
    kinds |= {"set", "match", "while", "for", "yield", "race", "sleep", "try"}
    for saga in made.sagas.values():
        every = [p for p in walk(saga.body) if getattr(p, "kind", None) in kinds]
        visited: list[Instruction] = list(instructions(saga))
        assert len(visited) == len(every)
        assert {id(i) for i in visited} == {id(i) for i in every}
        places = [(i.place.line, i.place.column) for i in visited]
        assert places == sorted(places)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("if true { ", "} "),
        ("if true { } else { ", "} "),
        ("parallel { branch b { ", "} } "),
        ("await s.Done within 1s on timeout { ", "} "),
    ],
)
def test_blocks_nested_200_deep(opening: str, closing: str) -> None:
    made = plan(opening * 200 + "emit s.Done(k: k) " + closing * 200)
    assert read_plan(write_plan(made)) is not None
    assert version_of(read_plan(write_plan(made))) == version_of(made)
    json.loads(write_plan(made))


@pytest.mark.parametrize(
    "expression",
    [
        "string(" * 240 + "k" + ")" * 240,
        "k" + " + k" * 240,
        "k == k ? k : " * 240 + "k",
        "string(size(" + "[" * 240 + "]" * 240 + "))",
        "string(size(" + '{"k": ' * 230 + "1" + "}" * 230 + "))",
    ],
    ids=lambda e: e[:16],
)
def test_expressions_nested_200_deep(expression: str) -> None:
    made = plan(f"emit s.Done(k: {expression})")
    assert version_of(read_plan(write_plan(made))) == version_of(made)
