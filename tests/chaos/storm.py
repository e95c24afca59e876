"""Processes that die and stand still at their points, servers that are killed, and connections
that break, all at once, by a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.arena import Arena, Kind
from tests.chaos.child import Action, Role
from tests.chaos.evidence import Violation
from tests.chaos.scenario import Scenario
from tests.chaos.slots import Plan, Slot

_ACTIONS: tuple[Action, ...] = ("kill", "stop", "raise", "delay")
_WEIGHTS = (6, 2, 1, 1)

_BREAKS = ("cut", "stall", "halve")

#: Seconds without anything, and with half of it.
_STALL, _HALF = 4.0, 3.0


@dataclass
class Storm:
    """What happens in one run: to each of several processes a list of plans, to the servers and
    their connections a list of faults, one every `pause` seconds."""

    kind: Kind
    plans: Sequence[tuple[Role, Sequence[Plan]]]
    faults: Sequence[str]
    pause: float = 2.0
    seed: int = 1
    mischief: bool = True


@dataclass
class Report:
    """What became of it: orders that were accepted, faults by kind, and what does not hold."""

    orders: int
    survived: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    recovery: float = 0.0


def first_storms(arena: Arena) -> list[Storm]:
    """Those that every long run begins with: everything that stands still and all servers' deaths
    on each database; then every way of a connection to break."""
    zombies: list[tuple[Role, Sequence[Plan]]] = [
        ("worker", _stops("command.before-publish", "reply.before-complete")),
        ("participant", _stops("handler.before-commit", "answer.before-publish")),
        ("relay", _stops("outbox.after-claim", "outbox.before-mark")),
        ("desk", _stops("sequence.before-take", "parked.before-attempt")),
        ("transformer", _stops("transform.before-commit")),
    ]
    steady: list[tuple[Role, Sequence[Plan]]] = [(role, ()) for role, _ in zombies]
    found = []
    for kind in ("sqlite", "postgres") if arena.postgres else ("sqlite",):
        servers = _servers(kind)
        found.append(Storm(kind, zombies, [f"restart of {s}" for s in servers]))
        found.append(Storm(kind, steady, [f"{h} to {s}" for s in servers for h in _BREAKS], 0.5))
    return found


def _stops(*points: str) -> list[Plan]:
    return [Plan(point, "stop") for point in points]


def _servers(kind: Kind) -> list[str]:
    return ["kafka", "temporal"] + (["postgres"] if kind == "postgres" else [])


def random_storm(seed: int, points: dict[Role, Sequence[str]], arena: Arena) -> Storm:
    """One for these points, in any order."""
    chance = random.Random(seed)
    kind: Kind = "postgres" if arena.postgres and chance.random() < 0.6 else "sqlite"
    plans: list[tuple[Role, Sequence[Plan]]] = []
    for role, names in points.items():
        some = list(names)
        chance.shuffle(some)
        action = chance.choices(_ACTIONS, _WEIGHTS, k=len(some))
        plans.append(
            (
                role,
                [
                    Plan(p, a, chance.choice((1, 1, 2, 3)))
                    for p, a in zip(some, action, strict=True)
                ],
            )
        )
    servers = _servers(kind)
    faults = [f"restart of {s}" for s in servers]
    faults += [f"{how} to {s}" for s in servers for how in _BREAKS]
    chance.shuffle(faults)
    return Storm(kind, plans, faults[:6], seed=seed)


async def weather(
    arena: Arena, storm: Storm, *, limit: float, say: Callable[[str], None] = print
) -> Report:
    """Lets it pass over a scenario, and waits at most `limit` seconds for all to be well."""
    run = Scenario(
        arena, storm.kind, seed=storm.seed, mischief=storm.mischief, proxied=True, rash=True
    )
    async with run:
        slots = [Slot(run, role, say) for role, _ in storm.plans]
        done = asyncio.Event()
        survived: Counter[str] = Counter()
        feeding = asyncio.create_task(run.feed(0.3, done, most=60))
        try:
            async with asyncio.TaskGroup() as tasks:
                for slot, (_, plans) in zip(slots, storm.plans, strict=True):
                    tasks.create_task(slot.go_through(plans, limit))
                tasks.create_task(_break(arena, storm, survived, say))
        finally:
            done.set()
            await feeding
        began = asyncio.get_running_loop().time()
        violations = await run.verdict(limit)
        recovery = asyncio.get_running_loop().time() - began
        for slot in slots:
            await slot.rest()
            survived += slot.survived
        return Report(len(run.accepted), survived, violations, recovery)


async def _break(
    arena: Arena, storm: Storm, survived: Counter[str], say: Callable[[str], None]
) -> None:
    for fault in storm.faults:
        await asyncio.sleep(storm.pause)
        how, _, server = fault.partition(" to " if " to " in fault else " of ")
        match how:
            case "restart":
                await arena.restart(server)
            case "cut":
                arena.proxies[server].cut()
            case "stall":
                await arena.proxies[server].stall(_STALL)
            case "halve":
                await arena.proxies[server].halve(_HALF)
        survived[fault] += 1
        say(fault)
