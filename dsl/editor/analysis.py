"""One file, parsed and checked with those that it imports from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dsl import syntax
from dsl.cel.observer import OBSERVER, Observer
from dsl.check.names import Module, collect
from dsl.check.program import check_program, in_order
from dsl.check.report import Report
from dsl.diagnostic import Diagnostic, has_errors
from dsl.mended import beside
from dsl.model import Program
from dsl.parse import parse
from dsl.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.editor.occurrences import Index


@dataclass(frozen=True, eq=False, slots=True)
class Parsed:
    """A file and the mistakes of its syntax."""

    file: syntax.File
    diagnostics: tuple[Diagnostic, ...]

    @classmethod
    def of(cls, source: Source) -> Parsed:
        """Parses a text."""
        return cls(*parse(source))


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is known of a file. `diagnostics` are its own, as `orchestrate check` would print
    them; `program`, `modules` and `observer` hold what could be made out in spite of errors."""

    file: syntax.File
    diagnostics: tuple[Diagnostic, ...]
    program: Program
    modules: Mapping[str, Module]
    observer: Observer
    made_of: tuple[Parsed, ...] = field(repr=False, default=())

    @property
    def source(self) -> Source:
        """The file's text."""
        return self.file.source

    @property
    def module(self) -> Module:
        """The file's names; without a `module` line, one that knows nothing of others."""
        name = self.file.module.text if self.file.module else ""
        found = self.modules.get(name)
        return found if found and found.file is self.file else Module(name, self.file)

    @cached_property
    def index(self) -> Index:
        """What stands where."""
        from dsl.editor.index import make_index

        return make_index(self)


def analyse(needed: Sequence[Parsed]) -> Analysis:
    """Checks the first of the files with all the others, which it imports from."""
    main, files = needed[0], [p.file for p in needed]
    wrong = [d for p in needed for d in p.diagnostics]
    with _observing() as observer:
        program, found = check_program(files)
    if has_errors(wrong):
        found = beside(found, wrong) if all(f.whole for f in files) else ()
    found = in_order((*wrong, *found), files)
    return Analysis(
        main.file,
        tuple(d for d in found if d.at.source is main.file.source),
        program,
        collect(files, Report()),
        observer,
        tuple(needed),
    )


@contextmanager
def _observing() -> Iterator[Observer]:
    observer = Observer()
    token = OBSERVER.set(observer)
    try:
        yield observer
    finally:
        OBSERVER.reset(token)
