"""Loading flows for a command, with what is wrong with them printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.cli.errors import CommandError

if TYPE_CHECKING:
    from dsl.load import Loaded


def read_flows(paths: Sequence[Path]) -> Loaded:
    """What was found in some files and folders. Raises CommandError where there is none."""
    from dsl.load import load

    try:
        return load(list(paths))
    except FileNotFoundError as error:
        raise CommandError(str(error)) from None


def load_flows(paths: Sequence[Path]) -> Loaded:
    """The checked program of some files and folders; findings go to standard error, and an error
    among them ends the command with exit status 1."""
    from dsl.render import summary, to_text

    loaded = read_flows(paths)
    for diagnostic in loaded.diagnostics:
        typer.echo(to_text(diagnostic) + "\n", err=True)
    if loaded.program is None:
        typer.echo(f"error: {summary(loaded.diagnostics)}, nothing done", err=True)
        raise typer.Exit(1)
    return loaded
