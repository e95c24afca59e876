"""What a step may call, found by the name that it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from dsl import syntax
from dsl.cel.scope import FieldShape
from dsl.check.messages import Messages
from dsl.check.names import Module, Symbol
from dsl.check.report import Report, did_you_mean
from dsl.check.scope import Shapes
from dsl.check.signatures import Signature
from dsl.model import ActivityModel, Callee, CommandModel, Delivery, PolicyModel
from dsl.types import ANY, NULL, Named, OneOf, Type

#: How a handler names the failure of a called saga, whatever its reason.
FAILED = "failed"


class Called(msgspec.Struct, frozen=True):
    """A callee: its qualified name, what it is given, what it answers, the failures that it
    declares (qualified; a saga's is `failed`), and the policy of whom it belongs to. With `once` it
    is a command that is delivered at most once."""

    kind: Callee
    name: str
    fields: tuple[FieldShape, ...]
    answer: Type
    fails: tuple[str, ...] = ()
    policy: PolicyModel | None = None
    once: bool = False

    @property
    def short(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def replies(self) -> tuple[str, ...]:
        """The messages that may answer it, qualified; none where it is no command."""
        match self.answer:
            case Named(name) if self.kind is Callee.COMMAND:
                return (name,)
            case OneOf(names):
                return names
        return ()


class Callees:
    """Commands, by `service.Command`; activities and sagas, by their bare names."""

    def __init__(
        self,
        messages: Messages,
        activities: Iterable[ActivityModel],
        sagas: Mapping[str, Signature],
        shapes: Shapes,
        report: Report,
    ) -> None:
        self._messages = messages
        self._activities = {a.name: a for a in activities}
        self._sagas = sagas
        self._shapes = shapes
        self._report = report

    def find(self, path: syntax.Path, module: Module) -> Called | None:
        """What a path stands for; None, with a diagnostic, where there is nothing to call."""
        if len(path.parts) == 1:
            symbol = module.find(path.text)
            if symbol is None and self._almost(path, module):
                return None
            if symbol and (found := self._declared(symbol)):
                return found
        command = self._messages.command(path, module)
        return self._command(command) if command else None

    def _declared(self, symbol: Symbol) -> Called | None:
        if saga := self._sagas.get(symbol.name):
            return _saga(symbol.name, saga)
        activity = self._activities.get(symbol.name)
        if activity is None:
            return None
        fields = tuple(FieldShape(p.name, p.type) for p in activity.parameters)
        answer = activity.result if activity.result is not None else NULL
        return Called(Callee.ACTIVITY, activity.name, fields, answer)

    def _command(self, command: CommandModel) -> Called:
        return Called(
            Callee.COMMAND,
            command.name,
            self._shapes(command.name) or (),
            _answer(command),
            command.fails,
            self._messages.service_of(command.name).policy,
            once=command.delivery is Delivery.AT_MOST_ONCE,
        )

    def _almost(self, path: syntax.Path, module: Module) -> bool:
        """Reports a bare name that is close to one that may be called so."""
        for kind, word in ((syntax.ActivityDecl, "activity"), (syntax.SagaDecl, "saga")):
            if help := did_you_mean(path.text, module.names_of(kind)):
                message = f"no {word} named `{path.text}`"
                self._report.add("F101", message, path.at, "not here", help)
                return True
        return False


def _saga(name: str, saga: Signature) -> Called:
    answer = saga.result if saga.result is not None else NULL
    return Called(Callee.SAGA, name, saga.parameters, answer, (FAILED,))


def _answer(command: CommandModel) -> Type:
    match command.replies:
        case ():
            return ANY  # reported where the command is declared
        case (one,):
            return Named(one)
    return OneOf(command.replies)
