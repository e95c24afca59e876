"""What a statement is checked in: the saga, the names in sight, the paths known to be present."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from dsl import syntax
from dsl.cel.check import Typed, check, check_arguments
from dsl.cel.narrowing import Present
from dsl.cel.nodes import Node
from dsl.cel.scope import FieldShape
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.policies import Policies
from dsl.check.report import Report
from dsl.check.scope import LocalScope, ModuleScope, Variable
from dsl.diagnostic import Note
from dsl.model import Place, PolicyModel
from dsl.source import Span
from dsl.types import Type


@dataclass(frozen=True, slots=True)
class SagaContext:
    """What all the statements of a saga share."""

    module: Module
    messages: Messages
    policies: Policies
    report: Report
    key: Type
    result: Type | None
    within: timedelta | None
    policy: PolicyModel | None


@dataclass(frozen=True, slots=True)
class Block:
    """One block while it is checked."""

    saga: SagaContext
    scope: LocalScope
    present: Present = frozenset()
    in_branch: bool = False
    depth: int = 0

    def inner(self, *more: tuple[str, ...]) -> Block:
        """A block inside this one, where `more` is known not to be null."""
        present = self.present | frozenset(more)
        return replace(self, scope=LocalScope(self.scope), present=present, depth=self.depth + 1)

    def knowing(self, more: Present) -> Block:
        """This block from here on, where `more` is known not to be null."""
        return replace(self, present=self.present | more)

    def expression(self, expr: syntax.Expr, expected: Type | None = None) -> Typed:
        """Checks an expression and reports what is wrong with it."""
        typed = check(expr, self.scope, expected, self.present)
        self.saga.report.extend(typed.diagnostics)
        return typed

    def arguments(self, call: syntax.Invocation, fields: tuple[FieldShape, ...]) -> dict[str, Node]:
        """Checks the arguments of a message against its fields."""
        report, at = self.saga.report, call.callee
        return arguments(call.arguments, fields, self.scope, at, report, self.present)

    def shape(self, message: str) -> tuple[FieldShape, ...]:
        """The fields of a message."""
        return self.scope.fields(message) or ()

    def declare(self, name: syntax.Identifier, type: Type) -> None:
        """Adds a name to this block; one that is in sight already is refused."""
        if first := self.scope.find(name.text):
            also = (Note(first.at, "the first one"),)
            message = f"`{name.text}` is declared twice"
            help = "every name of a saga is its own: choose another"
            self.saga.report.add("F102", message, name.at, "again", help, also)
            return
        self.scope.variables[name.text] = Variable(type, name.at)

    def unused(self, *names: syntax.Identifier | None) -> None:
        """Warns of names of this block that nothing read."""
        for name in names:
            variable = self.scope.variables.get(name.text) if name else None
            if name and variable and not variable.used and not name.text.startswith("_"):
                message = f"nothing uses `{name.text}`"
                help = "remove it, or begin it with `_`"
                self.saga.report.warn("F106", message, name.at, "never read", help)


def arguments(
    given: tuple[syntax.Argument, ...],
    fields: tuple[FieldShape, ...],
    scope: ModuleScope,
    callee: syntax.Path | syntax.Identifier,
    report: Report,
    present: Present = frozenset(),
) -> dict[str, Node]:
    """A node for each of a callee's fields or parameters; reports what is wrong with them."""
    try:
        nodes, diagnostics = check_arguments(given, fields, scope, callee.at, callee.text, present)
    except RecursionError:
        message, help = "the expression is nested too deeply", "name a part of it with `let`"
        report.add("F003", message, callee.at, "in its arguments", help)
        return {}
    report.extend(diagnostics)
    return nodes


def place(at: Span) -> Place:
    """Where a statement stands."""
    line, column = at.source.position(at.start)
    return Place(file=at.source.path, line=line, column=column)


def outermost(scope: ModuleScope, saga: SagaContext) -> Block:
    """The block of a saga's parameters."""
    return Block(saga, LocalScope(scope))
