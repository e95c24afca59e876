"""What a saga takes and what it gives, in wire form and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.cel.errors import CelError
from dsl.cel.evaluate import CLOCK
from orchestrator.compile.plan import SagaPlan
from orchestrator.messaging.codec import CodecError, JsonCodec
from orchestrator.runtime.effects import SagaFailed
from orchestrator.runtime.evaluation import Expressions


class InputError(Exception):
    """Input that does not fit a saga; one sentence that names the parameter."""


def key_of(saga: SagaPlan, parameters: Mapping[str, Any], expressions: Expressions) -> str:
    """The key of an instance, as text. Raises InputError."""
    try:
        key = str(expressions.evaluate(saga.key, {**parameters, CLOCK: _no_clock}))
    except CelError as error:
        raise InputError(f"`{saga.short}` has no key for this input: {error}") from None
    if not key:
        raise InputError(f"`{saga.short}` has an empty key for this input")
    return key


def _no_clock() -> Any:
    raise CelError("invalid argument", "a key cannot depend on the time")


def wire_of(saga: SagaPlan, parameters: Mapping[str, Any], codec: JsonCodec) -> dict[str, Any]:
    """The parameters as they are sent to a start. Raises InputError."""
    try:
        return {p.name: codec.to_wire(parameters[p.name], p.type) for p in saga.parameters}
    except CodecError as error:
        raise InputError(f"`{saga.short}`: {error}") from None


def parameters_of(saga: SagaPlan, given: Mapping[str, Any], codec: JsonCodec) -> dict[str, Any]:
    """The parameters of a start. Raises SagaFailed for what cannot be them."""
    try:
        return {p.name: codec.from_wire(given.get(p.name), p.type) for p in saga.parameters}
    except CodecError as error:
        raise SagaFailed(f"input of `{saga.short}`: {error}") from None


def result_of(saga: SagaPlan, value: Any, codec: JsonCodec) -> Any:
    """A saga's result for those who wait for it; None of one that has none. Raises SagaFailed."""
    if saga.result is None:
        return None
    try:
        return codec.to_wire(value, saga.result)
    except CodecError as error:
        raise SagaFailed(f"result of `{saga.short}`: {error}") from None
