"""The parser: what binds tighter, where every node stands, which words are names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl import syntax
from dsl.parse import parse, parse_expression
from dsl.source import Source, Span
from tests.dsl.golden import FLOWS


def expression(text: str) -> syntax.Expr:
    found, diagnostics = parse_expression(Source("e", text))
    assert found is not None, diagnostics
    return found


def flow(text: str) -> syntax.File:
    file, diagnostics = parse(Source("f.flow", text))
    assert not diagnostics, diagnostics
    return file


def statements(text: str) -> tuple[syntax.Statement, ...]:
    (saga,) = flow(f"saga S() {{ {text} }}")
    assert isinstance(saga, syntax.SagaDecl)
    return saga.body.statements


def shape(expr: syntax.Expr) -> str:
    """An expression with all its brackets."""
    match expr:
        case syntax.Binary(operator, left, right):
            return f"({shape(left)} {operator} {shape(right)})"
        case syntax.Unary(operator, operand):
            return f"({operator}{shape(operand)})"
        case syntax.Conditional(condition, then, otherwise):
            return f"({shape(condition)} ? {shape(then)} : {shape(otherwise)})"
        case syntax.Member(of, name):
            return f"{shape(of)}.{name.text}"
        case syntax.Index(of, key):
            return f"{shape(of)}[{shape(key)}]"
        case syntax.Call(callee, arguments):
            given = [(f"{a.name.text}: " if a.name else "") + shape(a.value) for a in arguments]
            return f"{shape(callee)}({', '.join(given)})"
        case syntax.ListLiteral(items):
            return f"[{', '.join(map(shape, items))}]"
        case syntax.MapLiteral(entries):
            return "{" + ", ".join(f"{shape(k)}: {shape(v)}" for k, v in entries) + "}"
        case syntax.Literal(value):
            return repr(value)
        case syntax.Name(text):
            return text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c * d", "(((a / b) % c) * d)"),
        ("a + b < c - d", "((a + b) < (c - d))"),
        ("a == b && c != d || e", "(((a == b) && (c != d)) || e)"),
        ("a || b && c", "(a || (b && c))"),
        ("a in b == c", "((a in b) == c)"),
        ("!a && b", "((!a) && b)"),
        ("!a.b", "(!a.b)"),
        ("-a * b", "((-a) * b)"),
        ("- -a", "(-(-a))"),
        ("!!a", "(!(!a))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? (b ? c : d) : e", "(a ? (b ? c : d) : e)"),
        ("a || b ? c + 1 : d", "((a || b) ? (c + 1) : d)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a.b.c[d].e(f)[0]", "a.b.c[d].e(f)[0]"),
        ("a[b + c].d", "a[(b + c)].d"),
        ("f(x: 1, 2, y: a.b,)", "f(x: 1, 2, y: a.b)"),
        ("f()", "f()"),
        ("[1, [2,], []]", "[1, [2], []]"),
        ('{"a": {}, b: c,}', "{'a': {}, b: c}"),
        ("a.in.true.null.false", "a.in.true.null.false"),
        ("x.map(e, e.type + e.where)", "x.map(e, (e.type + e.where))"),
        ("a\n+\r\n\tb // c\n- d", "((a + b) - d)"),
        ("-1", "-1"),
        ("- 1", "(-1)"),
        ("-(1)", "(-1)"),
        ("a -1", "(a - 1)"),
        ("a-1", "(a - 1)"),
        ("1-1", "(1 - 1)"),
        ("-1.size()", "(-1.size())"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("true ? false : null", "(True ? False : None)"),
        ("truely + nulls + inner", "((truely + nulls) + inner)"),
        ("r + b + rb", "((r + b) + rb)"),
    ],
)
def test_what_binds_tighter(text: str, wanted: str) -> None:
    assert shape(expression(text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20%", "Decimal('0.2')"),
        ("2.5%", "Decimal('0.025')"),
        ("a * 20%", "(a * Decimal('0.2'))"),
        ("20% * a", "(Decimal('0.2') * a)"),
        ("20%+1", "(Decimal('0.2') + 1)"),
        ("[20%, 30%]", "[Decimal('0.2'), Decimal('0.3')]"),
        ("f(20%)", "f(Decimal('0.2'))"),
        ("20 % 3", "(20 % 3)"),
        ("20 %3", "(20 % 3)"),
        ("20%3", "(20 % 3)"),
        ("20%a", "(20 % a)"),
        ("20%(3)", "(20 % 3)"),
        ("a%3", "(a % 3)"),
        ("a % b", "(a % b)"),
        ("x[0]%2", "(x[0] % 2)"),
    ],
)
def test_percent_and_modulo(text: str, wanted: str) -> None:
    assert shape(expression(text)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        *("", "a b", "a +", "(a", "a)", "a.", "a..b", "[1 2]", "1 = 2", "{a}", "f(x: )", "@", "٣"),
        *("a ? b", "a ? b ? c : d : e"),
    ],
)
def test_what_is_no_expression(text: str) -> None:
    found, diagnostics = parse_expression(Source("e", text))
    assert found is None
    assert [d.code for d in diagnostics] == ["F001"]


_WORDS = [
    *("module", "from", "import", "type", "enum", "record", "policy", "extends", "service"),
    *("command", "event", "key", "replies", "fails", "saga", "starts", "on", "with"),
    *("within", "as", "return", "step", "undo", "none", "let", "if", "else"),
    *("parallel", "branch", "await", "when", "emit", "fail", "timeout", "exhausted"),
    *("pivot", "var", "set", "match", "case", "while", "yield", "try", "race", "after", "sleep"),
]


@pytest.mark.parametrize("word", _WORDS)
def test_a_keyword_is_a_name_where_no_clause_can_begin(word: str) -> None:
    file = flow(
        f"module {word}.{word}\n"
        f"from {word} import {word}\n"
        f"enum {word} {{ {word} OTHER {word} }}\n"
        f"record R {{ a: T  {word}: {word}.{word}  b: list<{word}> }}\n"
        f"service {word} {{ event {word} key {word} {{ {word}: T }} }}\n"
        f"saga {word}({word}: {word}) key {word}.{word} {{\n"
        f"  let {word} = {word}.{word} + f({word}: {word}, x: {word})\n"
        f"  emit {word}.{word}({word}: 1)\n"
        f"  step {word} = {word}.{word}() parallel {{ branch {word} {{ }} }} }}\n"
    )
    assert file.module
    assert file.module.text == f"{word}.{word}"
    record, service, saga = file.declarations[1:]
    assert isinstance(record, syntax.RecordDecl)
    assert [f.name.text for f in record.fields] == ["a", word, "b"]
    assert isinstance(service, syntax.ServiceDecl)
    assert service.events[0].key.text == word
    assert isinstance(saga, syntax.SagaDecl)
    assert [type(s) for s in saga.body.statements] == [
        syntax.Let,
        syntax.Emit,
        syntax.Step,
        syntax.Parallel,
    ]


@pytest.mark.parametrize("word", [w for w in _WORDS if w not in ("replies", "fails")])
def test_a_keyword_is_a_setting(word: str) -> None:
    (policy,) = flow(f"policy p {{ a: 1 {word}: {word} b: {word}({word}: 2) }}")
    assert isinstance(policy, syntax.PolicyDecl)
    assert [s.name.text for s in policy.settings] == ["a", word, "b"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("step a = b.C(d: 1) with p undo b.D() on E as e { } on timeout { }", syntax.Step),
        ("step a = b.C()", syntax.Step),
        ("pivot step a = b.C() undo none", syntax.Step),
        ("let a = b + 1", syntax.Let),
        ("let a = for b in c parallel 3 { yield b }", syntax.Let),
        ("var a: list<int>? = null", syntax.Var),
        ("set a = b", syntax.Set),
        ("match a { case B as b { } case c.D { } else { } }", syntax.Match),
        ("while a { }", syntax.While),
        ("for a in b { }", syntax.For),
        ("for a in b parallel 10 { }", syntax.For),
        ("try { } on B as b { } on timeout { }", syntax.Try),
        ("race { on a.B as b when c { } after 1h { } }", syntax.Race),
        ("sleep 10m", syntax.Sleep),
        ("if a == b { } else if c { } else { }", syntax.If),
        ("parallel { branch a { } branch b { } }", syntax.Parallel),
        ("await a.B as b when b.c within 2h on timeout { }", syntax.Await),
        ("await a.B", syntax.Await),
        ("emit a.B(c: d)", syntax.Emit),
        ('fail "reason"', syntax.Fail),
        ("return a.b", syntax.Return),
    ],
)
def test_the_span_of_a_statement_is_its_text(text: str, kind: type[syntax.Statement]) -> None:
    found = statements(f"// before\n  {text} // after\n")
    assert [type(s) for s in found] == [kind]
    assert found[0].at.text == text
    between = statements(f"let x = 1 {text} let y = 2")
    assert between[1].at.text == text


def test_a_bare_return_ends_a_block() -> None:
    (only,) = statements("return")
    assert only == syntax.Return(None, only.at)
    assert only.at.text == "return"


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.flow")), ids=lambda p: p.stem)
def test_spans_slice_back_to_the_text(path: Path) -> None:
    source = Source.read(path)
    file, _ = parse(source)
    for node in syntax.walk(file):
        if isinstance(node, syntax.File):
            continue
        at = node.at  # type: ignore[attr-defined]
        assert isinstance(at, Span)
        assert at.source is source
        assert 0 <= at.start < at.end <= len(source.text)
        assert at.text == at.text.strip()
        if isinstance(node, syntax.Identifier | syntax.Name):
            assert at.text == node.text
        if isinstance(node, syntax.Call):
            assert at.text.startswith(node.callee.at.text)
            assert at.text.endswith(")")
        if isinstance(node, syntax.Block):
            assert (at.text[0], at.text[-1]) == ("{", "}")
        if isinstance(node, syntax.Expr):
            parsed = expression(at.text)
            assert shape(parsed) == shape(node)


def test_spans_of_children_lie_within_their_parents() -> None:
    source = Source.read(FLOWS / "everything.flow")
    for node in syntax.walk(parse(source)[0]):
        outer = getattr(node, "at", None)
        for child in syntax.children(node):
            inner = getattr(child, "at", None)
            if outer is not None and inner is not None:
                assert outer.start <= inner.start <= inner.end <= outer.end


_DEEP = 300


@pytest.mark.parametrize(
    "text",
    [
        "(" * _DEEP + "1" + ")" * _DEEP,
        "[" * _DEEP + "]" * _DEEP,
        "!" * _DEEP + "a",
        "a" + "[0]" * _DEEP,
        "a" + ".b" * _DEEP,
        "f(" * _DEEP + ")" * _DEEP,
        "a ? b : " * _DEEP + "c",
        "a + " * _DEEP + "b",
        '{"k": ' * _DEEP + "1" + "}" * _DEEP,
    ],
    ids=lambda t: t[:6],
)
def test_expressions_nested_deeply(text: str) -> None:
    assert expression(text).at.text == text


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("if a { ", "} "),
        ("if a { } else { ", "} "),
        ("parallel { branch b { ", "} } "),
        ("step a = b.C() on D { ", "} "),
        ("await a.B within 1s on timeout { ", "} "),
        ("match a { case B { ", "} } "),
        ("match a { else { ", "} } "),
        ("while a { ", "} "),
        ("for a in b { ", "} "),
        ("let a = for a in b { ", "} "),
        ("try { } on timeout { ", "} "),
        ("race { on a.B { ", "} } "),
        ("race { on a.B { } after 1s { ", "} } "),
    ],
)
def test_blocks_nested_deeply(opening: str, closing: str) -> None:
    (only,) = statements(opening * _DEEP + closing * _DEEP)
    assert only.at.text == (opening * _DEEP + closing * _DEEP).strip()


def test_docs_travel_with_what_they_stand_above() -> None:
    (record,) = flow("/// One.\n///   Two.\nrecord R {\n  /// A field.\n  a: T\n  b: T }")
    assert isinstance(record, syntax.RecordDecl)
    assert record.doc == "One.\nTwo."
    assert [f.doc for f in record.fields] == ["A field.", ""]
