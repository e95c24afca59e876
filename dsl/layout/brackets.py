"""Brackets: blocks of items, and lists with commas."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.layout.page import LINE, NEW, SOFT, Doc, IfBroken, Indent, Line
from dsl.layout.piece import Child, Piece, first
from dsl.layout.words import Words, blank
from dsl.lexer import Token

#: The only brackets that hold no list. A list may end with a comma: one stands there when each item
#: has a line of its own.
_NO_LIST = "grouped"


def block(rule: str, opening: Token, items: Sequence[Child], closing: Token, words: Words) -> Piece:
    """Items in braces. They stand on one line when they were written so and fit: one of any kind,
    or several that begin with a name, as fields and settings do."""
    above, end = words.closing(closing)
    made = Piece(rule, [], opening, closing, words.commented(opening, closing))
    made.opened, made.grouped, made.blocks = "LBRACE", True, True
    if not items and not made.broken:
        made.parts = [words.doc(opening), " ", end]
        return made
    inside: list[Doc] = []
    for n, item in enumerate(items):
        apart = words.gaps.blank(first(item).start)
        between = " " if isinstance(item, Token) or item.rule == "name" else "  "
        inside += [Line(between, apart) if n else LINE, words.child(item)]
    if above:
        inside += [Line(None, bool(items) and words.gaps.blank(closing.start)), above]
    pieces = [i for i in items if isinstance(i, Piece)]
    made.broken = (
        made.broken
        or any(p.broken for p in pieces)
        or (bool(items) and words.gaps.newline(first(items[0]).start))
        or (len(items) > 1 and any(p.opened for p in pieces))
    )
    made.parts = [words.doc(opening), Indent(inside), LINE, end]
    return made


def listing(
    rule: str, opening: Token, content: Sequence[Child], closing: Token, words: Words
) -> Piece:
    """Items in other brackets, with commas between them: on one line, else each on its own."""
    above, end = words.closing(closing)
    inside: list[Doc] = [SOFT] if content else []
    comma = bool(content) and _comma(content[-1]) and words.bare(first(content[-1]))
    before: Child | None = None
    for child in content[:-1] if comma else content:
        if before is not None:
            inside.append(LINE if _comma(before) else blank(before, child))
        inside.append(words.child(child))
        before = child
    if content and (comma or rule != _NO_LIST) and before is not None and not _comma(before):
        inside.append(IfBroken(","))
    if above:
        inside += [NEW, above]
    made = Piece(rule, [words.doc(opening), Indent(inside), SOFT, end], opening, closing)
    made.broken = words.commented(opening, closing) or any(
        c.broken for c in content if isinstance(c, Piece)
    )
    made.opened, made.grouped = opening.type, True
    return made


def _comma(child: Child) -> bool:
    return isinstance(child, Token) and child.type == "COMMA"
