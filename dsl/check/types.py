"""Type references to types."""

from __future__ import annotations

from dsl import syntax
from dsl.check.imports import offer
from dsl.check.names import Module, Symbol
from dsl.check.report import Report, did_you_mean
from dsl.depth import DEEPEST_TYPE
from dsl.types import ANY, DECLARABLE, STRING, ListOf, MapOf, Named, Type, optional

#: How many aliases may stand for one another.
_LONGEST = 100
#: What declares a type.
TYPES = (syntax.TypeDecl, syntax.EnumDecl, syntax.RecordDecl)


class TypeResolver:
    """Finds what type references mean; aliases are followed to what they stand for."""

    def __init__(self, modules: dict[str, Module], report: Report) -> None:
        self._modules = modules
        self._report = report
        self._aliases: dict[str, Type] = {}
        self._open: list[str] = []
        # Of the references that are being resolved, and of the type that was resolved last.
        self._depth = 0
        self._height = 0
        self._heights: dict[str, int] = {}

    def resolve(self, ref: syntax.TypeRef, module: Module) -> Type:
        """The type of a reference; `any`, with a diagnostic, where there is none."""
        if self._depth > DEEPEST_TYPE:
            return self._too_deep(ref)
        self._depth += 1
        self._height = 0
        found = self._bare(ref, module)
        self._depth -= 1
        if self._height > DEEPEST_TYPE:
            return self._too_deep(ref)
        return optional(found) if ref.optional else found

    def aliases(self, module: Module) -> None:
        """Resolves the aliases that a module declares, those too that nothing uses."""
        for symbol in module.own.values():
            if isinstance(symbol.declaration, syntax.TypeDecl):
                self._alias(symbol, symbol.declaration, symbol.declaration.type)

    def _bare(self, ref: syntax.TypeRef, module: Module) -> Type:
        name = ref.name.text
        if name in ("list", "map"):
            return self._container(ref, module)
        if ref.arguments:
            at = ref.arguments[0].at.to(ref.arguments[-1].at)
            help = "remove `<…>`"
            self._report.add("F104", f"`{name}` takes no type arguments", at, "too many", help)
        if name in DECLARABLE:
            return DECLARABLE[name]
        symbol = module.find(name)
        if symbol and isinstance(symbol.declaration, syntax.RecordDecl | syntax.EnumDecl):
            return Named(symbol.name)
        if symbol and isinstance(symbol.declaration, syntax.TypeDecl):
            return self._alias(symbol, symbol.declaration, ref)
        known = [
            *DECLARABLE,
            "list",
            "map",
            *(n for n, s in module.visible.items() if is_type(s.declaration)),
        ]
        what = f"`{name}` is not a type" if symbol else f"no type named `{name}`"
        label = "declared as something else" if symbol else "not declared"
        found = offer(name, TYPES, module)
        help = found.help or did_you_mean(name, known) or "declare a record, an enum or a `type`"
        self._report.add("F104", what, ref.name.at, label, help, fix=found.fix)
        return ANY

    def _container(self, ref: syntax.TypeRef, module: Module) -> Type:
        name, arguments, heights = ref.name.text, [], []
        for argument in ref.arguments:
            arguments.append(self.resolve(argument, module))
            heights.append(self._height)
        self._height = max(heights, default=0) + 1
        wanted = 1 if name == "list" else 2
        if len(arguments) != wanted:
            help = "write `list<T>`" if name == "list" else "write `map<string, T>`"
            count = "one type argument" if wanted == 1 else "two type arguments"
            label = f"found {len(arguments) or 'none'}"
            self._report.add("F104", f"`{name}` takes {count}", ref.at, label, help)
            return ANY
        if name == "list":
            return ListOf(arguments[0])
        if arguments[0] not in (STRING, ANY):
            message, help = f"a map's key cannot be `{arguments[0]}`", "write `map<string, T>`"
            self._report.add("F104", message, ref.arguments[0].at, "not `string`", help)
        return MapOf(STRING, arguments[1])

    def _alias(self, symbol: Symbol, declaration: syntax.TypeDecl, ref: syntax.TypeRef) -> Type:
        if symbol.name in self._aliases:
            self._height = self._heights[symbol.name]
            return self._aliases[symbol.name]
        if symbol.name in self._open:
            message = f"`{declaration.name.text}` is made of itself"
            help = "name another type"
            self._report.add("F107", message, ref.at, "leads back to it", help)
            return ANY
        if len(self._open) >= _LONGEST:
            message, help = f"more than {_LONGEST} aliases in a row", "name the type itself"
            self._report.add("F003", message, ref.at, "too deep", help)
            return ANY
        self._open.append(symbol.name)
        found = self.resolve(declaration.type, self._modules[symbol.module])
        self._open.pop()
        self._aliases[symbol.name] = found
        self._heights[symbol.name] = self._height
        return found

    def _too_deep(self, ref: syntax.TypeRef) -> Type:
        message = f"more than {DEEPEST_TYPE} types inside one another"
        help = "nest fewer, or make a record of a part"
        self._report.add("F003", message, ref.name.at, "too deep", help)
        self._height = -DEEPEST_TYPE  # said once, not again of all that stands around it
        return ANY


def is_type(declaration: syntax.Declaration) -> bool:
    """Whether a declaration's name may stand where a type is expected."""
    return isinstance(declaration, TYPES)
