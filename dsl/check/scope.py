"""The names that expressions see: a module's types, and the variables of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dsl import syntax
from dsl.cel.scope import FieldShape
from dsl.check.names import Module
from dsl.source import Span
from dsl.types import Named, Type

#: The fields of a record or message by qualified name; None for anything else.
Shapes = Callable[[str], tuple[FieldShape, ...] | None]


class ModuleScope:
    """What every expression of a file sees: its types, its messages, its enums' symbols."""

    how_to_name = "declare it before this place"

    def __init__(self, module: Module, modules: dict[str, Module], shapes: Shapes) -> None:
        self.module = module
        self._modules = modules
        self._shapes = shapes

    def variable(self, name: str) -> Type | None:
        """No variable is global."""
        return None

    def names(self) -> Iterable[str]:
        """No variable is global."""
        return ()

    def type_at(self, path: tuple[str, ...]) -> Named | None:
        """A record or enum by its name, a message as `service.Message`."""
        symbol = self.module.find(path[0])
        if symbol is None:
            return None
        declaration = symbol.declaration
        if len(path) == 1 and isinstance(declaration, syntax.RecordDecl | syntax.EnumDecl):
            return Named(symbol.name)
        if len(path) != 2 or not isinstance(declaration, syntax.ServiceDecl):
            return None
        if any(m.name.text == path[1] for m in declaration.messages):
            return Named(f"{symbol.name}.{path[1]}")
        return None

    def fields(self, qualified: str) -> tuple[FieldShape, ...] | None:
        """The fields of a record or message."""
        return self._shapes(qualified)

    def symbols(self, qualified: str) -> tuple[str, ...] | None:
        """The symbols of an enum."""
        module, _, name = qualified.rpartition(".")
        symbol = self._modules[module].own.get(name) if module in self._modules else None
        if symbol and isinstance(symbol.declaration, syntax.EnumDecl):
            return tuple(s.text for s in symbol.declaration.symbols)
        return None

    def enums_with(self, symbol: str) -> tuple[Named, ...]:
        """The enums in sight that have a symbol of this name."""
        return tuple(
            Named(s.name)
            for s in self.module.visible.values()
            if isinstance(s.declaration, syntax.EnumDecl)
            and any(x.text == symbol for x in s.declaration.symbols)
        )


class Variable(msgspec.Struct):
    """A name in a block: what it holds, where it was declared, whether anything read it, and
    whether it may be set."""

    type: Type
    at: Span
    used: bool = False
    variable: bool = False


class LocalScope(ModuleScope):
    """The variables of a block and of all the blocks around it."""

    def __init__(self, outer: ModuleScope) -> None:
        super().__init__(outer.module, outer._modules, outer._shapes)
        self.outer = outer
        self.variables: dict[str, Variable] = {}

    def find(self, name: str) -> Variable | None:
        """The variable of that name, here or further out."""
        if name in self.variables:
            return self.variables[name]
        return self.outer.find(name) if isinstance(self.outer, LocalScope) else None

    def variable(self, name: str) -> Type | None:
        """Its type; looking it up counts as using it."""
        found = self.find(name)
        if found is None:
            return None
        found.used = True
        return found.type

    def names(self) -> Iterable[str]:
        """Every variable in sight."""
        return [*self.variables, *self.outer.names()]
