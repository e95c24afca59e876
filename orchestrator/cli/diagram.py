"""`orchestrate diagram`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.flows import load_flows


class Picture(StrEnum):
    """The forms of a diagram."""

    SVG = "svg"
    PNG = "png"
    DOT = "dot"


@command
def diagram(
    flow: Annotated[Path, typer.Argument(help="A `.flow` file, or a folder of them.")],
    format: Annotated[Picture, typer.Option(help="The picture's form.")] = Picture.SVG,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; else standard output.")
    ] = None,
    saga: Annotated[str | None, typer.Option(help="Only this saga.")] = None,
) -> None:
    """Draws sagas: the way forward, and what is undone from where."""
    loaded = load_flows([flow])
    assert loaded.program
    from orchestrator.diagrams import dot, dot_program, render

    if format is Picture.PNG and output is None and sys.stdout.isatty():
        raise CommandError("a PNG is not for a terminal: name a file with --output")
    sagas = [s for m in loaded.asked for s in loaded.program.modules[m].sagas]
    chosen = [s for s in sagas if saga is None or saga in (s.name, s.name.rpartition(".")[2])]
    if not chosen:
        what = f"no saga `{saga}`" if saga else "no saga"
        known = ", ".join(f"`{s.name.rpartition('.')[2]}`" for s in sagas)
        raise CommandError(f"{flow} declares {what}" + (f", it declares {known}" if known else ""))
    if len(chosen) == 1:
        text = dot(chosen[0], loaded.program)
    else:
        text = dot_program(loaded.program, loaded.asked)
    picture = render(text, format.value)
    if output is not None:
        try:
            output.write_bytes(picture)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}") from None
        typer.echo(f"wrote {output}", err=True)
    else:
        sys.stdout.buffer.write(picture)
