"""The commands of `orchestrate`."""

from __future__ import annotations

from typing import Annotated

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
    unclaimed,
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


def _print_version(asked: bool) -> None:
    from importlib.metadata import version

    if asked:
        typer.echo(f"orchestrate {version('orchestrate')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which one."),
    ] = False,
) -> None:
    pass


for _name, _command, _example in (
    ("check", check.check, "orchestrate check flows/orders"),
    ("fmt", fmt.fmt, "orchestrate fmt flows --check"),
    ("test", test.test, "orchestrate test flows -k 'card and not limit'"),
    ("diagram", diagram.diagram, "orchestrate diagram flows/orders --format svg -o order.svg"),
    ("deploy", deploy.deploy, "orchestrate deploy flows/orders"),
    ("dev", dev.dev, "orchestrate dev flows/orders --run flows/orders/orders.json"),
    ("worker", worker.worker, "orchestrate worker"),
    ("service", service.service, "orchestrate service flows/orders/services.py --only payments"),
    ("start", start.start, "orchestrate start PlaceOrder --input @order.json --wait"),
    ("list", listing.list_sagas, "orchestrate list --status failed"),
    ("show", show.show, "orchestrate show PlaceOrder/42"),
    (
        "signal",
        signal.signal,
        """orchestrate signal PlaceOrder/42 Approve --input '{"by": "ada", "granted": true}'""",
    ),
    ("query", query.query, "orchestrate query PlaceOrder/42 state"),
    ("update", update.update, "orchestrate update PlaceOrder/42 Reprice --input @price.json"),
    ("cancel", cancel.cancel, "orchestrate cancel PlaceOrder/42 --wait"),
    ("resolve", resolve.resolve, "orchestrate resolve PlaceOrder/42 --retry"),
    ("unclaimed", unclaimed.unclaimed_events, "orchestrate unclaimed --saga PlaceOrder"),
    ("lsp", lsp.lsp, "orchestrate lsp"),
):
    app.command(_name, epilog=f"Example: {_example}")(_command)

app.command(
    "eval",
    cls=evaluate.ExpressionCommand,
    epilog="""Example: orchestrate eval 'order.lines.map(l, l.price).sum()' --vars @order.json""",
)(evaluate.eval_expression)
