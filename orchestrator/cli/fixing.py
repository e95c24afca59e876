"""Checks flows and puts right what can be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.flows import read_flows
from orchestrator.cli.rewrite import rewrite

if TYPE_CHECKING:
    from dsl.diagnostic import Diagnostic
    from dsl.load import Loaded

#: How often at most: each time the fixes of the time before may have shown more.
_ROUNDS = 20
_MARK = b"\xef\xbb\xbf"


def fix_flows(paths: Sequence[Path]) -> tuple[Loaded, list[Diagnostic]]:
    """Takes the fixes for some files and folders, writes them, and checks again, until there are
    none; gives what is left, and what was fixed. What was only found for an import is not
    changed."""
    from dsl.fix import fixed
    from dsl.load import flow_files

    loaded = read_flows(paths)
    asked = {path.as_posix(): path for path in flow_files(paths)}
    taken: list[Diagnostic] = []
    for _ in range(_ROUNDS):
        outcome = fixed(loaded.diagnostics, asked)
        if not outcome.taken:
            break
        for shown, text in outcome.texts.items():
            path = asked[shown]
            mark = _MARK if path.read_bytes().startswith(_MARK) else b""
            rewrite(path, mark + text.encode())
        taken += outcome.taken
        loaded = read_flows(paths)
    return loaded, taken
