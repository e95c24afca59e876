"""Choosing loopback ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from orchestrator.dev.errors import EarlyDeathError, ServerError
from orchestrator.dev.portplan import PortPlan
from orchestrator.dev.ports import free_port, free_ports, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_ports_differ_and_are_free() -> None:
    """Ports chosen together are different and can be listened on."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_a_taken_wish_is_replaced(taken: int) -> None:
    """A preferred port is given where it is free, and another one where it is taken."""
    wish = free_port()
    assert free_port(wish) == wish
    assert free_port(taken) != taken
    assert free_ports(2, [wish, wish])[0] == wish


async def test_an_asked_port_in_use_is_an_error(taken: int) -> None:
    """A port that the user asked for and that is taken is named in the error, with its use."""

    async def start() -> None:
        raise AssertionError("must not be started")

    with pytest.raises(ServerError, match=rf"port {taken} for Kafka \(broker\) is in use"):
        await PortPlan("Kafka", {"broker": taken}).start(start)


async def test_a_port_lost_in_a_race_is_replaced() -> None:
    """A server that finds its chosen port taken is started again on another one."""
    plan, seen = PortPlan("Kafka", {"broker": 0}), []

    async def start() -> None:
        seen.append(plan["broker"])
        if len(seen) == 1:
            raise EarlyDeathError("kafka ended", "BindException: Address already in use")

    await plan.start(start)
    assert len(set(seen)) == 2
    assert plan["broker"] == seen[1]
