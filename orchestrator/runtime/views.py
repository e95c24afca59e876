"""What a running saga answers, and lets itself be changed to, from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dsl.cel.errors import NO_SUCH_NAME, CelError
from dsl.cel.evaluate import CLOCK
from dsl.cel.nodes import Node
from dsl.types import Named, Optional
from orchestrator.compile.plan import QueryPlan, UpdatePlan
from orchestrator.messaging.codec import CodecError, DecodeError, JsonCodec
from orchestrator.runtime.env import Env
from orchestrator.runtime.evaluation import Expressions

Clock = Callable[[], datetime]


class RefusedError(Exception):
    """A query that has no answer yet, or an update that is not to be made; one sentence."""


class Views:
    """The queries and updates of one run, over the names of the saga's outermost block."""

    def __init__(self, names: Env, codec: JsonCodec, expressions: Expressions) -> None:
        self._names = names
        self._codec = codec
        self._expressions = expressions

    def answer(self, query: QueryPlan, clock: Clock) -> Any:
        """A query's answer in wire form; null for an optional one that reads a name that is not set
        yet. Raises RefusedError."""
        env = self._seen(clock)
        try:
            value = self._expressions.evaluate(query.value, env)
        except CelError as error:
            if error.kind == NO_SUCH_NAME and isinstance(query.type, Optional):
                return None
            raise RefusedError(f"`{query.name}` has no answer: {_reason(error)}") from None
        try:
            return self._codec.to_wire(value, query.type)
        except CodecError as error:
            raise RefusedError(f"`{query.name}` has no answer: {error}") from None

    def judge(self, update: UpdatePlan, given: Any, clock: Clock) -> dict[str, Any]:
        """The variables that an update sets, with their new values; nothing is changed yet. Raises
        RefusedError."""
        env = self._seen(clock)
        try:
            env.update(self._codec.from_wire(given, Named(update.record)))
        except DecodeError as error:
            raise RefusedError(f"input of `{update.name}`: {error}") from None
        if update.condition and self._value(update, update.condition, env) is not True:
            raise RefusedError(f"`{update.name}` is refused: `{update.text}` does not hold")
        new: dict[str, Any] = {}
        for part in update.sets:
            if part.name not in self._names:
                raise RefusedError(f"`{update.name}` is refused: `{part.name}` is not set yet")
            env[part.name] = new[part.name] = self._value(update, part.value, env)
        return new

    def change(self, update: UpdatePlan, given: Any, clock: Clock) -> None:
        """Makes an update. Raises RefusedError, and then nothing is changed."""
        for name, value in self.judge(update, given, clock).items():
            self._names.assign(name, value)

    def _seen(self, clock: Clock) -> Env:
        """The saga's names under a clock of this question's own: reading the saga's leaves a trace
        in its history."""
        env = Env(self._names)
        env[CLOCK] = clock
        return env

    def _value(self, update: UpdatePlan, node: Node, env: Env) -> Any:
        try:
            return self._expressions.evaluate(node, env)
        except CelError as error:
            raise RefusedError(f"`{update.name}` is refused: {_reason(error)}") from None


def _reason(error: CelError) -> str:
    return f"`{error.detail}` is not set yet" if error.kind == NO_SUCH_NAME else str(error)
