"""The syntax tree: what was written and where, before any name is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name where it stands."""

    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted name: `shop.contracts`, `inventory.ReserveStock`, `OutOfStock`."""

    parts: tuple[Identifier, ...]

    @property
    def text(self) -> str:
        """The name as it is written, without blanks."""
        return ".".join(p.text for p in self.parts)

    @property
    def at(self) -> Span:
        """From its first part to its last."""
        return self.parts[0].at.to(self.parts[-1].at)


# --- expressions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: `"a"`, `b"a"`, `1`, `1.5`, `true`, `null`, `10s`, `20%` (a Decimal)."""

    value: str | bytes | bool | int | float | timedelta | Decimal | None
    at: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name."""

    text: str
    at: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`."""

    of: Expr
    name: Identifier
    at: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`of[key]`."""

    of: Expr
    key: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is None for a positional one."""

    name: Identifier | None
    value: Expr

    @property
    def at(self) -> Span:
        """The whole argument."""
        return self.name.at.to(self.value.at) if self.name else self.value.at


@dataclass(frozen=True, slots=True)
class Call:
    """`f(x)`, `x.f(y)` or, with named arguments, the building of a record or message."""

    callee: Expr
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    operator: str
    operand: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; the operator as CEL writes it, `in` included."""

    operator: str
    left: Expr
    right: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expr, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{k: v}`."""

    entries: tuple[tuple[Expr, Expr], ...]
    at: Span


Expr = (
    Literal | Name | Member | Index | Call | Unary | Binary | Conditional | ListLiteral | MapLiteral
)


# --- types and fields ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as written: a name with its arguments, `optional` when followed by `?`."""

    name: Path
    arguments: tuple[TypeRef, ...]
    optional: bool
    at: Span


@dataclass(frozen=True, slots=True)
class Number:
    """`@3`; without a value when that cannot be read."""

    value: int | None
    at: Span


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """`name: type @number = default where constraint`."""

    name: Identifier
    type: TypeRef
    number: Number | None
    default: Expr | None
    constraint: Expr | None
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """`name: value` in a policy or a service."""

    name: Identifier
    value: Expr
    at: Span


# --- declarations ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportDecl:
    """`from module import a, b`."""

    module: Path
    names: tuple[Identifier, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class TypeDecl:
    """`type Name = T`."""

    name: Identifier
    type: TypeRef
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class EnumDecl:
    """`enum Name { A B }`."""

    name: Identifier
    symbols: tuple[Identifier, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class RecordDecl:
    """`record Name { fields }`."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class PolicyDecl:
    """`policy Name extends Other { settings }`."""

    name: Identifier
    extends: Path | None
    settings: tuple[Setting, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class Idempotent:
    """`idempotent by message`, `by key (f, g)` or `by version f`; `by` is the word."""

    by: str
    fields: tuple[Identifier, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class CommandDecl:
    """`command Name key k idempotent by … { fields } replies A | B fails C`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    replies: tuple[Path, ...]
    fails: tuple[Path, ...]
    doc: str
    at: Span
    idempotent: Idempotent | None = None


@dataclass(frozen=True, slots=True)
class EventDecl:
    """`event Name key k sequence f delivery mode { fields }`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span
    sequence: Identifier | None = None
    delivery: Identifier | None = None


@dataclass(frozen=True, slots=True)
class ServiceDecl:
    """`service Name { settings, commands, events }`."""

    name: Identifier
    settings: tuple[Setting, ...]
    commands: tuple[CommandDecl, ...]
    events: tuple[EventDecl, ...]
    doc: str
    at: Span

    @property
    def messages(self) -> tuple[CommandDecl | EventDecl, ...]:
        """Its commands and its events."""
        return (*self.commands, *self.events)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`name: type` of a saga or an activity."""

    name: Identifier
    type: TypeRef

    @property
    def at(self) -> Span:
        """The whole parameter."""
        return self.name.at.to(self.type.at)


@dataclass(frozen=True, slots=True)
class ActivityDecl:
    """`activity Name(params) -> T from "package.module:function"`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeRef | None
    function: Literal
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class StartsOn:
    """`starts on Event as e with (param: e.x)`."""

    event: Path
    name: Identifier | None
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class StartsEvery:
    """`starts every interval with (param: at)`."""

    interval: Expr
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class StartsAt:
    """`starts at "cron" in "zone" with (param: at)`."""

    cron: Literal
    zone: Literal | None
    arguments: tuple[Argument, ...]
    at: Span


Scheduled = StartsEvery | StartsAt


@dataclass(frozen=True, slots=True)
class SignalDecl:
    """`signal Name { fields }`: what a saga may be told."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class QueryDecl:
    """`query name -> type = value`: what a saga may be asked."""

    name: Identifier
    type: TypeRef
    value: Expr
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class UpdateDecl:
    """`update Name { fields } when condition { sets }`: what may be changed in a saga."""

    name: Identifier
    fields: tuple[FieldDecl, ...]
    condition: Expr | None
    sets: tuple[Set, ...]
    doc: str
    at: Span


Input = SignalDecl | QueryDecl | UpdateDecl


@dataclass(frozen=True, slots=True)
class SagaDecl:
    """`saga Name(params) -> T clauses { inputs body }`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    result: TypeRef | None
    key: Expr | None
    starts: tuple[StartsOn, ...]
    within: Expr | None
    policy: Path | None
    body: Block
    doc: str
    at: Span
    inputs: tuple[Input, ...] = ()
    schedules: tuple[Scheduled, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """`on Event as e for row when condition { set … }` of an aggregate or a projection."""

    event: Path
    name: Identifier | None
    row: Expr | None
    condition: Expr | None
    sets: tuple[Set, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class AggregateDecl:
    """`aggregate Name key k snapshot every n buffer n within time { fields, reactions }`."""

    name: Identifier
    key: Identifier
    snapshot: Literal | None
    buffer: Literal | None
    within: Expr | None
    fields: tuple[FieldDecl, ...]
    reactions: tuple[Reaction, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class ProjectionDecl:
    """`projection Name key k { columns, reactions }`."""

    name: Identifier
    key: Identifier
    fields: tuple[FieldDecl, ...]
    reactions: tuple[Reaction, ...]
    doc: str
    at: Span


Declaration = (
    TypeDecl
    | EnumDecl
    | RecordDecl
    | PolicyDecl
    | ServiceDecl
    | ActivityDecl
    | SagaDecl
    | AggregateDecl
    | ProjectionDecl
)


# --- statements ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """`{ statements }`."""

    statements: tuple[Statement, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Handler:
    """`on Failure as f { }`, `on timeout { }`, `on exhausted { }`."""

    failure: Path
    name: Identifier | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Invocation:
    """A callee with its arguments."""

    callee: Path
    arguments: tuple[Argument, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class UndoNone:
    """`undo none`: nothing to undo, said on purpose."""

    at: Span


@dataclass(frozen=True, slots=True)
class Step:
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
class Let:
    """`let name = value`; the value of a `for` is the list of its yields."""

    name: Identifier
    value: Expr | For
    at: Span


@dataclass(frozen=True, slots=True)
class Var:
    """`var name: T = value`."""

    name: Identifier
    type: TypeRef | None
    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Set:
    """`set name = value`."""

    name: Identifier
    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Case:
    """`case Message as m { }`, `case symbol { }`."""

    pattern: Path
    name: Identifier | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Match:
    """`match subject { cases else { } }`."""

    subject: Expr
    cases: tuple[Case, ...]
    otherwise: Block | None
    at: Span


@dataclass(frozen=True, slots=True)
class While:
    """`while condition { }`."""

    condition: Expr
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class For:
    """`for name in items parallel at_most { }`; without `at_most` in order."""

    name: Identifier
    items: Expr
    at_most: int | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Yield:
    """`yield value`: the loop's next value, and the end of this turn of it."""

    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Try:
    """`try { } on Failure as f { }`."""

    body: Block
    handlers: tuple[Handler, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Arm:
    """`on Event as e when condition { }` of a race."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class After:
    """`after limit { }` of a race."""

    limit: Expr
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Race:
    """`race { arms after limit { } }`."""

    arms: tuple[Arm, ...]
    after: After | None
    at: Span


@dataclass(frozen=True, slots=True)
class Sleep:
    """`sleep time`."""

    time: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if condition { } else if … else { }`."""

    condition: Expr
    then: Block
    otherwise: Block | If | None
    at: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """`branch name { }`."""

    name: Identifier
    body: Block
    at: Span


@dataclass(frozen=True, slots=True)
class Parallel:
    """`parallel { branches }`."""

    branches: tuple[Branch, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Await:
    """`await Event as e when condition within limit on timeout { }`; also of a signal."""

    event: Path
    name: Identifier | None
    condition: Expr | None
    within: Expr | None
    handlers: tuple[Handler, ...]
    at: Span


@dataclass(frozen=True, slots=True)
class Emit:
    """`emit Event(args)`."""

    event: Invocation
    at: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`fail reason`."""

    reason: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class Return:
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


# --- scenarios -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """`given C(field: value) replies R(…) after d 2 times`; with `fails` it is a failure."""

    subject: Path
    only: tuple[Argument, ...]
    answer: Invocation
    fails: bool
    delay: Expr | None
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenTimeout:
    """`given C(field: value) times out 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenValue:
    """`given Activity(parameter: value) returns expr after d 2 times`."""

    subject: Path
    only: tuple[Argument, ...]
    value: Expr
    delay: Expr | None
    times: Literal | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenArrival:
    """`given Event(…) arrives after d`."""

    message: Invocation
    delay: Expr | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenCancel:
    """`given cancelled after d`."""

    delay: Expr | None
    at: Span


@dataclass(frozen=True, slots=True)
class GivenDecision:
    """`given C(field: value) resolved by retry after d 2 times`; `decision` is `retry`, `skip` or
    `fail`."""

    subject: Path
    only: tuple[Argument, ...]
    decision: str
    delay: Expr | None
    times: Literal | None
    at: Span


Given = GivenAnswer | GivenTimeout | GivenValue | GivenArrival | GivenCancel | GivenDecision


@dataclass(frozen=True, slots=True)
class RunSaga:
    """`run Saga(…)`; with `on_event`, `run on Event(…)`."""

    callee: Invocation
    on_event: bool
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectMessage:
    """`expect C(…)`; with `absent`, `expect no C(…)`."""

    message: Invocation
    absent: bool
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectResult:
    """`expect result value`."""

    value: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectFailure:
    """`expect failure part`."""

    part: Expr
    at: Span


@dataclass(frozen=True, slots=True)
class ExpectParked:
    """`expect parked`."""

    at: Span


@dataclass(frozen=True, slots=True)
class ExpectWithin:
    """`expect within limit`."""

    limit: Expr
    at: Span


Expect = ExpectMessage | ExpectResult | ExpectFailure | ExpectParked | ExpectWithin


@dataclass(frozen=True, slots=True)
class ScenarioDecl:
    """`scenario "title" { given … run … expect … }`, its parts in the order of the text."""

    title: Literal
    parts: tuple[Given | RunSaga | Expect, ...]
    doc: str
    at: Span


@dataclass(frozen=True, slots=True)
class File:
    """One parsed `.flow` file. Scenarios have titles, not names, and stand apart; `words` are all
    that stand behind the imports, where there are any; `whole` tells that nothing of the text was
    skipped, whatever mistakes are in it."""

    source: Source
    module: Path | None
    imports: tuple[ImportDecl, ...]
    declarations: tuple[Declaration, ...]
    scenarios: tuple[ScenarioDecl, ...] = ()
    words: frozenset[str] = frozenset()
    whole: bool = True

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.declarations)
