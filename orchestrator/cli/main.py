"""The `orchestrate` program."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import NoReturn

import typer

from orchestrator.cli import (
    cancel,
    check,
    deploy,
    dev,
    diagram,
    fmt,
    listing,
    lsp,
    query,
    resolve,
    service,
    show,
    signal,
    start,
    test,
    update,
    worker,
)
from orchestrator.cli import eval as evaluate

app = typer.Typer(
    name="orchestrate",
    help="A declarative saga orchestrator: .flow files run on Temporal and Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _name, _command, _example in (
    ("check", check.check, "orchestrate check flows/orders"),
    ("fmt", fmt.fmt, "orchestrate fmt flows --check"),
    ("test", test.test, "orchestrate test flows -k 'card and not limit'"),
    ("deploy", deploy.deploy, "orchestrate deploy flows/orders"),
    ("dev", dev.dev, "orchestrate dev flows/orders --run flows/orders/orders.json"),
    ("worker", worker.worker, "orchestrate worker"),
    ("service", service.service, "orchestrate service flows/orders/services.py --only payments"),
    ("start", start.start, "orchestrate start PlaceOrder --input @order.json --wait"),
    ("list", listing.list_sagas, "orchestrate list --status failed"),
    ("show", show.show, "orchestrate show PlaceOrder/42"),
    ("cancel", cancel.cancel, "orchestrate cancel PlaceOrder/42 --wait"),
    ("resolve", resolve.resolve, "orchestrate resolve PlaceOrder/42 --retry"),
    ("lsp", lsp.lsp, "orchestrate lsp"),
    (
        "signal",
        signal.signal,
        """orchestrate signal PlaceOrder/42 Approve --input '{"by": "ada", "granted": true}'""",
    ),
    ("query", query.query, "orchestrate query PlaceOrder/42 state"),
    ("update", update.update, "orchestrate update PlaceOrder/42 Reprice --input @price.json"),
    ("diagram", diagram.diagram, "orchestrate diagram flows/orders --format svg -o order.svg"),
):
    app.command(_name, epilog=f"Example: {_example}")(_command)

app.command(
    "eval",
    cls=evaluate.ExpressionCommand,
    epilog="""Example: orchestrate eval 'order.lines.map(l, l.price).sum()' --vars @order.json""",
)(evaluate.eval_expression)


def main() -> None:
    """Runs the program; exit status 0, 1 for an error, 2 for a wrong call, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign shows `?`: no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="orchestrate")
    except SystemExit as end:
        if "temporalio" in sys.modules:
            _leave(end.code)
        raise


def _leave(code: str | int | None) -> NoReturn:
    """Ends the process at once. Temporal's core has threads of its own, which outlive the event
    loop; Python's way out has been seen to hang or to abort on them."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
