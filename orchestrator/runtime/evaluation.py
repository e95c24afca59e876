"""Expressions, payloads and commands of a running saga."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.evaluate import Compiled, compile_node
from dsl.cel.nodes import Node
from dsl.model import Place
from dsl.values import Struct
from orchestrator.compile.plan import CallPlan
from orchestrator.runtime.effects import Command, SagaFailed
from orchestrator.runtime.env import Env


class Expressions:
    """The compiled expressions of one plan, each compiled when it is first needed."""

    def __init__(self) -> None:
        self._compiled: dict[int, tuple[Node, Compiled]] = {}

    def evaluate(self, node: Node, env: Mapping[str, Any]) -> Any:
        """The value of an expression. Raises CelError."""
        # The node is kept beside its code: an id is only its own while it lives.
        found = self._compiled.get(id(node))
        if found is None:
            found = self._compiled[id(node)] = (node, compile_node(node))
        return found[1](env)

    def value(self, node: Node, env: Mapping[str, Any], place: Place) -> Any:
        """The value of a saga's expression. Raises SagaFailed, naming the place."""
        try:
            return self.evaluate(node, env)
        except CelError as error:
            raise SagaFailed(f"{place.file}:{place.line}: {error}") from None

    def payload(
        self, type: str, arguments: Mapping[str, Node], env: Mapping[str, Any], place: Place
    ) -> Struct:
        """A message with the values of its arguments. Raises SagaFailed."""
        return Struct(type, {n: self.value(e, env, place) for n, e in arguments.items()})

    def command(self, path: str, call: CallPlan, env: Env, place: Place) -> Command:
        """A command that is sent from this turn of the loops around it. Raises SagaFailed."""
        arguments = self.payload(call.command, call.arguments, env, place)
        return Command(f"{path}{env.turn}", call.command, arguments, call.policy, call.callee)
