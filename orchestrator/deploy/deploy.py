"""`orchestrate deploy`: what would change, and its doing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from dsl.load import Loaded
from dsl.model import TopicModel
from orchestrator.compile.compile import compile_module, version_of
from orchestrator.compile.plan import Plan, SagaPlan
from orchestrator.compile.stored import read_plan, write_plan
from orchestrator.deploy.idle import idle
from orchestrator.messaging.bus import Bus
from orchestrator.runtime.deployment import set_current_version
from orchestrator.runtime.functions import FunctionError, find_function, make_importable
from orchestrator.runtime.letter_topics import named_topics
from orchestrator.runtime.schedules import ensure_schedules, remove_schedules
from orchestrator.store import versions
from orchestrator.store.database import Database


class DeployError(Exception):
    """A deployment that was refused; one sentence, which says so when something was applied."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of one module. `fresh` tells a version that was not stored before, `was` the
    version that was current; `idle` is what it declares and nothing runs yet, in words;
    `schedules` tells which have changed, and how."""

    module: str
    version: str
    sagas: tuple[str, ...]
    topics: tuple[str, ...]
    fresh: bool
    was: str | None
    idle: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()


async def deploy(loaded: Loaded, client: Client, bus: Bus, database: Database) -> list[Deployed]:
    """Stores the versions, creates the topics, and makes the versions current.

    Applying twice changes nothing, and what a crash left half done the next run completes. Each
    module is stored and made current in one transaction. Raises DeployError, BusError, StoreError.
    """
    assert loaded.program, "only a program without errors is deployed"
    modules = [m for m in loaded.asked if not loaded.program.modules[m].only_scenarios]
    plans = [compile_module(loaded.program, m) for m in modules]
    _require_functions(plans, loaded.sources)
    async with database.reading() as session:
        before = await versions.current(session)
        stored = [
            read_plan(v.plan)
            for m, version in before.items()
            if m not in modules and (v := await versions.find_version(session, m, version))
        ]
    _refuse_shared_names([*stored, *plans])
    created = await bus.create_topics(_topics(plans))
    result = []
    for plan in plans:
        version = version_of(plan)
        async with database.transaction() as session:
            fresh = await versions.find_version(session, plan.module, version) is None
            if fresh:
                # One that is stored may differ in its comments and places: it is kept as it was.
                text = write_plan(plan)
                await versions.save_version(session, plan.module, version, text, loaded.sources)
            await versions.set_current(session, plan.module, version)
            was = before.get(plan.module)
            former = await versions.find_version(session, plan.module, was) if was else None
            # Last, so that a refusal leaves nothing in the store.
            schedules = await _unschedule(client, plan, former) if former else []
            if plan.sagas:
                await _make_current(client, plan.module, version)
        # What they start is the current version's.
        schedules += await _schedule(client, plan)
        topics = tuple(t.name for t in plan.topics if t.name in created)
        sagas = tuple(s.short for s in plan.sagas.values())
        unused = idle(loaded.program.modules[plan.module])
        done = Deployed(plan.module, version, sagas, topics, fresh, was, unused, tuple(schedules))
        result.append(done)
    return result


def _require_functions(plans: list[Plan], sources: Iterable[str]) -> None:
    """What cannot be imported here, from the folders of the flows, would not be on a worker."""
    make_importable(Path(path).parent for path in sources)
    try:
        for plan in plans:
            for activity in plan.activities.values():
                find_function(activity)
    except FunctionError as error:
        raise DeployError(str(error)) from None


async def _unschedule(client: Client, plan: Plan, former: versions.Version) -> list[str]:
    try:
        return await remove_schedules(client, read_plan(former.plan), plan)
    except RPCError as error:
        raise DeployError(
            f"Temporal does not remove the schedules of `{plan.module}`: {error.message}"
        ) from None


async def _schedule(client: Client, plan: Plan) -> list[str]:
    """Raises DeployError when all is applied but this; deploying once more completes it."""
    try:
        return await ensure_schedules(client, plan)
    except RPCError as error:
        raise DeployError(
            f"`{plan.module}` is deployed, but Temporal does not take its schedules:"
            f" {error.message}"
        ) from None


async def _make_current(client: Client, module: str, version: str) -> None:
    try:
        await set_current_version(client, module, version)
    except RPCError as error:
        raise DeployError(
            f"Temporal does not make version {version} of `{module}` current: {error.message}"
        ) from None


def _topics(plans: list[Plan]) -> list[TopicModel]:
    """The plans' topics and their policies' dead-letter topics, each once."""
    found = {t.name: t for plan in plans for t in plan.topics}
    for plan in plans:
        for name in sorted(named_topics(plan)):
            found.setdefault(name, TopicModel(name=name))
    return list(found.values())


def _refuse_shared_names(plans: list[Plan]) -> None:
    """An instance is `<Saga>/<key>`, so two modules cannot both have a saga of one name."""
    owners: dict[str, SagaPlan] = {}
    for plan in plans:
        for saga in plan.sagas.values():
            if other := owners.get(saga.short):
                raise DeployError(
                    f"`{other.name}` and `{saga.name}` have one name: rename one, because their"
                    " instances would share their ids"
                )
            owners[saga.short] = saga
