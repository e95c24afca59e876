"""A whole file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsl import syntax
from dsl.source import Span
from dsl.tree.clauses import first, of_kind
from dsl.tree.contracts import Contracts
from dsl.tree.data import Data
from dsl.tree.expressions import Expressions
from dsl.tree.sagas import Sagas
from dsl.tree.scenarios import Scenarios
from dsl.tree.statements import Statements
from dsl.tree.states import States


class TreeBuilder(Data, Contracts, States, Sagas, Statements, Scenarios, Expressions):
    """One method for each grammar rule that needs one, for one source."""

    def partial(self, values: Sequence[Any]) -> syntax.File:
        """What was complete when a file could not be read to its end."""
        flat = [v for value in values for v in (value if type(value) is list else (value,))]
        whole = next((f for f in flat if isinstance(f, syntax.File)), None)
        at = Span(self.source, 0, len(self.source.text))
        return whole or self.file(at, flat)

    def file(self, at: Span, c: list[Any]) -> syntax.File:
        return syntax.File(
            source=self.source,
            module=first(c, syntax.Path),
            imports=of_kind(c, syntax.ImportDecl),
            declarations=tuple(d for d in c if isinstance(d, syntax.Declaration)),
            scenarios=of_kind(c, syntax.ScenarioDecl),
        )

    def import_decl(self, at: Span, c: list[Any]) -> syntax.ImportDecl:
        return syntax.ImportDecl(c[0], tuple(c[1:]), at)
