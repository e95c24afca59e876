"""Starting sagas: typed input, one instance for each key."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from dsl.cel.errors import CelError
from dsl.cel.evaluate import CLOCK
from orchestrator.compile.plan import SagaPlan
from orchestrator.messaging.codec import CodecError, DecodeError, JsonCodec
from orchestrator.runtime.evaluation import Expressions
from orchestrator.runtime.versions import Served
from orchestrator.runtime.wire import SagaInput, workflow_id


class InputError(Exception):
    """Input that does not fit a saga; one sentence that names the parameter."""


class AlreadyStartedError(Exception):
    """An instance with this key ran or runs; `id` is its workflow id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"`{id}` was started before: a saga runs once for each key")
        self.id = id


def read_parameters(saga: SagaPlan, given: Any, codec: JsonCodec) -> dict[str, Any]:
    """Typed parameters from JSON: an object with a member for each parameter. Raises InputError."""
    names = [p.name for p in saga.parameters]
    wanted = f"`{saga.short}` takes an object with " + (
        ", ".join(f"`{n}`" for n in names) or "nothing"
    )
    if not isinstance(given, dict):
        raise InputError(f"{wanted}, not {type(given).__name__}")
    if extra := next((n for n in given if n not in names), None):
        raise InputError(f"{wanted}; there is no `{extra}`")
    found = {}
    for parameter in saga.parameters:
        try:
            found[parameter.name] = codec.from_wire(given.get(parameter.name), parameter.type)
        except DecodeError as error:
            raise InputError(f"input of `{saga.short}`: {error.under(parameter.name)}") from None
    return found


async def start_saga(
    client: Client,
    served: Served,
    saga: SagaPlan,
    parameters: dict[str, Any],
    cause: str | None = None,
) -> str:
    """Starts a saga with typed parameters and returns its workflow id.

    Raises AlreadyStartedError for a known key, InputError for parameters that have no key or
    cannot be sent, RPCError when Temporal refuses.
    """
    id = workflow_id(saga.short, key_of(saga, parameters, served.expressions))
    try:
        wire = {p.name: served.codec.to_wire(parameters[p.name], p.type) for p in saga.parameters}
    except CodecError as error:
        raise InputError(f"`{saga.short}`: {error}") from None
    try:
        await client.start_workflow(
            saga.name,
            SagaInput(wire, cause),
            id=id,
            task_queue=served.plan.module,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        raise AlreadyStartedError(id) from None
    return id


def key_of(saga: SagaPlan, parameters: dict[str, Any], expressions: Expressions) -> str:
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
