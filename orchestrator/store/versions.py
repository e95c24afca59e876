"""Deployed versions of modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.store.errors import ConflictError, StoreError
from orchestrator.store.insert import insert_into
from orchestrator.store.tables import current_versions, flow_versions


@dataclass(frozen=True, slots=True)
class Version:
    """A module's version: its compiled plan (JSON text) and its sources by file name."""

    module: str
    version: str
    plan: str
    sources: dict[str, str]
    created_at: datetime


async def save_version(
    session: AsyncSession, module: str, version: str, plan: str, sources: dict[str, str]
) -> bool:
    """Stores a version; False when it was there. Raises ConflictError when it was there with
    another plan."""
    added = await session.execute(
        insert_into(session, flow_versions)
        .values(
            module=module, version=version, plan=plan, sources=sources, created_at=datetime.now(UTC)
        )
        .on_conflict_do_nothing()
        .returning(flow_versions.c.version)
    )
    if added.first() is not None:
        return True
    stored = await find_version(session, module, version)
    if stored is None or stored.plan != plan:
        raise ConflictError(f"version `{version}` of `{module}` is stored with another plan")
    return False


async def set_current(session: AsyncSession, module: str, version: str) -> None:
    """New sagas of the module get this version. Raises StoreError when it is not stored."""
    if await find_version(session, module, version) is None:
        raise StoreError(f"no version `{version}` of `{module}` is stored")
    now = datetime.now(UTC)
    await session.execute(
        insert_into(session, current_versions)
        .values(module=module, version=version, set_at=now)
        .on_conflict_do_update(
            index_elements=[current_versions.c.module], set_={"version": version, "set_at": now}
        )
    )


async def current(session: AsyncSession) -> dict[str, str]:
    """The current version of each module."""
    rows = await session.execute(select(current_versions.c.module, current_versions.c.version))
    return {row.module: row.version for row in rows}


async def find_version(session: AsyncSession, module: str, version: str) -> Version | None:
    """One version, None when it is not stored."""
    found = await session.execute(
        select(flow_versions).where(
            flow_versions.c.module == module, flow_versions.c.version == version
        )
    )
    row = found.mappings().first()
    return None if row is None else Version(**row)


async def identities(session: AsyncSession) -> list[tuple[str, str]]:
    """Module and version of all that is stored, oldest first; cheap, however large the plans."""
    query = select(flow_versions.c.module, flow_versions.c.version)
    rows = await session.execute(query.order_by(flow_versions.c.created_at))
    return [(row.module, row.version) for row in rows]


async def versions(session: AsyncSession, module: str | None = None) -> list[Version]:
    """All versions, or a module's, oldest first."""
    query = select(flow_versions).order_by(flow_versions.c.created_at, flow_versions.c.version)
    if module is not None:
        query = query.where(flow_versions.c.module == module)
    return [Version(**row) for row in (await session.execute(query)).mappings()]
