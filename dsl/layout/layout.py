"""Lays out a flow while the parser reduces.

Nothing here knows a statement or a declaration by its name. A piece is words, then clauses, then
perhaps blocks: a clause is what begins with a keyword inside of something, a block is items in
braces. So what the grammar learns is formatted without more ado.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dsl.automaton import Action, gather
from dsl.layout import brackets, expressions
from dsl.layout.course import Course
from dsl.layout.gaps import Gaps
from dsl.layout.page import Doc, Line, Remarks
from dsl.layout.piece import Child, Piece, first, last
from dsl.layout.words import Words
from dsl.lexer import Token
from dsl.table import Rule

#: Rules without blanks, but after a comma.
_TIGHT = frozenset(("path", "type_ref", "type_arguments"))
_CLOSING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}


def action_of(rule: Rule) -> Action | None:
    """How the values of a rule's symbols become its own. None where the only one is passed on."""
    name = rule.origin
    if rule.size == 1 and not name.startswith("__") and (name[0] == "_" or rule.expand):
        return _named(rule.alias) if rule.alias else None
    if name.startswith("_"):
        return gather
    if name == "file":
        return lambda builder, c, start, end: builder.file(_flat(c))
    if rule.alias == "binary":
        return _operation(name)
    return _expression(rule.alias or name) or _named(rule.alias or name)


class Builder:
    """What lays out one text."""

    def __init__(self, gaps: Gaps, keywords: frozenset[str]) -> None:
        self.words = Words(gaps)
        self.gaps = gaps
        self.keywords = keywords

    def page(self, file: Piece | None, end: Token) -> Doc:
        """The whole text, with the comments at its end."""
        gap = self.gaps.before.get(end.start)
        items = [] if file is None else file.parts
        if gap is None or gap.above is None:
            return items
        return [items, Line(None, bool(items) and gap.blank), Remarks(gap.above.comments)]

    def file(self, children: Sequence[Child]) -> Piece | None:
        """Imports and declarations, each on lines of its own."""
        parts: list[Doc] = []
        for n, child in enumerate(children):
            if n:
                parts.append(Line(None, self.gaps.blank(first(child).start)))
            parts.append(self.words.child(child))
        return Piece("file", parts, first(children[0]), last(children[-1])) if children else None

    def node(self, rule: str, children: Sequence[Child]) -> Piece:
        """A piece of any kind."""
        if len(children) == 1:
            return self._single(rule, children[0])
        if rule in _TIGHT:
            return self._tight(rule, children)
        first_child = children[0]
        children = self._bracketed(rule, children)
        if len(children) == 1:
            return self._single(rule, children[0])
        made = Course(self.words, self.keywords).lay(rule, children)
        if isinstance(first_child, Token):
            made.opened = first_child.type
        return made

    def _bracketed(self, rule: str, children: Sequence[Child]) -> list[Child]:
        """The children, each pair of brackets with what stands in it made one."""
        found: list[Child] = []
        n = 0
        while n < len(children):
            child = children[n]
            if isinstance(child, Token) and child.type in _CLOSING:
                end = n + 1
                while not _is(children[end], _CLOSING[child.type]):
                    end += 1
                make = brackets.block if _is_block(rule, child) else brackets.listing
                closing = children[end]
                assert isinstance(closing, Token)
                found.append(make(rule, child, children[n + 1 : end], closing, self.words))
                n = end
            else:
                found.append(child)
            n += 1
        return found

    def _single(self, rule: str, child: Child) -> Piece:
        if isinstance(child, Piece):
            child.rule = rule
            return child
        return Piece(rule, [self.words.doc(child)], child, child)

    def _tight(self, rule: str, children: Sequence[Child]) -> Piece:
        parts: list[Doc] = []
        for child in children:
            parts += [self.words.child(child)]
            if isinstance(child, Token) and child.type == "COMMA":
                parts.append(" ")
        made = Piece(rule, parts, first(children[0]), last(children[-1]))
        made.broken = self.words.commented(made.first, made.last)
        return made


def _is(child: Child, kind: str) -> bool:
    return isinstance(child, Token) and child.type == kind


def _is_block(rule: str, opening: Token) -> bool:
    return opening.type == "LBRACE" and rule != "map_literal"


def _flat(children: list[Any]) -> list[Child]:
    if not any(type(c) is list for c in children):
        return children
    flat: list[Child] = []
    for child in children:
        if type(child) is list:
            flat += child
        else:
            flat.append(child)
    return flat


def _named(rule: str) -> Action:
    def build(builder: Builder, children: list[Any], start: int, end: int) -> Piece:
        return builder.node(rule, _flat(children))

    return build


def _operation(rank: str) -> Action:
    return lambda builder, c, start, end: expressions.operation(
        rank, c[0], c[1], c[2], builder.words
    )


def _expression(rule: str) -> Action | None:
    make = _EXPRESSIONS.get(rule)
    return make and (lambda builder, c, start, end: make(*c, builder.words))


_EXPRESSIONS: dict[str, Callable[..., Piece]] = {
    "conditional": expressions.choice,
    "unary": expressions.sign,
    "member": expressions.member,
    "call": expressions.call,
    "index": expressions.index,
}
