"""The `orchestrate` program."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the program; exit status 0, 1 for an error, 2 for a wrong call, 130 for Ctrl-C."""
    try:
        # It takes a moment to load: Ctrl-C may come meanwhile.
        from orchestrator.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show a sign shows `?`: no reason to stop.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        app(prog_name="orchestrate")
    except KeyboardInterrupt:
        _leave(130)
    except SystemExit as end:
        if "temporalio" in sys.modules:
            _leave(end.code)
        raise


def _leave(code: str | int | None) -> None:
    """Ends the process at once. Temporal's core has threads of its own, which outlive the event
    loop; Python's way out has been seen to hang or to abort on them."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
