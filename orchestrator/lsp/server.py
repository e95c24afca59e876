"""The server: keeps the open texts, publishes what is wrong with them, answers questions."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any, BinaryIO, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.io_ import StdoutWriter
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from dsl.diagnostic import Diagnostic
from dsl.editor.analysis import Analysis
from dsl.editor.workspace import Workspace
from dsl.source import Source
from orchestrator.lsp.frames import Frames
from orchestrator.lsp.messages import to_diagnostic
from orchestrator.lsp.positions import Positions, changed, positions_of
from orchestrator.lsp.protocol import FlowProtocol

T = TypeVar("T")

#: An edit is analysed so long after it, in seconds; where an analysis takes longer than `_QUICK`,
#: as long after it as the last one took, so that one who types is not held up. It is the processor
#: that counts: on a busy machine no text is any longer.
_SOONEST, _QUICK, _LATEST = 0.005, 0.06, 0.4

_REFUSED = types.LSPErrorCodes.RequestFailed.value

_log = logging.getLogger("orchestrate.lsp")


class FlowServer(LanguageServer):
    """One editor's session."""

    protocol: FlowProtocol

    def __init__(self) -> None:
        super().__init__("orchestrate", version("orchestrate"), protocol_cls=FlowProtocol)
        self.flows = Workspace()
        self._texts: dict[str, str] = {}
        self._uris: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._published: dict[str, tuple[Diagnostic, ...]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._took = 0.0

    async def converse(self, stream: BinaryIO) -> None:
        """Takes messages until the stream ends. Raises SystemExit when the editor says so."""
        frames = Frames(stream, self.thread_pool)
        while (body := await frames.message()) is not None:
            self.protocol.receive(body)

    # --- places

    @property
    def encoding(self) -> str:
        """What a column counts."""
        return str(self.server_capabilities.position_encoding or "utf-16")

    def positions(self, source: Source) -> Positions:
        """The lines of a source."""
        return positions_of(source, self.encoding)

    def uri(self, path: str) -> str:
        """A path as the editor names it."""
        known = self._uris.get(path)
        return (from_fs_path(path) or path) if known is None else known

    def path(self, uri: str) -> str:
        """A file as the workspace names it; a text that is no file is called as it is."""
        try:
            return to_fs_path(uri) or uri
        except ValueError:
            return uri

    def place(self, uri: str, position: types.Position) -> tuple[Analysis, int] | None:
        """What is known of a file now, and an offset in it."""
        analysis = self.flows.analysis(self.path(uri))
        if analysis is None:
            return None
        return analysis, self.positions(analysis.source).offset(position)

    # --- texts

    def opened(self, uri: str, text: str, version: int) -> None:
        """A text that the editor has opened."""
        path = self.path(uri)
        self._uris[path], self._versions[path], self._texts[path] = uri, version, text
        self.flows.open(path, text)
        self.soon(path)

    def edited(
        self, uri: str, changes: list[types.TextDocumentContentChangeEvent], version: int
    ) -> None:
        """Changes of an open text."""
        path = self.path(uri)
        text = changed(self._texts.get(path, ""), changes, self.encoding)
        self.opened(uri, text, version)

    def closed(self, uri: str) -> None:
        """A text that the editor has closed: what is on disk counts again."""
        path = self.path(uri)
        self.flows.close(path)
        for known in (self._texts, self._versions, self._published):
            known.pop(path, None)
        if handle := self._waiting.pop(path, None):
            handle.cancel()
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        self._uris.pop(path, None)
        self.all_soon()

    # --- diagnostics

    def soon(self, path: str) -> None:
        """Analyses a text when the editor is quiet for a moment."""
        if handle := self._waiting.pop(path, None):
            handle.cancel()
        delay = _SOONEST if self._took < _QUICK else min(self._took, _LATEST)
        loop = asyncio.get_running_loop()
        self._waiting[path] = loop.call_later(delay, self._analyse, path)

    def all_soon(self) -> None:
        """Analyses every open text again."""
        self.flows.files_changed()
        for path in self.flows.opened:
            self.soon(path)

    def _analyse(self, path: str) -> None:
        self._waiting.pop(path, None)
        begun = time.process_time()
        try:
            self._publish(path, always=True)
            self._took = time.process_time() - begun
            for other in self.flows.dependents(path):
                if other != path and other not in self._waiting:
                    self._publish(other, always=False)
        except Exception:
            _log.exception("cannot analyse %s", path)

    def _publish(self, path: str, *, always: bool) -> None:
        analysis = self.flows.analysis(path)
        found = analysis.diagnostics if analysis else ()
        if not always and self._published.get(path) == found:
            return
        self._published[path] = found
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                self.uri(path),
                [to_diagnostic(d, self.positions, self.uri) for d in found],
                self._versions.get(path),
            )
        )


class _Out(StdoutWriter):
    """Ends the process at once when nobody reads any more: what waits for the next message is a
    thread, which a tidy end would wait for in turn."""

    def write(self, data: bytes) -> None:
        try:
            super().write(data)
        except BrokenPipeError:
            os._exit(1)


def answered(ask: Callable[[FlowServer, Any], T]) -> Callable[[FlowServer, Any], T | None]:
    """A question that is answered with nothing, and told in the log, where its answer fails: an
    editor has no use for more. What is refused on purpose is passed on."""

    def handle(server: FlowServer, params: Any) -> T | None:
        try:
            return ask(server, params)
        except JsonRpcException:
            raise
        except Exception:
            _log.exception("cannot answer %s", type(params).__name__)
            return None

    return handle


def _not_refused(record: logging.LogRecord) -> bool:
    """Keeps out of the log what was refused on purpose: the user is told."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, JsonRpcException) or error.code != _REFUSED


def serve() -> int:
    """Serves one editor over standard input and output until it ends the session; gives the exit
    status, 1 when it did not say goodbye."""
    from orchestrator.lsp.features import register

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_not_refused)
    server = FlowServer()
    register(server)
    server.protocol.set_writer(_Out(sys.stdout.buffer))
    with suppress(SystemExit):
        asyncio.run(server.converse(sys.stdin.buffer))
    server.shutdown()  # type: ignore[no-untyped-call]
    return 0 if server.protocol._shutdown else 1
