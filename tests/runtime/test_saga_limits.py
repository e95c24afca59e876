"""What a step's policy says of whom it talks to: breakers, rates, how many at once."""

from __future__ import annotations

import asyncio

from orchestrator.messaging.envelope import Envelope, from_record
from tests.runtime.eventually import eventually
from tests.runtime.replay import replay_all
from tests.runtime.world import FLOW, Behaviour, World, silent

WORLD = (
    FLOW
    + """
policy guarded {
  timeout: 1s
  retry: fixed(attempts: 2, every: 100ms)
  circuit_breaker: breaker(failures: 4, within: 60s, open_for: 2s)
  dead_letter: "NAME.dlq"
}
policy slow { timeout: 30s retry: none rate_limit: 5 / 1s }
policy narrow { timeout: 30s retry: none max_in_flight: 2 }

service NAMEpost {
  command Send key id { id: string } replies Sent
  command Weigh key id { id: string } replies Sent
  command Stamp key id { id: string } replies Sent
  event Sent key id { id: string }
}
saga NAMESend(id: string) key id { step s = NAMEpost.Send(id: id) with guarded undo none }
saga NAMEWeigh(id: string) key id { step s = NAMEpost.Weigh(id: id) with slow undo none }
saga NAMEStamp(id: string) key id { step s = NAMEpost.Stamp(id: id) with narrow undo none }
"""
)


async def sent(world: World, command: Envelope) -> None:
    """An answer."""
    await world.answer(command, "post.Sent", {})


async def started(shop: World, saga: str, count: int, behaviour: Behaviour) -> list[str]:
    """Starts so many sagas, whose command, of the same name, is answered like that."""
    keys = [shop.key() for _ in range(count)]
    for key in keys:
        shop.script[key, saga] = [behaviour]
    return list(await asyncio.gather(*(shop.start(saga, key) for key in keys)))


async def test_an_open_circuit_spends_no_attempt(shop: World) -> None:
    """A service is away for longer than all attempts would last: what came of them opens the
    circuit, one probe at a time asks whether it is back, and everything ends well."""
    away = True

    async def maybe(world: World, command: Envelope) -> None:
        await (silent if away else sent)(world, command)

    ids = await started(shop, "Send", 12, maybe)

    def commands() -> int:
        return sum(len(shop.seen[id]) for id in ids)

    await eventually(lambda: commands() >= 4, "attempts are made")
    # Those that were under way when it opened, each at both speeds, and then the probes: without
    # the breaker it would be 24 attempts, and twelve failures.
    probes = commands() + 3
    await eventually(lambda: commands() >= probes, "probes are made")
    away = False
    ends = await asyncio.gather(*(shop.end(id, 120) for id in ids))
    assert {e.status for e in ends} == {"completed"}
    assert not [r for r in shop.records if r.topic.endswith(".dlq")]


async def test_a_rate(shop: World) -> None:
    """So many commands in a time, and a burst of as many."""
    ids = await started(shop, "Weigh", 20, sent)
    ends = await asyncio.gather(*(shop.end(id, 60) for id in ids))
    assert {e.status for e in ends} == {"completed"}
    times = sorted(
        from_record(r).time.timestamp()
        for r in shop.on(f"{shop.name}post.commands")
        if (r.header("ce_type") or b"").endswith(b"Weigh")
    )
    # The fifth of the burst was sent with the first, and the others by the rate.
    assert times[-1] - times[0] >= 2.9
    for begin in times:
        assert sum(begin <= t < begin + 0.9 for t in times) <= 11


async def test_how_many_at_once(shop: World) -> None:
    """No more commands than that are unanswered; a saga that is held back can be cancelled."""
    answered, most = asyncio.Event(), 0
    unanswered: set[str] = set()

    async def count(world: World, command: Envelope) -> None:
        nonlocal most
        unanswered.add(command.id)
        most = max(most, len(unanswered))
        await answered.wait()
        unanswered.discard(command.id)
        await sent(world, command)

    ids = await started(shop, "Stamp", 6, count)
    await eventually(lambda: most == 2, "two are sent")
    held = next(id for id in ids if not shop.seen[id])
    await shop.instances.cancel(held)
    assert (await shop.end(held, 60)).status == "cancelled"
    answered.set()
    ends = await asyncio.gather(*(shop.end(id, 60) for id in ids if id != held))
    assert {e.status for e in ends} == {"completed"}
    assert most == 2


async def test_it_replays(shop: World) -> None:
    """Being held back is a part of the history."""
    assert await replay_all(shop) > 20
