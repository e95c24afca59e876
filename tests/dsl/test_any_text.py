"""Whatever is in a file, checking, formatting, compiling and drawing it end soon, and so does an
expression: findings or a program, no traceback. `make fuzz` tries ten thousand inputs, the test
suite a sample of them."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsl.cel.session import Failed, as_json, evaluate, read_variables
from dsl.codes import CODES
from dsl.fix import fixed
from dsl.format import laid_out, same_words
from dsl.load import Loaded, check_texts, load
from dsl.model import Program
from dsl.parse import parse_expression
from dsl.render import to_json, to_text
from dsl.render_ci import to_github, to_sarif
from dsl.source import Source
from orchestrator.compile.compile import compile_module, version_of
from orchestrator.compile.stored import read_plan, write_plan
from orchestrator.diagrams import dot_program
from tests.dsl.generated import flow_of
from tests.dsl.golden import ERRORS, FLOWS, ROOT
from tests.dsl.programs import programs, spread

#: How many inputs all tests that are marked `fuzz` try together, and how many tests there are.
_INPUTS, _TESTS = int(os.environ.get("FUZZ_INPUTS", "800")), 8
#: `make fuzz` also tries longer texts, and ends files at more places.
_ALL = "FUZZ_INPUTS" in os.environ
_SLOW = settings(
    max_examples=_INPUTS // _TESTS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
#: Seconds of the processor for one input, which is short; a slow machine takes a tenth of that.
_SOON = 5
_FILES = [*FLOWS.glob("*.flow"), *ERRORS.glob("*/main.flow"), *(ROOT / "flows").rglob("*.flow")]
_CEL = [
    json.loads(line)["expr"]
    for path in sorted((ROOT / "tests" / "golden" / "cel").glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]
_VARIABLES = read_variables({"a": 1, "b1": [1, 2.5, "é", None], "r": {"a": {"b1": True}}, "x": ""})
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
    """A program, which compiles and is drawn, or a reason why there is none; every finding can be
    shown, and what it would put right can be checked; what can be formatted keeps its words."""
    assert found.program is not None or found.diagnostics
    for d in found.diagnostics:
        assert d.code in CODES
        assert 0 <= d.at.start <= d.at.end <= len(d.at.source.text)
        assert d.at.text or d.code == "F005" or not d.at.source.text
        assert to_text(d)
        assert to_json(d)["line"] >= 1
        assert to_github(d)
    assert len(to_sarif(found.diagnostics)["runs"][0]["results"]) == len(found.diagnostics)
    places = [d.at.start for d in found.diagnostics]
    assert places == sorted(places)
    outcome = fixed(found.diagnostics, found.sources)
    if outcome.taken:
        check_texts(outcome.texts)
    for text in found.sources.values():
        _formatted(text)
    if found.program is not None:
        _used(found.program)


def _formatted(text: str) -> None:
    formatted = laid_out(Source("f", text))
    if formatted is not None:
        assert same_words(text, formatted)
        # What is nested thousands of times is mostly blanks.
        assert len(formatted) > 1_000_000 or laid_out(Source("f", formatted)) == formatted


def _used(program: Program) -> None:
    for name, module in program.modules.items():
        plan = compile_module(program, name)
        assert read_plan(write_plan(plan)) == plan
        assert version_of(plan)
        if module.sagas:
            assert dot_program(program, [name])


def settled_expression(text: str) -> None:
    """A value and its type as JSON, or an error; the same, or an error, when it is typed first."""
    started = time.process_time()
    loose = as_json(evaluate(text, _VARIABLES, checked=False))
    strict = evaluate(text, _VARIABLES)
    json.dumps(loose, allow_nan=False)
    assert loose.keys() in ({"value", "type"}, {"error"})
    if not isinstance(strict, Failed):
        assert as_json(strict) == loose
    for d in getattr(strict, "diagnostics", ()):
        assert to_text(d)
    assert time.process_time() - started < _SOON


def soon(texts: dict[str, str]) -> None:
    """The same, and it does not take long."""
    started = time.process_time()
    settled(check_texts(texts))
    assert time.process_time() - started < _SOON


@pytest.mark.fuzz
@_SLOW
@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    soon({"f": text})


@pytest.mark.fuzz
@_SLOW
@given(st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))
def test_any_order_of_words_and_signs(text: str) -> None:
    soon({"f": text})
    soon({"f": "module m\nsaga S(x: string) key x {" + text + "}"})
    parse_expression(Source("e", text))


@pytest.mark.fuzz
@_SLOW
@given(st.sampled_from(_TEXTS), st.data())
def test_files_with_a_few_changes(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40])))
        other = data.draw(st.integers(0, len(text)))
        piece = data.draw(st.sampled_from([*_PIECES, "", text[other : other + 30]]))
        text = text[:start] + piece + text[end:]
    soon({"f": text})


@pytest.mark.fuzz
@_SLOW
@given(st.integers(0, 2**32).map(Random), st.integers(0, 5))
def test_any_words_that_the_grammar_allows(random: Random, changes: int) -> None:
    words = programs().words(random, random.randrange(400))
    for _ in range(changes if words else 0):
        place = random.randrange(len(words))
        words[place : place + random.randrange(2)] = random.choices(words, k=random.randrange(2))
    soon({"f": "module m " + spread(words, random, 0.02)})


@pytest.mark.fuzz
@_SLOW
@given(st.sampled_from(_TEXTS), st.integers(0, 2**32).map(Random), st.integers(1, 6))
def test_files_of_which_lines_and_words_change_places(text: str, random: Random, n: int) -> None:
    """What comes of it is right rather often, so it is compiled and drawn."""
    lines = [line for line in text.split("\n") if line.strip()]
    for _ in range(n):
        place = random.randrange(len(lines)) if lines else 0
        match random.randrange(4):
            case 0:
                lines[place : place + 1] = []
            case 1:
                lines.insert(random.randrange(len(lines) + 1), random.choice(lines or [""]))
            case _:
                words = re.findall(r"\w+", "\n".join(lines)) or [""]
                lines[place : place + 1] = [
                    re.sub(rf"\b{random.choice(words)}\b", random.choice(words), line, count=1)
                    for line in lines[place : place + 1]
                ]
    soon({"f": "\n".join(lines)})


@pytest.mark.fuzz
@_SLOW
@given(st.integers(0, 2**32).map(Random), st.integers(0, 60))
def test_any_expression_that_the_grammar_allows(random: Random, most: int) -> None:
    settled_expression(spread(programs().words(random, most, "expr"), random, 0.02))


@pytest.mark.fuzz
@_SLOW
@given(st.sampled_from(_CEL), st.integers(0, 2**32).map(Random), st.integers(1, 3))
def test_expressions_with_a_few_changes(text: str, random: Random, changes: int) -> None:
    for _ in range(changes):
        start = random.randrange(len(text) + 1)
        other = random.choice([random.choice(_PIECES), random.choice(_CEL)[:40], text[start:], ""])
        text = text[:start] + other + text[start + random.randrange(9) :]
    settled_expression(text)


@pytest.mark.fuzz
@_SLOW
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.flow"
    path.write_bytes(data)
    settled(load([path]))


@pytest.mark.fuzz
@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_files_that_end_anywhere(path: Path) -> None:
    text = path.read_text("utf-8", "replace")
    # Those of errors are many, and alike but for one place.
    ends = 12 if ERRORS in path.parents and not _ALL else 40
    for end in range(0, len(text), max(1, len(text) // ends)):
        settled(check_texts({"f": text[:end]}))


_HEAD = "module m saga S(k: string) key k { "
_LONG = 10_000 if _ALL else 4_000


@pytest.mark.fuzz
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
