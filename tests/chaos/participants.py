"""The services of the chaos shop: what they do is a row in the ledger."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dsl.load import load
from orchestrator.service import Service
from tests.chaos.ledger import book, enter, metadata
from tests.chaos.processes import REPOSITORY

FLOW = REPOSITORY / "tests" / "chaos" / "shop.flow"

#: Longer than the fast way waits here.
SLOW = 0.5

_program = load([FLOW]).program
assert _program

goods = Service("goods", program=_program, metadata=metadata)
money = Service("money", program=_program, metadata=metadata)
parcels = Service("parcels", program=_program, metadata=metadata)
SERVICES = (goods, money, parcels)


@goods.handles("Reserve")
async def reserve(command: Any, session: AsyncSession, context: Any) -> Any:
    """Tells that the goods are picked, unless the order is to be cancelled."""
    await enter(session, command.id, "goods", "do")
    if command.kind != "CANCELLED":
        context.publish(goods.messages.Picked(id=command.id))
    return goods.messages.Reserved(id=command.id)


@goods.handles("Release")
async def release(command: Any, session: AsyncSession) -> Any:
    """Undoes Reserve."""
    await enter(session, command.id, "goods", "undo")
    return goods.messages.Released(id=command.id)


@money.handles("Charge")
async def charge(command: Any, session: AsyncSession, context: Any) -> Any:
    """Books on the account."""
    if command.kind == "DECLINED":
        raise money.failures.Declined(account=command.account)
    await _book(command, session, context, "do")
    return money.messages.Charged(account=command.account)


@money.handles("Refund")
async def refund(command: Any, session: AsyncSession, context: Any) -> Any:
    """Undoes Charge."""
    await _book(command, session, context, "undo")
    return money.messages.Refunded(account=command.account)


async def _book(command: Any, session: AsyncSession, context: Any, what: str) -> None:
    number = await book(session, command.account)
    await enter(session, command.id, "money", what, command.account, number)
    context.publish(money.messages.Booked(account=command.account, number=number))


@parcels.handles("Send")
async def send(command: Any, session: AsyncSession) -> Any:
    """The last step."""
    if command.kind == "SLOW":
        await asyncio.sleep(SLOW)
    if command.kind == "LOST":
        raise parcels.failures.Lost(id=command.id)
    await enter(session, command.id, "parcel", "do")
    return parcels.messages.Sent(id=command.id)


@parcels.handles("Recall")
async def recall(command: Any, session: AsyncSession) -> Any:
    """Undoes Send."""
    await enter(session, command.id, "parcel", "undo")
    return parcels.messages.Recalled(id=command.id)


class NoScaleError(Exception):
    """No declared failure: nothing is answered."""


@parcels.handles("Weigh")
async def weigh(command: Any) -> Any:
    """Never answers."""
    raise NoScaleError
