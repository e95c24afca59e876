"""What a participant's author is told when handlers and contract do not fit."""

from __future__ import annotations

import asyncio
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from orchestrator.messaging.memory import MemoryBus
from orchestrator.service import Failure, Service, ServiceError
from tests.service.conftest import CONTRACT, ORDER, check


@pytest.fixture
def service() -> Service:
    """A service without handlers."""
    return Service("inventory", program=check())


def test_a_contract_is_read_from_its_flow(tmp_path: Path) -> None:
    """From a folder of flow files."""
    (tmp_path / "contracts.flow").write_text(CONTRACT)
    assert Service("inventory", flow=tmp_path).name == "inventory"


def test_without_a_flow_those_beside_the_file_are_read(tmp_path: Path) -> None:
    """A service made in a file finds its contract in the flows that stand beside it."""
    (tmp_path / "contracts.flow").write_text(CONTRACT)
    file = tmp_path / "services.py"
    file.write_text('from orchestrator.service import Service\ninventory = Service("inventory")\n')
    made = runpy.run_path(str(file))["inventory"]
    assert made.model.name == "shop.contracts.inventory"


def test_a_missing_flow_names_the_place(tmp_path: Path) -> None:
    """The path is shown in full, because a relative one depends on the current directory."""
    with pytest.raises(ServiceError, match=str(tmp_path / "none")):
        Service("inventory", flow=tmp_path / "none")


def test_a_broken_flow_shows_its_errors(tmp_path: Path) -> None:
    """With place and carets, as `orchestrate check` does."""
    (tmp_path / "bad.flow").write_text("module a\nrecord R { x: Nope }")
    with pytest.raises(ServiceError, match=r"bad\.flow:2") as caught:
        Service("inventory", flow=tmp_path)
    assert "`Nope`" in str(caught.value)


def test_an_unknown_service_lists_the_known() -> None:
    """The names are those of the flow."""
    with pytest.raises(ServiceError, match=r"no service `stock`.*`inventory`"):
        Service("stock", program=check())


def test_an_unknown_command_lists_the_known(service: Service) -> None:
    """At decoration, not at run time."""
    with pytest.raises(ServiceError, match=r"no command `Reserve`.*`ReserveStock`, `ReleaseStock`"):
        service.handles("Reserve")


def test_a_second_handler_is_refused(service: Service) -> None:
    """One command has one handler."""

    @service.handles("ReserveStock")
    async def one(command: Any) -> Any: ...

    with pytest.raises(ServiceError, match="two handlers for `ReserveStock`"):

        @service.handles("ReserveStock")
        async def two(command: Any) -> Any: ...


def test_a_sync_handler_is_refused(service: Service) -> None:
    """It would block all others."""
    with pytest.raises(ServiceError, match="`ReserveStock` must be an `async def`"):

        @service.handles("ReserveStock")
        def reserve(command: Any) -> Any: ...


def test_a_parameter_that_nobody_fills_is_refused(service: Service) -> None:
    """The names that are filled are told."""
    with pytest.raises(ServiceError, match=r"parameter `db`.*`session` and `context`"):

        @service.handles("ReserveStock")
        async def reserve(command: Any, db: Any) -> Any: ...


def test_a_handler_without_parameters_is_refused(service: Service) -> None:
    """The command comes first."""
    with pytest.raises(ServiceError, match="must take the command"):

        @service.handles("ReserveStock")
        async def reserve() -> Any: ...


def test_wrong_fields_are_named(service: Service) -> None:
    """All of them, each with the message it is in."""
    with pytest.raises(ServiceError) as caught:
        service.messages.StockReserved(order_id="nonsense", reservation_id=5, more=1)
    text = str(caught.value)
    for part in ("`StockReserved.order_id`", "`StockReserved.reservation_id`", "more"):
        assert part in text


def test_constraints_hold_for_messages(service: Service) -> None:
    """The rule is quoted."""
    with pytest.raises(ServiceError, match=r"`Line.quantity`: must satisfy `quantity > 0`"):
        service.messages.Line(sku="a", quantity=0, price=Decimal(1))


def test_floats_are_not_money(service: Service) -> None:
    """There is no conversion from float to decimal that keeps what was meant."""
    with pytest.raises(ServiceError, match=r"Line\.price"):
        service.messages.Line(sku="a", quantity=1, price=1.5)


def test_texts_of_uuids_and_symbols_are_accepted(service: Service) -> None:
    """They can mean one thing only."""
    made = service.messages.ReserveStock(order_id=ORDER, lines=[], currency="USD")
    assert made.order_id == UUID(ORDER)
    assert made.currency is service.messages.Currency.USD


def test_an_unknown_message_lists_the_known(service: Service) -> None:
    """A typo is found where it stands."""
    with pytest.raises(ServiceError, match=r"no message `StockReservd`.*`StockReserved`"):
        _ = service.messages.StockReservd


def test_a_failure_is_an_exception_of_the_contract(service: Service) -> None:
    """Declared failures alone are among them."""
    failure = service.failures.OutOfStock(order_id=ORDER, sku="a")
    assert isinstance(failure, Failure)
    assert failure.message.sku == "a"
    with pytest.raises(ServiceError, match="no declared failure `StockReserved`"):
        _ = service.failures.StockReserved


def test_docs_travel_into_the_classes(service: Service) -> None:
    """What the contract says of a record is its docstring."""
    assert service.messages.Line.__doc__ == "One line of an order."


async def test_a_service_without_handlers_does_not_start(service: Service, tmp_path: Path) -> None:
    """It would swallow every command."""
    with pytest.raises(ServiceError, match="no handlers"):
        async with MemoryBus() as bus:
            await service.serve(bus, f"sqlite:///{tmp_path}/a.db", stop=asyncio.Event())
