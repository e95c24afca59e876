"""Sagas that start by the clock, on a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from temporalio.service import RPCError, RPCStatusCode

from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import World

STARTS = """
  starts every 1s with (time: string(at), made: now() == at)
  starts at "0 9 * * MON" in "Europe/Berlin" with (time: "weekly " + string(at), made: false)
"""
WORLD = (
    """
module NAME

service NAMEnews { event Told key time { time: string } }

/// Tells the time that it was started for.
saga NAMETick(time: string, made: bool) -> string key time
  STARTS
{
  return time + (made ? "" : "?")
}

/// Has no key.
saga NAMENever(time: string) key time
  starts at "0 0 29 2 *" with (time: string(1 / (at.getHours() * 0)))
{ return }

/// Has one key for all the times of an hour.
saga NAMEHourly(hour: string) key hour
  starts every 1s with (hour: string(at.getHours() * 0))
{
  emit NAMEnews.Told(time: hour)
}
"""
).replace("STARTS", STARTS)


async def ticks(shop: World) -> dict[str, str]:
    """The sagas that were started, with their status."""
    found = await shop.instances.list("schedulesTick", None, False, 1000)
    return {i.id: i.status for i in found}


async def note(shop: World, id: str) -> str | None:
    """What a schedule says of itself; None where there is none."""
    try:
        described = await shop.client.get_schedule_handle(id).describe()
    except RPCError as error:
        assert error.status is RPCStatusCode.NOT_FOUND
        return None
    return described.schedule.state.note


async def test_each_time_starts_an_instance_of_its_own(shop: World) -> None:
    """Its key is made of the scheduled time, which is a whole second; `now()` is that time, too."""

    async def three() -> bool:
        return list((await ticks(shop)).values()).count("completed") >= 3

    await eventually(three, "three ticks")
    for id in await ticks(shop):
        time = id.partition("/")[2]
        at = datetime.fromisoformat(time)
        assert at.tzinfo == UTC and at.microsecond == 0
        assert (await shop.end(id)).result == time


async def test_times_of_one_key_start_one_instance(shop: World) -> None:
    """The second is left alone, and nothing fails of that."""
    query = 'WorkflowType = "orchestrate.occurrence" AND WorkflowId STARTS_WITH "schedule:%s"'

    async def over() -> bool:
        found = shop.client.list_workflows(query % "schedules.schedulesHourly:0")
        return sum([w.status.name == "COMPLETED" async for w in found if w.status]) >= 2

    await eventually(over, "two times have come")
    assert len(await shop.instances.list("schedulesHourly", None, False, 10)) == 1


async def test_a_time_without_a_key_is_shown_as_failed(shop: World) -> None:
    """What starts no saga is in the list of instances, with the reason."""
    await shop.client.get_schedule_handle("schedules.schedulesNever:0").trigger()

    async def failed() -> bool:
        return bool(await shop.instances.list("orchestrate.occurrence", "failed", False, 10))

    await eventually(failed, "it is shown")
    (found,) = await shop.instances.list("orchestrate.occurrence", None, False, 10)
    assert found.id.startswith("schedule:schedules.schedulesNever:0")
    assert "divide by zero" in ((await shop.end(found.id)).reason or "")


async def test_a_cron_starts_in_its_zone(shop: World) -> None:
    """It comes next on a Monday at nine in Berlin; triggered now, it starts a saga of now."""
    handle = shop.client.get_schedule_handle("schedules.schedulesTick:1")
    described = await handle.describe()
    berlin = described.info.next_action_times[0].astimezone(ZoneInfo("Europe/Berlin"))
    assert (berlin.weekday(), berlin.hour, berlin.minute) == (0, 9, 0)
    await handle.trigger()

    async def weekly() -> bool:
        return any(id.startswith("schedulesTick/weekly ") for id in await ticks(shop))

    await eventually(weekly, "it is started")


@pytest.mark.parametrize(
    ("starts", "changes", "notes"),
    [
        (STARTS, [], ["every 1s", "at 0 9 * * MON in Europe/Berlin"]),
        (
            STARTS.replace("1s", "1h").replace("MON", "TUE"),
            ["every 1h: rescheduled", "at 0 9 * * TUE in Europe/Berlin: rescheduled"],
            ["every 1h", "at 0 9 * * TUE in Europe/Berlin"],
        ),
        (
            "starts every 2h with (time: string(at), made: true)",
            ["at 0 9 * * TUE in Europe/Berlin: removed", "every 2h: rescheduled"],
            ["every 2h", None],
        ),
        ("", ["every 2h: removed"], [None, None]),
        ("", [], [None, None]),
        (STARTS, ["every 1s: scheduled", "at 0 9 * * MON in Europe/Berlin: scheduled"], None),
        (STARTS, [], None),
    ],
)
async def test_deploying_makes_the_schedules_those_of_the_flow(
    shop: World, starts: str, changes: list[str], notes: list[str | None] | None
) -> None:
    """What is new is created, what differs changed, what is no more removed; the same again
    changes nothing."""
    (done,) = await shop.deploy(WORLD.replace(STARTS, starts))
    saga = "schedules.schedulesTick "
    assert list(done.schedules) == [saga + c for c in changes]
    for number, wanted in enumerate(notes or []):
        found = await note(shop, f"schedules.schedulesTick:{number}")
        assert found == (saga + wanted if wanted else None)


async def test_what_a_person_paused_stays_paused(shop: World) -> None:
    """Deploying another time does not set it going again."""
    handle = shop.client.get_schedule_handle("schedules.schedulesTick:0")
    await handle.pause()
    await shop.deploy(WORLD.replace("every 1s with (time", "every 3s with (time"))
    state = (await handle.describe()).schedule.state
    assert state.paused
    await shop.deploy(WORLD.replace(STARTS, "").replace("every 1s", "every 1h"))


async def test_all_histories_replay(shop: World) -> None:
    """The small workflows between the schedules and the sagas, too."""
    assert await replay_all(shop) >= 8
