"""What becomes of each rule of the grammar when the parser reduces it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsl import literal, syntax
from dsl.automaton import Action, gather
from dsl.lexer import Token
from dsl.source import Span
from dsl.table import Rule
from dsl.tree.clauses import Clause, Group
from dsl.tree.file import TreeBuilder

#: Makes a value from the place of a rule and what it holds.
Build = Callable[[TreeBuilder, Span, list[Any]], Any]

#: The tokens that say something; all others are there for their place alone.
_SPEAKING = frozenset(
    (
        *("INT", "FLOAT", "STRING", "BYTES", "DURATION", "PERCENT", "OPTIONAL", "OR", "AND"),
        *("COMPARISON", "LESS", "GREATER", "IN", "PLUS", "MINUS", "STAR", "SLASH", "REMAINDER"),
        "NOT",
    )
)

#: The rules whose one token is a name, whatever its type.
_WORDS = frozenset(
    (
        *("name", "any_name", "field_name", "setting_name", "variable"),
        *("subject_name", "expected_name"),
    )
)

#: The rules whose node is made of what they hold, in its order.
_NODES: dict[str, Callable[..., syntax.Node]] = {
    "setting": syntax.Setting,
    "invocation": syntax.Invocation,
    "undo_none": syntax.UndoNone,
    "let": syntax.Let,
    "set": syntax.Set,
    "while_statement": syntax.While,
    "yield_statement": syntax.Yield,
    "after": syntax.After,
    "sleep": syntax.Sleep,
    "branch": syntax.Branch,
    "emit": syntax.Emit,
    "fail": syntax.Fail,
    "return_statement": syntax.Return,
    "expect_result": syntax.ExpectResult,
    "expect_failure": syntax.ExpectFailure,
    "expect_parked": syntax.ExpectParked,
    "expect_within": syntax.ExpectWithin,
    "member": syntax.Member,
    "index": syntax.Index,
    "call": syntax.Call,
}

#: The rules whose node holds any number of the same.
_LISTS: dict[str, Callable[..., syntax.Node]] = {
    "block": syntax.Block,
    "parallel": syntax.Parallel,
    "list_literal": syntax.ListLiteral,
    "map_literal": syntax.MapLiteral,
}

#: The rules that are a clause with one content, by its word.
_CLAUSES = {
    "default": "default",
    "constraint": "constraint",
    "extends": "extends",
    "idempotent": "idempotent",
    "sequence": "sequence",
    "delivery": "delivery",
    "row": "row",
    "result": "result",
    "key_clause": "key",
    "within": "within",
    "when": "when",
    "with_policy": "policy",
    "start_arguments": "arguments",
    "undo": "undo",
    "value_type": "type",
    "otherwise": "else",
    "delay": "after",
}

#: The rules that hold what stands in a pair of brackets, or on both sides of a colon.
_GROUPS = frozenset(("field_block", "type_arguments", "set_block", "arguments", "entry"))

#: The rules that pass on the one thing they hold.
_PASSED = frozenset(("module_decl", "key_field", "as_name"))

#: The rules of constants, and how their token is read.
_READERS: dict[str, Callable[[str], Any]] = {
    "integer_literal": literal.read_int,
    "float_literal": literal.read_float,
    "string_literal": literal.read_string,
    "bytes_literal": literal.read_bytes,
    "duration_literal": literal.read_duration,
    "percent_literal": literal.read_percent,
}

#: The rules of constants that are words.
_CONSTANTS = {"true_literal": True, "false_literal": False, "null_literal": None}


def action_of(rule: Rule) -> Action | None:
    """How the values of a rule's symbols become its own. None where the only one is passed on."""
    name = rule.origin
    if rule.size == 1 and not name.startswith("__") and (name[0] == "_" or rule.expand):
        return _calling(_build_of(rule.alias)) if rule.alias else None
    if name.startswith("_"):
        return gather
    return _naming if name in _WORDS else _calling(_build_of(rule.alias or name))


def _build_of(name: str) -> Build:
    """By a table of those that are alike, else by the builder's method of that name."""
    if node := _NODES.get(name):
        return lambda builder, at, c: node(*c, at)
    if listed := _LISTS.get(name):
        return lambda builder, at, c: listed(tuple(c), at)
    if word := _CLAUSES.get(name):
        return lambda builder, at, c: Clause(word, c[0], at)
    if name in _GROUPS:
        return lambda builder, at, c: Group(c, at)
    if name in _PASSED:
        return lambda builder, at, c: c[0]
    if read := _READERS.get(name):
        return lambda builder, at, c: builder.constant(at, read, c[0].text)
    if name in _CONSTANTS:
        value = _CONSTANTS[name]
        return lambda builder, at, c: syntax.Literal(value, at)
    return getattr(TreeBuilder, name)  # type: ignore[no-any-return]


def _calling(build: Build) -> Action:
    def call(builder: TreeBuilder, children: list[Any], start: int, end: int) -> Any:
        spoken = []
        for child in children:
            if type(child) is Token:
                if child.type in _SPEAKING:
                    spoken.append(child)
            elif type(child) is list:
                spoken += [c for c in child if type(c) is not Token]
            else:
                spoken.append(child)
        return build(builder, Span(builder.source, start, end), spoken)

    return call


def _naming(builder: TreeBuilder, children: list[Any], start: int, end: int) -> Any:
    return syntax.Identifier(children[0].text, Span(builder.source, start, end))
