"""What the parts of a scenario are checked in: the names in sight, and the saga that it runs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dsl import syntax
from dsl.cel.check import check
from dsl.cel.nodes import Const, Node
from dsl.cel.scope import FieldShape
from dsl.check.block import arguments
from dsl.check.callees import Callees
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.check.scope import ModuleScope
from dsl.model import ArmModel, AwaitModel, Callee, CallModel, EmitModel, SagaModel, contents
from dsl.source import Span
from dsl.types import DURATION, NULL, Type


class Scene(msgspec.Struct):
    """One scenario; `saga` is None where it is not known, and then nothing is said of it."""

    module: Module
    scope: ModuleScope
    messages: Messages
    callees: Callees
    report: Report
    saga: SagaModel | None = None
    sagas: Mapping[str, SagaModel] = msgspec.field(default_factory=dict)
    _met: Met | None = None

    def expression(self, expr: syntax.Expr, expected: Type) -> Node:
        """Checks an expression and reports what is wrong with it; it sees no variables."""
        typed = check(expr, self.scope, expected)
        self.report.extend(typed.diagnostics)
        return typed.node

    def delay(self, expr: syntax.Expr | None) -> Node | None:
        """A duration, where one is said."""
        return self.expression(expr, DURATION) if expr is not None else None

    def shape(self, message: str) -> tuple[FieldShape, ...]:
        """The fields of a message."""
        return self.scope.fields(message) or ()

    def input(self, path: syntax.Path) -> str | None:
        """The qualified name of the saga's signal or update that a bare name stands for, if any."""
        if self.saga is None:
            return None
        found = [s.record for s in self.saga.signals if s.name == path.text]
        found += [u.record for u in self.saga.updates if u.name == path.text]
        return found[0] if found else None

    @property
    def met(self) -> Met:
        """What the saga sends and waits for, and the sagas that it calls."""
        if self._met is None:
            self._met = _meets(self.saga, self.sagas) if self.saga else Met()
        return self._met

    def never(self, does: str, path: syntax.Path) -> None:
        """Warns of what the saga never does: `sends`, `waits for`."""
        if self.saga is not None:
            saga = self.saga.name.rpartition(".")[2]
            message = f"`{saga}` never {does} `{path.text}`"
            help = "remove it, or run the saga that does"
            self.report.warn("F364", message, path.at, f"not in `{saga}`", help)


class Met(msgspec.Struct):
    """The qualified names of a saga's messages; what is `awaited` may come."""

    sent: set[str] = msgspec.field(default_factory=set)
    awaited: set[str] = msgspec.field(default_factory=set)


def _meets(saga: SagaModel, sagas: Mapping[str, SagaModel]) -> Met:
    met = Met()
    stack: list[object] = [saga.body]
    while stack:
        part = stack.pop()
        if isinstance(part, CallModel):
            if part.callee is Callee.SAGA and part.command not in met.sent:
                stack.append(sagas[part.command].body)
            met.sent.add(part.command)
        elif isinstance(part, EmitModel):
            met.sent.add(part.event)
        elif isinstance(part, AwaitModel | ArmModel):
            met.awaited.add(part.event)
        stack.extend(contents(part))
    met.awaited.update(u.record for u in saga.updates)
    return met


def partial(
    call: syntax.Invocation, fields: tuple[FieldShape, ...], scene: Scene
) -> dict[str, Node]:
    """A node for each field that is named; the others may be left out."""
    open_fields = tuple(FieldShape(f.name, f.type, Const(type=NULL)) for f in fields)
    nodes = arguments(call.arguments, open_fields, scene.scope, call.callee, scene.report)
    named = {a.name.text for a in call.arguments if a.name}
    return {name: node for name, node in nodes.items() if name in named}


def text_of(at: Span) -> str:
    """What was written, in one line."""
    return " ".join(at.text.split())
