"""All questions at any place of any text: each has an answer, soon, and no name is unknown.
`make fuzz` asks at every word of the repository's flows, the test suite at some places."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from dsl.diagnostic import Edit
from dsl.editor.completion import complete
from dsl.editor.fixes import fixes
from dsl.editor.hover import hover
from dsl.editor.outline import Entry, outline
from dsl.editor.references import references
from dsl.editor.rename import Refused, rename
from dsl.editor.tidy import tidied
from dsl.editor.tokens import tokens_of
from dsl.editor.workspace import Workspace
from tests.docs.test_language import examples
from tests.editors.engine import ROOT, words
from tests.lsp.client import Editor, at

FLOWS = [*(ROOT / "flows").rglob("*.flow"), *(ROOT / "tests" / "lsp" / "shop").glob("*.flow")]
#: How many places are asked about at least; every word in `make fuzz`.
_ALL = "FUZZ_INPUTS" in os.environ
_PLACES = int(os.environ.get("FUZZ_INPUTS", "150"))
#: Seconds of the processor for one answer; the slowest takes a tenth of that.
_SOON = 3.0
_PIECES = (
    *(".", "(", ")", "{", "}", '"', ",", ":", "=", "|", "//", "step ", "step x = ", "let y = x."),
    *(
        "on ",
        "undo ",
        "undo { ",
        "await ",
        "set ",
        "case ",
        "match x { ",
        "for a in ",
        "race { on ",
    ),
    *(
        "given ",
        "expect no ",
        "replies ",
        "module ",
        "from ",
        "import ",
        "x.map(y, ",
        "key ",
        "é🙂",
    ),
    *("signal A { b: ", "query q -> ", "update U { } when ", "with ", "policy p { retry: ", "\n"),
)


def test_every_name_is_known() -> None:
    """Whatever is a name in the repository's flows and in the reference's examples can be hovered,
    and what is declared in a flow leads to its declaration."""
    workspace = Workspace()
    paths = [str(p) for p in FLOWS]
    for n, (page, text) in enumerate(examples()):
        paths.append(f"/docs/{n}/{page}.flow")
        workspace.open(paths[-1], text)
    unknown = []
    for path in paths:
        analysis = workspace.analysis(path)
        assert analysis
        for word in words(analysis.source.text) or ():
            if word.named and word.text.isidentifier() and hover(analysis, word.start) is None:
                unknown.append(f"{path}:{analysis.source.position(word.start)} {word.text}")
    assert unknown == []


def asked(workspace: Workspace, path: str, offset: int) -> None:
    """Asks everything about a place; every answer is of the text as it is."""
    analysis = workspace.analysis(path)
    assert analysis
    length = len(analysis.source.text)
    begun = time.process_time()
    shown = hover(analysis, offset)
    assert shown is None or (shown.text and 0 <= shown.at.start <= offset <= shown.at.end <= length)
    found = analysis.index.at(offset)
    if found:
        assert found.at.text.strip()
        assert found.at in [o.at for o in references(workspace, found.target)]
    proposed = complete(workspace, path, offset)
    if proposed:
        assert 0 <= proposed.start <= offset
        assert all(item.label and item.label != "cursor__" for item in proposed.items)
    for fix in fixes(analysis, offset, offset):
        assert fix.title
        _apart(fix.edits, length)
    assert time.process_time() - begun < _SOON, f"slow at {offset} of {analysis.source.text!r}"


def asked_once(workspace: Workspace, path: str) -> None:
    """Asks what is about a whole text."""
    analysis = workspace.analysis(path)
    assert analysis
    begun = time.process_time()
    for entry in outline(analysis.file):
        _inside(entry, 0, len(analysis.source.text))
    _apart(tidied(analysis.source), len(analysis.source.text))
    assert time.process_time() - begun < _SOON


def _apart(edits: object, length: int) -> None:
    """Edits stand in their text, and none reaches into another."""
    assert isinstance(edits, tuple | list)
    for edit in edits:
        assert isinstance(edit, Edit)
        assert 0 <= edit.at.start <= edit.at.end <= len(edit.at.source.text)
    ordered = sorted((e.at.start, e.at.end) for e in edits)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def _inside(entry: Entry, start: int, end: int) -> None:
    """An entry stands in the one around it, and its name in itself."""
    assert entry.name
    assert (
        start <= entry.at.start <= entry.name_at.start <= entry.name_at.end <= entry.at.end <= end
    )
    for inner in entry.inside:
        _inside(inner, entry.at.start, entry.at.end)


@pytest.mark.fuzz
@pytest.mark.parametrize("path", FLOWS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_place_has_answers(path: Path) -> None:
    """Before, in and behind every word of every flow, all questions are answered."""
    workspace = Workspace([str(path.parent)])
    asked_once(workspace, str(path))
    text = path.read_text()
    tokens = tokens_of(text) if _ALL else []
    places = {p for t in tokens for p in (t.start, (t.start + t.end) // 2, t.end)}
    some = Random(path.name).sample(range(len(text)), min(len(text), _PLACES // len(FLOWS)))
    for offset in sorted({0, *some, *places, len(text)}):
        asked(workspace, str(path), offset)


@pytest.mark.fuzz
@pytest.mark.parametrize("path", FLOWS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_place_of_a_half_typed_text_has_answers(path: Path) -> None:
    """The same in texts that end anywhere, or have something typed into them."""
    random = Random(path.name)
    text = path.read_text()
    for _ in range(max(2, _PLACES // len(FLOWS) // 8)):
        workspace = Workspace([str(path.parent)])
        for changed, offset in _changed(text, random):
            workspace.open(str(path), changed)
            asked(workspace, str(path), offset)
            asked(workspace, str(path), random.randint(0, len(changed)))
            asked_once(workspace, str(path))


def _changed(text: str, random: Random) -> Iterator[tuple[str, int]]:
    """A text with something typed or cut, and the place where that was."""
    place = random.randint(0, len(text))
    piece = random.choice(_PIECES)
    yield text[:place], place
    yield text[:place] + piece + text[place:], place + len(piece)
    end = min(len(text), place + random.choice((1, 3, 10, 40, 200)))
    yield text[:place] + text[end:], place
    yield text[:place] + piece, place + len(piece)


@pytest.mark.parametrize("text", ["record A { : string }", "record A { a: string\n  : string }"])
def test_a_name_that_is_missing_is_nowhere(text: str) -> None:
    """What recovery puts in for it is no declaration that anyone could ask for."""
    workspace = Workspace([])
    workspace.open("a.flow", f"module m\n{text}\n")
    analysis = workspace.analysis("a.flow")
    assert analysis
    assert [d.message for d in analysis.diagnostics] == ["unexpected `:`"]
    names = {o.target.name for o in analysis.index.all}
    assert names <= {"m", "A", "a"}
    for offset in range(len(analysis.source.text) + 1):
        asked(workspace, "a.flow", offset)


@pytest.mark.fuzz
def test_any_rename_keeps_the_findings_or_is_refused() -> None:
    """Whatever name is changed, the edits touch that name alone, or a sentence says why not."""
    random = Random(7)
    for path in FLOWS:
        workspace = Workspace([str(path.parent)])
        analysis = workspace.analysis(str(path))
        assert analysis
        known = analysis.index.all
        for found in known if _ALL else random.sample(known, 4):
            name = random.choice(("renamed", "order_id", "key", "true", found.target.name))
            edits = rename(workspace, found, name)
            if isinstance(edits, Refused):
                assert edits.reason[0] != edits.reason[0].upper() or edits.reason[0] == "`"
            else:
                assert {e.at.text for e in edits} <= {found.target.name}


async def test_questions_over_the_protocol_are_all_answered(tmp_path: Path) -> None:
    """While a flow is typed letter by letter, every question is answered and nothing is logged."""
    for path in (ROOT / "flows" / "orders").glob("*.flow"):
        shutil.copy(path, tmp_path)
    random = Random(1)
    text = (tmp_path / "scenarios.flow").read_text()
    async with Editor(tmp_path) as editor:
        uri = await editor.open(tmp_path / "scenarios.flow", "")
        for length in sorted(random.sample(range(len(text)), 40)):
            await editor.replace(uri, text[:length])
            line = text.count("\n", 0, length)
            asked = at(uri, line, length - text.rfind("\n", 0, length) - 1)
            for name in ("hover", "definition", "completion", "documentHighlight"):
                await editor.ask(f"textDocument/{name}", asked)
            references = {**asked, "context": {"includeDeclaration": True}}
            await editor.ask("textDocument/references", references)
            await editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
            place = {"start": asked["position"], "end": asked["position"]}
            await editor.ask(
                "textDocument/codeAction",
                {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}},
            )
        await editor.replace(uri, text)
        assert await editor.diagnostics(uri) == []
        assert await editor.leave() == 0
    assert editor.log == b""
