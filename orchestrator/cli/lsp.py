"""`orchestrate lsp`."""

from __future__ import annotations

import typer

from orchestrator.cli.errors import command


@command
def lsp() -> None:
    """Serves an editor that speaks the Language Server Protocol.

    An editor starts it, and talks over standard input and output; docs/editors says how to tell it
    to. Nothing else may be printed here, the log goes to standard error.
    """
    from orchestrator.lsp.server import serve

    raise typer.Exit(serve())
