"""The one type of two values of which either may come."""

from __future__ import annotations

from dsl.types import ANY, NULL, ListOf, MapOf, Optional, Type, assignable, optional


def join(a: Type, b: Type) -> Type | None:
    """The type that holds both `a` and `b`; None when only `any` would."""
    if a == b:
        return a
    if ANY in (a, b):
        return ANY
    if NULL in (a, b):
        return optional(b if a is NULL else a)
    if isinstance(a, Optional) or isinstance(b, Optional):
        inner = join(plain(a), plain(b))
        return None if inner is None else optional(inner)
    return _join_containers(a, b)


def _join_containers(a: Type, b: Type) -> Type | None:
    match a, b:
        case ListOf(x), ListOf(y):
            item = join(x, y)
            return None if item is None else ListOf(item)
        case MapOf(k, x), MapOf(j, y):
            key, value = join(k, j), join(x, y)
            return None if key is None or value is None else MapOf(key, value)
    return b if assignable(a, b) else a if assignable(b, a) else None


def join_all(types: list[Type]) -> Type:
    """The type that holds all of them; `any` when they are too unlike, or when there are none."""
    joined: Type | None = types[0] if types else ANY
    for type in types[1:]:
        joined = join(joined, type) if joined is not None else None
    return ANY if joined is None else joined


def plain(type: Type) -> Type:
    """`T` of `T?`, any other type as it is."""
    return type.of if isinstance(type, Optional) else type
