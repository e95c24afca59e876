"""The values that expressions read: where each is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import syntax
from dsl.check.scope import LocalScope, Variable
from dsl.editor.around import Around, fields_of
from dsl.editor.declared import Declared, kind_of
from dsl.source import Span

if TYPE_CHECKING:
    from dsl.editor.analysis import Analysis


class Values:
    """Those of a file, each with one declaration, whoever reads it."""

    def __init__(self, analysis: Analysis, around: Around) -> None:
        self._variables = variables_of(analysis)
        self._values: dict[int, Declared] = {}
        self._around = around

    def declared(self, name: syntax.Identifier, node: syntax.Node) -> Declared | None:
        """The declaration of what expressions read: a field is one in its own `where`."""
        variable = self._variables.get(name.at.start)
        if variable is None or isinstance(node, syntax.FieldDecl):
            return None
        if name.at.start not in self._values:
            # A parameter is named by those who call its saga, too.
            public = isinstance(node, syntax.Parameter)
            qualified = self._around.owned(name, node).qualified if public else ""
            made = Declared(kind_of(node), name.text, name.at, node, variable.type, qualified)
            self._values[name.at.start] = made
        return self._values[name.at.start]

    def read(self, name: syntax.Identifier | syntax.Name, scope: object) -> Declared | None:
        """What a name reads in a scope."""
        variable = scope.find(name.text) if isinstance(scope, LocalScope) else None
        if variable is None:
            return None
        at = variable.at
        known = self._values.get(at.start)
        if known is None:
            node = self._declaring(at)
            if isinstance(node, syntax.FieldDecl):
                return self._field(node)
            end = at.start + len(name.text)
            known = Declared("name", name.text, Span(at.source, at.start, end), node, variable.type)
        return known

    def _declaring(self, at: Span) -> syntax.Node | None:
        for node in reversed(self._around.nodes):
            for child in (node, *syntax.children(node)):
                name = getattr(child, "name", None)
                if isinstance(name, syntax.Identifier) and name.at.start == at.start:
                    return child
        return None

    def _field(self, node: syntax.FieldDecl) -> Declared:
        """A field that is read in the `where` of its own record."""
        nodes = self._around.nodes
        depth = next(n for n, o in enumerate(nodes) if any(f is node for f in fields_of(o)))
        return self._around.owned(node.name, node, nodes[: depth + 1])


def variables_of(analysis: Analysis) -> dict[int, Variable]:
    """The variables of all sagas of a file by the place of their declaration."""
    found: dict[int, Variable] = {}
    seen: set[int] = set()
    scopes = [scope for _, scope in analysis.observer.blocks]
    scopes += [s.scope for s in analysis.observer.expressions.values()]
    for scope in scopes:
        while isinstance(scope, LocalScope) and id(scope) not in seen:
            seen.add(id(scope))
            for variable in scope.variables.values():
                if variable.at.source is analysis.source:
                    found.setdefault(variable.at.start, variable)
            scope = scope.outer
    return found
