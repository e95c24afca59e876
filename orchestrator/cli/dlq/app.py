"""The commands of `orchestrate dlq`."""

from __future__ import annotations

import typer

from orchestrator.cli.dlq import discard, edit, list, redrive, show

dlq = typer.Typer(
    name="dlq",
    help="Dead letters: messages and steps that were given up, for a person to decide on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

for _name, _command, _example in (
    ("list", list.list_letters, "orchestrate dlq list --since 2h"),
    ("show", show.show_letter, "orchestrate dlq show 17"),
    ("redrive", redrive.redrive, "orchestrate dlq redrive --error ConnectionError --rate 20"),
    ("edit", edit.edit, "orchestrate dlq edit 17 --data @body.json"),
    ("discard", discard.discard, "orchestrate dlq discard 17 --reason 'a test order'"),
):
    dlq.command(_name, epilog=f"Example: {_example}")(_command)
