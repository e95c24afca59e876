"""How a command can end without a reply, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.model import ActivityModel, wire_type
from dsl.types import Named
from dsl.values import Struct
from orchestrator.compile.plan import PolicyPlan
from orchestrator.messaging.codec import CodecError, JsonCodec
from orchestrator.runtime.effects import CommandFailed, Reason, SagaFailed


def declared(failure: Struct, key: str) -> CommandFailed:
    """A failure that the command declares; `key` is its field that the saga knows anyway."""
    inside = ", ".join(
        f'{k}: "{v}"' if isinstance(v, str) else f"{k}: {v}" for k, v in failure.items() if k != key
    )
    text = f"{failure.type.rpartition('.')[2]}({inside})"
    return CommandFailed(Reason.DECLARED, text, failure)


def unanswered(policy: PolicyPlan) -> CommandFailed:
    """The last attempt had no answer in time."""
    text = f"no answer within {policy.timeout:g}s in {_attempts(policy)}"
    return CommandFailed(Reason.TIMEOUT, text)


def exhausted(why: object, policy: PolicyPlan) -> CommandFailed:
    """All attempts failed, the last one as `why` says."""
    return CommandFailed(Reason.EXHAUSTED, f"{why}, in {_attempts(policy)}")


def unusable(command: str, problem: object) -> CommandFailed:
    """An answer that is none of the contract's; `command` is the qualified name."""
    service = wire_type(command).partition(".")[0]
    text = f"`{service}` sent an answer not to be used: {problem}"
    return CommandFailed(Reason.INVALID, text)


def payload_to_send(payload: Struct, codec: JsonCodec) -> Any:
    """A message in wire form. Raises SagaFailed for one that breaks its own contract."""
    try:
        return codec.to_wire(payload, Named(payload.type))
    except CodecError as error:
        raise SagaFailed(f"`{wire_type(payload.type)}` cannot be sent: {error}") from None


def arguments_to_send(
    activity: ActivityModel, arguments: Mapping[str, Any], codec: JsonCodec
) -> dict[str, Any]:
    """What a function is given, in wire form. Raises SagaFailed for what has none."""
    short = activity.name.rpartition(".")[2]
    wire = {}
    for parameter in activity.parameters:
        try:
            wire[parameter.name] = codec.to_wire(arguments[parameter.name], parameter.type)
        except CodecError as error:
            raise SagaFailed(f"`{short}({parameter.name})` cannot be sent: {error}") from None
    return wire


def _attempts(policy: PolicyPlan) -> str:
    return "1 attempt" if policy.attempts == 1 else f"{policy.attempts} attempts"
