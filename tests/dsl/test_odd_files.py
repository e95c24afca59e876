"""Files that are long, deep, or written in an odd way are flows like any other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dsl.format import laid_out
from dsl.load import Loaded, check_texts, load
from dsl.source import Source
from orchestrator.compile.compile import compile_module, version_of
from orchestrator.compile.plan import Plan
from orchestrator.compile.stored import read_plan, write_plan
from orchestrator.diagrams import dot_program
from tests.dsl.generated import flow_of

_HEAD = "module m saga S(k: string, b: bool) -> string key k { var v = k\n"
_FOR = "".join(f"for x{n} in [k] {{ set v = x{n} " for n in range(200))


def plan_of(found: Loaded) -> Plan:
    """The plan of the one module of a program without a finding."""
    assert [d.message for d in found.diagnostics] == []
    assert found.program
    (name,) = found.program.modules
    return compile_module(found.program, name)


def test_ten_thousand_lines() -> None:
    """They are checked, compiled and formatted in seconds."""
    text = flow_of(10_000)
    started = time.process_time()
    plan = plan_of(check_texts({"f": text}))
    assert len(plan.sagas) > 100
    assert laid_out(Source("f", text)) == text
    assert time.process_time() - started < 30


def test_ten_thousand_lines_of_one_saga() -> None:
    text = _HEAD + "set v = v + v\n" * 10_000 + "return v }"
    started = time.process_time()
    assert len(plan_of(check_texts({"f": text})).sagas["m.S"].body) == 10_002
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "text",
    [
        _HEAD + "if b { " * 200 + "set v = k" + " }" * 200 + " return v }",
        _HEAD + "while b { " * 200 + "set v = k" + " }" * 200 + " return v }",
        _HEAD + _FOR + "set v = x199" + " }" * 200 + " return v }",
        _HEAD + "set v = " + "(" * 200 + "v" + ")" * 200 + " return v }",
        _HEAD + "if " + "!" * 200 + "b { set v = k } return v }",
        _HEAD + "if b { set v = k } " + "else if !b { set v = v } " * 190 + " return v }",
        "module m record R { a: " + "list<" * 200 + "int" + ">" * 200 + " }",
    ],
    ids=["if", "while", "for", "parentheses", "not", "else if", "types"],
)
def test_two_hundred_levels(text: str) -> None:
    """So deep a flow is formatted, checked, compiled, written as JSON and drawn."""
    formatted = laid_out(Source("f", text))
    assert formatted
    found = check_texts({"f": formatted})
    plan = plan_of(found)
    assert read_plan(write_plan(plan)) == plan
    if plan.sagas and found.program:
        assert dot_program(found.program)


@pytest.mark.parametrize(
    "text",
    [
        "record R { a: " + "list<" * 30_000 + "int" + ">" * 30_000 + " }",
        "record R { a: " + "map<string, " * 202 + "int" + ">" * 202 + " }",
        "record R { a: T199 } type T0 = list<int> "
        + "".join(f"type T{n + 1} = list<list<T{n}>> " for n in range(199)),
    ],
    ids=["beyond Python's stack", "by a little", "by aliases"],
)
def test_types_that_are_too_deep(text: str) -> None:
    """They are a finding, and the first only: what leads to it is no other."""
    found = check_texts({"f": "module m " + text})
    assert found.diagnostics[0].code == "F003" and found.diagnostics[0].help
    assert len(found.diagnostics) <= 2
    assert laid_out(Source("f", text))


@pytest.mark.parametrize(
    "written",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("  ", "\t"),
        lambda t: "\ufeff" + t,
        lambda t: "\ufeff" + t.replace("\n", "\r\n").replace("  ", "\t"),
        lambda t: t.replace("\n", "\n\n\n"),
        lambda t: t.replace("\n  ", " \t\f\n\t"),
    ],
    ids=["CRLF", "tabs", "BOM", "all", "empty lines", "form feeds"],
)
def test_blanks_make_no_other_version(tmp_path: Path, written: Callable[[str], str]) -> None:
    text = flow_of(60)
    path = tmp_path / "f.flow"
    path.write_bytes(written(text).encode())
    version = version_of(plan_of(check_texts({"f": text})))
    assert version_of(plan_of(load([path]))) == version
    formatted = laid_out(Source.read(path))
    assert formatted
    assert version_of(plan_of(check_texts({"f": formatted}))) == version
    assert not re.search("[\r\t\f\ufeff]", formatted)


@pytest.mark.parametrize(
    "name", ["Zoë Łukasiewicz", "山田太郎", "محمد", "👩‍👩‍👧", "e\u0301", "\u2028"]
)
def test_names_of_any_script_in_a_string(name: str) -> None:
    """They reach the plan and the form as they are, and a finding behind them is at its column."""
    text = f'module m\n\nsaga S(k: string) -> string\n  key k\n{{\n  return "{name}"\n}}\n'
    assert name in write_plan(plan_of(check_texts({"f": text})))
    assert laid_out(Source("f", text)) == text
    wrong = text.replace(f'"{name}"', f'"{name}" + nobody')
    (finding,) = check_texts({"f": wrong}).diagnostics
    assert finding.at.text == "nobody"


@pytest.mark.parametrize("files", [2, 3, 100])
def test_modules_that_import_one_another_in_a_ring(files: int) -> None:
    texts = {
        f"f{n}": f"module m{n}\nfrom m{(n + 1) % files} import R{(n + 1) % files}\n"
        f"record R{n} {{ next: R{(n + 1) % files}? }}\n"
        for n in range(files)
    }
    found = check_texts(texts)
    assert [d.message for d in found.diagnostics] == []
    assert found.program
    assert len(found.program.modules) == files


def test_a_module_that_imports_itself_is_no_endless_matter() -> None:
    found = check_texts({"f": "module m\nfrom m import R\nrecord R { next: R? }\n"})
    assert found.program is None or found.diagnostics == ()
    assert len(found.diagnostics) <= 2
