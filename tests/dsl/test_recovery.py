"""After a syntax error the rest of the file is still read: one report for each mistake."""

from __future__ import annotations

import time

import pytest

from dsl import syntax
from dsl.diagnostic import Diagnostic
from dsl.parse import parse
from dsl.recovery import MOST_ERRORS
from dsl.source import Source
from tests.dsl.generated import flow_of
from tests.dsl.golden import GOLDEN


def findings(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("f.flow", text))[1]


def marked(text: str) -> list[int]:
    """The lines of a text that say `// here`."""
    return [n for n, line in enumerate(text.splitlines(), 1) if "// here" in line]


@pytest.mark.parametrize(("written", "meant"), [("=", "=="), ("and", "&&"), ("or", "||")])
def test_operators_of_other_languages(written: str, meant: str) -> None:
    """The help and the fix say what they are here; `=` is read as that at once."""
    text = f"saga S(a: bool, b: bool) key a {{\n  if a {written} b {{ fail 5 }}\n}}\n"
    found = findings(text)[0]
    assert (found.at.text, found.help) == (written, f"did you mean `{meant}`?")
    assert [edit.text for edit in found.fix] == [meant]
    assert parse(Source("f.flow", text))[0].whole == (written == "=")
    assert findings(text.replace(written, meant, 1)) == ()


def test_a_block_that_is_not_closed_is_said_to_be_open() -> None:
    """The declaration after it is no setting of it; the help says what is missing."""
    (found,) = findings("service s {\n  format: json\n\nrecord R { a: int }\n")
    assert (found.at.text, found.help) == ("record", "close the block before it with `}`")


TEN = """\
module shop

from parts import A B // here

record Order {
  id uuid // here
  note: string, // here
  total: decimal
}

recrod Line { sku: string } // here

policy slow {
  timeout: 10sec // here
  dead_letter: "shop.dlq // here
}

service stock {
  command Reserve key id { id: string } replies Reserved
  event Reserved key id id: string } // here
  event Missing key id { id: string; at: date } // here
}

saga S(id: string) -> string
  key id
{
  let = 5 // here
  step first = stock.Reserve(id: id
    undo none // here
  stpe second = stock.Reserve(id: id) // here
  if id == "" fail "empty" } // here
  emit stock.Reserved(id: id))  // here
  return id
}
"""


def test_every_mistake_is_reported_once_and_where_it_is() -> None:
    assert [d.at.source.position(d.at.start)[0] for d in findings(TEN)] == marked(TEN)


@pytest.mark.parametrize(
    "text",
    [
        "record A { a: int b } // here\nrecord B { b: int }\n",
        "record A {\n  a: int\n\nrecord B { // here\n  b: int\n}\nrecord C { c int } // here\n",
        "record A { a: int } } // here\nrecord B { b int } // here\n",
        "saga S() {\n  let x =\n  let y = 1 // here\n  let z 2 // here\n}\n",
        "saga S() {\n  let x = 1 +\n  let y = 1 // here\n}\nenum E { A B, } // here\n",
        "saga S() {\n  if a {\n    step x s.C() // here\n  }\n  let y 1 // here\n}\n",
        "saga S() {\n parallel {\n  brunch a { } // here\n  branch b { let x 1 } // here\n }\n}\n",
        "saga S() { await a.B whan c } // here\nsaga T() { retrun 1 } // here\n",
        "service s {\n comand C key k { } replies D // here\n event D key k { k int } } // here",
        "record A {\n  a: int\n  enum E { X } // here\n}\nrecord B { b int } // here\n",
        "service s {\n  format: json\n\nsaga S(k: string) key k { // here\n  let x 1 // here\n}\n",
        "policy p {\n  timeout: 5s\nservice s { // here\n  comand C key k { } // here\n}\n",
        "saga S() {\n  let x = 1 *\n  emit s.E() // here\n  if a fail b } // here\n}\n",
        "record A { a: list<int } // here\nrecord B { b: map<string int> } // here\n",
        "record A { a: int = (1 + 2 } // here\nrecord B { b: int = [1, 2 } // here\n",
        "policy p { retry: fixed(attempts 3) } // here\npolicy q { timeout 3s } // here\n",
        "type A int // here\ntype B = int\ntype = int // here\ntype C = int\n",
        "modul shop // here\nrecord A { a: int }\n",
        "record A { a: int = ; } // here\nrecord B { b: int }\n",
        "@ // here\nrecord B { b: int }\n",
    ],
)
def test_what_follows_a_mistake_is_read(text: str) -> None:
    found = findings(text)
    assert [d.at.source.position(d.at.start)[0] for d in found] == marked(text), found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("saga S(id: string) key id { step a = s.C() undoo s.D() }", "undo"),
        ("saga S(id: string) kye id { }", "key"),
        ("service s { comand C key k { k: string } }", "command"),
        ("service s { command C key k { k: string } repleis R }", "replies"),
        ("service s { command C key k { k: string } replies R fials F }", "fails"),
        ("record R { a: int wher a > 3 }", "where"),
        ('scenario "s" { run S() expect faillure "b" }', "failure"),
        ("saga S() key 1 { let x = 3 retrun x }", "return"),
        ('scenario "s" { given canceled after 3s run S() }', "cancelled"),
    ],
)
def test_a_misspelt_word_is_named_and_put_right(text: str, meant: str) -> None:
    """Wherever a clause or a statement begins, also where its word could be a name: the word itself
    is what is wrong, the help says which was meant, and the fix writes it."""
    [found] = findings(text)
    assert found.help == f"did you mean `{meant}`?"
    [edit] = found.fix
    assert findings(text[: edit.at.start] + edit.text + text[edit.at.end :]) == ()


_STATEMENT = "saga S(id: string) key id {{ {} }}"


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (_STATEMENT.format('throw "x"'), "did you mean `fail`?"),
        (_STATEMENT.format("try { fail id } catch E { }"), "did you mean `on`?"),
        (_STATEMENT.format("if true { } elif false { }"), "did you mean `else if`?"),
        (_STATEMENT.format("const x = 3"), "did you mean `let`?"),
        (_STATEMENT.format("emit s.R(id = id)"), "did you mean `:`?"),
        (_STATEMENT.format("let a = id = id"), "did you mean `==`?"),
        (_STATEMENT.format("# why\n"), "a comment begins with `//`"),
        (_STATEMENT.format("/* why */"), "a comment begins with `//`"),
        ("saga S(id: string): string key id { }", "a result is written `-> Type`"),
        ("struct R { a: int }", "did you mean `record`?"),
        ("record R { a: int }\nfrom a import B", "imports stand before the declarations"),
        ("import a.B", "write `from module import Name`, before the declarations"),
        ("event E key k { k: string }", "it stands in a `service`"),
    ],
)
def test_the_words_of_other_languages(text: str, help: str) -> None:
    """What is meant is named as it is here, where it could stand; nothing is changed by itself."""
    found = findings(text)[0]
    assert found.help == help


@pytest.mark.parametrize("name", ["failed", "were", "comments", "steps", "replied"])
def test_a_name_like_a_word_of_the_language_is_a_name(name: str) -> None:
    """Without its colon a field is a field."""
    for separator in ("\n", "  "):
        [found] = findings(f"record R {{ a: int{separator}{name} string{separator}b: int }}")
        assert (found.at.text, found.help) == ("string", "expected `:`")


def test_every_misspelt_word_of_a_file_is_reported() -> None:
    """None hides those behind it."""
    path = GOLDEN / "mistakes" / "misspelt" / "main.flow"
    found = findings(path.read_text("utf-8"))
    assert [d.help for d in found if not d.fix] == []
    assert len(found) == 14


def test_a_name_that_is_missing_is_no_keyword() -> None:
    """Many keywords could be a field's name; none of them was meant, and the file is not whole."""
    file, _ = parse(Source("f", "record A { : string }"))
    (record,) = file.declarations
    assert isinstance(record, syntax.RecordDecl)
    assert [f.name.text for f in record.fields] == ["_"]
    assert not file.whole


def test_declarations_around_a_mistake_are_kept() -> None:
    file, diagnostics = parse(
        Source("f", "module m\nfrom a import b\nrecord A { }\nrecord ! { }\nrecord C { }\n")
    )
    assert len(diagnostics) == 1
    assert file.module
    assert file.module.text == "m"
    assert [i.module.text for i in file.imports] == ["a"]
    assert {"A", "C"} <= {d.name.text for d in file}


@pytest.mark.parametrize("drop", range(0, 400, 7))
def test_a_token_left_out_gives_few_findings(drop: int) -> None:
    text = flow_of(80)
    words = text.split(" ")
    del words[drop % len(words)]
    assert len(findings(" ".join(words))) <= 3


def test_a_file_full_of_mistakes_ends_at_a_limit() -> None:
    found = findings("record A { a int }\n" * 1000)
    assert len(found) == MOST_ERRORS


@pytest.mark.parametrize("wrong", ["{", "}", "(", "@", "step", "x y", '"', "record A {"])
def test_the_time_is_linear(wrong: str) -> None:
    text = flow_of(5_000).replace("\n}", f"\n}}\n{wrong}\n")
    started = time.process_time()
    findings(text)
    assert time.process_time() - started < 10
