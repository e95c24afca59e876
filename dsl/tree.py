"""Builds the syntax tree while the parser reduces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from dsl import literal, syntax
from dsl.automaton import Action
from dsl.diagnostic import Diagnostic, Note
from dsl.docs import doc_above
from dsl.lexer import Token
from dsl.source import Source, Span
from dsl.table import Rule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause, until its declaration takes it."""

    word: str
    content: Any
    at: Span


class _Group(tuple[Any, ...]):
    """Several nodes in a pair of brackets, until their owner takes them."""

    at: Span

    def __new__(cls, items: Iterable[Any], at: Span) -> _Group:
        made = super().__new__(cls, items)
        made.at = at
        return made


#: The tokens that say something; all others are there for their place alone.
_SPEAKING = frozenset(
    (
        *("INT", "FLOAT", "STRING", "BYTES", "DURATION", "PERCENT", "OPTIONAL", "OR", "AND"),
        *("COMPARISON", "LESS", "GREATER", "IN", "PLUS", "MINUS", "STAR", "SLASH", "REMAINDER"),
        "NOT",
    )
)


#: The word a clause begins with.
_WORD = re.compile(r"\w+|->")


def _of(children: Sequence[Any], kind: type[T]) -> tuple[T, ...]:
    return tuple(c for c in children if isinstance(c, kind))


def action_of(rule: Rule) -> Action | None:
    """How the values of a rule's symbols become its own: by the builder's method of that name.
    None where the only one is passed on."""
    name = rule.origin
    if rule.size == 1 and not name.startswith("__") and (name[0] == "_" or rule.expand):
        return _calling(rule.alias) if rule.alias else None
    if name.startswith("_"):
        return _gather
    return _naming if name in _WORDS else _calling(rule.alias or name)


#: The rules whose one token is a name, whatever its type.
_WORDS = frozenset(
    (
        *("name", "any_name", "field_name", "setting_name", "variable"),
        *("subject_name", "expected_name"),
    )
)


def _calling(method: str) -> Action:
    build = getattr(TreeBuilder, method)

    def call(builder: TreeBuilder, children: list[Any], start: int, end: int) -> Any:
        spoken = []
        for child in children:
            if type(child) is Token:
                if child.type in _SPEAKING:
                    spoken.append(child)
            elif type(child) is list:
                spoken += [c for c in child if type(c) is not Token]
            else:
                spoken.append(child)
        return build(builder, Span(builder.source, start, end), spoken)

    return call


def _naming(builder: TreeBuilder, children: list[Any], start: int, end: int) -> Any:
    return syntax.Identifier(children[0].text, Span(builder.source, start, end))


def _gather(builder: TreeBuilder, children: list[Any], start: int, end: int) -> list[Any]:
    """What a rule without a node of its own leaves to the one that holds it; a repetition grows."""
    first = children[0]
    gathered = first if type(first) is list else [first]
    for child in children[1:]:
        if type(child) is list:
            gathered += child
        else:
            gathered.append(child)
    return gathered


class TreeBuilder:
    """One method per grammar rule, for one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def partial(self, values: Sequence[Any]) -> syntax.File:
        """What was complete when a file could not be read to its end."""
        flat = [v for value in values for v in (value if type(value) is list else (value,))]
        whole = next((f for f in flat if isinstance(f, syntax.File)), None)
        at = Span(self.source, 0, len(self.source.text))
        return whole or self.file(at, flat)

    def _doc(self, at: Span) -> str:
        return doc_above(self.source, at.start)

    def path(self, at: Span, c: list[syntax.Identifier]) -> syntax.Path:
        return syntax.Path(tuple(c))

    # --- file

    def file(self, at: Span, c: list[Any]) -> syntax.File:
        module = _of(c, syntax.Path)
        declarations = tuple(d for d in c if isinstance(d, syntax.Declaration))
        return syntax.File(
            source=self.source,
            module=module[0] if module else None,
            imports=_of(c, syntax.ImportDecl),
            declarations=declarations,
            scenarios=_of(c, syntax.ScenarioDecl),
        )

    def module_decl(self, at: Span, c: list[syntax.Path]) -> syntax.Path:
        return c[0]

    def import_decl(self, at: Span, c: list[Any]) -> syntax.ImportDecl:
        return syntax.ImportDecl(c[0], tuple(c[1:]), at)

    # --- data

    def type_decl(self, at: Span, c: list[Any]) -> syntax.TypeDecl:
        return syntax.TypeDecl(c[0], c[1], self._doc(at), at)

    def enum_decl(self, at: Span, c: list[Any]) -> syntax.EnumDecl:
        return syntax.EnumDecl(c[0], tuple(c[1:]), self._doc(at), at)

    def record_decl(self, at: Span, c: list[Any]) -> syntax.RecordDecl:
        return syntax.RecordDecl(c[0], c[1], self._doc(at), at)

    def field_block(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    def field(self, at: Span, c: list[Any]) -> syntax.FieldDecl:
        clauses = {x.word: x.content for x in _of(c, _Clause)}
        return syntax.FieldDecl(
            c[0],
            c[1],
            clauses.get("number"),
            clauses.get("default"),
            clauses.get("constraint"),
            self._doc(at),
            at,
        )

    def number(self, at: Span, c: list[Token]) -> _Clause:
        value = self._constant(at, literal.read_int, c[0].text).value
        return _Clause("number", syntax.Number(value if type(value) is int else None, at), at)

    def default(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("default", c[0], at)

    def constraint(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("constraint", c[0], at)

    def type_ref(self, at: Span, c: list[Any]) -> syntax.TypeRef:
        arguments = next((_of(g, syntax.TypeRef) for g in _of(c, _Group)), ())
        return syntax.TypeRef(c[0], arguments, isinstance(c[-1], Token), at)

    def type_arguments(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    # --- policies and services

    def policy_decl(self, at: Span, c: list[Any]) -> syntax.PolicyDecl:
        extends = next((x.content for x in _of(c, _Clause)), None)
        return syntax.PolicyDecl(c[0], extends, _of(c, syntax.Setting), self._doc(at), at)

    def extends(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("extends", c[0], at)

    def setting(self, at: Span, c: list[Any]) -> syntax.Setting:
        return syntax.Setting(c[0], c[1], at)

    def service_decl(self, at: Span, c: list[Any]) -> syntax.ServiceDecl:
        return syntax.ServiceDecl(
            c[0],
            _of(c, syntax.Setting),
            _of(c, syntax.CommandDecl),
            _of(c, syntax.EventDecl),
            self._doc(at),
            at,
        )

    def command_decl(self, at: Span, c: list[Any]) -> syntax.CommandDecl:
        said = self._once(_of(c, _Clause), {"replies", "fails", "idempotent"})
        return syntax.CommandDecl(
            name=c[0],
            key=c[1],
            fields=_fields(c),
            replies=said.get("replies", ()),
            fails=said.get("fails", ()),
            doc=self._doc(at),
            at=at,
            idempotent=said.get("idempotent"),
        )

    def event_decl(self, at: Span, c: list[Any]) -> syntax.EventDecl:
        said = self._once(_of(c, _Clause), {"sequence", "delivery"})
        return syntax.EventDecl(
            name=c[0],
            key=c[1],
            fields=_fields(c),
            doc=self._doc(at),
            at=at,
            sequence=said.get("sequence"),
            delivery=said.get("delivery"),
        )

    def idempotent(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("idempotent", c[0], at)

    def by_message(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("message", (), at)

    def by_key(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("key", tuple(c), at)

    def by_version(self, at: Span, c: list[Any]) -> syntax.Idempotent:
        return syntax.Idempotent("version", tuple(c), at)

    def sequence(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("sequence", c[0], at)

    def delivery(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("delivery", c[0], at)

    def key_field(self, at: Span, c: list[Any]) -> syntax.Identifier:
        return c[0]  # type: ignore[no-any-return]

    def replies(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("replies", tuple(c), at)

    def fails(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("fails", tuple(c), at)

    # --- states made of events

    def aggregate_decl(self, at: Span, c: list[Any]) -> syntax.AggregateDecl:
        said = self._once(_of(c, _Clause), {"snapshot", "buffer", "within"})
        return syntax.AggregateDecl(
            name=c[0],
            key=c[1],
            snapshot=said.get("snapshot"),
            buffer=said.get("buffer"),
            within=said.get("within"),
            fields=_of(c, syntax.FieldDecl),
            reactions=_of(c, syntax.Reaction),
            doc=self._doc(at),
            at=at,
        )

    def projection_decl(self, at: Span, c: list[Any]) -> syntax.ProjectionDecl:
        fields, reactions = _of(c, syntax.FieldDecl), _of(c, syntax.Reaction)
        return syntax.ProjectionDecl(c[0], c[1], fields, reactions, self._doc(at), at)

    def snapshot(self, at: Span, c: list[Token]) -> _Clause:
        return _Clause("snapshot", self._integer(c[0]), at)

    def buffer(self, at: Span, c: list[Token]) -> _Clause:
        return _Clause("buffer", self._integer(c[0]), at)

    def reaction(self, at: Span, c: list[Any]) -> syntax.Reaction:
        said = {x.word: x.content for x in _of(c, _Clause)}
        sets = next(iter(_of(c, _Group)), ())
        row, condition = said.get("row"), said.get("when")
        return syntax.Reaction(c[0], _named(c), row, condition, tuple(sets), at)

    def row(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("row", c[0], at)

    def set_block(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    # --- functions

    def activity_decl(self, at: Span, c: list[Any]) -> syntax.ActivityDecl:
        parameters = next(iter(_of(c, _Group)), ())
        result = next((x.content for x in _of(c, _Clause)), None)
        written: Token = c[-1]
        place = Span(self.source, written.start, written.start + len(written.text))
        function = self._constant(place, literal.read_string, written.text)
        return syntax.ActivityDecl(c[0], parameters, result, function, self._doc(at), at)

    # --- sagas

    def saga_decl(self, at: Span, c: list[Any]) -> syntax.SagaDecl:
        parameters = next(iter(_of(c, _Group)), ())
        clauses = _of(c, _Clause)
        once = self._once(clauses, {"result", "key", "within", "policy"})
        inputs, body = c[-1].content
        starts = self._starts(clauses)
        return syntax.SagaDecl(
            name=c[0],
            parameters=parameters,
            result=once.get("result"),
            key=once.get("key"),
            starts=_of(starts, syntax.StartsOn),
            within=once.get("within"),
            policy=once.get("policy"),
            body=body,
            doc=self._doc(at),
            at=at,
            inputs=inputs,
            schedules=tuple(s for s in starts if not isinstance(s, syntax.StartsOn)),
        )

    def saga_body(self, at: Span, c: list[Any]) -> _Clause:
        inputs = tuple(i for i in c if isinstance(i, syntax.Input))
        statements = tuple(s for s in c if not isinstance(s, syntax.Input))
        return _Clause("body", (inputs, syntax.Block(statements, at)), at)

    def signal_decl(self, at: Span, c: list[Any]) -> syntax.SignalDecl:
        return syntax.SignalDecl(c[0], c[1], self._doc(at), at)

    def query_decl(self, at: Span, c: list[Any]) -> syntax.QueryDecl:
        return syntax.QueryDecl(c[0], c[1].content, c[2], self._doc(at), at)

    def update_decl(self, at: Span, c: list[Any]) -> syntax.UpdateDecl:
        condition = next((x.content for x in _of(c, _Clause)), None)
        sets = _of(c, syntax.Set)
        return syntax.UpdateDecl(c[0], c[1], condition, sets, self._doc(at), at)

    def _starts(self, clauses: Sequence[_Clause]) -> list[syntax.StartsOn | syntax.Scheduled]:
        starts: list[syntax.StartsOn | syntax.Scheduled] = []
        for i, clause in enumerate(clauses):
            word, content, at = clause.word, clause.content, clause.at
            if word == "starts":
                starts.append(content)
            elif word == "arguments":
                if i == 0 or clauses[i - 1].word != "starts":
                    message, help = "`with (…)` stands alone", "put it after a `starts`"
                    first = Span(self.source, at.start, at.start + len("with"))
                    label = "no `starts` before it"
                    self.diagnostics.append(Diagnostic("F001", message, first, label, help))
                    continue
                last = starts.pop()
                starts.append(replace(last, arguments=tuple(content), at=last.at.to(at)))
        return starts

    def _once(self, clauses: Sequence[_Clause], words: set[str]) -> dict[str, Any]:
        found: dict[str, _Clause] = {}
        for clause in clauses:
            if clause.word not in words:
                continue
            first = found.setdefault(clause.word, clause)
            if first is not clause:
                word = _WORD.match(clause.at.text)
                if word is None:
                    continue  # put in where a word was missing, which is reported
                at = Span(self.source, clause.at.start, clause.at.start + word.end())
                also = (Note(first.at, "said here first"),)
                message = f"a second `{word[0]}` clause"
                self.diagnostics.append(
                    Diagnostic("F004", message, at, "said again", "keep one of them", also)
                )
        return {word: clause.content for word, clause in found.items()}

    def parameters(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    def parameter(self, at: Span, c: list[Any]) -> syntax.Parameter:
        return syntax.Parameter(c[0], c[1])

    def result(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("result", c[0], at)

    def key_clause(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("key", c[0], at)

    def within(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("within", c[0], at)

    def when(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("when", c[0], at)

    def with_policy(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("policy", c[0], at)

    def starts_on(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("starts", syntax.StartsOn(c[0], _named(c[1:]), (), at), at)

    def starts_every(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("starts", syntax.StartsEvery(c[0], (), at), at)

    def starts_at(self, at: Span, c: list[Any]) -> _Clause:
        zone = next(iter(_of(c, syntax.Literal)), None)
        return _Clause("starts", syntax.StartsAt(self._text(c[0]), zone, (), at), at)

    def zone(self, at: Span, c: list[Any]) -> syntax.Literal:
        return self._text(c[-1])

    def _text(self, token: Token) -> syntax.Literal:
        return self.string_literal(Span(self.source, token.start, token.end), [token])

    def start_arguments(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("arguments", c[0], at)

    def as_name(self, at: Span, c: list[Any]) -> syntax.Identifier:
        return c[0]  # type: ignore[no-any-return]

    # --- statements

    def block(self, at: Span, c: list[Any]) -> syntax.Block:
        return syntax.Block(tuple(c), at)

    def bare_return(self, at: Span, c: list[Any]) -> syntax.Return:
        return syntax.Return(None, at)

    def step(self, at: Span, c: list[Any]) -> syntax.Step:
        once = self._once(_of(c, _Clause), {"policy", "undo"})
        return syntax.Step(
            c[0],
            c[1],
            once.get("policy"),
            once.get("undo"),
            _of(c, syntax.Handler),
            self._doc(at),
            at,
        )

    def pivot_step(self, at: Span, c: list[Any]) -> syntax.Step:
        step: syntax.Step = c[0]
        return replace(step, pivot=True, doc=self._doc(at), at=at)

    def undo(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("undo", c[0], at)

    def undo_none(self, at: Span, c: list[Any]) -> syntax.UndoNone:
        return syntax.UndoNone(at)

    def invocation(self, at: Span, c: list[Any]) -> syntax.Invocation:
        return syntax.Invocation(c[0], c[1], at)

    def handler(self, at: Span, c: list[Any]) -> syntax.Handler:
        return syntax.Handler(c[0], _named(c[1:]), c[-1], at)

    def let(self, at: Span, c: list[Any]) -> syntax.Let:
        return syntax.Let(c[0], c[1], at)

    def if_statement(self, at: Span, c: list[Any]) -> syntax.If:
        return syntax.If(c[0], c[1], c[2] if len(c) > 2 else None, at)

    def var(self, at: Span, c: list[Any]) -> syntax.Var:
        type = next((x.content for x in _of(c, _Clause)), None)
        return syntax.Var(c[0], type, c[-1], at)

    def value_type(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("type", c[0], at)

    def set(self, at: Span, c: list[Any]) -> syntax.Set:
        return syntax.Set(c[0], c[1], at)

    def match_statement(self, at: Span, c: list[Any]) -> syntax.Match:
        otherwise = next((x.content for x in _of(c, _Clause)), None)
        return syntax.Match(c[0], _of(c, syntax.Case), otherwise, at)

    def case(self, at: Span, c: list[Any]) -> syntax.Case:
        return syntax.Case(c[0], _named(c[1:]), c[-1], at)

    def otherwise(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("else", c[0], at)

    def while_statement(self, at: Span, c: list[Any]) -> syntax.While:
        return syntax.While(c[0], c[1], at)

    def for_statement(self, at: Span, c: list[Any]) -> syntax.For:
        c = [x for x in c if not isinstance(x, Token)]
        at_most = next((x.content for x in _of(c, _Clause)), None)
        return syntax.For(c[0], c[1], at_most, c[-1], at)

    def at_most(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("parallel", self._constant(at, literal.read_int, c[0].text).value, at)

    def yield_statement(self, at: Span, c: list[Any]) -> syntax.Yield:
        return syntax.Yield(c[0], at)

    def try_statement(self, at: Span, c: list[Any]) -> syntax.Try:
        return syntax.Try(c[0], _of(c, syntax.Handler), at)

    def race(self, at: Span, c: list[Any]) -> syntax.Race:
        after = next(iter(_of(c, syntax.After)), None)
        return syntax.Race(_of(c, syntax.Arm), after, at)

    def arm(self, at: Span, c: list[Any]) -> syntax.Arm:
        condition = next((x.content for x in _of(c, _Clause)), None)
        return syntax.Arm(c[0], _named(c[1:]), condition, c[-1], at)

    def after(self, at: Span, c: list[Any]) -> syntax.After:
        return syntax.After(c[0], c[1], at)

    def sleep(self, at: Span, c: list[Any]) -> syntax.Sleep:
        return syntax.Sleep(c[0], at)

    def parallel(self, at: Span, c: list[Any]) -> syntax.Parallel:
        return syntax.Parallel(tuple(c), at)

    def branch(self, at: Span, c: list[Any]) -> syntax.Branch:
        return syntax.Branch(c[0], c[1], at)

    def await_statement(self, at: Span, c: list[Any]) -> syntax.Await:
        once = self._once(_of(c, _Clause), {"when", "within"})
        return syntax.Await(
            c[0],
            _named(c[1:]),
            once.get("when"),
            once.get("within"),
            _of(c, syntax.Handler),
            at,
        )

    def emit(self, at: Span, c: list[Any]) -> syntax.Emit:
        return syntax.Emit(c[0], at)

    def fail(self, at: Span, c: list[Any]) -> syntax.Fail:
        return syntax.Fail(c[0], at)

    def return_statement(self, at: Span, c: list[Any]) -> syntax.Return:
        return syntax.Return(c[0], at)

    # --- scenarios

    def scenario_decl(self, at: Span, c: list[Any]) -> syntax.ScenarioDecl:
        title = self._text(c[0])
        return syntax.ScenarioDecl(title, tuple(c[1:]), self._doc(at), at)

    def given_answer(self, at: Span, c: list[Any]) -> syntax.GivenAnswer:
        ((fails, answer),) = (x.content for x in _of(c, _Clause) if x.word == "answer")
        delay, times = self._repeated(c)
        return syntax.GivenAnswer(c[0], _only(c), answer, fails, delay, times, at)

    def reply_answer(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("answer", (False, _message(c)), at)

    def failure_answer(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("answer", (True, _message(c)), at)

    def given_timeout(self, at: Span, c: list[Any]) -> syntax.GivenTimeout:
        _, times = self._repeated(c)
        return syntax.GivenTimeout(c[0], _only(c), times, at)

    def given_value(self, at: Span, c: list[Any]) -> syntax.GivenValue:
        value = next(x for x in c[1:] if not isinstance(x, _Group | _Clause))
        delay, times = self._repeated(c)
        return syntax.GivenValue(c[0], _only(c), value, delay, times, at)

    def given_arrival(self, at: Span, c: list[Any]) -> syntax.GivenArrival:
        delay, _ = self._repeated(c)
        return syntax.GivenArrival(_message(c), delay, at)

    def given_cancel(self, at: Span, c: list[Any]) -> syntax.GivenCancel:
        delay, _ = self._repeated(c)
        return syntax.GivenCancel(delay, at)

    def given_decision(self, at: Span, c: list[Any]) -> syntax.GivenDecision:
        (decision,) = (x.content for x in _of(c, _Clause) if x.word == "decision")
        delay, times = self._repeated(c)
        return syntax.GivenDecision(c[0], _only(c), decision, delay, times, at)

    def by_retry(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("decision", "retry", at)

    def by_skip(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("decision", "skip", at)

    def by_fail(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("decision", "fail", at)

    def _repeated(self, c: list[Any]) -> tuple[syntax.Expr | None, syntax.Literal | None]:
        """When something is given, and how often."""
        clauses = {x.word: x.content for x in _of(c, _Clause)}
        return clauses.get("after"), clauses.get("times")

    def delay(self, at: Span, c: list[Any]) -> _Clause:
        return _Clause("after", c[0], at)

    def times(self, at: Span, c: list[Any]) -> _Clause:
        number = Span(self.source, c[0].start, c[0].end)
        return _Clause("times", self._constant(number, literal.read_int, c[0].text), at)

    def run_saga(self, at: Span, c: list[Any]) -> syntax.RunSaga:
        return syntax.RunSaga(c[0], False, at)

    def run_event(self, at: Span, c: list[Any]) -> syntax.RunSaga:
        return syntax.RunSaga(c[0], True, at)

    def expect_message(self, at: Span, c: list[Any]) -> syntax.ExpectMessage:
        return syntax.ExpectMessage(_message(c), False, at)

    def expect_no_message(self, at: Span, c: list[Any]) -> syntax.ExpectMessage:
        return syntax.ExpectMessage(_message(c), True, at)

    def expect_result(self, at: Span, c: list[Any]) -> syntax.ExpectResult:
        return syntax.ExpectResult(c[0], at)

    def expect_failure(self, at: Span, c: list[Any]) -> syntax.ExpectFailure:
        return syntax.ExpectFailure(c[0], at)

    def expect_parked(self, at: Span, c: list[Any]) -> syntax.ExpectParked:
        return syntax.ExpectParked(at)

    def expect_within(self, at: Span, c: list[Any]) -> syntax.ExpectWithin:
        return syntax.ExpectWithin(c[0], at)

    # --- expressions

    def conditional(self, at: Span, c: list[Any]) -> syntax.Conditional:
        return syntax.Conditional(c[0], c[2], c[3], at)

    def binary(self, at: Span, c: list[Any]) -> syntax.Binary:
        return syntax.Binary(c[1].text, c[0], c[2], at)

    def unary(self, at: Span, c: list[Any]) -> syntax.Expr:
        operator, operand = c[0].text, c[1]
        # -9223372036854775808 has no positive twin, so the sign belongs to the number.
        if (
            operator == "-"
            and isinstance(operand, syntax.Literal)
            and type(operand.value) in (int, float)
            and operand.at.start == at.start + 1
            and not operand.at.text.startswith("(")
        ):
            return syntax.Literal(-operand.value, at)  # type: ignore[operator]
        return syntax.Unary(operator, operand, at)

    def member(self, at: Span, c: list[Any]) -> syntax.Member:
        return syntax.Member(c[0], c[1], at)

    def index(self, at: Span, c: list[Any]) -> syntax.Index:
        return syntax.Index(c[0], c[1], at)

    def call(self, at: Span, c: list[Any]) -> syntax.Call:
        return syntax.Call(c[0], c[1], at)

    def arguments(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    def named_argument(self, at: Span, c: list[Any]) -> syntax.Argument:
        return syntax.Argument(c[0], c[1])

    def positional_argument(self, at: Span, c: list[Any]) -> syntax.Argument:
        return syntax.Argument(None, c[0])

    def grouped(self, at: Span, c: list[Any]) -> syntax.Expr:
        return replace(c[0], at=at)  # type: ignore[no-any-return]

    def name_expr(self, at: Span, c: list[Any]) -> syntax.Name:
        return syntax.Name(c[0].text, c[0].at)

    def list_literal(self, at: Span, c: list[Any]) -> syntax.ListLiteral:
        return syntax.ListLiteral(tuple(c), at)

    def map_literal(self, at: Span, c: list[Any]) -> syntax.MapLiteral:
        return syntax.MapLiteral(tuple(c), at)

    def entry(self, at: Span, c: list[Any]) -> _Group:
        return _Group(c, at)

    def _constant(self, at: Span, read: Callable[[str], Any], text: str) -> syntax.Literal:
        try:
            return syntax.Literal(read(text), at)
        except ValueError as e:
            help = literal.help_for(read)
            self.diagnostics.append(Diagnostic("F207", str(e), at, "no such value", help))
            return syntax.Literal(None, at)

    def integer_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_int, c[0].text)

    def _integer(self, token: Token) -> syntax.Literal:
        return self.integer_literal(Span(self.source, token.start, token.end), [token])

    def float_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_float, c[0].text)

    def string_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_string, c[0].text)

    def bytes_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_bytes, c[0].text)

    def duration_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_duration, c[0].text)

    def percent_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return self._constant(at, literal.read_percent, c[0].text)

    def true_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return syntax.Literal(True, at)

    def false_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return syntax.Literal(False, at)

    def null_literal(self, at: Span, c: list[Token]) -> syntax.Literal:
        return syntax.Literal(None, at)


def _only(children: Sequence[Any]) -> tuple[syntax.Argument, ...]:
    return next(iter(_of(children, _Group)), ())


def _message(children: Sequence[Any]) -> syntax.Invocation:
    """A message in a scenario: without brackets it has any values."""
    path, given = children[0], _of(children, _Group)
    at = path.at.to(given[0].at) if given else path.at
    return syntax.Invocation(path, given[0] if given else (), at)


def _named(children: Sequence[Any]) -> syntax.Identifier | None:
    return next(iter(_of(children, syntax.Identifier)), None)


def _fields(children: Sequence[Any]) -> tuple[syntax.FieldDecl, ...]:
    return tuple(_of(next(iter(_of(children, _Group)), ()), syntax.FieldDecl))
