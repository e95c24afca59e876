"""The protocol's own rules over the real one: what is no good message gets the error that JSON-RPC
has for it, hangs nothing, and costs nothing but itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import PATIENCE, Editor, Refused, at

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED = -32002
INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


@pytest.fixture(scope="module")
async def one() -> AsyncIterator[Editor]:
    """One session that survives all that these tests say to it."""
    async with Editor() as editor:
        yield editor
        assert await editor.leave() == 0
    assert b"Traceback" not in editor.log


async def lives(editor: Editor) -> None:
    """The session goes on: a text is diagnosed, and a question about it has an answer."""
    uri = await editor.open("untitled:lives", "module a\nrecord R { x: strin }\n")
    [found] = await editor.diagnostics(uri)
    assert found["code"] == "F104"
    assert await editor.ask("textDocument/hover", at(uri, 1, 7))
    await editor.close(uri)


async def refused(editor: Editor, method: str, params: Any) -> int:
    """The code of the error that a question is answered with."""
    with pytest.raises(Refused) as error:
        await editor.ask(method, params)
    return error.value.code


def frame(body: bytes, length: int | None = None) -> bytes:
    """A message that says to have `length` bytes, by itself as many as it has."""
    return b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


@pytest.mark.parametrize(
    "body",
    [
        b"{x}",
        b'{"jsonrpc": "2.0", "id": 1',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": 1' + b"0" * 9_999,
    ],
    ids=["no value", "half", "no UTF-8", "too deep", "too long a number"],
)
async def test_broken_json_is_a_parse_error(one: Editor, body: bytes) -> None:
    """Whatever bytes: -32700 with the id null, once, and the session goes on."""
    await one.send_bytes(frame(body))
    assert (await one.stray())["error"]["code"] == PARSE_ERROR
    await lives(one)


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ([], None),
        (42, None),
        (None, None),
        ({}, None),
        ({"id": 7, "method": "shutdown"}, 7),
        ({"jsonrpc": "1.0", "id": 8, "method": "shutdown"}, 8),
        ({"jsonrpc": "2.0", "id": 9, "method": 3}, 9),
        ({"jsonrpc": "2.0", "id": None, "method": "shutdown"}, None),
        ({"jsonrpc": "2.0", "id": {}, "method": "shutdown"}, None),
    ],
)
async def test_what_is_no_message_is_an_invalid_request(
    one: Editor, message: Any, number: int | None
) -> None:
    """JSON that is no message: -32600, with its id where it has one."""
    await one.send_bytes(frame(json.dumps(message).encode()))
    found = await one.stray()
    assert (found["id"], found["error"]["code"]) == (number, INVALID_REQUEST)
    await lives(one)


NOTE = b'{"jsonrpc": "2.0", "method": "no/such/thing", "params": {}}'


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        (frame(NOTE, len(NOTE) - 5), 1),
        (frame(NOTE, 1), 1),
        (frame(NOTE, 0), 0),
        (frame(NOTE, 10**15), 0),
        (b"Content-Length: -3\r\n\r\n" + NOTE, 0),
        (b"Content-Length: many\r\n\r\n" + NOTE, 0),
        (b"Content-Length: 99999999999999999999999999\r\n\r\n" + NOTE, 0),
        (b"\r\n\r\n\x00\xff no header at all \r\n\r\n", 0),
        (b"content-length:%d\r\nContent-Type: x\r\n\r\n" % len(NOTE) + NOTE, 0),
    ],
    ids=["short", "one", "zero", "huge", "negative", "word", "digits", "none", "odd but right"],
)
async def test_a_wrong_length_costs_one_message(one: Editor, data: bytes, errors: int) -> None:
    """What a message's header says wrongly of its length hides no message after it."""
    await one.send_bytes(data)
    for _ in range(errors):
        assert (await one.stray())["error"]["code"] == PARSE_ERROR
    await lives(one)


async def test_a_message_that_is_too_short_costs_the_next_one_at_most(one: Editor) -> None:
    """A length beyond the message's end takes a part of the next one with it, no more."""
    await one.send_bytes(frame(NOTE, len(NOTE) + 30) + frame(NOTE))
    assert (await one.stray())["error"]["code"] == PARSE_ERROR
    await lives(one)


@pytest.mark.parametrize("method", ["no/such/thing", "$/odd", "textDocument/didOpen", ""])
async def test_an_unknown_method_is_said_to_be_unknown(one: Editor, method: str) -> None:
    """As a question: -32601. As a notification nobody waits for an answer: there is none."""
    await one.tell(method, {"any": "thing"})
    assert await refused(one, method, {"any": "thing"}) == METHOD_NOT_FOUND
    await lives(one)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/hover", None),
        ("textDocument/hover", {}),
        ("textDocument/hover", []),
        ("textDocument/hover", {"textDocument": {"uri": "untitled:a"}, "position": {"line": 1}}),
        ("textDocument/hover", {"textDocument": {"uri": 3}, "position": "here"}),
        ("textDocument/rename", {"textDocument": {"uri": "untitled:a"}, "newName": "x"}),
        ("textDocument/completion", 7),
    ],
)
async def test_wrong_parameters_are_said_to_be_wrong(one: Editor, method: str, params: Any) -> None:
    """-32602, with what is wrong; as a notification they are passed over."""
    await one.tell(method, params)
    assert await refused(one, method, params) == INVALID_PARAMS
    await lives(one)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/didOpen", {"textDocument": {"uri": "untitled:x"}}),
        ("textDocument/didChange", {"textDocument": {"uri": "untitled:x", "version": "two"}}),
        ("textDocument/didClose", None),
        ("textDocument/didClose", {"textDocument": {"uri": "untitled:never"}}),
        ("textDocument/didOpen", {"textDocument": None}),
        ("workspace/didChangeWatchedFiles", {"changes": 1}),
        ("$/cancelRequest", {"id": 99_999}),
        ("$/cancelRequest", {}),
        ("initialized", {}),
    ],
)
async def test_a_notification_that_makes_no_sense_is_survived(
    one: Editor, method: str, params: Any
) -> None:
    """Wrong parameters, texts that were never opened, questions that were never asked."""
    await one.tell(method, params)
    await lives(one)


@pytest.mark.parametrize("uri", ["", "file://[", "file:///%00", "no uri at all", "x" * 5_000])
async def test_any_uri_has_an_answer(one: Editor, uri: str) -> None:
    """A text may be called anything: it is known from its opening to its closing."""
    assert await one.ask("textDocument/hover", at(uri, 0, 0)) is None
    await one.open(uri, "module a\nrecord R { x: strin }\n")
    assert await one.diagnostics(uri)
    assert await one.ask("textDocument/hover", at(uri, 0, 0))
    await one.close(uri)
    assert await one.ask("textDocument/hover", at(uri, 0, 0)) is None
    await lives(one)


async def test_answers_that_nobody_asked_for_are_passed_over(one: Editor) -> None:
    """Results and errors under ids that were never given."""
    for answer in ({"result": 1}, {"error": {"code": 1, "message": "m"}}, {"error": 3}, {}):
        await one.send({"id": "never", **answer})
    await lives(one)


async def test_a_session_is_initialized_once(one: Editor) -> None:
    """A second `initialize`: -32600, and the session is as it was."""
    assert await refused(one, "initialize", INITIALIZE) == INVALID_REQUEST
    await lives(one)


async def ended(editor: Editor) -> int:
    """The exit status."""
    return await asyncio.wait_for(editor.process.wait(), PATIENCE)


async def test_before_its_beginning_a_session_answers_with_an_error() -> None:
    """Before `initialize` a question gets -32002, a notification nothing; a wrong `initialize` may
    be said again; an `exit` ends the process with status 1."""
    async with Editor(initialize=False) as editor:
        assert await refused(editor, "textDocument/hover", {}) == NOT_INITIALIZED
        assert await refused(editor, "shutdown", None) == NOT_INITIALIZED
        await editor.tell("initialized", {})
        await editor.tell("textDocument/didOpen", {})
        for wrong in ({"capabilities": 3}, {"rootUri": "file://["}):
            assert await refused(editor, "initialize", INITIALIZE | wrong) == INVALID_PARAMS
        assert "capabilities" in await editor.ask("initialize", INITIALIZE)
        await lives(editor)
    assert editor.log == b""
    async with Editor(initialize=False) as editor:
        await editor.tell("exit", None)
        assert await ended(editor) == 1
    assert editor.log == b""


async def test_after_its_end_a_session_answers_with_an_error(tmp_path: Path) -> None:
    """After `shutdown` every question gets -32600 and a notification nothing, until `exit`, whose
    status is 0."""
    async with Editor(tmp_path) as editor:
        await editor.ask("shutdown", None)
        for method in ("textDocument/hover", "shutdown", "initialize", "no/such/thing"):
            assert await refused(editor, method, {}) == INVALID_REQUEST
        await editor.open("untitled:a", "module a\nrecord R { x: strin }\n")
        await editor.send_bytes(frame(b"{x}"))
        assert (await editor.stray())["error"]["code"] == PARSE_ERROR
        await editor.tell("exit", None)
        assert await ended(editor) == 0
    assert (editor.log, editor.published) == (b"", {})


@pytest.mark.parametrize("shut", [True, False], ids=["after shutdown", "without"])
@pytest.mark.parametrize(
    "last",
    [b"", b"Content-Len", b"Content-Length: 20\r\n", b'Content-Length: 20\r\n\r\n{"jsonrpc"'],
    ids=["nothing", "half a header", "a header", "half a message"],
)
async def test_an_editor_that_is_gone_ends_the_server(last: bytes, shut: bool) -> None:
    """When its input ends, in whatever place, so does the server: with 0 after `shutdown`, else
    with 1."""
    async with Editor() as editor:
        if shut:
            await editor.ask("shutdown", None)
        assert editor.process.stdin
        await editor.send_bytes(last)
        editor.process.stdin.close()
        assert await ended(editor) == (0 if shut else 1)
    assert editor.log == b""


async def test_an_editor_that_reads_no_more_ends_the_server() -> None:
    """What cannot be told to anybody is no error worth a traceback."""
    async with Editor() as editor:
        editor.deaf()
        await editor.open("untitled:a", "module a\n")
        assert await ended(editor) == 1
    assert editor.log == b""
