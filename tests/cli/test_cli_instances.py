"""Commands on a running stack: real Temporal, real Kafka, the sample services and the lab's."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import (
    LAB,
    ORDERS,
    PROGRAM,
    Cli,
    Dev,
    Done,
    environment,
    eventually,
    nothing_left,
)

CARD = "visa-4111111111111111"
NOTE = "a-note-that-no-log-may-hold"


@dataclass(frozen=True)
class World:
    """The running stack, the program on its data folder, and the file that makes undos fail."""

    cli: Cli
    dev: Dev
    stuck: Path

    def trial(self, key: str) -> str:
        """Starts a lab saga, does not wait, and returns its id."""
        given = json.dumps({"id": f"{key}-{uuid.uuid4().hex[:8]}", "note": NOTE})
        started = self.cli.call("start", "Trial", "--input", given)
        assert started.code == 0, started
        return started.out.strip()

    def shown(self, id: str, until: Callable[[Any], bool]) -> Any:
        """What `show --json` says once it says this."""
        found: list[Any] = []

        def look() -> bool:
            found[:] = [self.cli.call("show", id, "--json").json]
            return until(found[0])

        eventually(look)
        return found[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One stack for all tests of this file."""
    cli = Cli(tmp_path_factory.mktemp("instances"))
    stuck = cli.cwd / "stuck"
    stuck.touch()
    dev = Dev(cli, ORDERS, LAB, env={"LAB_STUCK": str(stuck)})
    try:
        dev.until("up; Ctrl-C stops")
        yield World(cli, dev, stuck)
    finally:
        dev.kill()
    assert nothing_left(cli.data)


def an_order(**changes: Any) -> dict[str, Any]:
    """The input of a PlaceOrder."""
    order = {
        "order_id": str(uuid.uuid4()),
        "customer_id": "Ada",
        "card": CARD,
        "address": "12 Elm Street, Leeds",
        "lines": [{"sku": "lamp", "quantity": 2, "price": "24.90"}],
    }
    return {"order": order | changes}


@pytest.fixture(scope="module")
def orders(world: World) -> dict[str, Done]:
    """The four outcomes, started side by side as processes of their own and waited for; each way
    to give input is used."""
    unicorn = [{"sku": "unicorn", "quantity": 1, "price": "1.00"}]
    file = world.cli.cwd / "moon.json"
    file.write_text(json.dumps(an_order(address="Sea of Tranquility, Moon")))
    calls = {
        "placed": ("-", json.dumps(an_order())),
        "sold out": (json.dumps(an_order(lines=unicorn)), ""),
        "declined": (json.dumps(an_order(card="declined-1")), ""),
        "moon": (f"@{file}", ""),
    }
    running = {}
    for name, (given, _) in calls.items():
        json_too = ["--json"] if name in ("placed", "moon") else []
        running[name] = subprocess.Popen(
            [*PROGRAM, "start", "PlaceOrder", "--input", given, "--wait", *json_too],
            cwd=world.cli.cwd,
            env=environment(world.cli.data),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    found = {}
    for name, process in running.items():
        out, err = process.communicate(calls[name][1], timeout=60)
        found[name] = Done(process.returncode, out, err)
    return found


def test_deploying_again_changes_nothing(world: World) -> None:
    """What `dev` deployed is unchanged when it is deployed again, and again; no topic is made."""
    for _ in range(2):
        done = world.cli.call("deploy", ORDERS, LAB)
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        assert len(lines) == 3 and all("  unchanged" in line for line in lines)
        assert "(PlaceOrder)" in done.out and "created" not in done.out
    for module in world.cli.call("deploy", ORDERS, "--json").json:
        assert (module["was"], module["fresh"]) == (module["version"], False)
        assert module["topics"] == []


def test_the_four_outcomes(orders: dict[str, Done]) -> None:
    """A saga that completes is exit status 0 with its result; one that fails is status 1 with its
    reason; both on standard output, because that is what was asked for."""
    assert [d.code for d in orders.values()] == [0, 1, 1, 1]
    assert [d.err for d in orders.values()] == [""] * 4
    placed = orders["placed"].json
    assert placed["status"] == "completed"
    assert placed["result"]["total"] == "49.80" and placed["result"]["tracking"].startswith("T")
    assert orders["sold out"].out.strip().endswith(" failed: out of stock: unicorn")
    assert "CardDeclined" in orders["declined"].out
    assert "no answer within 1s in 3 attempts" in orders["moon"].json["reason"]


def test_input_that_does_not_fit(world: World) -> None:
    """The sentence names the field and what it must be; nothing is started."""
    wrong = {
        "`order`": {},
        "there is no `odrer`": {"odrer": 1},
        "takes an object": [1],
        "`order.lines`": an_order(lines=[]),
        "`order.lines[0].quantity`": an_order(lines=[{"sku": "a", "quantity": 0, "price": "1"}]),
        "`order.order_id`": an_order(order_id="x"),
    }
    for said, given in wrong.items():
        given = json.dumps(given)
        assert said in world.cli.call("start", "PlaceOrder", "--input", given).refused()
    odd = json.dumps(an_order(card="\ud800"))
    assert "`order.card`" in world.cli.call("start", "PlaceOrder", "--input", odd).refused()


def test_an_unknown_saga(world: World) -> None:
    """An unknown saga is named with the nearest there is, or with all."""
    refused = world.cli.run("start", "PlaceOder").refused()
    assert refused == "there is no saga `PlaceOder`; did you mean `PlaceOrder`?"
    assert "`PlaceOrder`, `Trial`" in world.cli.call("start", "Nothing").refused()


def test_once_for_each_key(world: World, orders: dict[str, Done]) -> None:
    """A key that ran before is refused with its id."""
    id = orders["placed"].json["id"]
    given = json.dumps(an_order(order_id=id.partition("/")[2]))
    refused = world.cli.call("start", "PlaceOrder", "--input", given).refused()
    assert refused == f"`{id}` was started before: a saga runs once for each key"


def test_list(world: World, orders: dict[str, Done]) -> None:
    """Instances are listed newest first, as a table and as JSON, by saga, status and number."""
    moon, placed = orders["moon"].json["id"], orders["placed"].json["id"]
    table = world.cli.run("list")
    assert table.code == 0 and moon in table.out and placed in table.out

    def listed(*options: str) -> list[Any]:
        found: list[Any] = world.cli.call("list", *options, "--json").json
        return found

    everything = listed()
    assert [i["started"] for i in everything] == sorted(
        (i["started"] for i in everything), reverse=True
    )
    failed = listed("--status", "failed", "--saga", "PlaceOrder")
    assert moon in {i["id"] for i in failed} and placed not in {i["id"] for i in failed}
    assert {i["status"] for i in failed} == {"failed"}
    assert {i["saga"] for i in listed("--saga", "shop.orders.PlaceOrder")} == {
        "shop.orders.PlaceOrder"
    }
    assert len(listed("--limit", "2")) == 2
    assert listed("--saga", "Nothing") == []
    assert world.cli.call("list", "--saga", "Nothing").out == "no sagas\n"


def test_show_what_completed(world: World, orders: dict[str, Done]) -> None:
    """A completed saga shows its steps in order, each with its message, attempts and answer, and
    its result."""
    id = orders["placed"].json["id"]
    text = world.cli.run("show", id)
    assert text.code == 0 and f"{id}  completed" in text.out and "result: {" in text.out
    assert f"{id}#stock" in text.out and "inventory.StockReserved" in text.out
    shown = world.cli.call("show", id, "--json").json
    steps = [m for m in shown["messages"] if m["answer"]]
    assert [m["path"] for m in steps] == ["stock", "payment", "parcel", "notice"]
    assert all(m["status"] == "answered" and m["attempts"] == 1 for m in steps)
    assert shown["outcome"]["result"]["total"] == "49.80"
    assert shown["version"] and shown["events"] > 5


def test_show_what_failed(world: World, orders: dict[str, Done]) -> None:
    """A failed saga shows the step that had no answer with its attempts, what was undone in
    reverse order, and its reason."""
    id = orders["moon"].json["id"]
    shown = world.cli.call("show", id, "--json").json
    by_path = {m["path"]: m for m in shown["messages"]}
    assert (by_path["parcel"]["status"], by_path["parcel"]["attempts"]) == ("timed out", 3)
    undos = [m["path"] for m in shown["messages"] if m["path"].endswith(":undo")]
    assert undos == ["parcel:undo", "payment:undo", "stock:undo"]
    text = world.cli.call("show", id).out
    assert "failed: shipping.Ship failed: no answer within 1s in 3 attempts" in text


def test_a_late_answer(world: World) -> None:
    """A service that answers after the fast window: the step is shown once, answered, at its
    first attempt."""
    shown = world.shown(world.trial("slow"), lambda s: s["status"] == "completed")
    assert [(m["path"], m["attempts"], m["status"]) for m in shown["messages"]] == [
        ("door", 1, "answered"),
        ("work", 1, "answered"),
    ]
    assert shown["outcome"]["result"] == 42


def test_running_and_cancelled(world: World) -> None:
    """A running saga shows the step it waits for; cancelled, what it did is undone, and then it
    cannot be cancelled again."""
    id = world.trial("silent")
    waiting = world.shown(
        id, lambda s: any(m["status"] == "waiting" and m["attempts"] == 1 for m in s["messages"])
    )
    assert (waiting["status"], waiting["outcome"]) == ("running", None)
    assert "waiting" in world.cli.call("show", id).out
    running = world.cli.call("list", "--status", "running", "--json").json
    assert id in {i["id"] for i in running}
    done = world.cli.run("cancel", id, "--wait")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{id} cancelled: cancelled, and what it did undone\n"
    shown = world.cli.call("show", id, "--json").json
    assert shown["status"] == "cancelled"
    assert "door:undo" in [m["path"] for m in shown["messages"] if m["status"] == "answered"]
    assert world.cli.call("cancel", id).refused() == f"`{id}` has ended already: cancelled"


def test_cancel_without_waiting(world: World) -> None:
    """Without --wait, `cancel` comes back at once; as JSON it names the saga."""
    id = world.trial("silent")
    assert world.cli.call("cancel", id).out == f"{id} is being cancelled\n"
    other = world.trial("silent")
    assert world.cli.call("cancel", other, "--json").json == {"id": other}
    outcome = world.cli.call("cancel", world.trial("silent"), "--wait", "--json")
    assert (outcome.code, outcome.json["status"]) == (0, "cancelled")
    world.shown(id, lambda s: s["status"] == "cancelled")


def test_a_saga_that_needs_attention(world: World) -> None:
    """An undo that cannot be done parks its saga: it is listed and shown with the way out, and
    each of the three decisions ends it."""
    world.stuck.touch()
    ids = {decision: world.trial("stuck") for decision in ("retry", "skip", "fail")}
    for id in ids.values():
        world.shown(id, lambda s: s["attention"] is not None)
    parked = world.cli.call("list", "--attention", "--json").json
    assert {i["id"] for i in parked} == set(ids.values())
    assert "needs attention: door:undo" in world.cli.call("list", "--attention").out
    text = world.cli.call("show", ids["retry"]).out
    assert "needs attention: door:undo: " in text
    assert f"orchestrate resolve {ids['retry']} --retry|--skip|--fail" in text
    world.stuck.unlink()
    reasons = {}
    for decision, id in ids.items():
        if decision == "fail":
            said = world.cli.call("resolve", id, "--fail", "--json").json
            assert said == {"id": id, "decision": "fail", "at": "door:undo"}
        else:
            done = world.cli.call("resolve", id, f"--{decision}")
            assert (done.code, done.out) == (0, f"{id} goes on: {decision} door:undo\n")
        ended = world.shown(id, lambda s: s["status"] == "failed")
        reasons[decision] = ended["outcome"]["reason"]
        assert ended["attention"] is None
    assert "Broken" in reasons["retry"] and "Broken" in reasons["skip"]
    assert reasons["fail"].endswith("door:undo was given up")
    assert "does not need attention" in world.cli.call("resolve", ids["skip"], "--skip").refused()


@pytest.mark.parametrize("arguments", [["show"], ["cancel"], ["resolve", "--retry"]])
def test_an_unknown_instance(world: World, arguments: list[str]) -> None:
    """An id that no saga has is one sentence that says where to look."""
    refused = world.cli.call(arguments[0], "PlaceOrder/none", *arguments[1:]).refused()
    assert refused == "there is no saga `PlaceOrder/none`: `orchestrate list` shows those there are"


def test_a_second_stack_on_one_folder(world: World) -> None:
    """A second `dev` on the same data folder is refused with the process that has it."""
    done = world.cli.run("dev", ORDERS)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-1].startswith("error: the data folder ")
    assert f"in use by process {world.dev.process.pid}" in done.err
    assert world.cli.call("list").code == 0


def test_more_workers_and_services(world: World) -> None:
    """A worker and a service of their own join the running stack, and end with Ctrl-C at exit
    status 0."""
    for arguments, said in (
        (["worker"], b"worker started; Ctrl-C stops it"),
        (["service", str(LAB / "services.py")], b"serving lab; Ctrl-C stops"),
    ):
        with subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=world.cli.cwd,
            env=environment(world.cli.data),
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stderr
            lines = iter(process.stderr.readline, b"")
            assert any(said in line for line in lines)
            assert any(b"service started" in line or b"serving" in line for line in lines)
            process.send_signal(2)
            rest = process.stderr.read()
            assert (process.wait(20), b"Traceback" in rest) == (0, False)


def test_a_service_says_whether_it_is_ready(world: World) -> None:
    """Where it was asked to, at an address that it prints; SIGTERM ends it in order."""
    command = [*PROGRAM, "service", str(LAB / "services.py"), "--health", "0"]
    with subprocess.Popen(
        command, cwd=world.cli.cwd, env=environment(world.cli.data), stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        lines = (line.decode() for line in iter(process.stderr.readline, b""))
        found = next(f for line in lines if (f := re.search(r"http://127\.0\.0\.1:\d+", line)))

        def ready() -> bool:
            try:
                with urllib.request.urlopen(f"{found[0]}/ready") as answer:
                    return bool(json.load(answer)["services"] == {"lab": []})
            except urllib.error.HTTPError as error:
                assert error.code == 503
                return False

        eventually(ready)
        process.terminate()
        rest = process.stderr.read()
        assert (process.wait(60), b"Traceback" in rest) == (0, False)


def test_no_log_holds_a_payload(world: World, orders: dict[str, Done]) -> None:
    """Handlers failed on the Moon and on a note, and their errors quote what they were given: the
    log tells class and place, and no payload."""
    world.trial("silent")
    log = world.dev.data / "logs" / "dev.log"
    eventually(lambda: "ValueError" in log.read_text())
    text = log.read_text()
    assert "CarrierUnreachableError" in text and "services.py" in text
    for payload in (CARD, NOTE, "Elm Street", "Tranquility"):
        assert payload not in text, [line for line in text.splitlines() if payload in line]


def test_ctrl_c_twice(world: World) -> None:
    """Ctrl-C twice at once ends it, with sagas under way, and leaves nothing running."""
    world.trial("silent")
    world.dev.interrupt(2)
    assert world.dev.ended() in (0, 130)
    assert "Traceback" not in world.dev.output
    assert nothing_left(world.cli.data)
