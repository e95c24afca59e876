"""Texts and their diagnostics over the real protocol."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.lsp.client import Editor, at, place, shown


async def test_a_sound_text_has_no_diagnostics(editor: Editor, folder: Path) -> None:
    """Opening a sound file publishes an empty list for its version."""
    path = folder / "orders.flow"
    uri = await editor.open(path, path.read_text())
    assert await editor.diagnostics(uri) == []


async def test_an_unsaved_edit_is_diagnosed(editor: Editor, folder: Path) -> None:
    """A mistake typed into an open text is published with code, place, help and version, and gone
    when it is put right, though nothing was saved."""
    path = folder / "orders.flow"
    text = path.read_text()
    uri = await editor.open(path, text)
    line, start = place(text, "stock.reservation_id")
    range = {
        "start": {"line": line, "character": start},
        "end": {"line": line, "character": start + len("stock")},
    }
    version = await editor.change(uri, {"range": range, "text": "stok"})
    [found] = await editor.diagnostics(uri, version)
    assert found["code"] == "F101"
    assert found["severity"] == 1
    assert "did you mean `stock`?" in found["message"]
    assert found["range"] == {**range, "end": {"line": line, "character": start + len("stok")}}
    range["end"] = found["range"]["end"]
    version = await editor.change(uri, {"range": range, "text": "stock"})
    assert await editor.diagnostics(uri, version) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_columns_count_what_was_agreed(folder: Path, encoding: str) -> None:
    """Behind an emoji the columns of diagnostics and edits are in the units that were agreed."""
    text = 'module a\nsaga S(id: string) key id {\n  fail "😀é" + nope\n}\n'
    before = '  fail "😀é" + '
    units = {
        "utf-8": len(before.encode()),
        "utf-16": len(before.encode("utf-16-le")) // 2,
        "utf-32": len(before),
    }[encoding]
    async with Editor(folder, [encoding]) as editor:
        assert editor.capabilities["positionEncoding"] == encoding
        uri = await editor.open(folder / "a.flow", text)
        [found] = await editor.diagnostics(uri)
        assert found["code"] == "F101"
        assert found["range"]["start"] == {"line": 2, "character": units}
        assert found["range"]["end"] == {"line": 2, "character": units + 4}
        version = await editor.change(uri, {"range": found["range"], "text": '"!"'})
        assert await editor.diagnostics(uri, version) == []


async def test_columns_are_utf16_unless_agreed_otherwise(editor: Editor, folder: Path) -> None:
    """An editor that says nothing gets UTF-16, and lines end only where the protocol says."""
    text = "module a\nsaga S(id: string) key id {\n  fail '\u2028😀' + nope\n}\n"
    uri = await editor.open(folder / "a.flow", text)
    [found] = await editor.diagnostics(uri)
    assert shown(text, found["range"]) == "nope"
    version = await editor.change(uri, {"range": found["range"], "text": "'x'"})
    assert await editor.diagnostics(uri, version) == []


async def test_line_ends_of_windows_are_kept_apart(editor: Editor, folder: Path) -> None:
    """In a text with CRLF an edit at the end of a line stays in that line."""
    text = "module a\r\nsaga S(id: string) key id {\r\n  fail nope\r\n}\r\n"
    uri = await editor.open(folder / "a.flow", text)
    [found] = await editor.diagnostics(uri)
    assert found["range"]["start"] == {"line": 2, "character": 7}
    # The protocol takes a column behind the line for its end.
    range = {"start": {"line": 2, "character": 7}, "end": {"line": 2, "character": 99}}
    version = await editor.change(uri, {"range": range, "text": "'no'"})
    assert await editor.diagnostics(uri, version) == []


async def test_an_unsaved_contract_counts_for_those_that_import_it(
    editor: Editor, folder: Path
) -> None:
    """A change in one open text is checked in the other one that imports it, at once."""
    contracts, orders = folder / "contracts.flow", folder / "orders.flow"
    user = await editor.open(orders, orders.read_text())
    assert await editor.diagnostics(user) == []
    text = contracts.read_text()
    uri = await editor.open(contracts, text)
    await editor.replace(uri, text.replace("ReleaseStock", "FreeStock"))
    assert await editor.diagnostics(uri) == []
    await editor.until(user, ["F101"])
    await editor.close(uri)
    await editor.until(user, [])


async def test_a_file_changed_on_disk_counts(editor: Editor, folder: Path) -> None:
    """What another program writes is seen when the editor says that a file has changed."""
    contracts, orders = folder / "contracts.flow", folder / "orders.flow"
    user = await editor.open(orders, orders.read_text())
    assert await editor.diagnostics(user) == []
    contracts.write_text(contracts.read_text().replace("policy courier", "policy fast"))
    changes = [{"uri": contracts.as_uri(), "type": 2}]
    await editor.tell("workspace/didChangeWatchedFiles", {"changes": changes})
    await editor.until(user, ["F105"])


async def test_a_text_without_a_file(editor: Editor) -> None:
    """A new text that was never saved is checked like any other."""
    uri = await editor.open("untitled:Untitled-1", "module a\nrecord R { x: strin }\n")
    [found] = await editor.diagnostics(uri)
    assert found["code"] == "F104"


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "}", "\x00\x01\ud7ff", "module", '"', "saga S(", "\r\r\n\n\r", "\ufeffmodule a"),
        "module a saga S() key 1 { step x = a.b(c: d.",
        "module a\nsaga S(a: string) key a { " + "if true { " * 300,
        "module a\nrecord R { x: int = " + "(" * 2_000,
        "module a\nrecord R { x: " + "list<" * 1_000,
        "from a import b\n" * 50 + "service { command on on { on on on } }",
    ],
)
async def test_no_text_ends_the_server(editor: Editor, text: str) -> None:
    """Whatever the text, it is diagnosed, all questions get an answer, and the session goes on."""
    uri = await editor.open("untitled:a", text)
    await editor.diagnostics(uri)
    end = text.count("\n"), len(text.rpartition("\n")[2])
    for line, character in ((0, 0), end, (10**6, 10**6)):
        await editor.ask("textDocument/hover", at(uri, line, character))
        await editor.ask("textDocument/definition", at(uri, line, character))
    await editor.replace(uri, "module a\n")
    assert await editor.diagnostics(uri) == []


async def test_typing_is_not_held_up(editor: Editor, folder: Path) -> None:
    """A hundred edits in a row end in the diagnostics of the last one."""
    path = folder / "orders.flow"
    uri = await editor.open(path, path.read_text())
    for n in range(100):
        start = {"line": 0, "character": 0}
        await editor.change(uri, {"range": {"start": start, "end": start}, "text": f"// {n}\n"})
    assert await editor.diagnostics(uri) == []
    assert len(editor.published[uri]) < 100


async def test_the_session_ends_as_the_protocol_says(folder: Path) -> None:
    """Exit after shutdown is status 0, exit alone is status 1, and an editor that is gone ends
    the server; so does a Ctrl-C, where a person has started it."""
    async with Editor(folder) as editor:
        assert await editor.leave() == 0
        assert editor.log == b""
    async with Editor(folder) as editor:
        await editor.tell("exit", None)
        assert await asyncio.wait_for(editor.process.wait(), 30) == 1
    async with Editor(folder) as editor:
        assert editor.process.stdin
        editor.process.stdin.close()
        assert await asyncio.wait_for(editor.process.wait(), 30) == 1
    async with Editor(folder) as editor:
        editor.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(editor.process.wait(), 30) == 130


@pytest.mark.parametrize(
    "inside",
    [
        "saga S(id: string) key id { " + "step a = b.C() undo { " * 3_000 + "}" * 3_001,
        "saga S(id: string) key id { "
        + "try { " * 1_500
        + "} on timeout { } " * 1_500
        + "step a = b.C() undo none }",
        "record R { a: " + "list<" * 10_000 + "int" + ">" * 10_000 + " }",
    ],
    ids=["undo", "try", "types"],
)
async def test_a_text_that_is_nested_beyond_all_measure(folder: Path, inside: str) -> None:
    """It is refused in one place, and costs neither an answer nor a wait; the outline is one that
    an editor can read."""
    async with Editor(folder) as editor:
        uri = await editor.open(folder / "deep.flow", "module deep\n" + inside)
        assert await editor.diagnostics(uri)
        document = {"textDocument": {"uri": uri}}
        await editor.ask(
            "textDocument/hover", {**document, "position": {"line": 1, "character": 1}}
        )
        outline = await editor.ask("textDocument/documentSymbol", document)
        assert [entry["name"] for entry in outline] in (["S"], ["R"])
