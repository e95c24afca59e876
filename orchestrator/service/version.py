"""The version that a command applies to, and conditional updates by it."""

from __future__ import annotations

from sqlalchemy import Update, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.service.errors import ServiceError


class Stale(Exception):
    """A command applies to a version that is not the present one. `found` is the present one, None
    when there is no such row."""

    def __init__(self, expected: int, found: int | None) -> None:
        self.expected = expected
        self.found = found
        now = "there is none" if found is None else f"it is {found}"
        super().__init__(f"version {expected} was expected, {now}")


class Version:
    """What a handler of a command that is `idempotent by version` is given, as `version`.
    `expected` is the version that the command applies to."""

    def __init__(self, session: AsyncSession, expected: int) -> None:
        self.expected = expected
        self._session = session
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether the handler has compared versions at all."""
        return self._asked

    async def update(self, statement: Update, column: str = "version") -> int:
        """Runs an update of one row (`update(accounts).where(accounts.c.id == …).values(…)`, of a
        table or a mapped class) if the row has the expected version, and counts the version up;
        the new one. `column` is where the row has it. Raises Stale, and ServiceError when the
        statement means more than one row."""
        self._asked = True
        present = statement.table.c[column]
        next = self.expected + 1
        conditional = statement.where(present == self.expected).values({present: next})
        done = await self._session.execute(
            conditional, execution_options={"synchronize_session": False}
        )
        assert isinstance(done, CursorResult)
        if done.rowcount > 1:
            raise ServiceError(
                f"a conditional update is of one row, not of {done.rowcount}: {statement}"
            )
        if done.rowcount == 0:
            query = select(present)
            if statement.whereclause is not None:
                query = query.where(statement.whereclause)
            raise Stale(self.expected, (await self._session.execute(query)).scalar())
        return next

    def expect(self, found: int | None) -> None:
        """Compares with a version that the handler has read, in a row that it holds
        (`with_for_update`) or whose class has SQLAlchemy's `version_id_col`; 0 is for what does
        not exist yet. Raises Stale."""
        self._asked = True
        if found != self.expected:
            raise Stale(self.expected, found)
