"""The course of a piece: words, clauses, blocks, and what stands behind a block."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.layout.page import LINE, Doc, Group, Indent
from dsl.layout.piece import Child, Piece, first, last
from dsl.layout.words import Words, blank
from dsl.lexer import Token

#: What begins with a keyword and yet is no clause with a line of its own.
_GLUED = frozenset(
    (
        *("as_name", "extends", "key_field", "start_arguments", "at_most", "value_type"),
        *("step", "for_statement", "if_statement"),
    )
)

#: What stands before, between or behind blocks.
_Run = list[Child]


class Course:
    """Lays out one piece."""

    def __init__(self, words: Words, keywords: frozenset[str]) -> None:
        self._words = words
        self._keywords = keywords

    def lay(self, rule: str, children: Sequence[Child]) -> Piece:
        """The piece of a rule. On one line if it fits and was written so; else its clauses have
        lines of their own, and its blocks their items."""
        made = Piece(rule, [], first(children[0]), last(children[-1]))
        commented = self._words.commented(made.first, made.last)
        made.broken = commented or any(c.broken for c in children if isinstance(c, Piece))
        runs, blocks = self._parted(children)
        head, clauses = self._clauses(runs[0])
        own_lines = self._own_lines(runs[0])
        made.broken = made.broken or own_lines
        if not blocks:
            made.parts = [*head, Indent(clauses)] if clauses else head
            made.grouped = bool(clauses)
            return made
        made.grouped = made.blocks = True
        opening = blocks[0].first
        before: list[Doc] = [*head, Indent(clauses), LINE] if runs[0] else []
        broken = own_lines or (bool(runs[0]) and self._words.commented(made.first, opening))
        made.parts.append(Group(before, broken))
        for n, block in enumerate(blocks):
            if n:
                made.parts.append(self._between(runs[n], block))
            if block.rule == "field_block" and n < len(blocks) - 1:
                made.parts.append(block.doc())
            else:
                made.parts += block.parts
        made.parts += self._behind(runs[-1])
        return made

    def _parted(self, children: Sequence[Child]) -> tuple[list[_Run], list[Piece]]:
        runs, blocks = list[_Run]([[]]), list[Piece]()
        for child in children:
            if isinstance(child, Piece) and child.opened == "LBRACE" and child.blocks:
                blocks.append(child)
                runs.append([])
            else:
                runs[-1].append(child)
        return runs, blocks

    def _is_clause(self, child: Child) -> bool:
        return (
            isinstance(child, Piece) and child.opened in self._keywords and child.rule not in _GLUED
        )

    def _own_lines(self, run: _Run) -> bool:
        """Whether a clause was written on a line of its own."""
        clauses = [c for c in run[1:] if self._is_clause(c)]
        return any(self._words.gaps.newline(first(c).start) for c in clauses)

    def _clauses(self, run: Sequence[Child]) -> tuple[list[Doc], list[Doc]]:
        """The words that a run begins with, and its clauses, each with a line before it."""
        head: list[Doc] = []
        clauses: list[Doc] = []
        into = head
        before: Child | None = None
        for n, child in enumerate(run):
            if n and self._is_clause(child):
                into = clauses
                into += [LINE, self._words.child(child)]
            else:
                into += self._next(before, child, run)
            before = child
        return head, clauses

    def _next(self, before: Child | None, child: Child, run: Sequence[Child]) -> list[Doc]:
        doc = self._words.child(child)
        if isinstance(child, Token) and child.type == "VBAR":
            return []
        if isinstance(before, Token) and before.type == "VBAR":
            return [Group([Indent([LINE, self._words.doc(before), " ", doc])])]
        if isinstance(before, Token) and before.type == "COMMA":
            # A list in brackets ends its lines together with them.
            listed = isinstance(run[0], Piece)
            return [LINE, doc] if listed else [Group([Indent([LINE, doc])])]
        return [blank(before, child), doc]

    def _between(self, run: _Run, block: Piece) -> Doc:
        if not run:
            return " "
        head, clauses = self._clauses(run)
        broken = self._words.commented(first(run[0]), block.first)
        return Group([" ", *head, Indent(clauses), LINE], broken)

    def _behind(self, run: _Run) -> list[Doc]:
        if not run:
            return []
        if any(isinstance(c, Piece) and c.blocks for c in run):
            # Their blocks are broken together with the ones before, as in `if … else if …`.
            chained: list[Doc] = []
            for child in run:
                if isinstance(child, Piece) and child.blocks:
                    chained += [" ", child.parts]
                else:
                    chained += [" ", self._words.child(child)]
            return chained
        head, clauses = self._clauses(run)
        broken = self._words.commented(first(run[0]), last(run[-1]))
        return [Group([" ", *head, Indent(clauses)], broken)]
