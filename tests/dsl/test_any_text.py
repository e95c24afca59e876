"""Whatever is in a file, checking it ends soon, with findings or a program: no traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsl.codes import CODES
from dsl.load import Loaded, check_texts, load
from dsl.parse import parse_expression
from dsl.render import to_json, to_text
from dsl.source import Source
from tests.dsl.generated import flow_of
from tests.dsl.golden import ERRORS, FLOWS, ROOT

_SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
_FILES = [*FLOWS.glob("*.flow"), *ERRORS.glob("*/main.flow"), *(ROOT / "flows").rglob("*.flow")]
_TEXTS = sorted({p.read_text("utf-8", "replace") for p in _FILES if p.stat().st_size < 8_000})
_PIECES = [
    *"{}()[]<>:,.;?!@=+-*/%|&\"'\\\n\t\r\0 #$~^`",
    *('"""', "'''", "//", "///", "||", "&&", "==", "->", "=>", "\ufeff", "é", "🙂", "\u2028", "٣"),
    *("saga ", "step ", "let ", "if ", "else ", "parallel ", "branch ", "await ", "emit ", "fail "),
    *("return ", "record ", "enum ", "type ", "policy ", "service ", "command ", "event ", "on "),
    *("where ", "key ", "with ", "within ", "undo none ", "in ", "null", "true", "x", "x.y", "x: "),
    *("match ", "case ", "while ", "for ", "yield ", "try ", "race ", "after ", "sleep ", "var "),
    *("set ", "pivot step ", "as ", "x.y {", "} else {"),
    *("20%", "1m30s", "9" * 30, "1e400", "0x", ".5", "b'", 'r"', "list<", "map<string, ", "1 / 0"),
]


def settled(found: Loaded) -> None:
    """A program, or a reason why there is none; every finding can be shown."""
    assert found.program is not None or found.diagnostics
    for d in found.diagnostics:
        assert d.code in CODES
        assert 0 <= d.at.start <= d.at.end <= len(d.at.source.text)
        assert d.at.text or d.code == "F005" or not d.at.source.text
        assert to_text(d)
        assert to_json(d)["line"] >= 1
    places = [d.at.start for d in found.diagnostics]
    assert places == sorted(places)


@_SLOW
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    settled(check_texts({"f": text}))


@_SLOW
@given(st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))
def test_any_order_of_words_and_signs(text: str) -> None:
    settled(check_texts({"f": text}))
    settled(check_texts({"f": "module m\nsaga S(x: string) key x {" + text + "}"}))
    parse_expression(Source("e", text))


@_SLOW
@given(st.sampled_from(_TEXTS), st.data())
def test_files_with_a_few_changes(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40])))
        other = data.draw(st.integers(0, len(text)))
        piece = data.draw(st.sampled_from([*_PIECES, "", text[other : other + 30]]))
        text = text[:start] + piece + text[end:]
    settled(check_texts({"f": text}))


@_SLOW
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.flow"
    path.write_bytes(data)
    settled(load([path]))


@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_files_that_end_anywhere(path: Path) -> None:
    text = path.read_text("utf-8", "replace")
    for end in range(0, len(text), max(1, len(text) // 40)):
        settled(check_texts({"f": text[:end]}))


_HEAD = "module m saga S(k: string) key k { "
_LONG = 20_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * _LONG,
        _HEAD + "if " + "(" * _LONG,
        _HEAD + "if true { " * _LONG,
        _HEAD + "if true { " * _LONG + "} " * _LONG + "}",
        _HEAD + "if true { } else " * _LONG + "{ } }",
        _HEAD + "while true { set k = k " * _LONG + "} " * _LONG + "}",
        _HEAD + "for x in [k] { " * _LONG + "} " * _LONG + "}",
        _HEAD + "try { " * _LONG + "} on timeout { } " * _LONG + "}",
        _HEAD + "match k { else { " * _LONG + "} } " * _LONG + "}",
        _HEAD + "race { on a.B { " * _LONG + "} } " * _LONG + "}",
        _HEAD + "parallel { " + "branch a { set k = k } " * 2000 + "} }",
        _HEAD + "race { " + "on a.B { set k = k } " * _LONG + "} }",
        _HEAD + "match k { " + "case A { } " * _LONG + "} }",
        _HEAD + "var v = 1 " + "set v = v + 1 " * _LONG + "}",
        _HEAD + "if " + "true && " * _LONG + "true { } }",
        _HEAD + "if " + "!" * _LONG + "true { } }",
        _HEAD + "fail " + "k + " * _LONG + "k }",
        _HEAD + "let x = " + "[" * _LONG + "]" * _LONG + " }",
        _HEAD + "let x = k" + ".a" * _LONG + " }",
        _HEAD + "emit a.B(x: " + "true ? 1 : " * _LONG + "1) }",
        _HEAD + "} " * _LONG,
        _HEAD + "let " * _LONG,
        _HEAD + "@ " * _LONG,
        _HEAD + "step = \n" * _LONG,
        _HEAD + '"' * _LONG,
        _HEAD + '" ' * _LONG,
        _HEAD + '"""' + "\\" * _LONG,
        "module m record R { a: " + "list<" * _LONG,
        "module m record R { a: " + "list<" * 2000 + "int" + ">" * 2000 + " }",
        "module m " + "".join(f"type A{i} = A{i + 1} " for i in range(3000)) + "type A3000 = int",
        "module m " + "".join(f"record A{i} {{ a: A{i + 1} }} " for i in range(2000)),
        "module m policy p { retry: exponential(attempts: 9223372036854775807, factor: 1.0001) }",
        "module m policy p { timeout: 1000000d retry: exponential(attempts: 5000, factor: 9) }",
        "module m policy p { retry: fixed(attempts: 9223372036854775807, every: 9999d) }"
        " service s { command C key k { k: int } replies E event E key k { k: int } }"
        " saga S(k: int) key k within 1h with p { step a = s.C(k: k) undo none }",
        "\ufeff" * _LONG,
        " " * _LONG * 10,
        "\n" * _LONG * 10 + "x",
        "/" * _LONG,
        "///" * _LONG + "\n" + "///\n" * _LONG + "module m",
        "1" * _LONG,
        "1s" * _LONG + "x",
        "module m." + ".".join("a" * _LONG),
    ],
    ids=lambda t: repr(t[:30] + "…" + t[-10:]),
)
def test_the_worst_that_comes_to_mind(text: str) -> None:
    started = time.process_time()
    settled(check_texts({"f": text}))
    assert time.process_time() - started < 20, "much slower than it has to be"


def test_the_time_grows_with_the_length() -> None:
    """Ten times the lines take ten times as long; far more would be a quadratic blow-up."""

    def took(lines: int) -> float:
        text = flow_of(lines)
        best = 1e9
        for _ in range(2):
            started = time.process_time()
            found = check_texts({"f": text})
            best = min(best, time.process_time() - started)
            assert not found.diagnostics
        return best

    took(500)
    assert took(5_000) < 40 * took(500)
