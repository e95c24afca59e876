"""The wallets' services: what is done once, whatever comes twice.

`wallets` keeps its books in SQL; `receipts` lives from events alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Column, Integer, MetaData, Numeric, String, Table, delete, insert, update
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service import Context, Handling, Proceed, Service, Stale, Version

log = structlog.get_logger(__name__)

# --- wallets ---------------------------------------------------------------------------------

_wallets = MetaData()

#: Whatever changes a row counts its version up.
accounts = Table(
    "accounts",
    _wallets,
    Column("wallet", String, primary_key=True),
    Column("balance", Numeric(20, 2), nullable=False),
    Column("limit", Numeric(20, 2), nullable=False),
    Column("version", Integer, nullable=False),
)
payments = Table(
    "payments",
    _wallets,
    Column("payment", String, primary_key=True),
    Column("amount", Numeric(20, 2), nullable=False),
)

wallets = Service("wallets", metadata=_wallets)


@dataclass
class Books:
    """The tables, within one handling."""

    session: AsyncSession

    async def change(self, wallet: str, amount: Any) -> Any:
        """Changes a balance; the new one."""
        await self.session.execute(
            sql(
                'INSERT INTO accounts (wallet, balance, "limit", version) '
                "VALUES (:wallet, 0, 0, 0) ON CONFLICT DO NOTHING"
            ),
            {"wallet": wallet},
        )
        changed = await self.session.execute(
            update(accounts)
            .where(accounts.c.wallet == wallet)
            .values(balance=accounts.c.balance + amount, version=accounts.c.version + 1)
            .returning(accounts.c.balance)
        )
        return changed.scalar_one()


wallets.provide(Books, Books)


@wallets.middleware
async def logged(handling: Handling, proceed: Proceed) -> Any:
    """Everything that is logged meanwhile names the saga."""
    with structlog.contextvars.bound_contextvars(saga=handling.envelope.correlation_id):
        return await proceed()


@wallets.handles("TopUp")
async def top_up(command: Any, books: Books, context: Context) -> Any:
    """Runs once for each payment."""
    row = {"payment": command.payment, "amount": command.amount}
    await books.session.execute(insert(payments).values(row))
    balance = await books.change(command.wallet, command.amount)
    changed = wallets.messages.BalanceChanged(wallet=command.wallet, balance=balance)
    context.publish(changed)
    return wallets.messages.ToppedUp(
        wallet=command.wallet, payment=command.payment, balance=balance
    )


@wallets.handles("TakeBack")
async def take_back(command: Any, books: Books, context: Context) -> Any:
    """Frees the payment: should it come again, it tops up again."""
    found = await books.session.execute(
        delete(payments).where(payments.c.payment == command.payment).returning(payments.c.amount)
    )
    amount = found.scalar()
    if amount is not None:
        await wallets.free(books.session, "TopUp", payment=command.payment)
        balance = await books.change(command.wallet, -amount)
        context.publish(wallets.messages.BalanceChanged(wallet=command.wallet, balance=balance))
    return wallets.messages.TakenBack(wallet=command.wallet, payment=command.payment)


def changed_meanwhile(command: Any, stale: Stale) -> Any:
    """Who comes too late is told what the version is now."""
    return wallets.failures.WalletChanged(wallet=command.wallet, version=stale.found)


@wallets.handles("SetLimit", stale=changed_meanwhile)
async def set_limit(command: Any, version: Version) -> Any:
    """Changes the row if it is as the sender has seen it."""
    mine = update(accounts).where(accounts.c.wallet == command.wallet)
    new = await version.update(mine.values(limit=command.limit))
    return wallets.messages.LimitSet(wallet=command.wallet, version=new)


# --- receipts --------------------------------------------------------------------------------

_receipts = MetaData()
sent = Table(
    "sent_receipts",
    _receipts,
    Column("event", String, primary_key=True),
    Column("wallet", String, nullable=False),
    Column("balance", Numeric(20, 2), nullable=False),
)

receipts = Service("receipts", metadata=_receipts)


@receipts.on("wallets.BalanceChanged")
async def tell(event: Any, session: AsyncSession, context: Context) -> None:
    """One receipt for each change, however often its event comes."""
    row = {"event": context.message_id, "wallet": event.wallet, "balance": event.balance}
    await session.execute(insert(sent).values(row))
    log.info("receipt", wallet=event.wallet)
