"""A module's versions as Temporal worker-deployment versions: build id = content hash."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

_ATTEMPTS = 3


def deployment_name(module: str) -> str:
    """The worker deployment of a module; the server forbids dots in names."""
    return module.replace(".", "-")


async def set_current_version(client: Client, module: str, version: str) -> None:
    """New sagas of the module run this version, also when no worker polls for it yet. Raises
    RPCError."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=deployment_name(module),
        build_id=version,
        identity=client.identity,
        ignore_missing_task_queues=True,
        allow_no_pollers=True,
    )
    for left in reversed(range(_ATTEMPTS)):
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
            return
        except RPCError as error:
            # A server that is short of time cancels its own work.
            if error.status is not RPCStatusCode.CANCELLED or not left:
                raise
