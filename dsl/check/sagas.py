"""Sagas: their parameters, key, starts and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from dsl import syntax
from dsl.cel.check import check
from dsl.cel.nodes import Const, Node
from dsl.cel.scope import FieldShape
from dsl.check.block import SagaContext, arguments, outermost, place
from dsl.check.callees import Callees
from dsl.check.contents import Contents
from dsl.check.inputs import Inputs
from dsl.check.limits import check_limits
from dsl.check.messages import Messages
from dsl.check.names import Module, Symbol
from dsl.check.policies import Policies
from dsl.check.promises import check_commands
from dsl.check.report import Report
from dsl.check.schedules import check_schedules
from dsl.check.scope import LocalScope, ModuleScope, Variable
from dsl.check.settings import positive
from dsl.check.signatures import Signature
from dsl.check.statements import check_block
from dsl.check.types import TypeResolver
from dsl.check.views import check_queries, check_updates
from dsl.diagnostic import Note
from dsl.model import ParameterModel, SagaModel, StartModel
from dsl.types import ANY, INT, NULL, STRING, UUID, Named, Type


class Sagas:
    """Checks the sagas of a module."""

    def __init__(
        self,
        types: TypeResolver,
        messages: Messages,
        callees: Callees,
        policies: Policies,
        signatures: Mapping[str, Signature],
        report: Report,
    ) -> None:
        self._types = types
        self._signatures = signatures
        self._messages = messages
        self._callees = callees
        self._policies = policies
        self._report = report

    def declared(self, module: Module, scope: ModuleScope) -> tuple[SagaModel, ...]:
        """The sagas that a module declares."""
        return tuple(
            self._saga(s, s.declaration, module, scope)
            for s in module.own.values()
            if isinstance(s.declaration, syntax.SagaDecl)
        )

    def _saga(
        self, symbol: Symbol, saga: syntax.SagaDecl, module: Module, scope: ModuleScope
    ) -> SagaModel:
        parameters, result = self._signatures[symbol.name]
        outer = LocalScope(scope)
        for p, shape in zip(saga.parameters, parameters, strict=True):
            if first := outer.variables.get(p.name.text):
                also = (Note(first.at, "the first one"),)
                message, help = f"`{p.name.text}` is declared twice", "rename one of them"
                self._report.add("F102", message, p.name.at, "again", help, also)
            outer.variables[p.name.text] = Variable(shape.type, p.name.at)
        key, key_type = self._key(saga, outer)
        policy = self._policies.find(saga.policy, module) if saga.policy else None
        if policy and saga.policy:
            check_commands(saga.policy, policy, self._report)
        context = SagaContext(
            module=module,
            messages=self._messages,
            callees=self._callees,
            policies=self._policies,
            report=self._report,
            key=key_type,
            result=result,
            within=self._within(saga),
            policy=policy,
            types=self._types,
            contents=Contents(saga.body, saga.inputs),
            inputs=(inputs := Inputs(symbol, saga, self._report)),
            check_block=check_block,
        )
        block = outermost(scope, context, inputs.changed)
        block.scope.variables.update(outer.variables)
        body, ends = check_block(saga.body, block)
        if result is not None and not ends:
            message = f"`{saga.name.text}` can end without a result"
            help = f"end every way with `return` (a `{result}`) or `fail`"
            self._report.add("F308", message, saga.name.at, f"returns `{result}`", help)
        model = SagaModel(
            name=symbol.name,
            parameters=tuple(ParameterModel(name=p.name, type=p.type) for p in parameters),
            result=result,
            key=key,
            starts=tuple(self._starts(saga, parameters, module, scope)),
            schedules=tuple(check_schedules(saga, parameters, scope, self._report)),
            within=context.within,
            signals=tuple(inputs.signals()),
            queries=tuple(check_queries(block)),
            updates=tuple(check_updates(block)),
            body=body,
            doc=saga.doc,
            place=place(saga.at),
        )
        check_limits(saga, model, self._report)
        return model

    def _key(self, saga: syntax.SagaDecl, scope: LocalScope) -> tuple[Node, Type]:
        if saga.key is None:
            message = f"`{saga.name.text}` has no key"
            help = "add `key …`: it names the instance, and a second start with it is refused"
            if saga.schedules and not saga.parameters:
                help = (
                    "give it the scheduled time: a parameter `time: timestamp`, `key string(time)`,"
                    " and `with (time: at)` after `starts`"
                )
            self._report.add("F302", message, saga.name.at, "no `key`", help)
            return Const(type=NULL), ANY
        typed = check(saga.key, scope)
        self._report.extend(typed.diagnostics)
        if typed.type in (STRING, INT, UUID, ANY):
            return typed.node, typed.type
        help = "a key is a `string`, an `int` or a `uuid`, never null"
        message = f"a `{typed.type}` cannot be a key"
        self._report.add("F303", message, saga.key.at, f"of type `{typed.type}`", help)
        return typed.node, ANY

    def _within(self, saga: syntax.SagaDecl) -> timedelta | None:
        if saga.within is None:
            return None
        return positive(saga.within, "within", self._report)

    def _starts(
        self,
        saga: syntax.SagaDecl,
        parameters: tuple[FieldShape, ...],
        module: Module,
        outer: ModuleScope,
    ) -> Iterator[StartModel]:
        for start in saga.starts:
            event = self._messages.event(start.event, module)
            if event is None:
                continue
            scope = LocalScope(outer)
            name = start.name.text if start.name else "event"
            at = start.name.at if start.name else start.at
            scope.variables[name] = Variable(Named(event.name), at)
            callee = syntax.Identifier(saga.name.text, start.event.at)
            nodes = arguments(start.arguments, parameters, scope, callee, self._report)
            yield StartModel(event=event.name, name=name, arguments=nodes)
