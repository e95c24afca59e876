"""An editor, as far as the protocol goes: JSON-RPC over the standard streams of a child."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

PATIENCE = 60.0

CAPABILITIES = {
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "completion": {"completionItem": {"snippetSupport": False}},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
    },
    "workspace": {"workspaceFolders": True},
}


class ServerGone(Exception):
    """The server has ended while something was expected of it."""


class Refused(Exception):
    """The server answered with an error, under this code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Editor:
    """One session with `orchestrate lsp`; `log` is what the server said on standard error."""

    def __init__(
        self,
        folder: Path | None = None,
        encodings: list[str] | None = None,
        initialize: bool = True,
    ) -> None:
        self.folder = folder
        self.encodings = encodings
        self.initialize = initialize
        self.capabilities: dict[str, Any] = {}
        self.published: dict[str, list[dict[str, Any]]] = {}
        self.log = b""
        self._versions: dict[str, int] = {}
        self._wanted: dict[int, asyncio.Future[Any]] = {}
        self._strays: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Condition()
        self._next = 0
        self._gone = False

    # --- the session

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "orchestrator", "lsp"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._listen())]
        if not self.initialize:
            return self
        general = {"positionEncodings": self.encodings} if self.encodings else {}
        answer = await self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": self.folder.as_uri() if self.folder else None,
                "workspaceFolders": [{"uri": self.folder.as_uri(), "name": "flows"}]
                if self.folder
                else None,
                "capabilities": {**CAPABILITIES, "general": general},
            },
        )
        self.capabilities = answer["capabilities"]
        await self.tell("initialized", {})
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._gone and self.process.returncode is None:
            await self.leave()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def leave(self) -> int:
        """Ends the session as the protocol says; gives the exit status."""
        await self.ask("shutdown", None)
        await self.tell("exit", None)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    # --- messages

    async def ask(self, method: str, params: Any) -> Any:
        """A request's result. Raises Refused."""
        self._next += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._wanted[self._next] = future
        await self.send({"id": self._next, "method": method, "params": params})
        return await asyncio.wait_for(future, PATIENCE)

    async def tell(self, method: str, params: Any) -> None:
        """A notification."""
        await self.send({"method": method, "params": params})

    async def send(self, message: dict[str, Any]) -> None:
        """Any message at all."""
        message = {k: v for k, v in message.items() if k != "params" or v is not None}
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        await self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def send_bytes(self, data: bytes) -> None:
        """Whatever bytes."""
        assert self.process.stdin
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def stray(self) -> dict[str, Any]:
        """The next answer that belongs to no question of ours."""
        return await asyncio.wait_for(self._strays.get(), PATIENCE)

    def deaf(self) -> None:
        """Reads nothing any more: what the server writes finds no reader."""
        transport: Any = self.process._transport  # type: ignore[attr-defined]
        transport.get_pipe_transport(1).close()

    # --- texts

    async def open(self, path: Path | str, text: str) -> str:
        """Opens a text, whether there is such a file or not; gives its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "flow", "version": 1, "text": text}
        await self.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    async def open_file(self, path: Path) -> tuple[str, str]:
        """Opens a file as it is on disk; gives its URI and its text."""
        text = path.read_text()  # noqa: ASYNC240
        return await self.open(path, text), text

    async def replace(self, uri: str, text: str) -> int:
        """Sends a whole new text; gives its version."""
        return await self.change(uri, {"text": text})

    async def change(self, uri: str, *changes: dict[str, Any]) -> int:
        """Sends changes; gives the version after them."""
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        params = {"textDocument": document, "contentChanges": list(changes)}
        await self.tell("textDocument/didChange", params)
        return self._versions[uri]

    @property
    def opened(self) -> list[str]:
        """The texts that are open."""
        return list(self._versions)

    async def work_on(self, added: Sequence[Path] = (), removed: Sequence[Path] = ()) -> None:
        """Changes the folders of the workspace."""
        event = {
            side: [{"uri": f.as_uri(), "name": f.name} for f in folders]
            for side, folders in (("added", added), ("removed", removed))
        }
        await self.tell("workspace/didChangeWorkspaceFolders", {"event": event})

    async def close(self, uri: str) -> None:
        """Closes a text."""
        self._versions.pop(uri)
        self.published.pop(uri, None)
        await self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """What the server publishes of this version of a text, of its latest without one."""
        version = self._versions.get(uri) if version is None else version

        def there() -> bool:
            return self._gone or any(p.get("version") == version for p in self._of(uri))

        await self._until(there)
        if self._gone:
            raise ServerGone(self.log.decode())
        found = [p for p in self._of(uri) if p.get("version") == version]
        diagnostics: list[dict[str, Any]] = found[-1]["diagnostics"]
        return diagnostics

    async def until(self, uri: str, codes: list[str]) -> None:
        """Waits for the server to publish diagnostics of exactly these codes."""

        def there() -> bool:
            known = self._of(uri)
            return bool(known) and [d["code"] for d in known[-1]["diagnostics"]] == codes

        await self._until(there)

    def _of(self, uri: str) -> list[dict[str, Any]]:
        return self.published.get(uri, [])

    async def _until(self, there: Any) -> None:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(there), PATIENCE)

    # --- the server's side

    async def _read(self) -> None:
        assert self.process.stdout
        try:
            while True:
                head = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await self._take(json.loads(await self.process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            pass
        finally:
            self._gone = True
            for future in self._wanted.values():
                if not future.done():
                    future.set_exception(ServerGone(self.log.decode()))
            async with self._news:
                self._news.notify_all()

    async def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            future = self._wanted.pop(message["id"], None)
            if future is None or future.done():
                self._strays.put_nowait(message)
                return
            if "error" in message:
                future.set_exception(Refused(message["error"]["message"], message["error"]["code"]))
            else:
                future.set_result(message.get("result"))
        elif message["method"] == "textDocument/publishDiagnostics":
            async with self._news:
                known = self.published.setdefault(message["params"]["uri"], [])
                known.append(message["params"])
                self._news.notify_all()
        elif "id" in message:
            await self.send({"id": message["id"], "result": None})

    async def _listen(self) -> None:
        assert self.process.stderr
        while data := await self.process.stderr.read(4096):
            self.log += data


def at(uri: str, line: int, character: int) -> dict[str, Any]:
    """The parameters of a question about a place, both numbers from 0."""
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


def place(text: str, mark: str, offset: int = 0) -> tuple[int, int]:
    """Line and UTF-16 column of `mark` in a text, and so many characters further."""
    before = text[: text.index(mark) + offset]
    line = before.count("\n")
    return line, len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2


def shown(text: str, range: dict[str, Any]) -> str:
    """The part of a text that a range means, in UTF-16 columns."""
    lines = text.split("\n")
    start, end = range["start"], range["end"]
    part = "\n".join(lines[start["line"] : end["line"] + 1]).encode("utf-16-le")
    last = sum(len(x.encode("utf-16-le")) + 2 for x in lines[start["line"] : end["line"]])
    return part[start["character"] * 2 : last + end["character"] * 2].decode("utf-16-le")


def changed(text: str, edits: list[dict[str, Any]]) -> str:
    """A text after edits that do not overlap; columns are characters."""
    lines = text.split("\n")
    starts = [sum(len(x) + 1 for x in lines[:n]) for n in range(len(lines))]

    def offset(position: dict[str, int]) -> int:
        return starts[position["line"]] + position["character"]

    for edit in sorted(edits, key=lambda e: offset(e["range"]["start"]), reverse=True):
        start, end = (offset(edit["range"][side]) for side in ("start", "end"))
        text = text[:start] + edit["newText"] + text[end:]
    return text
