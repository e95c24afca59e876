"""What the participants of the chaos shop did, a row for each effect.

Nothing here is unique: a step that took effect twice has two rows.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.insert import insert_into

metadata = MetaData()

#: `saga` is an order's id, `what` is `do` or `undo`; `standing` is how many effects of the step
#: stood when it came; `number` is that of the account's booking. What the desk does has its own
#: word in `what`, whatever it is about in `saga`, and a number.
effects = Table(
    "effects",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("saga", String, nullable=False),
    Column("step", String, nullable=False),
    Column("what", String, nullable=False),
    Column("standing", Integer, nullable=False),
    Column("account", String),
    Column("number", Integer),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", String, primary_key=True),
    Column("number", Integer, nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("account", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("limit", Integer, nullable=False),
)


async def enter(
    session: AsyncSession,
    saga: str,
    step: str,
    what: str,
    account: str | None = None,
    number: int | None = None,
) -> None:
    """Writes one effect."""
    mine = select(func.count()).where(effects.c.saga == saga, effects.c.step == step)
    done = await session.scalar(mine.where(effects.c.what == "do")) or 0
    undone = await session.scalar(mine.where(effects.c.what == "undo", effects.c.standing > 0))
    row = {"saga": saga, "step": step, "what": what, "standing": done - (undone or 0)}
    await session.execute(effects.insert().values(**row, account=account, number=number))


async def book(session: AsyncSession, account: str) -> int:
    """The account's next number; whoever else books on it waits for this transaction's end."""
    new = insert_into(session, accounts).values(account=account, number=1)
    booked = new.on_conflict_do_update(
        index_elements=[accounts.c.account], set_={"number": accounts.c.number + 1}
    ).returning(accounts.c.number)
    number: int = (await session.execute(booked)).scalar_one()
    return number


async def note(session: AsyncSession, about: str, what: str, number: int) -> None:
    """Writes what the desk did."""
    row = {"saga": about, "step": what, "what": what, "standing": 0, "number": number}
    await session.execute(effects.insert().values(row))


async def open_account(session: AsyncSession, account: str) -> None:
    """Makes a limit's row, of version 0, unless it is there."""
    new = insert_into(session, limits).values(account=account, version=0, limit=0)
    await session.execute(new.on_conflict_do_nothing())
