"""What sagas take and give, known before any of their bodies is checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dsl import syntax
from dsl.cel.scope import FieldShape
from dsl.check.names import Module
from dsl.check.types import TypeResolver
from dsl.types import Type


class Signature(NamedTuple):
    """A saga's parameters and its result."""

    parameters: tuple[FieldShape, ...]
    result: Type | None


def signatures(modules: Iterable[Module], types: TypeResolver) -> dict[str, Signature]:
    """Those of all sagas, by qualified name."""
    return {
        symbol.name: Signature(
            tuple(FieldShape(p.name.text, types.resolve(p.type, module)) for p in saga.parameters),
            types.resolve(saga.result, module) if saga.result else None,
        )
        for module in modules
        for symbol in module.own.values()
        if isinstance(saga := symbol.declaration, syntax.SagaDecl)
    }
