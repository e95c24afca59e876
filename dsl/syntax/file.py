"""A whole file."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.source import Source, Span
from dsl.syntax.contracts import PolicyDecl, ServiceDecl
from dsl.syntax.data import EnumDecl, RecordDecl, TypeDecl
from dsl.syntax.names import Identifier, Path
from dsl.syntax.node import Node
from dsl.syntax.sagas import ActivityDecl, SagaDecl
from dsl.syntax.scenarios import ScenarioDecl
from dsl.syntax.states import AggregateDecl, ProjectionDecl


class ImportDecl(Node, frozen=True):
    """`from module import a, b`."""

    module: Path
    names: tuple[Identifier, ...]
    at: Span


Declaration = (
    TypeDecl
    | EnumDecl
    | RecordDecl
    | PolicyDecl
    | ServiceDecl
    | ActivityDecl
    | SagaDecl
    | AggregateDecl
    | ProjectionDecl
)


class File(Node, frozen=True):
    """One parsed `.flow` file. Scenarios have titles, not names, and stand apart; `words` are all
    that stand behind the imports, where there are any; `whole` tells that nothing of the text was
    skipped, whatever mistakes are in it."""

    source: Source
    module: Path | None
    imports: tuple[ImportDecl, ...]
    declarations: tuple[Declaration, ...]
    scenarios: tuple[ScenarioDecl, ...] = ()
    words: frozenset[str] = frozenset()
    whole: bool = True

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.declarations)
