"""The services of the chaos shop: what they do is a row in the ledger."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from dsl.load import load
from orchestrator.service import Service
from tests.chaos.ledger import book, enter, limits, metadata, note, open_account
from tests.chaos.processes import REPOSITORY

FLOW = REPOSITORY / "tests" / "chaos" / "shop.flow"

#: Longer than the fast way waits here.
SLOW = 1.3

#: Seconds that a numbered event waits for those before it.
GAP = 3.0

#: How often a move cannot be noted at once.
_CLUMSY = 0.35

_program = load([FLOW]).program
assert _program

goods = Service("goods", program=_program, metadata=metadata)
money = Service("money", program=_program, metadata=metadata)
parcels = Service("parcels", program=_program, metadata=metadata)
SERVICES = (goods, money, parcels)

#: In a process of their own: what people ask for, and the crates.
desk = Service("desk", program=_program, metadata=metadata, gap=timedelta(seconds=GAP))
tally = Service("tally", program=_program, metadata=metadata)
DESKS = (desk, tally)


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


@goods.handles("Pack")
async def pack(command: Any, session: AsyncSession) -> Any:
    """One of two that are done side by side."""
    await enter(session, command.id, "pack", "do")
    return goods.messages.Packed(id=command.id)


@goods.handles("Ring")
async def ring(command: Any, session: AsyncSession) -> Any:
    """Better not at all than twice."""
    await enter(session, command.id, "ring", "do")
    return goods.messages.Rung(id=command.id)


@goods.handles("Hush")
async def hush(command: Any, session: AsyncSession) -> Any:
    """Undoes Ring, if it was done."""
    await enter(session, command.id, "ring", "undo")
    return goods.messages.Hushed(id=command.id)


@parcels.handles("Wrap")
async def wrap(command: Any, session: AsyncSession) -> Any:
    """The other one."""
    await enter(session, command.id, "wrap", "do")
    return parcels.messages.Wrapped(id=command.id)


class NoScaleError(Exception):
    """No declared failure: nothing is answered."""


@parcels.handles("Weigh")
async def weigh(command: Any) -> Any:
    """Never answers."""
    raise NoScaleError


@desk.handles("Stamp")
async def stamp(command: Any, session: AsyncSession) -> Any:
    """An effect for each call, so that a second one is seen."""
    number = await book(session, f"stamps of {command.account}")
    await note(session, command.id, "stamp", number)
    return desk.messages.Stamped(account=command.account, id=command.id, number=number)


def outdated(command: Any, stale: Any) -> Any:
    """Who was too late."""
    return desk.failures.Outdated(account=command.account, version=stale.found)


@desk.handles("Limit", stale=outdated)
async def limit(command: Any, session: AsyncSession, version: Any) -> Any:
    """Changes what others change, too."""
    await open_account(session, command.account)
    mine = update(limits).where(limits.c.account == command.account)
    number = await version.update(mine.values(limit=command.limit))
    await note(session, command.account, "limit", number)
    return desk.messages.Limited(account=command.account, version=number)


class ClumsyError(Exception):
    """It may work at the next attempt."""


@desk.on("depot.Moved")
async def moved(event: Any, session: AsyncSession) -> None:
    """Notes a crate's move; sometimes not at once."""
    await note(session, event.crate, "move", event.number)
    if random.random() < _CLUMSY:
        raise ClumsyError


@desk.on("depot.Handed")
async def handed(event: Any, session: AsyncSession) -> None:
    """Those of a crate come one after the other, behind one that cannot be read, too."""
    await note(session, event.crate, "hand", event.number)


@tally.on("depot.Handed")
async def counted(event: Any, session: AsyncSession) -> None:
    """Often not at once."""
    await note(session, event.crate, "count", event.number)
    if random.random() < _CLUMSY:
        raise ClumsyError


@desk.on("depot.Glimpsed")
async def glimpsed(event: Any, session: AsyncSession) -> None:
    """Notes what may be missed."""
    await note(session, event.crate, "glimpse", event.number)
