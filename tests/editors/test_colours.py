"""The TextMate grammar against the language's own: the same words are keywords and names."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any

import pytest

from dsl.cel.overloads import FUNCTIONS, MACROS, METHODS
from dsl.types import DECLARABLE
from tests.docs.test_language import examples
from tests.editors.engine import GRAMMAR, INSTALLED, ROOT, Piece, coloured, keywords, words

needs_engine = pytest.mark.skipif(
    not INSTALLED and not os.environ.get("CI"),
    reason="needs Node.js and the packages of tests/editors/package.json",
)
_KEYWORD = ("keyword.", "storage.", "constant.language.")
#: Scopes of what is always the same, by the grammar's terminals.
_LITERALS = {
    "STRING": "string.",
    "BYTES": "string.",
    "INT": "constant.numeric.",
    "FLOAT": "constant.numeric.float.",
    "DURATION": "constant.numeric.duration.",
    "PERCENT": "constant.numeric.percent.",
    "COMPARISON": "keyword.operator.comparison.",
    "AND": "keyword.operator.logical.",
    "OR": "keyword.operator.logical.",
}
#: Scopes of names, by the rule of the grammar that they stand in.
_NAMES = {
    "type_ref": ("support.type.", "entity.name.type."),
    "named_argument": ("variable.parameter.",),
    "field_name": ("variable.other.property.",),
}


@cache
def corpus() -> dict[str, tuple[str, list[Piece]]]:
    """Every flow of the repository that parses, and every example of the reference."""
    files = [*(ROOT / "flows").rglob("*.flow"), *(ROOT / "tests").rglob("*.flow")]
    texts = {str(p.relative_to(ROOT)): p.read_text("utf-8-sig", "replace") for p in files}
    texts |= {f"{page}-{n}": text for n, (page, text) in enumerate(examples())}
    sound = {name: text for name, text in texts.items() if words(text) is not None}
    pieces = coloured(list(sound.values()))
    return {name: (sound[name], own) for name, own in zip(sound, pieces, strict=True)}


@needs_engine
def test_keywords_are_those_of_the_grammar_where_they_stand() -> None:
    """A word is coloured as a keyword exactly where the parser reads it as one: a field called
    `key` is a name. Every keyword of the grammar occurs."""
    wrong, seen = [], set()
    for name, (text, pieces) in corpus().items():
        at = _starts(pieces)
        for word in words(text) or ():
            if word.text.isidentifier():
                keyword = at[word.start].has(*_KEYWORD)
                if keyword == word.named:
                    wrong.append(f"{name}: {word.text} in `{_line(text, word.start)}`")
                elif keyword:
                    seen.add(word.text)
    assert wrong == []
    assert seen == keywords()


@needs_engine
def test_literals_and_names_have_their_colours() -> None:
    """Strings, numbers, durations, operators, types, fields and arguments are what they are."""
    wrong = []
    for name, (text, pieces) in corpus().items():
        at = _starts(pieces)
        for word in words(text) or ():
            wanted = (_LITERALS[word.kind],) if word.kind in _LITERALS else ()
            wanted = _NAMES.get(word.rule, wanted) if word.named else wanted
            # A type that the checker does not know need not be coloured as one.
            if wanted and not at[word.start].has(*wanted) and "errors/F104" not in name:
                wrong.append(f"{name}: {word.text} in `{_line(text, word.start)}`")
    assert wrong == []


@needs_engine
def test_comments_escapes_and_outcomes() -> None:
    """Doc comments differ from others, escapes stand out in strings, not in raw ones."""
    text = '/// doc\n// note key step\ntype T = int\nsaga S() key r"\\d" { fail "a\\n\\q" }\n'
    [pieces] = coloured([text])
    scopes = {text[p.start : p.end]: p for p in pieces}
    assert scopes["/// doc"].has("comment.line.documentation")
    assert scopes["// note key step"].has("comment.line.double-slash")
    assert scopes["\\n"].has("constant.character.escape")
    assert scopes["\\q"].has("invalid.illegal")
    assert _starts(pieces)[text.index("\\d")].scopes[-1] == "string.quoted.raw.flow"


@needs_engine
def test_functions_of_expressions_are_known() -> None:
    """CEL's functions, methods and macros have a colour of their own, and so have the types."""
    calls = [f"{name}(" for name in (*FUNCTIONS, "has")]
    calls += [f".{name}(" for name in (*METHODS, *MACROS)]
    texts = [f"saga S() key k {{ let x = k{c if c[0] == '.' else f' + {c}'}) }}" for c in calls]
    for call, text, pieces in zip(calls, texts, coloured(texts), strict=True):
        assert _starts(pieces)[text.index(call) + call.count(".")].has("support.function."), call
    types = (*DECLARABLE, "list", "map")
    texts = [f"record R {{ x: {name} }}" for name in types]
    for name, text, pieces in zip(types, texts, coloured(texts), strict=True):
        assert _starts(pieces)[text.index(name)].has("support.type."), name


@needs_engine
def test_what_is_half_typed_ends_with_its_line() -> None:
    """A string without an end does not run on."""
    text = 'saga S() key k {\n  fail "no end\n  let x = 1\n}\n'
    [pieces] = coloured([text])
    assert _starts(pieces)[text.index("let")].has("storage.")


def test_every_keyword_is_written_in_the_grammar() -> None:
    """Holds without the engine, too: the patterns name each keyword, and every rule is there."""
    grammar = json.loads(GRAMMAR.read_text("utf-8"))
    patterns = list(_strings(grammar, "match", "begin", "end"))
    written = {w for p in patterns for w in re.findall(r"(?<!\\)[A-Za-z_]+", p)}
    written |= {w[1:] for w in written}  # `\bword` reads as `bword`
    assert keywords() <= written
    included = {i for i in _strings(grammar, "include") if i.startswith("#")}
    included |= {"#path", "#input"} & {f"#{r}" for r in grammar["repository"]}
    assert {i[1:] for i in included} == set(grammar["repository"])


def _strings(value: Any, *keys: str) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in keys and isinstance(inner, str):
                yield inner
            yield from _strings(inner, *keys)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, *keys)


def _starts(pieces: list[Piece]) -> dict[int, Piece]:
    """The piece that each place is in."""
    return {place: piece for piece in pieces for place in range(piece.start, piece.end)}


def _line(text: str, place: int) -> str:
    return text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0].strip()
