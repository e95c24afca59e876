"""Everything in a workspace that stands for one declaration."""

from __future__ import annotations

from dsl.editor.declared import Declared
from dsl.editor.occurrences import Occurrence
from dsl.editor.workspace import Workspace


def references(workspace: Workspace, target: Declared) -> list[Occurrence]:
    """All places of a declaration's name, the declaration itself included, file by file."""
    last = target.name.rpartition(".")[2]
    found: list[Occurrence] = []
    for path in _places(workspace, target):
        source = workspace.source(path)
        # Only a file with the word in it is worth an analysis.
        analysis = workspace.analysis(path) if source and last in source.text else None
        if analysis:
            found += analysis.index.of(target)
    return found


def _places(workspace: Workspace, target: Declared) -> list[str]:
    """Where the name may stand: a value's in its own file alone."""
    home = target.at.source.path
    if not target.qualified:
        return [home]
    return list(dict.fromkeys((home, *workspace.files())))
