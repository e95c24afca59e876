"""Running the program as its users do, and looking at what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from typer.testing import CliRunner

REPOSITORY = Path(__file__).parents[2]
ORDERS = REPOSITORY / "flows" / "orders"
LAB = Path(__file__).parent / "lab"
PROGRAM = [sys.executable, "-m", "orchestrator"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed."""
        return json.loads(self.out)

    def refused(self) -> str:
        """Its one sentence: nothing but `error: …` on standard error, status 1."""
        assert (self.code, self.out) == (1, ""), self
        lines = self.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: "), self
        return lines[0].removeprefix("error: ")


def environment(data: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The process's environment without our settings, and with this data folder."""
    found = {k: v for k, v in os.environ.items() if not k.startswith("ORCHESTRATE_")}
    if "ORCHESTRATE_CACHE" in os.environ:
        found["ORCHESTRATE_CACHE"] = os.environ["ORCHESTRATE_CACHE"]
    found |= {"ORCHESTRATE_DATA": str(data), "PYTHONPATH": str(REPOSITORY)}
    return found | dict(more or {})


class Cli:
    """The program with one data folder, run in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder
        self.data = folder / "data"

    def run(
        self,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limit: float = 60,
    ) -> Done:
        """As a process of its own."""
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=self.cwd,
            env=environment(self.data, env),
            input=stdin,
            capture_output=True,
            timeout=limit,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def call(
        self,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        limit: float = 60,
    ) -> Done:
        """In this process, on a thread without an event loop: spares the imports."""
        found: list[Done] = []

        def work() -> None:
            from orchestrator.cli.app import app

            result = CliRunner().invoke(
                app,
                [str(a) for a in arguments],
                input=stdin,
                env={"ORCHESTRATE_DATA": str(self.data), **(env or {})},
            )
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            found.append(Done(result.exit_code, result.stdout, result.stderr))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(limit)
        assert found, f"{arguments} did not end well"
        return found[0]


class Dev:
    """An `orchestrate dev` that runs."""

    def __init__(self, cli: Cli, *arguments: object, env: Mapping[str, str] | None = None) -> None:
        self.data = cli.data
        self._output = cli.cwd / f"dev-{time.monotonic_ns()}.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*PROGRAM, "dev", *map(str, arguments)],
                cwd=cli.cwd,
                env=environment(cli.data, env),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text("utf-8")

    def until(self, text: str, limit: float = 60) -> None:
        """Waits until it has printed this."""
        end = time.monotonic() + limit
        while text not in self.output:
            assert self.process.poll() is None, (
                f"ended with {self.process.returncode}\n{self.output}"
            )
            assert time.monotonic() < end, f"no {text!r} in\n{self.output}"
            time.sleep(0.05)

    def interrupt(self, times: int = 1) -> None:
        """Ctrl-C."""
        for _ in range(times):
            self.process.send_signal(signal.SIGINT)

    def ended(self, limit: float = 40) -> int:
        """Its exit status, once it has ended."""
        return self.process.wait(limit)

    def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(10)


def eventually(holds: Callable[[], bool], limit: float = 30) -> None:
    """Waits until it holds; fails after the limit (seconds)."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def servers(data: Path) -> list[psutil.Process]:
    """The processes whose command line names this data folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        seen = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
        if any(str(data) in each for each in seen) and process.pid != os.getpid():
            found.append(process)
    return found


def nothing_left(data: Path) -> bool:
    """Waits until all servers of a data folder have ended; whether none of their ports listens any
    more."""
    eventually(lambda: not servers(data))
    return not any(_listens(port) for port in ports(data))


def ports(data: Path) -> list[int]:
    """The ports that the servers of a data folder chose."""
    noted = json.loads((data / "ports.json").read_text())
    return [port for uses in noted.values() for port in uses.values()]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def closed_port() -> str:
    """An address on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
