"""A plan's schedules in Temporal: created, changed and removed when it is deployed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from dsl.duration import written
from orchestrator.compile.plan import Plan, SchedulePlan
from orchestrator.runtime.wire import OCCURRENCE, Occurrence

#: What Temporal missed while it was down it makes up for within a day; of an interval the last time
#: alone, within a minute at least.
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """One schedule: the saga's module and qualified name, its number there, and what it is."""

    module: str
    saga: str
    number: int
    plan: SchedulePlan

    @property
    def id(self) -> str:
        """Its name in Temporal: no other module's."""
        return f"{self.saga}:{self.number}"

    @property
    def note(self) -> str:
        """Says all that Temporal is told, so that it tells what has changed, to people as well."""
        return f"{self.saga} {words(self.plan)}"

    def schedule(self, paused: bool = False) -> Schedule:
        """What Temporal is told."""
        every, cron = self.plan.every, self.plan.cron
        interval = timedelta(seconds=every) if every is not None else None
        return Schedule(
            action=ScheduleActionStartWorkflow(
                OCCURRENCE,
                Occurrence(self.saga, self.number),
                id=f"schedule:{self.id}",
                task_queue=self.module,
            ),
            spec=ScheduleSpec(
                intervals=[ScheduleIntervalSpec(every=interval)] if interval else [],
                cron_expressions=[cron] if cron else [],
                time_zone_name=self.plan.zone,
            ),
            policy=SchedulePolicy(
                # Each time has an instance of its own, and one that lasts keeps none from starting.
                overlap=ScheduleOverlapPolicy.ALLOW_ALL,
                catchup_window=max(interval, _MINUTE) if interval else _DAY,
            ),
            state=ScheduleState(note=self.note, paused=paused),
        )


def words(plan: SchedulePlan) -> str:
    """`every 1h`, `at 0 9 * * MON in Europe/Berlin`."""
    if plan.every is not None:
        return f"every {written(timedelta(seconds=plan.every))}"
    return f"at {plan.cron} in {plan.zone}"


def clocks(plan: Plan) -> Iterator[Clock]:
    """The schedules of a plan."""
    for saga in plan.sagas.values():
        for number, schedule in enumerate(saga.schedules):
            yield Clock(plan.module, saga.name, number, schedule)


async def ensure_schedules(client: Client, plan: Plan) -> list[str]:
    """Makes Temporal have a plan's schedules; says what changed. Doing it twice changes nothing,
    and what a person paused stays paused. Raises RPCError."""
    done = [(clock, await _ensure(client, clock)) for clock in clocks(plan)]
    return [f"{clock.note}: {change}" for clock, change in done if change]


async def remove_schedules(client: Client, former: Plan, plan: Plan) -> list[str]:
    """Removes the schedules that the former version of a plan had and it has not; says which.
    Raises RPCError."""
    wanted = {c.id for c in clocks(plan)}
    gone = [c for c in clocks(former) if c.id not in wanted]
    return [f"{clock.note}: removed" for clock in gone if await _remove(client, clock)]


async def _ensure(client: Client, clock: Clock) -> str | None:
    handle = client.get_schedule_handle(clock.id)
    found = await _state(handle)
    if found is None:
        await client.create_schedule(clock.id, clock.schedule())
        return "scheduled"
    if found.note == clock.note:
        return None
    schedule = clock.schedule(found.paused)
    await handle.update(lambda _: ScheduleUpdate(schedule))
    return "rescheduled"


async def _remove(client: Client, clock: Clock) -> bool:
    """Removes a schedule; whether it was there."""
    try:
        await client.get_schedule_handle(clock.id).delete()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _state(handle: ScheduleHandle) -> ScheduleState | None:
    try:
        return (await handle.describe()).schedule.state
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
