"""Deploying on real servers: nothing twice, nothing half, and running sagas stay where they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.service import RPCError

from dsl.load import Loaded, check_texts
from orchestrator.deploy.deploy import DeployError, deploy
from orchestrator.dev.temporal import TemporalServer
from orchestrator.messaging.bus import Bus, BusError
from orchestrator.messaging.kafka import KafkaBus
from orchestrator.messaging.memory import MemoryBus
from orchestrator.runtime.connect import TemporalError, connect
from orchestrator.store import versions
from orchestrator.store.database import Database
from orchestrator.store.migrate import migrate
from tests.runtime.eventually import eventually
from tests.runtime.world import FLOW, World, when, world


def small(module: str, saga: str, reason: str = "no") -> str:
    """A module with one saga that fails for a reason."""
    return f'module {module}\nsaga {saga}(id: string) key id {{ fail "{reason}" }}\n'


async def stored(database: Database) -> tuple[set[tuple[str, str]], dict[str, str]]:
    """The versions in the store, and the current ones."""
    async with database.reading() as session:
        found = {(v.module, v.version) for v in await versions.versions(session)}
        return found, await versions.current(session)


async def test_deploying_twice_changes_nothing(
    client: Client, bus: Bus, database: Database
) -> None:
    """The second time finds the version, its topics and its being current."""
    loaded = check_texts({"f.flow": FLOW.replace("NAME", "twice")})
    (first,) = await deploy(loaded, client, bus, database)
    before = await stored(database)
    (second,) = await deploy(loaded, client, bus, database)
    assert (first.fresh, first.was) == (True, None)
    assert (second.fresh, second.was, second.topics) == (False, first.version, ())
    assert await stored(database) == before


async def test_a_comment_is_no_new_version(client: Client, database: Database) -> None:
    """A flow that differs in comments and layout is the version that is stored."""
    text = small("comments", "Commented")
    bus = MemoryBus()
    (first,) = await deploy(check_texts({"f.flow": text}), client, bus, database)
    again = check_texts({"f.flow": "// why\n" + text.replace("{ fail", "{\n\n  fail")})
    (second,) = await deploy(again, client, bus, database)
    assert (second.version, second.fresh) == (first.version, False)


async def test_scenarios_are_no_part_of_a_version(client: Client, database: Database) -> None:
    """They may stand beside their saga or in a module of their own: neither is a new version."""
    text, test = small("tried", "Tried"), 'scenario "it" { run Tried(id: "1") expect failure "no" }'
    apart = f"module tried.tests from tried import Tried {test}"
    bus = MemoryBus()
    (first,) = await deploy(check_texts({"f.flow": text}), client, bus, database)
    beside = check_texts({"f.flow": f"{text}{test}", "g.flow": apart})
    (second,) = await deploy(beside, client, bus, database)
    assert (second.version, second.fresh) == (first.version, False)


async def test_a_rollback_is_a_deploy(client: Client, database: Database) -> None:
    """An older version can be made current again."""
    one, two = (check_texts({"f.flow": small("back", "Back", r)}) for r in ("one", "two"))
    bus = MemoryBus()
    (first,) = await deploy(one, client, bus, database)
    (second,) = await deploy(two, client, bus, database)
    (third,) = await deploy(one, client, bus, database)
    assert (third.version, third.was, third.fresh) == (first.version, second.version, False)
    assert (await stored(database))[1] == {"back": first.version}


async def test_two_modules_with_one_saga_name_are_refused(
    client: Client, database: Database
) -> None:
    """At once or one after the other: their instances would share their ids."""
    bus = MemoryBus()
    both = {"a.flow": small("m.a", "Same"), "b.flow": small("m.b", "Same")}
    with pytest.raises(DeployError, match=r"`m.a.Same` and `m.b.Same` have one name"):
        await deploy(check_texts(both), client, bus, database)
    assert await stored(database) == (set(), {})
    await deploy(check_texts({"a.flow": both["a.flow"]}), client, bus, database)
    before = await stored(database)
    with pytest.raises(DeployError, match="have one name"):
        await deploy(check_texts({"b.flow": both["b.flow"]}), client, bus, database)
    assert await stored(database) == before


async def test_without_kafka_nothing_is_deployed(client: Client, database: Database) -> None:
    """The error names the broker, and the store is as it was."""
    loaded = check_texts({"f.flow": FLOW.replace("NAME", "nokafka")})
    with pytest.raises(BusError, match=r"Kafka does not answer at `127.0.0.1:9`"):
        await deploy(loaded, client, KafkaBus("127.0.0.1:9"), database)
    assert await stored(database) == (set(), {})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lost(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A client of a server that has gone."""
    folder = tmp_path_factory.mktemp("lost")
    async with TemporalServer(folder, ui=False, in_memory=True) as server:
        return await connect(server.address)


async def test_without_temporal_nothing_is_deployed(database: Database, lost: Client) -> None:
    """A server that is not there, and one that goes away: one clear sentence each, and the store
    is as it was."""
    with pytest.raises(TemporalError, match=r"Temporal does not answer at 127.0.0.1:9"):
        await connect("127.0.0.1:9")
    loaded = check_texts({"f.flow": small("notemporal", "Lost")})
    with pytest.raises(DeployError, match="Temporal does not make version"):
        await deploy(loaded, lost, MemoryBus(), database)
    assert await stored(database) == (set(), {})


# --- versions side by side


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, client: Client, kafka_bus: Bus
) -> AsyncIterator[World]:
    """A world with a worker that looks for new versions."""
    folder: Path = tmp_path_factory.mktemp("deploys")
    async with Database(f"sqlite:///{folder}/store.db") as database:
        await migrate(database.engine)
        async with world("deploys", client, kafka_bus, database) as running:
            yield running


async def test_new_sagas_take_the_new_version_and_running_ones_keep_theirs(shop: World) -> None:
    """A deploy restarts nothing: the old saga ends by the old text, the new one by the new."""
    go = asyncio.Event()
    old, new = shop.key(), shop.key()
    shop.script[old, "Pay"] = [when(go)]
    before = await shop.start("Buy", old)
    await shop.sent(before, "b")
    first = shop.served.version
    (done,) = await shop.deploy(FLOW.replace("return a.ref + b.ref", 'return "new"'))
    assert done.was == first != done.version
    await eventually(
        lambda: (shop.name, done.version) in shop.worker._served, "the worker serves it"
    )
    after = await shop.start("Buy", new)
    assert (await shop.end(after)).result == "new"
    go.set()
    assert (await shop.end(before)).result == "tp"
    shown = [(await shop.instances.show(i)).instance.version for i in (before, after)]
    assert shown == [first, done.version]


async def test_events_reach_sagas_of_every_version(shop: World) -> None:
    """An event starts the current version, and is delivered to those of older ones that wait."""
    waiting = shop.key()
    id = await shop.start("Wait", waiting, n=1)
    await shop.sent(id, "a")
    (done,) = await shop.deploy(FLOW.replace("return string(ok.n)", 'return "later"'))
    await eventually(lambda: shop.worker._current[shop.name] == done.version, "it is current")
    fresh = shop.key()
    await shop.event("wares.Ordered", fresh, f"{fresh}-start", n=1)
    await shop.sent(f"deploysWait/{fresh}", "a")
    for key in (waiting, fresh):
        await shop.event("wares.Approved", key, f"{key}-ok", n=5)
    assert (await shop.end(id)).result == "5"
    assert (await shop.end(f"deploysWait/{fresh}")).result == "later"


async def scheduled(client: Client, saga: str) -> list[str]:
    """The schedules of a saga, by what they say of themselves."""
    notes = []
    for number in range(3):
        with suppress(RPCError):
            described = await client.get_schedule_handle(f"{saga}:{number}").describe()
            notes.append(str(described.schedule.state.note))
    return notes


async def test_a_deployment_touches_no_other_modules_schedules(
    client: Client, database: Database
) -> None:
    """Each module has its own: a saga of the same name elsewhere takes none of them over."""
    bus = MemoryBus()

    def flow(module: str, saga: str, *starts: str) -> Loaded:
        clauses = "".join(f" starts {s} with (time: string(at))" for s in starts)
        text = f"module {module} saga {saga}(time: string) key time{clauses} {{ return }}"
        return check_texts({f"{module}.flow": text})

    await deploy(flow("morning", "Wake", "every 1d", "every 7d"), client, bus, database)
    (done,) = await deploy(flow("evening", "Sleep", "every 1h"), client, bus, database)
    assert done.schedules == ("evening.Sleep every 1h: scheduled",)
    assert await scheduled(client, "morning.Wake") == [
        "morning.Wake every 1d",
        "morning.Wake every 7d",
    ]
    # The saga moves to the other module.
    (done,) = await deploy(flow("morning", "Rest", "every 1d"), client, bus, database)
    assert set(done.schedules) == {
        "morning.Wake every 1d: removed",
        "morning.Wake every 7d: removed",
        "morning.Rest every 1d: scheduled",
    }
    await deploy(flow("evening", "Wake", "every 2h"), client, bus, database)
    (done,) = await deploy(flow("morning", "Rest"), client, bus, database)
    assert done.schedules == ("morning.Rest every 1d: removed",)
    assert await scheduled(client, "evening.Wake") == ["evening.Wake every 2h"]
