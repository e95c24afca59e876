"""Names that an import was to bring and did not: one finding at the import is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from dsl.check.names import Module
from dsl.diagnostic import Diagnostic

#: What may come of any name that is not known.
_UNSURE = frozenset(("F106", "F308"))
_IMPORTS = frozenset(("F102", "F103", "F105"))
_WORD = re.compile(r"[A-Za-z_]\w*")


def without_consequences(
    diagnostics: Iterable[Diagnostic], modules: Mapping[str, Module]
) -> Iterator[Diagnostic]:
    """Leaves out what only follows from an import that failed."""
    lost = {m.file.source.path: _lost(m) for m in modules.values()}
    for found in diagnostics:
        names = lost.get(found.at.source.path)
        if not names or found.code in _IMPORTS or not _follows(found, names):
            yield found


def _lost(module: Module) -> set[str]:
    wanted = {n.text for statement in module.file.imports for n in statement.names}
    return {n for n in wanted if module.find(n) is None}


def _follows(found: Diagnostic, names: set[str]) -> bool:
    return found.code in _UNSURE or not names.isdisjoint(_WORD.findall(found.at.text))
