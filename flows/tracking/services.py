"""The service that tells recipients and keeps where each parcel is, and two that listen: one whose
events may pass each other, one whose events must not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service import Context, Service

_tables = MetaData()
parcels = Table(
    "parcels",
    _tables,
    Column("id", String, primary_key=True),
    Column("place", String, nullable=False),
    Column("scans", Integer, nullable=False),
)

notices = Service("notices", metadata=_tables)


@notices.on("carrier.Scanned")
async def scanned(event: Any, session: AsyncSession, context: Context) -> None:
    """Scans come here in the order of their numbers, so that the last one is where the parcel
    is, whenever they were transmitted."""
    found = await session.execute(
        update(parcels)
        .where(parcels.c.id == event.parcel)
        .values(place=event.place, scans=parcels.c.scans + 1)
    )
    if not found.rowcount:
        await session.execute(insert(parcels).values(id=event.parcel, place=event.place, scans=1))
    context.publish(notices.messages.Moved(parcel=event.parcel, place=event.place))


@notices.handles("Ring")
async def ring(command: Any) -> Any:
    """Nothing of it is in the database, so nothing could tell a second time from the first."""
    print(f"ding-dong: {command.parcel}")
    return notices.messages.Rung(parcel=command.parcel)


@notices.handles("Notify")
async def notify(command: Any, session: AsyncSession) -> Any:
    """A letter box stands for whatever tells people things."""
    row = await session.execute(select(parcels.c.scans).where(parcels.c.id == command.parcel))
    print(f"{command.parcel} is at {command.place}, after {row.scalar_one_or_none() or 0} scans")
    return notices.messages.Notified(parcel=command.parcel, place=command.place)


_counted = MetaData()
regions = Table(
    "regions",
    _counted,
    Column("place", String, primary_key=True),
    Column("region", String, nullable=False),
    Column("letters", Integer, nullable=False, default=0),
)

statistics = Service("statistics", metadata=_counted)


@statistics.on("notices.Notified")
async def count(event: Any, session: AsyncSession) -> None:
    """A place that is in no region yet waits until somebody has entered it, and is passed."""
    found = await session.execute(
        update(regions).where(regions.c.place == event.place).values(letters=regions.c.letters + 1)
    )
    if not found.rowcount:
        raise LookupError(f"{event.place} is in no region yet")


_written = MetaData()
lines = Table(
    "lines",
    _written,
    Column("line", Integer, primary_key=True),
    Column("parcel", String, nullable=False),
)

book = Service("book", metadata=_written)


@book.on("carrier.HandedIn")
async def write(event: Any, session: AsyncSession) -> None:
    """The next line of the page. Whoever hands in gets no line before the one in front of them."""
    last = (await session.execute(select(func.max(lines.c.line)))).scalar_one() or 0
    await session.execute(insert(lines).values(line=last + 1, parcel=event.parcel))
