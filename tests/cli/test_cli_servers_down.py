"""Commands whose servers do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import LAB, ORDERS, Cli, closed_port


@pytest.mark.parametrize(
    "arguments",
    [
        ["start", "PlaceOrder"],
        ["list"],
        ["show", "PlaceOrder/1"],
        ["cancel", "PlaceOrder/1"],
        ["resolve", "PlaceOrder/1", "--retry"],
        ["deploy", str(ORDERS)],
        ["worker"],
    ],
)
def test_temporal_is_down(cli: Cli, arguments: list[str]) -> None:
    """The sentence names the address and the way out, it comes soon, and nothing was written."""
    address = closed_port()
    begin = time.monotonic()
    run = cli.run if arguments == ["worker"] else cli.call
    done = run(*arguments, env={"ORCHESTRATE_TEMPORAL": address, "ORCHESTRATE_KAFKA": address})
    assert time.monotonic() - begin < 30
    refused = done.refused()
    assert address in refused and "Temporal" in refused and "orchestrate dev" in refused
    assert not cli.data.exists()


@pytest.mark.parametrize("arguments", [["list"], ["deploy", str(ORDERS)]])
def test_no_stack_runs(cli: Cli, arguments: list[str]) -> None:
    """Without a running stack and without a setting, both ways out are named."""
    refused = cli.call(*arguments).refused()
    assert "no Temporal to talk to" in refused
    assert "`orchestrate dev`" in refused and "ORCHESTRATE_TEMPORAL" in refused
    assert not cli.data.exists()


def test_kafka_is_down(cli: Cli) -> None:
    """A service without its broker says so before it made anything."""
    address = closed_port()
    begin = time.monotonic()
    done = cli.run("service", LAB / "services.py", env={"ORCHESTRATE_KAFKA": address})
    assert time.monotonic() - begin < 30
    assert "Kafka does not answer" in done.refused() and address in done.err
    assert not cli.data.exists()
    unset = cli.run("service", LAB / "services.py").refused()
    assert "no Kafka to talk to" in unset and "ORCHESTRATE_KAFKA" in unset


@pytest.mark.parametrize("address", ["nosuch.invalid:9", "bad host:xx"])
def test_an_address_that_leads_nowhere(cli: Cli, address: str) -> None:
    """At its start a process says in one sentence which server it does not find."""
    env = {"ORCHESTRATE_TEMPORAL": address, "ORCHESTRATE_KAFKA": address}
    worker = cli.run("worker", env=env).refused()
    service = cli.run("service", LAB / "services.py", env=env).refused()
    for refused, server in ((worker, "Temporal"), (service, "Kafka")):
        assert address in refused and server in refused


def test_input_is_read_first(cli: Cli, write: Callable[[str, str], Path]) -> None:
    """Input that is no JSON is refused with its place before any server is asked."""
    write("bad.json", '{"order": \n nonsense}')
    (cli.cwd / "bytes.json").write_bytes(b'"\xff"')
    cases = {
        f"@{cli.cwd}/bad.json": "bad.json is not JSON: expecting value at line 2, column 2",
        f"@{cli.cwd}/bytes.json": "bytes.json is not UTF-8",
        f"@{cli.cwd}/none.json": "none.json cannot be read: No such file",
        "{": "--input is not JSON",
        "[" * 100_000: "--input is nested too deeply",
        '{"x": NaN}': "--input is not JSON: NaN",
        "9" * 5000: "--input is not JSON",
    }
    for given, said in cases.items():
        assert said in cli.call("start", "PlaceOrder", "--input", given).refused()
    assert "standard input is not JSON" in cli.run("start", "X", "-i", "-", stdin=b"{").refused()
