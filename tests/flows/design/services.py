"""The shop's services: what they answer is told by the order.

A `unicorn` is out of stock. More than 5,000 is declined, more than 500 is settled later.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Column, MetaData, Numeric, String, Table, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service import Service

books = MetaData()
reservations = Table(
    "design_reservations",
    books,
    Column("order_id", String, primary_key=True),
    Column("status", String, nullable=False),
)
charges = Table(
    "design_charges",
    books,
    Column("order_id", String, primary_key=True),
    Column("amount", Numeric(18, 4), nullable=False),
)

inventory = Service("inventory", metadata=books)
payments = Service("payments", metadata=books)
shipping = Service("shipping")


@inventory.handles("ReserveStock")
async def reserve(command: Any, session: AsyncSession) -> Any:
    """All lines or none."""
    for line in command.lines:
        if line.sku == "unicorn":
            raise inventory.failures.OutOfStock(order_id=command.order_id, sku=line.sku)
    order = str(command.order_id)
    await session.execute(reservations.insert().values(order_id=order, status="reserved"))
    return inventory.messages.StockReserved(order_id=command.order_id, reservation_id=f"r-{order}")


@inventory.handles("ReleaseStock")
async def release(command: Any, session: AsyncSession) -> Any:
    """Puts the goods back."""
    order = str(command.order_id)
    assert command.reservation_id == f"r-{order}"
    mine = reservations.c.order_id == order
    await session.execute(update(reservations).where(mine).values(status="released"))
    return inventory.messages.StockReleased(order_id=command.order_id)


@payments.handles("ChargeCard")
async def charge(command: Any, session: AsyncSession, context: Any) -> Any:
    """At once, or promised now and settled by an event, which overtakes the answer."""
    messages, order, payment = payments.messages, command.order_id, f"p-{command.order_id}"
    if command.amount > Decimal(5000):
        raise payments.failures.CardDeclined(order_id=order, reason="limit")
    await session.execute(charges.insert().values(order_id=str(order), amount=command.amount))
    if command.amount <= Decimal(500):
        return messages.CardCharged(order_id=order, payment_id=payment)
    for seq, settled in enumerate(("another", payment), 1):
        context.publish(messages.PaymentSettled(order_id=order, payment_id=settled, seq=seq))
    return messages.ChargePending(order_id=order, payment_id=payment)


@payments.handles("RefundCard")
async def refund(command: Any) -> Any:
    """Gives the money back."""
    return payments.messages.CardRefunded(order_id=command.order_id)


@shipping.handles("Wrap")
async def wrap(command: Any) -> Any:
    """Into paper."""
    return shipping.messages.Wrapped(order_id=command.order_id, sku=command.sku)


@shipping.handles("Label")
async def label(command: Any) -> Any:
    """One code for each line."""
    return shipping.messages.Labelled(order_id=command.order_id, code=f"L-{command.sku}")


@shipping.handles("Ship")
async def ship(command: Any) -> Any:
    """Hands over what is labelled."""
    assert command.codes == sorted(command.codes) and all(c[:2] == "L-" for c in command.codes)
    return shipping.messages.Shipped(order_id=command.order_id)
