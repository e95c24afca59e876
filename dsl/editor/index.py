"""What stands where in a file: every name, and the declaration that it stands for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from dsl import syntax
from dsl.cel.joining import plain
from dsl.check.names import Symbol
from dsl.check.scope import LocalScope, Variable
from dsl.depth import make_room
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
from dsl.source import Span
from dsl.types import ListOf, MapOf, Named, OneOf, Type

if TYPE_CHECKING:
    from dsl.editor.analysis import Analysis


class Occurrence(NamedTuple):
    """A name at a place; `declares` where it is the declaration itself."""

    at: Span
    target: Declared
    declares: bool = False


class Index:
    """The occurrences of a file, in the order of the text."""

    def __init__(self, occurrences: list[Occurrence]) -> None:
        self.all = sorted(occurrences, key=lambda o: (o.at.start, o.at.end))
        self._starts = [o.at.start for o in self.all]

    def at(self, offset: int) -> Occurrence | None:
        """The name that a place is in, or right behind."""
        place = bisect_right(self._starts, offset) - 1
        if place >= 0 and self.all[place].at.end >= offset:
            return self.all[place]
        # Right behind a name, and right before the next one.
        before = self.all[place - 1] if place > 0 else None
        return before if before and before.at.end >= offset else None

    def of(self, target: Declared) -> list[Occurrence]:
        """Everything that stands for a declaration."""
        return [o for o in self.all if o.target.key == target.key]


def make_index(analysis: Analysis) -> Index:
    """Goes through a file's syntax, with what the checker saw of its expressions."""
    make_room()
    indexer = _Indexer(analysis)
    with suppress(RecursionError):  # what was found so far is better than nothing
        indexer.walk(analysis.file)
    return Index(list(indexer.occurrences.values()))


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


class _Indexer:
    """One pass over a file. `_around` are the nodes that the one at hand stands in."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.module = analysis.module
        self.modules = analysis.modules
        self.observer = analysis.observer
        self.occurrences: dict[tuple[int, int], Occurrence] = {}
        self._variables = variables_of(analysis)
        self._values: dict[int, Declared] = {}
        self._around: list[syntax.Node] = []
        self._macros: list[Declared] = []

    def walk(self, node: syntax.Node) -> None:
        """Notes the names of a node and of all inside it."""
        skipped = self._note(node)
        self._around.append(node)
        for child in syntax.children(node):
            if not any(child is s for s in skipped):
                self.walk(child)
        self._around.pop()

    def _note(self, node: syntax.Node) -> tuple[syntax.Node, ...]:
        """Notes what a node itself names; gives the parts that are done with that."""
        match node:
            case syntax.File(module=syntax.Path() as path):
                self._declare(Declared("module", path.text, path.at, node, qualified=path.text))
                return (path,)
            case syntax.ImportDecl():
                return self._import(node)
            case syntax.TypeRef():
                return self._type(node)
            case syntax.Name():
                self._name(node)
            case syntax.Member():
                return self._member(node)
            case syntax.Call():
                return self._call(node)
            case syntax.Argument(name=syntax.Identifier() as name):
                self._argument(name)
                return (name,)
            case syntax.Set(name=name):
                self._set(node)
                return (name,)
            case syntax.Setting(name=name):
                return (name,)
            case syntax.Path():
                self._path(node)
                return node.parts
            case syntax.Identifier():
                self._bare(node)
            case _:
                return self._declaration(node)
        return ()

    def _add(self, at: Span, target: Declared | None, declares: bool = False) -> bool:
        if target is not None:
            self.occurrences.setdefault((at.start, at.end), Occurrence(at, target, declares))
        return target is not None

    def _declare(self, declared: Declared) -> None:
        self._add(declared.at, declared, declares=True)

    # --- declarations

    def _declaration(self, node: syntax.Node) -> tuple[syntax.Node, ...]:
        done: tuple[syntax.Node, ...] = ()
        if isinstance(name := getattr(node, "name", None), syntax.Identifier):
            self._declare(self._value(name, node) or self._owned(name, node))
            done = (name,)
        if isinstance(node, syntax.EnumDecl) and (symbol := self.module.own.get(node.name.text)):
            for part in node.symbols:
                if member := member_of(symbol, part.text):
                    self._add(part.at, member, declares=member.at.start == part.at.start)
            done += node.symbols
        return done

    def _value(self, name: syntax.Identifier, node: syntax.Node) -> Declared | None:
        """The declaration of what expressions read: a field is one in its own `where`."""
        variable = self._variables.get(name.at.start)
        if variable is None or isinstance(node, syntax.FieldDecl):
            return None
        if name.at.start not in self._values:
            # A parameter is named by those who call its saga, too.
            public = isinstance(node, syntax.Parameter)
            qualified = self._owned(name, node).qualified if public else ""
            made = Declared(kind_of(node), name.text, name.at, node, variable.type, qualified)
            self._values[name.at.start] = made
        return self._values[name.at.start]

    def _owned(
        self,
        name: syntax.Identifier,
        node: syntax.Node,
        around: Sequence[syntax.Node] | None = None,
    ) -> Declared:
        """A declaration by the names of those that it stands in."""
        outer = self._around if around is None else around
        names = [n for n in (getattr(o, "name", None) for o in outer) if n is not None]
        words = [n.text for n in names if isinstance(n, syntax.Identifier)]
        qualified = ".".join((self.module.name, *words, name.text))
        return Declared(kind_of(node), name.text, name.at, node, qualified=qualified)

    # --- names of modules, types and messages

    def _import(self, node: syntax.ImportDecl) -> tuple[syntax.Node, ...]:
        source = self.modules.get(node.module.text)
        if source and source.file.module:
            path = source.file.module
            target = Declared("module", path.text, path.at, source.file, qualified=path.text)
            self._add(node.module.at, target)
            for name in node.names:
                if symbol := source.own.get(name.text):
                    self._add(name.at, of_symbol(symbol))
        return (node.module, *node.names)

    def _type(self, node: syntax.TypeRef) -> tuple[syntax.Node, ...]:
        symbol = self.module.find(node.name.text)
        if symbol:
            self._add(node.name.at, of_symbol(symbol))
        return (node.name,)

    def _path(self, path: syntax.Path) -> None:
        first = path.parts[0]
        own = self._answer(path) if len(path.parts) == 1 else None
        if own:
            self._add(first.at, own)
        elif symbol := self.module.find(first.text):
            self._add(first.at, of_symbol(symbol))
            self._members(symbol, path.parts[1:])
        else:
            target = self._near(path)
            self._add(path.parts[-1].at, target)

    def _members(self, symbol: Symbol, parts: tuple[syntax.Identifier, ...]) -> None:
        if parts:
            self._add(parts[0].at, member_of(symbol, parts[0].text))

    def _answer(self, path: syntax.Path) -> Declared | None:
        """A reply or a failure of a command is its own service's event."""
        if not isinstance(self._around[-1], syntax.CommandDecl):
            return None
        for node in self._around:
            if isinstance(node, syntax.ServiceDecl):
                symbol = self.module.own.get(node.name.text)
                return member_of(symbol, path.text) if symbol else None
        return None

    def _near(self, path: syntax.Path) -> Declared | None:
        """What a name means that only makes sense where it stands: a failure of the command
        called there, a possibility of the value matched there, a signal of the saga."""
        text = path.text
        for node in reversed(self._around):
            if isinstance(node, syntax.Match):
                return self._possibility(node, text)
            if isinstance(node, syntax.Block | syntax.SagaDecl | syntax.File):
                break
            for call in _calls(node):
                if command := self._callee(call):
                    for answer in answers(command, self.modules, "replies", "fails"):
                        if answer.qualified.endswith(f".{text}"):
                            return answer
        return self._input(text)

    def _input(self, text: str) -> Declared | None:
        """A signal of the saga around, or of the one that the scenario around plays."""
        for node in self._around:
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

    def _callee(self, path: syntax.Path) -> Declared | None:
        symbol = self.module.find(path.parts[0].text)
        if symbol is None:
            return None
        if len(path.parts) == 1:
            return of_symbol(symbol)
        return member_of(symbol, path.parts[1].text)

    def _bare(self, name: syntax.Identifier) -> None:
        """A name alone that is no declaration: the key of a message is one of its fields."""
        for depth in range(len(self._around), max(0, len(self._around) - 2), -1):
            for part in _fields_of(self._around[depth - 1]):
                if part.name.text == name.text:
                    self._add(name.at, self._owned(part.name, part, self._around[:depth]))
                    return
        owner = self._around[-1] if self._around else None
        for reaction in owner.reactions if isinstance(owner, syntax.AggregateDecl) else ():
            event = message_of(reaction.event, self.module)
            if event and self._add(name.at, input_of(event, name.text)):
                return

    # --- expressions

    def _variable(self, name: syntax.Identifier | syntax.Name, scope: object) -> Declared | None:
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
        for node in reversed(self._around):
            for child in (node, *syntax.children(node)):
                name = getattr(child, "name", None)
                if isinstance(name, syntax.Identifier) and name.at.start == at.start:
                    return child
        return None

    def _field(self, node: syntax.FieldDecl) -> Declared:
        """A field that is read in the `where` of its own record."""
        depth = next(n for n, o in enumerate(self._around) if any(f is node for f in _fields_of(o)))
        return self._owned(node.name, node, self._around[: depth + 1])

    def _name(self, node: syntax.Name) -> None:
        for macro in reversed(self._macros):
            if macro.name == node.text:
                self._add(node.at, macro)
                return
        seen = self.observer.of(node)
        if seen and self._add(node.at, self._variable(node, seen.scope)):
            return
        if seen and isinstance(type := plain(seen.type), Named):
            self._add(node.at, find(f"{type.name}.{node.text}", self.modules))
        elif symbol := self.module.find(node.text):
            self._add(node.at, of_symbol(symbol))

    def _member(self, node: syntax.Member) -> tuple[syntax.Node, ...]:
        names = _dotted(node)
        if names and self._starts_at_type(names[0]):
            symbol = self.module.find(names[0].text)
            assert symbol
            self._add(names[0].at, of_symbol(symbol))
            self._members(symbol, tuple(_identifier(n) for n in names[1:]))
            return (node.of, node.name)
        seen = self.observer.of(node.of)
        if seen:
            for type in _named(seen.type):
                owner = find(type, self.modules)
                if owner and self._add(node.name.at, input_of(owner, node.name.text)):
                    break
        return (node.name,)

    def _starts_at_type(self, head: syntax.Name | syntax.Identifier) -> bool:
        if any(m.name == head.text for m in self._macros):
            return False
        seen = self.observer.of(head)
        if seen and self._variable(head, seen.scope):
            return False
        return self.module.find(head.text) is not None

    def _call(self, node: syntax.Call) -> tuple[syntax.Node, ...]:
        callee = node.callee
        if isinstance(callee, syntax.Member) and self._is_macro(node):
            first = node.arguments[0].value
            assert isinstance(first, syntax.Name)
            self._around.append(node)
            self.walk(callee)
            macro = Declared("element", first.text, first.at, first, self._element(callee.of))
            self._declare(macro)
            self._macros.append(macro)
            for argument in node.arguments[1:]:
                self.walk(argument)
            self._macros.pop()
            self._around.pop()
            return (callee, *node.arguments)
        return ()

    def _is_macro(self, node: syntax.Call) -> bool:
        from dsl.cel.overloads import MACROS

        assert isinstance(node.callee, syntax.Member)
        named = len(node.arguments) > 1 and isinstance(node.arguments[0].value, syntax.Name)
        return named and node.callee.name.text in MACROS

    def _element(self, of: syntax.Expr) -> Type | None:
        seen = self.observer.of(of)
        match plain(seen.type) if seen else None:
            case ListOf(item):
                return item
            case MapOf(key, _):
                return key
        return None

    def _set(self, node: syntax.Set) -> None:
        seen = self.observer.of(node.value)
        self._add(node.name.at, self._variable(node.name, seen.scope) if seen else None)

    def _argument(self, name: syntax.Identifier) -> None:
        """The field or parameter that an argument is for."""
        for node in reversed(self._around):
            match node:
                case syntax.Invocation(callee=path):
                    owner = self._callee(path) or self._near(path)
                case syntax.Call(callee=callee):
                    names = _dotted(callee)
                    parts = tuple(_identifier(n) for n in names or ())
                    owner = self._callee(syntax.Path(parts)) if parts else None
                case (
                    syntax.GivenAnswer(subject=path)
                    | syntax.GivenTimeout(subject=path)
                    | syntax.GivenValue(subject=path)
                    | syntax.GivenDecision(subject=path)
                ):
                    owner = self._callee(path)
                case syntax.SagaDecl():
                    owner = of_symbol(Symbol(self.module.name, node))
                case _:
                    continue
            if owner:
                self._add(name.at, input_of(owner, name.text))
            return


def _calls(node: syntax.Node) -> Iterator[syntax.Path]:
    """The callees of a step, or of all steps in a `try`."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, syntax.Invocation):
            yield current.callee
        elif isinstance(current, syntax.Path) and len(current.parts) > 1:
            yield current
        elif not isinstance(current, syntax.Handler):
            stack.extend(syntax.children(current))


def _fields_of(node: syntax.Node) -> tuple[syntax.FieldDecl, ...]:
    fields = getattr(node, "fields", ())
    return tuple(f for f in fields if isinstance(f, syntax.FieldDecl))


def _dotted(expr: syntax.Expr) -> tuple[syntax.Name | syntax.Identifier, ...] | None:
    """The names of `a.b.c`."""
    names: list[syntax.Name | syntax.Identifier] = []
    while isinstance(expr, syntax.Member):
        names.append(expr.name)
        expr = expr.of
    return (expr, *reversed(names)) if isinstance(expr, syntax.Name) else None


def _identifier(name: syntax.Name | syntax.Identifier) -> syntax.Identifier:
    return syntax.Identifier(name.text, name.at)


def _named(type: Type) -> tuple[str, ...]:
    """The records or messages that a value may be."""
    match plain(type):
        case Named(name):
            return (name,)
        case OneOf(names):
            return names
    return ()
