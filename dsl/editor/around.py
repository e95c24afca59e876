"""What a name means by what it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dsl import syntax
from dsl.cel.joining import plain
from dsl.check.names import Symbol
from dsl.editor.declared import (
    Declared,
    answers,
    find,
    input_of,
    kind_of,
    member_of,
    message_of,
    of_symbol,
    played,
)
from dsl.types import Named, OneOf

if TYPE_CHECKING:
    from dsl.editor.analysis import Analysis

#: How deep a place may be whose surroundings are looked through: the checker refuses deeper ones,
#: and to look at all of them from each would take for ever.
_DEEPEST = 1_000


class Around:
    """The nodes that the one at hand stands in, the outermost first."""

    def __init__(self, analysis: Analysis) -> None:
        self.nodes: list[syntax.Node] = []
        self.module = analysis.module
        self.modules = analysis.modules
        self.observer = analysis.observer

    def owned(
        self,
        name: syntax.Identifier,
        node: syntax.Node,
        around: Sequence[syntax.Node] | None = None,
    ) -> Declared:
        """A declaration by the names of those that it stands in."""
        outer = self.nodes if around is None else around
        names = [n for n in (getattr(o, "name", None) for o in outer) if n is not None]
        words = [n.text for n in names if isinstance(n, syntax.Identifier)]
        qualified = ".".join((self.module.name, *words, name.text))
        return Declared(kind_of(node), name.text, name.at, node, qualified=qualified)

    def answer(self, path: syntax.Path) -> Declared | None:
        """A reply or a failure of a command is its own service's event."""
        if not isinstance(self.nodes[-1], syntax.CommandDecl):
            return None
        for node in self.nodes:
            if isinstance(node, syntax.ServiceDecl):
                symbol = self.module.own.get(node.name.text)
                return member_of(symbol, path.text) if symbol else None
        return None

    def near(self, path: syntax.Path) -> Declared | None:
        """What a name means that only makes sense where it stands: a failure of the command
        called there, a possibility of the value matched there, a signal of the saga."""
        text = path.text
        if len(self.nodes) > _DEEPEST:
            return None
        for node in reversed(self.nodes):
            if isinstance(node, syntax.Match):
                return self._possibility(node, text)
            if isinstance(node, syntax.Block | syntax.SagaDecl | syntax.File):
                break
            for call in _calls(node):
                if command := self.callee(call):
                    for answer in answers(command, self.modules, "replies", "fails"):
                        if answer.qualified.endswith(f".{text}"):
                            return answer
        return self._input(text)

    def _input(self, text: str) -> Declared | None:
        """A signal of the saga around, or of the one that the scenario around plays."""
        for node in self.nodes:
            if isinstance(node, syntax.SagaDecl):
                return member_of(Symbol(self.module.name, node), text)
            if isinstance(node, syntax.ScenarioDecl):
                saga = played(node, self.module, self.modules)
                return member_of(saga, text) if saga else None
        return None

    def _possibility(self, node: syntax.Match, text: str) -> Declared | None:
        seen = self.observer.of(node.subject)
        match plain(seen.type) if seen else None:
            case OneOf(names):
                names = tuple(n for n in names if f".{n}".endswith(f".{text}"))
                return find(names[0], self.modules) if names else None
            case Named(name) if f".{name}".endswith(f".{text}"):
                return find(name, self.modules)
            case Named(name):
                return find(f"{name}.{text.rpartition('.')[2]}", self.modules)
        return None

    def callee(self, path: syntax.Path) -> Declared | None:
        """What is called by a name."""
        symbol = self.module.find(path.parts[0].text)
        if symbol is None:
            return None
        if len(path.parts) == 1:
            return of_symbol(symbol)
        return member_of(symbol, path.parts[1].text)

    def bare(self, name: syntax.Identifier) -> Declared | None:
        """A name alone that is no declaration: the key of a message is one of its fields."""
        for depth in range(len(self.nodes), max(0, len(self.nodes) - 2), -1):
            for part in fields_of(self.nodes[depth - 1]):
                if part.name.text == name.text:
                    return self.owned(part.name, part, self.nodes[:depth])
        owner = self.nodes[-1] if self.nodes else None
        for reaction in owner.reactions if isinstance(owner, syntax.AggregateDecl) else ():
            event = message_of(reaction.event, self.module)
            if event and (found := input_of(event, name.text)):
                return found
        return None

    def argument(self, name: syntax.Identifier) -> Declared | None:
        """The field or parameter that an argument is for."""
        for node in reversed(self.nodes):
            match node:
                case syntax.Invocation(callee=path):
                    owner = self.callee(path) or self.near(path)
                case syntax.Call(callee=callee):
                    names = dotted(callee)
                    parts = tuple(identifier(n) for n in names or ())
                    owner = self.callee(syntax.Path(parts)) if parts else None
                case (
                    syntax.GivenAnswer(subject=path)
                    | syntax.GivenTimeout(subject=path)
                    | syntax.GivenValue(subject=path)
                    | syntax.GivenDecision(subject=path)
                ):
                    owner = self.callee(path)
                case syntax.SagaDecl():
                    owner = of_symbol(Symbol(self.module.name, node))
                case _:
                    continue
            return input_of(owner, name.text) if owner else None
        return None


def _calls(node: syntax.Node) -> Iterator[syntax.Path]:
    """The callee of a step, or of all steps in a `try`."""
    if isinstance(node, syntax.Step):
        yield node.call.callee
        return
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, syntax.Invocation):
            yield current.callee
        elif isinstance(current, syntax.Path) and len(current.parts) > 1:
            yield current
        elif not isinstance(current, syntax.Handler):
            stack.extend(syntax.children(current))


def fields_of(node: syntax.Node) -> tuple[syntax.FieldDecl, ...]:
    """The fields that a node declares."""
    fields = getattr(node, "fields", ())
    return tuple(f for f in fields if isinstance(f, syntax.FieldDecl))


def dotted(expr: syntax.Expr) -> tuple[syntax.Name | syntax.Identifier, ...] | None:
    """The names of `a.b.c`."""
    names: list[syntax.Name | syntax.Identifier] = []
    while isinstance(expr, syntax.Member):
        names.append(expr.name)
        expr = expr.of
    return (expr, *reversed(names)) if isinstance(expr, syntax.Name) else None


def identifier(name: syntax.Name | syntax.Identifier) -> syntax.Identifier:
    """A name as one that is no expression."""
    return syntax.Identifier(name.text, name.at)
