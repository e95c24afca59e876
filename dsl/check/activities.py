"""Activities: the Python functions that a flow calls."""

from __future__ import annotations

import re

from dsl import syntax
from dsl.check.names import Module, Symbol
from dsl.check.report import Report
from dsl.check.types import TypeResolver
from dsl.diagnostic import Note
from dsl.model import ActivityModel, ParameterModel

#: `package.module:function`, and as in Python's entry points `package.module:Class.method`.
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def activities(module: Module, types: TypeResolver, report: Report) -> tuple[ActivityModel, ...]:
    """The activities that a module declares. Whether the function is there is for those to say who
    run it: nothing is imported in order to check a flow."""
    return tuple(
        _activity(symbol, symbol.declaration, module, types, report)
        for symbol in module.own.values()
        if isinstance(symbol.declaration, syntax.ActivityDecl)
    )


def _activity(
    symbol: Symbol,
    activity: syntax.ActivityDecl,
    module: Module,
    types: TypeResolver,
    report: Report,
) -> ActivityModel:
    seen: dict[str, syntax.Identifier] = {}
    for parameter in activity.parameters:
        name = parameter.name
        first = seen.setdefault(name.text, name)
        if first is not name:
            also = (Note(first.at, "the first one"),)
            message, help = f"`{name.text}` is declared twice", "rename one of them"
            report.add("F102", message, name.at, "again", help, also)
    function = activity.function.value
    if not (isinstance(function, str) and _FUNCTION.fullmatch(function)):
        message = f"`{activity.name.text}` names no Python function"
        help = 'write `"package.module:function"`'
        report.add("F330", message, activity.function.at, "not of this form", help)
    return ActivityModel(
        name=symbol.name,
        parameters=tuple(
            ParameterModel(name=p.name.text, type=types.resolve(p.type, module))
            for p in activity.parameters
        ),
        result=types.resolve(activity.result, module) if activity.result else None,
        function=str(function),
        doc=activity.doc,
    )
