"""`map filter all exists exists_one` at run time, over a list's items or a map's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dsl.cel.comparison import elements
from dsl.cel.errors import CelError, no_overload

_Compiled = Callable[[Mapping[str, Any]], Any]


def compile_macro(
    op: str, of: _Compiled, var: str, body: _Compiled, keep: _Compiled | None
) -> _Compiled:
    """The closure of a macro; `keep` is the middle argument of a `map` with three."""
    match op:
        case "map" if keep is not None:
            return _map_some(of, var, body, keep)
        case "map":
            return lambda env: [body(inner) for _, inner in _bound(of, var, env)]
        case "filter":
            return lambda env: [i for i, inner in _bound(of, var, env) if _truth(body(inner))]
        case "exists_one":
            return lambda env: sum(_truth(body(inner)) for _, inner in _bound(of, var, env)) == 1
        case _:
            return _quantifier(of, var, body, decisive=op == "exists")


def _bound(of: _Compiled, var: str, env: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each element with the names' values under which it is `var`."""
    inner = dict(env)
    for item in elements(of(env)):
        inner[var] = item
        yield item, inner


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise no_overload("macro", value)


def _map_some(of: _Compiled, var: str, body: _Compiled, keep: _Compiled) -> _Compiled:
    return lambda env: [body(inner) for _, inner in _bound(of, var, env) if _truth(keep(inner))]


def _quantifier(of: _Compiled, var: str, body: _Compiled, *, decisive: bool) -> _Compiled:
    """`all` and `exists`: an error counts only when no element decides alone."""

    def run(env: Mapping[str, Any]) -> bool:
        failure: CelError | None = None
        for _, inner in _bound(of, var, env):
            try:
                found = _truth(body(inner))
            except CelError as error:
                failure = failure or error
                continue
            if found is decisive:
                return decisive
        if failure is not None:
            raise failure
        return not decisive

    return run
