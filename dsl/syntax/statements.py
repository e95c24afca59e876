"""What a saga does."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span
from dsl.syntax.data import TypeRef
from dsl.syntax.expressions import Expr, Invocation
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node


@dataclass(frozen=True, slots=True)
class Block(Node):
    """`{ statements }`."""

    statements: tuple[Statement, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Handler(Node):
    """`on Failure as f { }`, `on timeout { }`, `on exhausted { }`."""

    failure: Path
    name: Identifier | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class UndoNone(Node):
    """`undo none`: nothing to undo, said on purpose."""

    at: Span


@dataclass(frozen=True, slots=True)
class Step(Node):
    """`step name = Callee(args)` with its clauses."""

    name: Identifier
    call: Invocation
    policy: Path | None
    undo: Invocation | Block | UndoNone | None
    handlers: tuple[Handler, ...]
    doc: str
    at: Span
    pivot: bool = False


@dataclass(frozen=True, slots=True)
class Let(Node):
    """`let name = value`; the value of a `for` is the list of its yields."""

    name: Identifier
    value: Expr | For
    at: Span


@dataclass(frozen=True, slots=True)
class Var(Node):
    """`var name: T = value`."""

    name: Identifier
    type: TypeRef | None
    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Set(Node):
    """`set name = value`."""

    name: Identifier
    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Case(Node):
    """`case Message as m { }`, `case symbol { }`."""

    pattern: Path
    name: Identifier | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Match(Node):
    """`match subject { cases else { } }`."""

    subject: Expr
    cases: tuple[Case, ...]
    otherwise: Block | None
    at: Span


@dataclass(frozen=True, slots=True)
class While(Node):
    """`while condition { }`."""

    condition: Expr
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for name in items parallel at_most { }`; without `at_most` in order."""

    name: Identifier
    items: Expr
    at_most: int | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Yield(Node):
    """`yield value`: the loop's next value, and the end of this turn of it."""

    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Try(Node):
    """`try { } on Failure as f { }`."""

    body: Block
    handlers: tuple[Handler, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Arm(Node):
    """`on Event as e when condition { }` of a race."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class After(Node):
    """`after limit { }` of a race."""

    limit: Expr
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Race(Node):
    """`race { arms after limit { } }`."""

    arms: tuple[Arm, ...]
    after: After | None
    at: Span


@dataclass(frozen=True, slots=True)
class Sleep(Node):
    """`sleep time`."""

    time: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition { } else if … else { }`."""

    condition: Expr
    then: Block
    otherwise: Block | If | None
    at: Span


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """`branch name { }`."""

    name: Identifier
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Parallel(Node):
    """`parallel { branches }`."""

    branches: tuple[Branch, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Await(Node):
    """`await Event as e when condition within limit on timeout { }`; also of a signal."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    within: Expr | None
    handlers: tuple[Handler, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Emit(Node):
    """`emit Event(args)`."""

    event: Invocation
    at: Span


@dataclass(frozen=True, slots=True)
class Fail(Node):
    """`fail reason`."""

    reason: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Return(Node):
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
