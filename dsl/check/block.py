"""What a statement is checked in: the saga, the names in sight, the paths known to be present."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from dsl import syntax
from dsl.cel.check import Typed, check, check_arguments
from dsl.cel.narrowing import NOTHING, Present
from dsl.cel.nodes import Node
from dsl.cel.scope import FieldShape
from dsl.check import edits
from dsl.check.callees import Callees
from dsl.check.contents import Contents
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.policies import Policies
from dsl.check.report import Report
from dsl.check.scope import LocalScope, ModuleScope, Variable
from dsl.check.types import TypeResolver
from dsl.diagnostic import Diagnostic, Note
from dsl.model import Place, PolicyModel, Statement
from dsl.source import Span
from dsl.types import Type

if TYPE_CHECKING:
    from dsl.check.inputs import Inputs


class SagaContext(msgspec.Struct, frozen=True):
    """What all the statements of a saga share."""

    module: Module
    messages: Messages
    callees: Callees
    policies: Policies
    report: Report
    key: Type
    result: Type | None
    within: timedelta | None
    policy: PolicyModel | None
    types: TypeResolver
    contents: Contents
    inputs: Inputs
    check_block: Callable[[syntax.Block, Block], Checked]


class Checked(NamedTuple):
    """The statements of a block, and whether every way through it ends there."""

    body: tuple[Statement, ...]
    ends: bool


class Block(msgspec.Struct, frozen=True):
    """One block while it is checked. `yields` gathers the types of a collecting loop's values,
    None outside of one; `forward` tells that the pivot has been passed; `shared` are the variables
    that what runs beside this block may set at any time; in an `undo { }` `undoing` is the scope
    that it stands in, whose names it has as copies."""

    saga: SagaContext
    scope: LocalScope
    present: Present = NOTHING
    shared: frozenset[str] = frozenset()
    in_branch: bool = False
    undoing: LocalScope | None = None
    forward: bool = False
    yields: list[Type] | None = None
    depth: int = 0

    def check(self, block: syntax.Block) -> Checked:
        """Checks the statements of a block whose scope this is."""
        return self.saga.check_block(block, self)

    def forgetting(self, at: Span) -> Block:
        """This block without what was known of the variables that are set in a part of it."""
        return self._without(self.saga.contents.changed(at)) if self.present else self

    def beside(self, changed: frozenset[str]) -> Block:
        """This block while something that runs beside it may set these variables."""
        shared = self.shared | frozenset(n for n in changed if self.scope.find(n))
        return replace(self._without(shared), shared=shared) if shared else self

    def inner(self, *more: tuple[str, ...]) -> Block:
        """A block inside this one, where `more` is known not to be null."""
        inside = replace(self, scope=LocalScope(self.scope), depth=self.depth + 1)
        return inside.knowing(frozenset(more))

    def knowing(self, more: Present) -> Block:
        """This block from here on, where `more` is known not to be null."""
        more = frozenset(p for p in more if p[0] not in self.shared)
        return replace(self, present=self.present | more) if more else self

    def _without(self, names: frozenset[str]) -> Block:
        present = frozenset(p for p in self.present if p[0] not in names)
        return replace(self, present=present)

    def expression(self, expr: syntax.Expr, expected: Type | None = None) -> Typed:
        """Checks an expression and reports what is wrong with it."""
        typed = check(expr, self.scope, expected, self.present)
        self.saga.report.extend(map(self._out_of_sight, typed.diagnostics))
        return typed

    def _out_of_sight(self, found: Diagnostic) -> Diagnostic:
        """An unknown name that stands in a block before is one that only some ways set."""
        if found.code != "F101":
            return found
        name, saga = found.at.text, self.saga
        before = saga.contents.named(name)
        if before is None:
            return found
        if before.at.start > found.at.start:
            also = (Note(before.at, "declared here"),)
            return replace(found, help=f"declare `{name}` before this place", also=also, fix=())
        help = f"declare `{name}` before that block, where every way comes by"
        return Diagnostic(
            "F373",
            f"`{name}` is not set on every way that leads here",
            found.at,
            "out of sight",
            help,
            (Note(before.at, "in sight in this block alone"),),
        )

    def maybe_null(self, expr: syntax.Expr, type: Type) -> None:
        """Reports an expression that may be null where it must not be."""
        text = expr.at.text
        message, help = f"`{text}` may be null", f"test it first, as in `if {text} != null {{ … }}`"
        self.saga.report.add("F206", message, expr.at, f"of type `{type}`", help)

    def arguments(self, call: syntax.Invocation, fields: tuple[FieldShape, ...]) -> dict[str, Node]:
        """Checks the arguments of a message against its fields."""
        found, at = Report(), call.callee
        nodes = arguments(call.arguments, fields, self.scope, at, found, self.present)
        self.saga.report.extend(map(self._out_of_sight, found.diagnostics))
        return nodes

    def shape(self, message: str) -> tuple[FieldShape, ...]:
        """The fields of a message."""
        return self.scope.fields(message) or ()

    def declare(self, name: syntax.Identifier, type: Type, *, variable: bool = False) -> None:
        """Adds a name to this block; one that is in sight already is refused."""
        if first := self.scope.find(name.text):
            also = (Note(first.at, "the first one"),)
            message = f"`{name.text}` is declared twice"
            help = "every name of a saga is its own: choose another"
            self.saga.report.add("F102", message, name.at, "again", help, also)
            return
        # What is read from outside is the saga's outermost block.
        read = name.text in self.saga.inputs.read
        if read:
            self._once_in_time(name)
        used = read and self.depth == 0
        self.scope.variables[name.text] = Variable(type, name.at, used, variable)

    def _once_in_time(self, name: syntax.Identifier) -> None:
        """Reports a name that queries and updates would find twice: in a block, and later in the
        outermost one."""
        first = self.saga.contents.named(name.text)
        if self.depth == 0 and first and first is not name:
            also = (Note(first.at, "the first one"),)
            message = f"`{name.text}` is declared twice"
            help = "a query or an update reads it: give the one in the block another name"
            self.saga.report.add("F102", message, name.at, "again", help, also)

    def unused(self, *names: syntax.Identifier | None) -> None:
        """Warns of names of this block that nothing read."""
        for name in names:
            variable = self.scope.variables.get(name.text) if name else None
            if name and variable and not variable.used and not name.text.startswith("_"):
                message = f"nothing uses `{name.text}`"
                help = "remove it, or begin it with `_`"
                fix = edits.unused(name)
                self.saga.report.warn("F106", message, name.at, "never read", help, fix)


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


def reads(node: syntax.Node, name: str) -> bool:
    """Whether an expression reads a variable."""
    return any(isinstance(n, syntax.Name) and n.text == name for n in syntax.walk(node))


def place(at: Span) -> Place:
    """Where a statement stands."""
    line, column = at.source.position(at.start)
    return Place(file=at.source.path, line=line, column=column)


def outermost(scope: ModuleScope, saga: SagaContext, shared: frozenset[str]) -> Block:
    """The block of a saga's parameters; `shared` are the variables that may be set from outside."""
    return Block(saga, LocalScope(scope), shared=shared)
