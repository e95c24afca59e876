"""Starting sagas: typed input, one instance for each key."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from orchestrator.compile.plan import SagaPlan
from orchestrator.messaging.codec import DecodeError, JsonCodec
from orchestrator.runtime.signature import InputError, key_of, wire_of
from orchestrator.runtime.versions import Served
from orchestrator.runtime.wire import SagaInput, workflow_id


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
    events: int | None = None,
) -> str:
    """Starts a saga with typed parameters and returns its workflow id. A long loop goes on in a new
    run after so many history `events`; without a number when Temporal says so.

    Raises AlreadyStartedError for a known key, InputError for parameters that have no key or
    cannot be sent, RPCError when Temporal refuses.
    """
    id = workflow_id(saga.short, key_of(saga, parameters, served.expressions))
    wire = wire_of(saga, parameters, served.codec)
    try:
        await client.start_workflow(
            saga.name,
            SagaInput(wire, cause, events=events),
            id=id,
            task_queue=served.plan.module,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        raise AlreadyStartedError(id) from None
    return id
