"""Expressions: chains of operators, of members and calls, choices."""

from __future__ import annotations

from dsl.layout.page import LINE, SOFT, Doc, Group, Indent
from dsl.layout.piece import Piece
from dsl.layout.words import Words
from dsl.lexer import Token


class Operation(Piece):
    """Operands with operators of one rank between them: `a + b - c`. Lines end before operators."""

    __slots__ = ()

    def doc(self) -> Doc:
        """All on one line, or each operand on its own."""
        return Group([self.parts[0], Indent(self.parts[1:])], self.broken)


class Chain(Piece):
    """A value with members, calls and indices behind it. Lines end before the calls of members
    where there are several, else only in brackets."""

    __slots__ = ("called", "member")

    def __init__(self, head: Piece) -> None:
        super().__init__("chain", [head.doc()], head.first, head.last, head.broken)
        self.called: list[int] = []
        self.member = -1

    def doc(self) -> Doc:
        """All on one line, or each call on its own."""
        if len(self.called) < 2:
            return self.parts
        rest: list[Doc] = []
        called = set(self.called)
        for n, part in enumerate(self.parts[1:], 1):
            rest += [SOFT, part] if n in called else [part]
        return Group([self.parts[0], Indent(rest)], self.broken)


def operation(rank: str, left: Piece, operator: Token, right: Piece, words: Words) -> Piece:
    """`left operator right`; `rank` is the rule of all operators that bind alike."""
    tail: list[Doc] = [LINE, words.doc(operator), " ", right.doc()]
    if left.rule == rank and isinstance(left, Operation):
        made = left
        made.parts += tail
        made.last = right.last
    else:
        made = Operation(rank, [left.doc(), *tail], left.first, right.last)
    made.broken = left.broken or right.broken or words.commented(left.first, right.last)
    return made


def choice(
    condition: Piece, mark: Token, then: Piece, colon: Token, otherwise: Piece, words: Words
) -> Piece:
    """`condition ? then : otherwise`."""
    ways: list[Doc] = [LINE, words.doc(mark), " ", then.doc(), LINE, words.doc(colon), " "]
    # A choice in the last way goes on beneath, not further to the right.
    last: Doc = otherwise.parts if otherwise.rule == "conditional" else Indent([otherwise.doc()])
    parts: list[Doc] = [condition.doc(), Indent(ways), last]
    made = Piece("conditional", parts, condition.first, otherwise.last)
    made.grouped = True
    made.broken = (
        condition.broken
        or then.broken
        or otherwise.broken
        or words.commented(condition.first, otherwise.last)
    )
    return made


def sign(operator: Token, operand: Piece, words: Words) -> Piece:
    """`!x`, `-x`."""
    # `-5` is one number, `- 5` the negation of another.
    number = operand.rule in ("integer_literal", "float_literal")
    apart = " " if number and operator.end < operand.first.start else ""
    parts = [words.doc(operator), apart, operand.doc()]
    broken = operand.broken or words.commented(operator, operand.last)
    return Piece("unary", parts, operator, operand.last, broken)


def member(of: Piece, dot: Token, name: Piece, words: Words) -> Piece:
    """`of.name`."""
    chain = _chain(of)
    chain.member = len(chain.parts)
    return _longer(chain, [_apart(of), words.doc(dot), name.doc()], name.last, False, words)


def call(callee: Piece, arguments: Piece, words: Words) -> Piece:
    """`callee(arguments)`."""
    chain = _chain(callee)
    if chain.member == len(chain.parts) - 1:
        chain.called.append(chain.member)
    return _longer(
        chain, [_apart(callee), arguments.doc()], arguments.last, arguments.broken, words
    )


def index(of: Piece, opening: Token, key: Piece, closing: Token, words: Words) -> Piece:
    """`of[key]`."""
    part: list[Doc] = [_apart(of), words.doc(opening), key.doc(), words.doc(closing)]
    return _longer(_chain(of), part, closing, key.broken, words)


def _chain(of: Piece) -> Chain:
    return of if isinstance(of, Chain) else Chain(of)


def _apart(of: Piece) -> str:
    """`20%` is a percentage only when nothing touches its sign."""
    return " " if of.last.type == "PERCENT" else ""


def _longer(chain: Chain, part: list[Doc], last: Token, broken: bool, words: Words) -> Chain:
    chain.parts.append(part)
    chain.last = last
    chain.broken = chain.broken or broken or words.commented(chain.first, last)
    return chain
