"""Gives a declaration another name, wherever it stands; refused where that would change what
anything means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from dsl.diagnostic import Diagnostic, Edit, Severity
from dsl.editor.declared import Declared
from dsl.editor.occurrences import Occurrence
from dsl.editor.references import references
from dsl.editor.workspace import Workspace

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Names that the language gives, and modules', which other files may be found by.
_GIVEN = frozenset(("module",))


class Refused(msgspec.Struct, frozen=True):
    """Why a name cannot be given, in one sentence."""

    reason: str


def renamable(found: Occurrence | None) -> Refused | None:
    """None when the name at a place can be changed, else the reason why not."""
    if found is None:
        return Refused("there is no name here that could be changed")
    if found.target.kind in _GIVEN:
        return Refused(f"a {found.target.kind} is renamed by hand, with the files that import it")
    return None


def rename(workspace: Workspace, found: Occurrence | None, name: str) -> tuple[Edit, ...] | Refused:
    """The edits that rename what is found at a place; tried out before they are given."""
    if refused := renamable(found):
        return refused
    assert found
    if not _NAME.fullmatch(name):
        return Refused(f"`{name}` is not a name: letters, digits and `_`, no digit first")
    if name == found.target.name:
        return ()
    places = references(workspace, found.target)
    edits = tuple(Edit(o.at, name) for o in places)
    return _tried(workspace, found.target, edits, name) or edits


def applied(text: str, edits: Sequence[Edit]) -> str:
    """A text after edits, none of which overlap."""
    for edit in sorted(edits, key=lambda e: (e.at.start, e.at.end), reverse=True):
        text = text[: edit.at.start] + edit.text + text[edit.at.end :]
    return text


def _tried(
    workspace: Workspace, target: Declared, edits: Sequence[Edit], name: str
) -> Refused | None:
    """What would go wrong with these edits: a new error, or a name that means something else."""
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.at.source.path, []).append(edit)
    texts = {p: applied(own[0].at.source.text, own) for p, own in by_path.items()}
    after = workspace.fork(texts)
    home = target.at.source.path
    start = target.at.start + sum(
        len(e.text) - (e.at.end - e.at.start)
        for e in by_path.get(home, ())
        if e.at.end <= target.at.start
    )
    for path, own in by_path.items():
        old, new = workspace.analysis(path), after.analysis(path)
        if old is None or new is None:
            return Refused(f"{path} cannot be read")
        if wrong := _new_error(old.diagnostics, new.diagnostics):
            return Refused(f"`{name}` cannot stand there: {wrong.message}")
        same = [o for o in new.index.all if o.target.key == (home, start)]
        if len(same) != len(own):
            return Refused(f"`{name}` would mean something else in {path}")
    return None


def _new_error(old: Sequence[Diagnostic], new: Sequence[Diagnostic]) -> Diagnostic | None:
    known = Counter(d.code for d in old)
    for found in new:
        if found.severity is Severity.ERROR:
            known[found.code] -= 1
            if known[found.code] < 0:
                return found
    return None
