"""Messages out of a stream of bytes: headers, an empty line, as many bytes as the headers say."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Executor
from typing import BinaryIO

#: The end of a line is looked at: where the message before was longer than it said, what is left
#: of it stands in front of the next header, and would hide that message and all after it.
_LENGTH = re.compile(rb"Content-Length:[ \t]*(\d{1,18})[ \t]*\r?\n\Z", re.IGNORECASE)
_LONGEST_LINE = 2**16
#: A message that says to have more bytes is not waited for: a text of the largest size, with every
#: character escaped, has fewer.
LARGEST = 2**26


class Frames:
    """What an editor sends, message by message; the reading waits in a thread of `executor`."""

    def __init__(self, stream: BinaryIO, executor: Executor) -> None:
        self._stream = stream
        self._executor = executor

    async def message(self) -> bytes | None:
        """The next message's bytes, however broken; None when the stream has ended."""
        length = 0
        while line := await self._read_line():
            if found := _LENGTH.search(line):
                length = int(found[1])
            elif not line.strip() and 0 < length <= LARGEST:
                return await self._read(length)
            elif not line.strip():
                length = 0
        return None

    async def _read_line(self) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._stream.readline, _LONGEST_LINE)

    async def _read(self, length: int) -> bytes | None:
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._executor, self._stream.read, length)
        return body if len(body) == length else None
