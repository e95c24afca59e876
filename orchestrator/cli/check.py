"""`orchestrate check`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.errors import command
from orchestrator.cli.flows import read_flows
from orchestrator.cli.output import console, print_json

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic
    from dsl.load import Loaded


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@command
def check(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of `.flow` files.")],
    format: Annotated[Format, typer.Option(help="How findings are printed.")] = Format.TEXT,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Put right in the files what can be.")] = False,
    budget: Annotated[
        bool, typer.Option("--budget", help="Also say what each saga takes, best to worst.")
    ] = False,
) -> None:
    """Checks flows without running anything. The exit status is 1 when there are errors."""
    from dsl.diagnostic import has_errors
    from dsl.render import summary, to_change, to_json, to_text

    fixed: list[Diagnostic] = []
    if fix:
        from orchestrator.cli.fixing import fix_flows

        loaded, fixed = fix_flows(paths)
    else:
        loaded = read_flows(paths)
    if format is Format.SARIF and not json:
        from dsl.render_ci import to_sarif

        print_json(to_sarif(loaded.diagnostics))
    elif format is Format.GITHUB and not json:
        from dsl.render_ci import to_github

        for diagnostic in loaded.diagnostics:
            typer.echo(to_github(diagnostic))
    elif json or format is Format.JSON:
        document: dict[str, Any] = {
            "ok": not has_errors(loaded.diagnostics),
            "modules": list(loaded.asked),
            "diagnostics": [to_json(d) for d in loaded.diagnostics],
            "fixed": [to_json(d) for d in fixed],
        }
        if budget:
            document["budgets"] = _budgets_json(loaded)
        print_json(document)
    else:
        for diagnostic in fixed:
            typer.echo(f"fixed[{diagnostic.code}]: {diagnostic.at}: {diagnostic.message}")
            for edit in diagnostic.fix:
                typer.echo(f"  {to_change(edit)}")
        for diagnostic in loaded.diagnostics:
            typer.echo(to_text(diagnostic) + "\n")
        files = len(loaded.sources)
        found = summary(loaded.diagnostics) or "no findings"
        if fixable := sum(bool(d.fix) for d in loaded.diagnostics):
            found += f" (--fix puts {fixable} right)"
        typer.echo(f"checked {files} file{'s' if files != 1 else ''}: {found}")
        if budget:
            _print_budgets(loaded)
    if has_errors(loaded.diagnostics):
        raise typer.Exit(1)


def _budgets_json(loaded: Loaded) -> list[dict[str, Any]]:
    from orchestrator.cli import budgets

    return budgets.to_json(budgets.asked(loaded))


def _print_budgets(loaded: Loaded) -> None:
    from orchestrator.cli import budgets

    if found := budgets.asked(loaded):
        console().print(budgets.table(found))
        for line in budgets.unbounded(found):
            typer.echo(line)
