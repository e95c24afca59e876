"""`orchestrate eval`."""

from __future__ import annotations

import contextlib
import json as json_module
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from orchestrator.cli.errors import CommandError, command
from orchestrator.cli.jsontext import read_json_option
from orchestrator.cli.options import Json

if TYPE_CHECKING:
    from dsl.cel.session import Outcome

_OPTION = re.compile(r"-|-h|--|--[a-z][a-z-]*(?:=.*)?", re.DOTALL)


class Command(TyperCommand):
    """Takes an argument such as `-1 + 2` for the expression that it is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts what only looks like options behind a `--`."""
        negative = [a for a in args if a.startswith("-") and not _OPTION.fullmatch(a)]
        if negative and "--" not in args:
            args = [*(a for a in args if a not in negative), "--", *negative]
        return super().parse_args(ctx, args)


@command
def eval_expression(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="Without one: what is typed, until Ctrl-D.")
    ] = None,
    vars: Annotated[
        str, typer.Option("--vars", help="The variables: a JSON object, `@file`, or `-`.")
    ] = "{}",
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read lines `{"expr": …, "vars": {…}}` from stdin.')
    ] = False,
    check: Annotated[
        bool | None,
        typer.Option(
            "--check/--no-check", help="Type it first, as in a flow. Default: unless --jsonl."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Evaluates an expression: its value and type, or the error.

    Without one, what is typed is evaluated, until Ctrl-D.
    """
    if jsonl and expression is not None:
        raise typer.BadParameter("with --jsonl the expressions come from standard input")
    if vars == "-" and expression is None:
        raise typer.BadParameter("--vars - needs an expression: the lines are standard input")
    given = _variables(read_json_option(vars, "--vars"))
    checked = not jsonl if check is None else check
    if jsonl:
        for line in sys.stdin.buffer:
            _print(_json(_answer(line, given, checked)))
    elif expression is None:
        for line in _typed_lines():
            with contextlib.suppress(KeyboardInterrupt):
                _show(_evaluate(line, given, checked), json)
    elif not _show(_evaluate(expression, given, checked), json):
        raise typer.Exit(1)


def _variables(data: Any) -> dict[str, Any]:
    from dsl.cel.errors import CelError
    from dsl.cel.session import read_variables

    try:
        return read_variables(data)
    except CelError as error:
        raise CommandError(str(error)) from None


def _evaluate(text: str, variables: Mapping[str, Any], checked: bool) -> Outcome:
    from dsl.cel.session import evaluate

    return evaluate(text, variables, checked=checked, now=datetime.now(UTC))


def _show(outcome: Outcome, json: bool) -> bool:
    """Prints an outcome; gives whether it is a value."""
    from dsl.cel.session import as_json
    from dsl.render import to_text

    found = as_json(outcome)
    if json:
        _print(_json(found))
    elif "error" not in found:
        _print(f"{_json(found['value'])} : {found['type']}")
    else:
        reports = [to_text(d) for d in getattr(outcome, "diagnostics", ())]
        typer.echo("\n\n".join(reports) or f"error: {found['error']}", err=True)
    return "error" not in found


def _answer(line: bytes, common: Mapping[str, Any], checked: bool) -> dict[str, Any]:
    """What one line of JSON gets for an answer, whatever is in it."""
    from dsl.cel.session import as_json

    try:
        text, given = _request(line)
        return as_json(_evaluate(text, {**common, **_variables(given)}, checked))
    except CommandError as error:
        return {"error": str(error)}


def _request(line: bytes) -> tuple[str, Any]:
    from orchestrator.cli.jsontext import read_json_bytes

    request = read_json_bytes(line.strip(), "the line")
    if not isinstance(request, dict) or not isinstance(request.get("expr"), str):
        raise CommandError('the line is not an object with a string "expr"')
    given = request.get("vars")
    return request["expr"], {} if given is None else given


def _typed_lines() -> Iterator[str]:
    """What a person types, or the lines of a pipe. A person's expression that is not complete goes
    on in the next line, until an empty one; Ctrl-C forgets what is at hand."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives `input` its history and its keys
    typed = sys.stdin.isatty()
    text = ""
    while True:
        try:
            line = input(("... " if text else "> ") if typed else "")
        except KeyboardInterrupt:
            _print("")
            text = ""
            continue
        except EOFError:
            if typed:
                _print("")
            line = None
        except UnicodeDecodeError:
            typer.echo("error: standard input is not UTF-8", err=True)
            return
        whole = f"{text}\n{line}" if text else line or ""
        if typed and line and line.strip() and _goes_on(whole):
            text = whole
            continue
        text = ""
        if whole.strip():
            yield whole
        if line is None:
            return


def _goes_on(text: str) -> bool:
    from dsl.parse import goes_on

    return goes_on(text)


def _json(value: Any) -> str:
    return json_module.dumps(value, ensure_ascii=False, allow_nan=False)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
