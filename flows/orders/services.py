"""The shop's services: ordinary participants that answer over Kafka and keep their state in SQL.

Orders for a `unicorn` are out of stock, cards that begin with `declined` are declined, and no
carrier reaches the Moon.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service import Service
from orchestrator.store.database import Database

#: What the shop had of everything when it opened.
OPENING_STOCK = 100_000

# --- inventory -------------------------------------------------------------------------------

_inventory = MetaData()
stock = Table(
    "stock",
    _inventory,
    Column("sku", String, primary_key=True),
    Column("on_hand", Integer, nullable=False),
)
reservations = Table(
    "reservations",
    _inventory,
    Column("order_id", String, primary_key=True),
    Column("sku", String, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("status", String, nullable=False),
)

inventory = Service("inventory", metadata=_inventory)


@inventory.handles("ReserveStock")
async def reserve(command: Any, session: AsyncSession) -> Any:
    """Takes the goods off the shelf, all lines or none."""
    order = str(command.order_id)
    for line in command.lines:
        opening = 0 if line.sku == "unicorn" else OPENING_STOCK
        await session.execute(
            text("INSERT INTO stock (sku, on_hand) VALUES (:sku, :n) ON CONFLICT DO NOTHING"),
            {"sku": line.sku, "n": opening},
        )
        taken = await session.execute(
            update(stock)
            .where(stock.c.sku == line.sku, stock.c.on_hand >= line.quantity)
            .values(on_hand=stock.c.on_hand - line.quantity)
        )
        if taken.rowcount == 0:  # type: ignore[attr-defined]
            raise inventory.failures.OutOfStock(order_id=command.order_id, sku=line.sku)
        row = {"order_id": order, "sku": line.sku, "quantity": line.quantity, "status": "reserved"}
        await session.execute(reservations.insert().values(row))
    return inventory.messages.StockReserved(
        order_id=command.order_id, reservation_id=f"res-{order[:8]}"
    )


@inventory.handles("ReleaseStock")
async def release(command: Any, session: AsyncSession) -> Any:
    """Puts the goods back."""
    held = (reservations.c.order_id == str(command.order_id)) & (
        reservations.c.status == "reserved"
    )
    for row in (await session.execute(select(reservations).where(held))).all():
        back = stock.c.on_hand + row.quantity
        await session.execute(update(stock).where(stock.c.sku == row.sku).values(on_hand=back))
    await session.execute(update(reservations).where(held).values(status="released"))
    return inventory.messages.StockReleased(
        order_id=command.order_id, reservation_id=command.reservation_id
    )


# --- payments --------------------------------------------------------------------------------

_payments = MetaData()
charges = Table(
    "charges",
    _payments,
    Column("payment_id", String, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("amount", Numeric(18, 2), nullable=False),
    Column("status", String, nullable=False),
)

payments = Service("payments", metadata=_payments)


@payments.handles("ChargeCard")
async def charge(command: Any, session: AsyncSession) -> Any:
    """Takes the money."""
    if command.card.startswith("declined"):
        raise payments.failures.CardDeclined(order_id=command.order_id, reason="limit reached")
    order = str(command.order_id)
    row = {
        "payment_id": f"pay-{order}",
        "order_id": order,
        "amount": command.amount,
        "status": "charged",
    }
    await session.execute(charges.insert().values(row))
    return payments.messages.CardCharged(order_id=command.order_id, payment_id=row["payment_id"])


@payments.handles("RefundCard")
async def refund(command: Any, session: AsyncSession) -> Any:
    """Gives the money back."""
    mine = charges.c.payment_id == command.payment_id
    await session.execute(update(charges).where(mine).values(status="refunded"))
    return payments.messages.CardRefunded(order_id=command.order_id, payment_id=command.payment_id)


# --- shipping --------------------------------------------------------------------------------

_shipping = MetaData()
parcels = Table(
    "parcels",
    _shipping,
    Column("order_id", String, primary_key=True),
    Column("status", String, nullable=False),
)

shipping = Service("shipping", metadata=_shipping)


class CarrierUnreachableError(Exception):
    """No carrier answers: no declared failure, so nothing is answered and the saga tries again."""


@shipping.handles("Ship")
async def ship(command: Any, session: AsyncSession) -> Any:
    """Hands the parcel to a carrier."""
    if "Moon" in command.address:
        raise CarrierUnreachableError("no carrier to the Moon")
    order = str(command.order_id)
    await session.execute(parcels.insert().values(order_id=order, status="shipped"))
    return shipping.messages.Shipped(order_id=command.order_id, tracking=f"T{order[:8].upper()}")


@shipping.handles("CancelShipment")
async def cancel(command: Any, session: AsyncSession) -> Any:
    """Takes the parcel back, if there is one."""
    mine = parcels.c.order_id == str(command.order_id)
    await session.execute(update(parcels).where(mine).values(status="cancelled"))
    return shipping.messages.ShipmentCancelled(order_id=command.order_id)


# --- notifications ---------------------------------------------------------------------------

_notifications = MetaData()
sent = Table(
    "sent",
    _notifications,
    Column("order_id", String, primary_key=True),
    Column("text", String, nullable=False),
)

notifications = Service("notifications", metadata=_notifications)


@notifications.handles("Notify")
async def notify(command: Any, session: AsyncSession) -> Any:
    """Tells the customer."""
    row = {"order_id": str(command.order_id), "text": command.text}
    await session.execute(sent.insert().values(row))
    return notifications.messages.Notified(order_id=command.order_id)


# --- the ledger ------------------------------------------------------------------------------


async def ledger(databases: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """What the services' books say, for a person to add up: tables of rows by title. `databases`
    are URLs by service name."""
    goods = await _rows(databases["inventory"], _GOODS)
    money = await _rows(databases["payments"], _MONEY)
    shipped = await _rows(databases["shipping"], _PARCELS)
    told = await _rows(databases["notifications"], _TOLD)
    held = {r["order_id"] for r in await _rows(databases["inventory"], _HELD)}
    paid = {r["order_id"] for r in await _rows(databases["payments"], _PAID)}
    sent_out = {r["order_id"] for r in await _rows(databases["shipping"], _SHIPPED)}
    checks = [
        {"check": "goods on hand and held make the opening stock", "holds": _adds_up(goods)},
        {"check": "every order with goods is paid, and no other", "holds": held == paid},
        {"check": "every paid order is shipped, and no other", "holds": paid == sent_out},
    ]
    books = {"goods": goods, "money": money, "parcels": shipped, "notices": told}
    return {**books, "adds up": checks}


def _adds_up(goods: list[dict[str, Any]]) -> bool:
    return all(
        g["on hand"] + g["held"] == (0 if g["sku"] == "unicorn" else OPENING_STOCK) for g in goods
    )


async def _rows(url: str, query: Any) -> list[dict[str, Any]]:
    async with Database(url) as database, database.reading() as session:
        found = (await session.execute(query)).mappings().all()
    return [{k: Decimal(v) if isinstance(v, Decimal) else v for k, v in r.items()} for r in found]


_held = reservations.c.status == "reserved"
_GOODS = (
    select(
        stock.c.sku,
        stock.c.on_hand.label("on hand"),
        func.coalesce(func.sum(reservations.c.quantity).filter(_held), 0).label("held"),
        func.coalesce(func.sum(reservations.c.quantity).filter(~_held), 0).label("released"),
    )
    .outerjoin(reservations, reservations.c.sku == stock.c.sku)
    .group_by(stock.c.sku, stock.c.on_hand)
    .order_by(stock.c.sku)
)
_HELD = select(reservations.c.order_id).where(_held).distinct()
_MONEY = (
    select(
        charges.c.status,
        func.count().label("charges"),
        func.sum(charges.c.amount).label("amount"),
    )
    .group_by(charges.c.status)
    .order_by(charges.c.status)
)
_PAID = select(charges.c.order_id).where(charges.c.status == "charged")
_PARCELS = (
    select(parcels.c.status, func.count().label("parcels"))
    .group_by(parcels.c.status)
    .order_by(parcels.c.status)
)
_SHIPPED = select(parcels.c.order_id).where(parcels.c.status == "shipped")
_TOLD = select(func.count().label("notices")).select_from(sent)
