"""What a saga takes and what it gives, in wire form and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.compile.plan import SagaPlan
from orchestrator.messaging.codec import CodecError, JsonCodec
from orchestrator.runtime.effects import SagaFailed


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
