"""`orchestrate lsp`."""

from __future__ import annotations

import os
import signal
import sys

import typer

from orchestrator.cli.errors import command


@command
def lsp() -> None:
    """Serves an editor that speaks the Language Server Protocol.

    An editor starts it, and talks over standard input and output; docs/editors says how to tell it
    to. Nothing else may be printed here, the log goes to standard error.
    """
    from orchestrator.lsp.server import serve

    # What waits for the editor's next message is a thread, which asyncio would wait for in turn.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if sys.stdin.isatty():
        typer.echo("this waits for an editor, which starts it by itself; Ctrl-C ends it", err=True)
    raise typer.Exit(serve())
