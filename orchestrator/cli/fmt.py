"""`orchestrate fmt`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsl.render import to_json, to_text
from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.options import Json
from orchestrator.cli.output import print_json
from orchestrator.cli.rewrite import rewrite

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic

_STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class _File:
    """A file's bytes, formatted and as they were, or why it was left alone."""

    path: Path
    before: bytes
    after: bytes
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        return self.before != self.after


@command
def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files, or folders of `.flow` files; `-` is standard input."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; name what would.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; show what would.")] = False,
    json: Json = False,
) -> None:
    """Writes flows in their one canonical form.

    Without a path, all that are below this folder. A file with a syntax error is left alone. The
    exit status is 1 when there is one, and with --check or --diff when something would change.
    """
    files = _formatted(paths or [Path()])
    dry = check or diff
    for file in files:
        if file.changed and not dry and file.path != _STDIN:
            rewrite(file.path, file.after)
    for diagnostic in (d for f in files if not json for d in f.diagnostics):
        typer.echo(to_text(diagnostic) + "\n", err=True)
    if json:
        print_json({"ok": _ok(files, dry), "files": [_as_json(f) for f in files]})
    elif diff:
        sys.stdout.writelines(line for f in files for line in _diff(f))
    elif files[0].path == _STDIN:
        sys.stdout.write("" if check or files[0].diagnostics else files[0].after.decode())
    else:
        _tell(files, check)
    if not _ok(files, dry):
        raise typer.Exit(1)


def _formatted(paths: list[Path]) -> list[_File]:
    from dsl.load import LARGEST, flow_files, read_bytes

    if _STDIN in paths:
        if len(paths) > 1:
            raise typer.BadParameter("`-` stands alone: name files, or give one on standard input")
        return [_one(_STDIN, sys.stdin.buffer.read(LARGEST + 1))]
    try:
        found = flow_files(paths)
    except FileNotFoundError as error:
        raise CommandError(str(error)) from None
    return [_one(path, read_bytes(path)) for path in found]


def _one(path: Path, data: bytes | Diagnostic) -> _File:
    from dsl.format import format
    from dsl.load import source_of
    from dsl.source import Source

    if not isinstance(data, bytes):
        return _File(path, b"", b"", (data,))
    source = source_of(data, "<stdin>" if path == _STDIN else path.as_posix())
    if not isinstance(source, Source):
        return _File(path, data, data, (source,))
    text, diagnostics = format(source)
    return _File(path, data, data if diagnostics else text.encode(), diagnostics)


def _ok(files: Sequence[_File], dry: bool) -> bool:
    return not any(f.diagnostics or (dry and f.changed) for f in files)


def _tell(files: Sequence[_File], check: bool) -> None:
    verb = "would be formatted" if check else "formatted"
    for file in files:
        if file.changed:
            typer.echo(f"{verb}: {file.path}")
    changed = sum(f.changed for f in files)
    failed = sum(bool(f.diagnostics) for f in files)
    counts = [(changed, verb), (len(files) - changed - failed, "already in form")]
    counts += [(failed, "left alone")] if failed else []
    typer.echo(", ".join(f"{n} file{'s' if n != 1 else ''} {what}" for n, what in counts))


def _diff(file: _File) -> Iterator[str]:
    before, after = (
        data.decode("utf-8", "replace").splitlines(keepends=True)
        for data in (file.before, file.after)
    )
    shown = str(file.path)
    for line in unified_diff(before, after, shown, shown):
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _as_json(file: _File) -> dict[str, Any]:
    return {
        "path": file.path.as_posix(),
        "changed": file.changed,
        "diagnostics": [to_json(d) for d in file.diagnostics],
    }
