"""`orchestrate dev`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.errors import command
from orchestrator.cli.flows import load_flows


@command
async def dev(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, or folders of `.flow` files.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help='A file of sagas to run: {"saga": …, "inputs": [{…}, …]}.'),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when the sagas of --run have ended.")
    ] = False,
    require_kafka: Annotated[
        bool, typer.Option("--require-kafka", help="Fail where Kafka cannot be had.")
    ] = False,
) -> None:
    """Runs flows and their services, with servers of its own.

    It starts the embedded servers, deploys the flows and serves them. Services are those of the
    `services.py` beside the flows. Ctrl-C stops all that was started: the exit status is 0 when it
    was up, 130 while it still starts or runs the sagas of --run. A second Ctrl-C does not wait for
    what is under way.
    """
    if once and run is None:
        raise typer.BadParameter("--once needs --run, whose sagas it waits for")
    loaded = load_flows(paths) if paths else None
    from orchestrator.cli.devrun import DevRun
    from orchestrator.cli.signals import stop_event

    prepared = DevRun(loaded, run, once=once, require_kafka=require_kafka)
    await prepared.run(stop_event())
