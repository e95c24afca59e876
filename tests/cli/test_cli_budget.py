"""`orchestrate check --budget`: what each saga may take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.program import ORDERS, Cli

HEAD = """\
module m

activity Rate(id: string) -> decimal from "m:rate"

service s {
  policy: hasty
  command C key k { k: string } replies Done
  event Done key k { k: string }
  publisher: outside
}
policy hasty { timeout: 2s retry: fixed(attempts: 3, every: 1s) }
"""


def test_budgets_stand_below_the_findings(cli: Cli) -> None:
    """The table has a row for each saga, best to worst."""
    done = cli.run("check", ORDERS, "--budget")
    assert done.code == 0
    head, _, rest = done.out.partition("\n")
    assert head == "checked 3 files: no findings"
    assert "PlaceOrder" in rest and "history events" in rest and "unbounded" not in rest


def test_a_budget_counts_attempts_undos_and_calls(
    cli: Cli, write: Callable[[str, str], Path]
) -> None:
    """At best each message is sent once; at worst each attempt is, with the undos and the fast way
    before the attempts."""
    write(
        "m.flow",
        HEAD + "saga S(id: string) key id {\n"
        "  step a = s.C(k: id) undo s.C(k: id)\n  step rate = Rate(id: id)\n"
        "  emit s.Done(k: string(rate))\n}\n",
    )
    [found] = cli.run("check", "m.flow", "--json", "--budget").json["budgets"]
    assert (found["saga"], found["within"], found["unbounded"]) == ("m.S", None, [])
    best, worst = found["best"], found["worst"]
    assert (best["commands"], best["events"], best["undos"], best["calls"]) == (1, 1, 0, 1)
    assert (worst["commands"], worst["events"], worst["undos"], worst["calls"]) == (4, 1, 4, 5)
    assert worst["messages"] == 9
    # Three attempts of 2 s and two waits of 1 s, twice; and the activity's, by the default policy.
    assert best["seconds"] == 0
    assert worst["seconds"] == 2 * 8 + 5 * 10 + (1 + 2 + 4 + 8) * 1.2


def test_what_has_no_limit_says_why(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """A wait without a limit leaves the time open alone, a loop everything; each is named."""
    write(
        "m.flow",
        HEAD + "saga S(id: string, pause: duration) key id {\n"
        "  await s.Done\n"
        "  sleep pause\n"
        "  var n = 0\n"
        "  while n < 3 {\n    set n = n + 1\n    step a = s.C(k: id) undo none\n  }\n}\n",
    )
    done = cli.run("check", "m.flow", "--budget")
    assert "no limit" in done.out and "∞" in done.out
    assert [line for line in done.out.splitlines() if "unbounded" in line] == [
        "`S` is unbounded: m.flow:13:3: it waits without a limit",
        "`S` is unbounded: m.flow:14:3: its time comes with the data",
        "`S` is unbounded: m.flow:16:3: its condition alone ends the loop",
    ]
    [found] = cli.run("check", "m.flow", "--json", "--budget").json["budgets"]
    assert (found["worst"]["seconds"], found["worst"]["history"]) == (None, None)
    assert [e["line"] for e in found["unbounded"] if not e["time_only"]] == [16]
    [loop] = found["loops"]
    assert (loop["turns"], loop["continues_as_new"], loop["worst"]["commands"]) == (None, True, 4)


def test_a_called_saga_has_a_row_of_its_own(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """Its messages stand there; its time, with its way back, is its caller's too."""
    write(
        "m.flow",
        HEAD + "saga P(id: string) key id {\n  step a = s.C(k: id) undo s.C(k: id)\n}\n"
        "saga W(id: string) key id {\n  step p = P(id: id)\n}\n",
    )
    called, found = cli.run("check", "m.flow", "--json", "--budget").json["budgets"]
    assert (found["best"]["messages"], found["worst"]["messages"]) == (0, 0)
    assert (called["worst"]["seconds"], found["worst"]["seconds"]) == (2 * 8, 2 * 2 * 8)
    assert found["unbounded"] == []


def test_a_called_saga_without_a_limit(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """Its caller knows its number of messages all the same."""
    write(
        "m.flow",
        HEAD + "saga P(id: string) key id {\n  await s.Done\n}\n"
        "saga W(id: string) key id {\n  step p = P(id: id)\n}\n",
    )
    _, found = cli.run("check", "m.flow", "--json", "--budget").json["budgets"]
    assert found["worst"]["seconds"] is None and found["worst"]["history"] is not None
    [place] = found["unbounded"]
    assert (place["line"], place["time_only"]) == (16, True)


def test_a_deadline_is_a_limit(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """`within` limits the waits, and how often a loop that sleeps can turn."""
    write(
        "m.flow",
        HEAD + "saga S(id: string) key id within 1h {\n"
        "  while true {\n    sleep 10m\n    emit s.Done(k: id)\n  }\n}\n",
    )
    [found] = cli.run("check", "m.flow", "--json", "--budget").json["budgets"]
    assert (found["worst"]["seconds"], found["worst"]["events"]) == (3600, 7)
    assert found["unbounded"] == []


def test_flows_with_errors_have_no_budget(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """There is nothing to say about a saga that cannot be."""
    write("m.flow", "module m\nsaga S(id: strin) key id { }\n")
    done = cli.run("check", "m.flow", "--json", "--budget")
    assert (done.code, done.json["budgets"]) == (1, [])
