"""What a saga does."""

from __future__ import annotations

from dsl.source import Span
from dsl.syntax.data import TypeRef
from dsl.syntax.expressions import Expr, Invocation
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


class Block(Node, frozen=True):
    """`{ statements }`."""

    statements: tuple[Statement, ...]
    at: Span


class Handler(Node, frozen=True):
    """`on Failure as f { }`, `on timeout { }`, `on exhausted { }`."""

    failure: Path
    name: Identifier | None
    body: Block
    at: Span


class UndoNone(Node, frozen=True):
    """`undo none`: nothing to undo, said on purpose."""

    at: Span


class Step(Node, frozen=True):
    """`step name = Callee(args)` with its clauses."""

    name: Identifier
    call: Invocation
    policy: Path | None
    undo: Invocation | Block | UndoNone | None
    handlers: tuple[Handler, ...]
    doc: str
    at: Span
    pivot: bool = False


class Let(Node, frozen=True):
    """`let name = value`; the value of a `for` is the list of its yields."""

    name: Identifier
    value: Expr | For
    at: Span


class Var(Node, frozen=True):
    """`var name: T = value`."""

    name: Identifier
    type: TypeRef | None
    value: Expr
    at: Span


class Set(Node, frozen=True):
    """`set name = value`."""

    name: Identifier
    value: Expr
    at: Span


class Case(Node, frozen=True):
    """`case Message as m { }`, `case symbol { }`."""

    pattern: Path
    name: Identifier | None
    body: Block
    at: Span


class Match(Node, frozen=True):
    """`match subject { cases else { } }`."""

    subject: Expr
    cases: tuple[Case, ...]
    otherwise: Block | None
    at: Span


class While(Node, frozen=True):
    """`while condition { }`."""

    condition: Expr
    body: Block
    at: Span


class For(Node, frozen=True):
    """`for name in items parallel at_most { }`; without `at_most` in order."""

    name: Identifier
    items: Expr
    at_most: int | None
    body: Block
    at: Span


class Yield(Node, frozen=True):
    """`yield value`: the loop's next value, and the end of this turn of it."""

    value: Expr
    at: Span


class Try(Node, frozen=True):
    """`try { } on Failure as f { }`."""

    body: Block
    handlers: tuple[Handler, ...]
    at: Span


class Arm(Node, frozen=True):
    """`on Event as e when condition { }` of a race."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    body: Block
    at: Span


class After(Node, frozen=True):
    """`after limit { }` of a race."""

    limit: Expr
    body: Block
    at: Span


class Race(Node, frozen=True):
    """`race { arms after limit { } }`."""

    arms: tuple[Arm, ...]
    after: After | None
    at: Span


class Sleep(Node, frozen=True):
    """`sleep time`."""

    time: Expr
    at: Span


class If(Node, frozen=True):
    """`if condition { } else if … else { }`."""

    condition: Expr
    then: Block
    otherwise: Block | If | None
    at: Span


class Branch(Node, frozen=True):
    """`branch name { }`."""

    name: Identifier
    body: Block
    at: Span


class Parallel(Node, frozen=True):
    """`parallel { branches }`."""

    branches: tuple[Branch, ...]
    at: Span


class Await(Node, frozen=True):
    """`await Event as e when condition within limit on timeout { }`; also of a signal."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    within: Expr | None
    handlers: tuple[Handler, ...]
    at: Span


class Emit(Node, frozen=True):
    """`emit Event(args)`."""

    event: Invocation
    at: Span


class Fail(Node, frozen=True):
    """`fail reason`."""

    reason: Expr
    at: Span


class Return(Node, frozen=True):
    """`return value`."""

    value: Expr | None
    at: Span


Statement = (
    Step
    | Let
    | Var
    | Set
    | If
    | Match
    | While
    | For
    | Yield
    | Parallel
    | Race
    | Await
    | Sleep
    | Try
    | Emit
    | Fail
    | Return
)
