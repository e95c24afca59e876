"""A benchmark's helper process, as its parent sees it; `role.py` is the other side."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.bench.errors import BenchError
from tests.bench.rows import RESULTS

ROOT = RESULTS.parents[1]

_START = 60.0  # seconds
_STOP = 15.0
_TAIL = 15  # lines of a log that an error shows


class Child:
    """Runs a module in its own process while the context lasts, up once it said so. Both sides
    talk in lines of JSON over its standard input and output; closing its input ends it."""

    def __init__(self, module: str, folder: Path, config: Mapping[str, object]) -> None:
        self.name = module.rpartition(".")[2]
        self._module = module
        self._config = config
        self._log = folder / f"{self.name}.log"
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process, "entered before use"
        return self._process.pid

    async def ask(self, **question: object) -> dict[str, Any]:
        """Says something and returns the first answer; `hear` returns further ones."""
        assert self._process and self._process.stdin, "entered before use"
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        """What it says next. Raises BenchError when it ended instead."""
        assert self._process and self._process.stdout, "entered before use"
        line = await self._process.stdout.readline()
        if not line:
            lines = self._log.read_text(errors="replace").splitlines()
            tail = "\n".join(f"  {text[:400]}" for text in lines[-_TAIL:])
            raise BenchError(f"the process `{self.name}` ended early:\n{tail}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the parent alone, which stops us in order.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, json.dumps(self._config)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
                limit=2**24,
            )
        try:
            async with asyncio.timeout(_START):
                await self.hear()
        except BaseException as error:
            await self._end(0)
            if isinstance(error, TimeoutError):
                raise BenchError(f"the process `{self.name}` is not up in {_START:g}s") from None
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._end(_STOP if kind is None else 0)

    async def _end(self, limit: float) -> None:
        assert self._process and self._process.stdin
        self._process.stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
