"""What stands where in a file: every name, and the declaration that it stands for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dsl import syntax
from dsl.cel.joining import plain
from dsl.check.names import Symbol
from dsl.depth import make_room
from dsl.editor.around import Around, dotted, identifier
from dsl.editor.declared import Declared, find, input_of, member_of, of_symbol
from dsl.editor.occurrences import Index, Occurrence
from dsl.editor.values import Values
from dsl.source import Span
from dsl.types import ListOf, MapOf, Named, OneOf, Type

if TYPE_CHECKING:
    from dsl.editor.analysis import Analysis


def make_index(analysis: Analysis) -> Index:
    """Goes through a file's syntax, with what the checker saw of its expressions."""
    make_room()
    indexer = _Indexer(analysis)
    with suppress(RecursionError):  # what was found so far is better than nothing
        indexer.walk(analysis.file)
    return Index(list(indexer.occurrences.values()))


class _Indexer:
    """One pass over a file."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.module = analysis.module
        self.modules = analysis.modules
        self.observer = analysis.observer
        self.occurrences: dict[tuple[int, int], Occurrence] = {}
        self._around = Around(analysis)
        self._values = Values(analysis, self._around)
        self._macros: list[Declared] = []

    def walk(self, node: syntax.Node) -> None:
        """Notes the names of a node and of all inside it."""
        skipped = self._note(node)
        self._around.nodes.append(node)
        for child in syntax.children(node):
            if not any(child is s for s in skipped):
                self.walk(child)
        self._around.nodes.pop()

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
                self._add(name.at, self._around.argument(name))
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
                self._add(node.at, self._around.bare(node))
            case _:
                return self._declaration(node)
        return ()

    def _add(self, at: Span, target: Declared | None, declares: bool = False) -> bool:
        if target is not None and at.start < at.end:  # a name that was put in is nowhere
            self.occurrences.setdefault((at.start, at.end), Occurrence(at, target, declares))
        return target is not None

    def _declare(self, declared: Declared) -> None:
        self._add(declared.at, declared, declares=True)

    def _declaration(self, node: syntax.Node) -> tuple[syntax.Node, ...]:
        done: tuple[syntax.Node, ...] = ()
        if isinstance(name := getattr(node, "name", None), syntax.Identifier):
            self._declare(self._values.declared(name, node) or self._around.owned(name, node))
            done = (name,)
        if isinstance(node, syntax.EnumDecl) and (symbol := self.module.own.get(node.name.text)):
            for part in node.symbols:
                if member := member_of(symbol, part.text):
                    self._add(part.at, member, declares=member.at.start == part.at.start)
            done += node.symbols
        return done

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
        own = self._around.answer(path) if len(path.parts) == 1 else None
        if own:
            self._add(first.at, own)
        elif symbol := self.module.find(first.text):
            self._add(first.at, of_symbol(symbol))
            self._members(symbol, path.parts[1:])
        else:
            target = self._around.near(path)
            self._add(path.parts[-1].at, target)

    def _members(self, symbol: Symbol, parts: tuple[syntax.Identifier, ...]) -> None:
        if parts:
            self._add(parts[0].at, member_of(symbol, parts[0].text))

    def _name(self, node: syntax.Name) -> None:
        for macro in reversed(self._macros):
            if macro.name == node.text:
                self._add(node.at, macro)
                return
        seen = self.observer.of(node)
        if seen and self._add(node.at, self._values.read(node, seen.scope)):
            return
        if seen and isinstance(type := plain(seen.type), Named):
            self._add(node.at, find(f"{type.name}.{node.text}", self.modules))
        elif symbol := self.module.find(node.text):
            self._add(node.at, of_symbol(symbol))

    def _member(self, node: syntax.Member) -> tuple[syntax.Node, ...]:
        names = dotted(node)
        if names and self._starts_at_type(names[0]):
            symbol = self.module.find(names[0].text)
            assert symbol
            self._add(names[0].at, of_symbol(symbol))
            self._members(symbol, tuple(identifier(n) for n in names[1:]))
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
        if seen and self._values.read(head, seen.scope):
            return False
        return self.module.find(head.text) is not None

    def _call(self, node: syntax.Call) -> tuple[syntax.Node, ...]:
        callee = node.callee
        if isinstance(callee, syntax.Member) and self._is_macro(node):
            first = node.arguments[0].value
            assert isinstance(first, syntax.Name)
            self._around.nodes.append(node)
            self.walk(callee)
            macro = Declared("element", first.text, first.at, first, self._element(callee.of))
            self._declare(macro)
            self._macros.append(macro)
            for argument in node.arguments[1:]:
                self.walk(argument)
            self._macros.pop()
            self._around.nodes.pop()
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
        self._add(node.name.at, self._values.read(node.name, seen.scope) if seen else None)


def _named(type: Type) -> tuple[str, ...]:
    """The records or messages that a value may be."""
    match plain(type):
        case Named(name):
            return (name,)
        case OneOf(names):
            return names
    return ()
