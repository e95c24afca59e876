"""The commands of `orchestrate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

#: Where each command is, as `module:function` of this package, or `module:typer` for one that has
#: commands of its own, and an example of it. A module may have a class `Command` for its own.
COMMANDS = {
    "check": ("check:check", "orchestrate check flows/orders"),
    "fmt": ("fmt:fmt", "orchestrate fmt flows --check"),
    "test": ("test:test", "orchestrate test flows -k 'card and not limit'"),
    "diagram": (
        "diagram:diagram",
        "orchestrate diagram flows/orders --format svg -o order.svg",
    ),
    "deploy": ("deploy:deploy", "orchestrate deploy flows/orders"),
    "dev": ("dev:dev", "orchestrate dev flows/orders --run flows/orders/orders.json"),
    "worker": ("worker:worker", "orchestrate worker"),
    "service": (
        "service:service",
        "orchestrate service flows/orders/services.py --only payments",
    ),
    "start": ("start:start", "orchestrate start PlaceOrder --input @order.json --wait"),
    "list": ("listing:list_sagas", "orchestrate list --status failed"),
    "show": ("show:show", "orchestrate show PlaceOrder/42"),
    "signal": (
        "signal:signal",
        """orchestrate signal PlaceOrder/42 Approve --input '{"by": "ada", "granted": true}'""",
    ),
    "query": ("query:query", "orchestrate query PlaceOrder/42 state"),
    "update": ("update:update", "orchestrate update PlaceOrder/42 Reprice --input @price.json"),
    "cancel": ("cancel:cancel", "orchestrate cancel PlaceOrder/42 --wait"),
    "resolve": ("resolve:resolve", "orchestrate resolve PlaceOrder/42 --retry"),
    "unclaimed": ("unclaimed:unclaimed_events", "orchestrate unclaimed --saga PlaceOrder"),
    "dlq": ("dlq.app:dlq", "orchestrate dlq redrive --error ConnectionError --rate 20"),
    "lag": ("lag:lag", "orchestrate lag --watch"),
    "sequences": (
        "sequences:sequences",
        "orchestrate sequences skip carrier.Scanned p1",
    ),
    "lsp": ("lsp:lsp", "orchestrate lsp"),
    "eval": (
        "eval:eval_expression",
        "orchestrate eval 'order.lines.map(l, l.price).sum()' --vars @order.json",
    ),
}


class Commands(Mapping[str, Any]):
    """The commands by name, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        place, example = COMMANDS[name]
        module, _, function = place.partition(":")
        try:
            found = import_module(f"orchestrator.cli.{module}")
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        made = getattr(found, function)
        if isinstance(made, typer.Typer):
            group = typer.main.get_group(made)
            group.name, group.epilog = name, f"Example: {example}"
            return group
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(
            name, cls=getattr(found, "Command", TyperCommand), epilog=f"Example: {example}"
        )(made)
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Program(TyperGroup):
    """Loads the command that is asked for alone, and all of them for its help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands' names, in the order of the help."""
        return list(self.commands)


app = typer.Typer(
    name="orchestrate",
    cls=Program,
    help="A declarative saga orchestrator: .flow files run on Temporal and Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

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
