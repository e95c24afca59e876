"""What names stand for, as an editor sees it: a declaration, where it is, and of which kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from dsl import syntax
from dsl.check.names import Module, Symbol
from dsl.source import Span
from dsl.types import Type


class Declared(msgspec.Struct, frozen=True):
    """A declaration: the place of its name, the syntax node that declares it, its type when it
    is a value, and its qualified name when others can see it."""

    kind: str
    name: str
    at: Span
    node: Any
    type: Type | None = None
    qualified: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """Which declaration it is, whoever looks."""
        return self.at.source.path, self.at.start


def kind_of(node: syntax.Node) -> str:
    """The word for what a node declares: `record`, `command`, `let`, …"""
    word = type(node).__name__.removesuffix("Decl")
    return re.sub(r"(?<!^)(?=[A-Z])", " ", word).lower()


def of_symbol(symbol: Symbol) -> Declared:
    """A top-level declaration."""
    node = symbol.declaration
    name = node.name
    return Declared(kind_of(node), name.text, name.at, node, qualified=symbol.name)


def member_of(symbol: Symbol, name: str) -> Declared | None:
    """A command or an event of a service, a signal of a saga, a symbol of an enum."""
    node = symbol.declaration
    for part in getattr(node, "symbols", ()):
        if part.text == name:
            qualified = f"{symbol.name}.{name}"
            return Declared("symbol", name, part.at, node, qualified=qualified)
    for part in (*getattr(node, "messages", ()), *getattr(node, "inputs", ())):
        if part.name.text == name:
            at, qualified = part.name.at, f"{symbol.name}.{name}"
            return Declared(kind_of(part), name, at, part, qualified=qualified)
    return None


def find(qualified: str, modules: Mapping[str, Module]) -> Declared | None:
    """A declaration by its qualified name: `module.Name` or `module.service.Message`."""
    owner, _, last = qualified.rpartition(".")
    if owner in modules and last in modules[owner].own:
        return of_symbol(modules[owner].own[last])
    outer, _, name = owner.rpartition(".")
    if outer in modules and name in modules[outer].own:
        return member_of(modules[outer].own[name], last)
    return None


def answers(command: Declared, modules: Mapping[str, Module], *kinds: str) -> Iterator[Declared]:
    """The events that a command names as `replies`, as `fails`, or both."""
    service = command.qualified.rpartition(".")[0]
    home = modules.get(service.rpartition(".")[0])
    for path in (p for kind in kinds for p in getattr(command.node, kind, ())):
        if len(path.parts) == 1:
            found = find(f"{service}.{path.text}", modules)
        else:
            symbol = home.find(path.parts[0].text) if home else None
            found = member_of(symbol, path.parts[1].text) if symbol else None
        if found:
            yield found


def inputs(node: syntax.Node) -> tuple[Any, ...]:
    """The fields of a record or message, the parameters of a saga."""
    own: tuple[Any, ...] = getattr(node, "fields", ())
    return own or getattr(node, "parameters", ())


def input_of(owner: Declared, name: str) -> Declared | None:
    """A field or a parameter by its name."""
    for part in inputs(owner.node):
        if part.name.text == name:
            qualified = f"{owner.qualified}.{name}"
            return Declared(kind_of(part), name, part.name.at, part, qualified=qualified)
    return None


def played(
    scenario: syntax.ScenarioDecl, module: Module, modules: Mapping[str, Module]
) -> Symbol | None:
    """The saga that a scenario runs, or that the event starts which it runs on."""
    run = next((p for p in scenario.parts if isinstance(p, syntax.RunSaga)), None)
    if run is None:
        return None
    path = run.callee.callee
    if not run.on_event:
        return module.find(path.text)
    wanted = message_of(path, module)
    for symbol in module.visible.values():
        home = modules.get(symbol.module)
        for start in getattr(symbol.declaration, "starts", ()) if wanted and home else ():
            event = getattr(start, "event", None)
            found = message_of(event, home) if event and home else None
            if found and wanted and found.qualified == wanted.qualified:
                return symbol
    return None


def message_of(path: syntax.Path, module: Module) -> Declared | None:
    """The command or event that `service.Message` stands for in a module."""
    symbol = module.find(path.parts[0].text) if len(path.parts) == 2 else None
    return member_of(symbol, path.parts[1].text) if symbol else None
