"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Environment = Annotated[
    str | None,
    typer.Option("--env", help="An environment of orchestrate.toml; `local` without one."),
]
HealthPort = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        min=0,
        max=65535,
        help="Serve /live, /ready and /metrics on this port of the loopback interface.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Input = Annotated[str, typer.Option("--input", "-i", help="Its fields: JSON, `@file`, or `-`.")]
OnceId = Annotated[
    str | None, typer.Option("--id", help="Sent again under this id it counts once.")
]
InstanceId = Annotated[
    str, typer.Argument(metavar="ID", help="A saga's instance: `Saga/key`, as `list` shows it.")
]
