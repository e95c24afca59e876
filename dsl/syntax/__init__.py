"""The syntax tree: what was written and where, before any name is looked up."""

from dsl.syntax.contracts import (
    CommandDecl,
    EventDecl,
    Idempotent,
    PolicyDecl,
    ServiceDecl,
    Setting,
)
from dsl.syntax.data import EnumDecl, FieldDecl, Number, Parameter, RecordDecl, TypeDecl, TypeRef
from dsl.syntax.expressions import (
    Argument,
    Binary,
    Call,
    Conditional,
    Expr,
    Index,
    Invocation,
    ListLiteral,
    Literal,
    MapLiteral,
    Member,
    Name,
    Unary,
)
from dsl.syntax.file import Declaration, File, ImportDecl
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node, children, walk
from dsl.syntax.sagas import (
    ActivityDecl,
    Input,
    QueryDecl,
    SagaDecl,
    Scheduled,
    SignalDecl,
    StartsAt,
    StartsEvery,
    StartsOn,
    UpdateDecl,
)
from dsl.syntax.scenarios import (
    Expect,
    ExpectFailure,
    ExpectMessage,
    ExpectParked,
    ExpectResult,
    ExpectWithin,
    Given,
    GivenAnswer,
    GivenArrival,
    GivenCancel,
    GivenDecision,
    GivenTimeout,
    GivenValue,
    RunSaga,
    ScenarioDecl,
)
from dsl.syntax.statements import (
    After,
    Arm,
    Await,
    Block,
    Branch,
    Case,
    Emit,
    Fail,
    For,
    Handler,
    If,
    Let,
    Match,
    Parallel,
    Race,
    Return,
    Set,
    Sleep,
    Statement,
    Step,
    Try,
    UndoNone,
    Var,
    While,
    Yield,
)
from dsl.syntax.states import AggregateDecl, ProjectionDecl, Reaction
