"""`orchestrate test`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.flows import load_flows
from orchestrator.cli.options import Json
from orchestrator.cli.output import console, line, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from dsl.load import Loaded
    from orchestrator.testing.verdict import Verdict


@command
def test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files, or folders of `.flow` files. Default: this folder."),
    ] = None,
    k: Annotated[
        str,
        typer.Option("-k", metavar="EXPR", help="Only what holds these words: `card and not x`."),
    ] = "",
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a report for CI as XML.")
    ] = None,
    json: Json = False,
) -> None:
    """Runs the scenarios of flows, without any server.

    They run in virtual time. The exit status is 1 when one fails.
    """
    places = paths or [Path()]
    loaded = load_flows(places)
    out = console()
    verdicts: list[tuple[Verdict, float]] = []
    for verdict, seconds in _verdicts(loaded, k):
        verdicts.append((verdict, seconds))
        if not json:
            _print(verdict, out)
    if not verdicts:
        what = f"no scenario holds `{k}`" if k else "no scenario"
        raise CommandError(f"{what} in {', '.join(map(str, places))}")
    if junit:
        from orchestrator.cli.junit import write_junit

        write_junit(verdicts, junit)
    failed = sum(not v.ok for v, _ in verdicts)
    if json:
        _print_json(verdicts, failed)
    else:
        took = sum(s for _, s in verdicts)
        line(out, f"{_counted(len(verdicts), failed)} in {took * 1000:.0f} ms")
    if failed:
        raise typer.Exit(1)


def _verdicts(loaded: Loaded, k: str) -> Iterator[tuple[Verdict, float]]:
    """Each verdict with the seconds that it took."""
    from orchestrator.cli.choosing import chooser
    from orchestrator.testing.scenarios import run_scenarios

    assert loaded.program
    fits = chooser(k)
    verdicts = run_scenarios(
        loaded.program, loaded.asked, lambda s: fits(f"{s.place.file} {s.run.saga} {s.title}")
    )
    began = time.perf_counter()
    for verdict in verdicts:
        yield verdict, time.perf_counter() - began
        began = time.perf_counter()


def _print(verdict: Verdict, out: Console) -> None:
    from orchestrator.cli.verdicts import headline, side_by_side
    from orchestrator.testing.verdict import ending
    from orchestrator.testing.words import elapsed

    if verdict.ok:
        line(out, f"✓ {headline(verdict)} ({elapsed(verdict.course.at)})", "green")
        return
    line(out, f"✗ {headline(verdict)}", "bold red")
    if verdict.checks:
        out.print(side_by_side(verdict))
        line(out, "")
    else:
        line(out, f"  {ending(verdict.course)}")


def _print_json(verdicts: Sequence[tuple[Verdict, float]], failed: int) -> None:
    from orchestrator.cli.verdicts import as_json

    scenarios = [as_json(v) for v, _ in verdicts]
    print_json(
        {
            "ok": not failed,
            "passed": len(verdicts) - failed,
            "failed": failed,
            "scenarios": scenarios,
        }
    )


def _counted(all: int, failed: int) -> str:
    passed = f"{all - failed} passed"
    return f"{passed}, {failed} failed" if failed else passed
