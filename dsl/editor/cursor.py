"""The cursor in a text, and what the checker knows of the place it is at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl import syntax
from dsl.cel.check import check
from dsl.cel.observer import Seen
from dsl.check.scope import LocalScope, Variable
from dsl.editor.analysis import Analysis
from dsl.editor.declared import Declared, answers, kind_of, member_of, of_symbol, played
from dsl.editor.place import Place, around, path_before
from dsl.editor.workspace import Workspace
from dsl.lexer import Token
from dsl.parse import Expected, parse_expression
from dsl.source import Source, Span
from dsl.types import Type


class Cursor:
    """The place of a cursor in an analysed text that has a stand-in for the word there."""

    def __init__(
        self, workspace: Workspace, analysis: Analysis, place: Place, expected: Expected
    ) -> None:
        self.workspace = workspace
        self.analysis = analysis
        self.module = analysis.module
        self.modules = analysis.modules
        self.place = place
        self.expected = expected
        self.left = place.left

    def callee(self, path: Sequence[Token]) -> Declared | None:
        """What a dotted name before an opening bracket stands for."""
        if path and path[0].text == "with":
            path = self._saga()
        found = self._declared(path)
        return found or (self._in_scenario(path[0].text) if len(path) == 1 else None)

    def _declared(self, path: Sequence[Token]) -> Declared | None:
        symbol = self.module.find(path[0].text) if path else None
        if symbol is None:
            return None
        return of_symbol(symbol) if len(path) == 1 else member_of(symbol, path[1].text)

    def _in_scenario(self, name: str) -> Declared | None:
        """What a bare name means in a scenario: an answer of the command before it, a signal."""
        if scenario := self.scenario():
            for answer in self.given_answers("replies", "fails"):
                if answer.name == name:
                    return answer
            saga = played(scenario, self.module, self.modules)
            return member_of(saga, name) if saga else None
        return None

    def scenario(self) -> syntax.ScenarioDecl | None:
        """The scenario that the cursor is in."""
        found = self.node_around(syntax.ScenarioDecl)
        return found if isinstance(found, syntax.ScenarioDecl) else None

    def signals(self) -> list[Declared]:
        """The signals of the saga that the cursor is in; of the one that the scenario there plays,
        its updates as well."""
        scenario = self.scenario()
        saga = self.node_around(syntax.SagaDecl)
        kinds: tuple[type[syntax.Input], ...] = (syntax.SignalDecl,)
        if scenario:
            symbol = played(scenario, self.module, self.modules)
            saga = symbol.declaration if symbol else None
            kinds = (syntax.SignalDecl, syntax.UpdateDecl)
        return [
            Declared(kind_of(part), part.name.text, part.name.at, part)
            for part in getattr(saga, "inputs", ())
            if isinstance(part, kinds)
        ]

    def given_answers(self, *kinds: str) -> list[Declared]:
        """What the command may answer that the `given` before the cursor is about."""
        for n in around(self.left):
            if self.left[n].text == "given":
                end = n + 2
                while end + 1 < len(self.left) and self.left[end].text == ".":
                    end += 2
                command = self._declared(path_before(self.left, end))
                return list(answers(command, self.modules, *kinds)) if command else []
            if self.left[n].text in ("{", "run", "expect"):
                break
        return []

    def node_around(self, *kinds: type[syntax.Node]) -> syntax.Node | None:
        """The innermost node of these kinds that the cursor is in."""
        found, nodes = None, [*self.analysis.file.declarations, *self.analysis.file.scenarios]
        stack: list[syntax.Node] = list(nodes)
        while stack:
            node = stack.pop()
            at = getattr(node, "at", None)
            if at is not None and at.start < self.place.start <= at.end:
                found = node if isinstance(node, kinds) else found
                stack = list(syntax.children(node))
        return found

    def _saga(self) -> list[Token]:
        """The name of the saga whose head the cursor is in."""
        n = next((n for n in around(self.left) if self.left[n].text == "saga"), len(self.left))
        return self.left[n + 1 : n + 2]

    def in_scope(self) -> Iterator[tuple[str, Variable]]:
        """The names of values that can be read here."""
        seen, hidden = self.seen(), self._being_named()
        # A query or an update sees what the saga declares further down.
        anywhere = self.node_around(syntax.QueryDecl, syntax.UpdateDecl) is not None
        scope: object = seen.scope if seen else self.block_scope()
        while isinstance(scope, LocalScope):
            for name, variable in scope.variables.items():
                if (anywhere or variable.at.start < self.place.start) and name != hidden:
                    yield name, variable
            scope = scope.outer

    def _being_named(self) -> str:
        """The name that the statement at the cursor is about to declare: not there yet."""
        for n in around(self.left):
            text = self.left[n].text
            if text in ("step", "let", "var") and n + 1 < len(self.left):
                return self.left[n + 1].text
            if text in ("{", "}", "undo", "on", "set", "emit", "fail", "return", "yield"):
                break
        return ""

    def seen(self) -> Seen | None:
        """The stand-in, when the checker came across it."""
        start = self.place.start
        for seen in self.analysis.observer.expressions.values():
            if isinstance(seen.expr, syntax.Name) and seen.expr.at.start == start:
                return seen
        return None

    def block_scope(self) -> LocalScope | None:
        """The scope of the innermost block around the cursor."""
        found = [(at.end - at.start, scope) for at, scope in self._blocks()]
        best = min(found, key=lambda f: f[0], default=None)
        return best[1] if best else self._saga_scope()

    def in_block(self) -> bool:
        """Whether the block around the cursor was understood."""
        return any(True for _ in self._blocks())

    def _blocks(self) -> Iterator[tuple[Span, LocalScope]]:
        for at, scope in self.analysis.observer.blocks:
            inside = at.source is self.analysis.source and at.start < self.place.start <= at.end
            if inside and isinstance(scope, LocalScope):
                yield at, scope

    def _saga_scope(self) -> LocalScope | None:
        """The scope of whatever was seen nearest to the cursor, above it."""
        best: tuple[int, LocalScope] | None = None
        for seen in self.analysis.observer.expressions.values():
            at = seen.expr.at
            if at.source is self.analysis.source and isinstance(seen.scope, LocalScope):
                away = abs(self.place.start - at.start)
                best = (away, seen.scope) if best is None or away < best[0] else best
        return best[1] if best else None

    def is_variable(self, name: str) -> bool:
        """Whether a name is that of a value."""
        scope = self.block_scope()
        return scope is not None and scope.find(name) is not None

    def receiver_type(self, part: tuple[int, int]) -> Type | None:
        """The type of the expression in a part of the text."""
        for seen in self.analysis.observer.expressions.values():
            at = seen.expr.at
            if (at.start, at.end) == part and at.source is self.analysis.source:
                return seen.type
        return self.type_of(self.text(*part))

    def type_of(self, text: str) -> Type | None:
        """The type of an expression, read in the scope at the cursor."""
        expr, _ = parse_expression(Source("", text))
        scope = self.block_scope()
        return check(expr, scope).type if expr is not None and scope is not None else None

    def text(self, start: int, end: int) -> str:
        """A part of the text."""
        return self.analysis.source.text[start:end]
