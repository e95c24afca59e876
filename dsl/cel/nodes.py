"""Typed expressions: what the plan stores and the evaluator compiles.

These models are part of the plan's wire form: fields are added with defaults, never removed or
renamed, because stored plans and running sagas outlive a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from dsl.stored import Stored, TaggedBy
from dsl.types import TypeField

#: The macros that turn over a list or a map.
Turning = Literal["map", "filter", "all", "exists", "exists_one"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Const(Stored):
    """A constant; `value` is the JSON wire form of `type` (a decimal as its text, and so on)."""

    op: Literal["const"] = "const"
    type: TypeField
    value: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref(Stored):
    """A variable of the scope."""

    op: Literal["ref"] = "ref"
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Get(Stored):
    """`of.name`, a field of a struct or a string key of a map."""

    op: Literal["get"] = "get"
    of: Node
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Has(Stored):
    """`has(of.name)`."""

    op: Literal["has"] = "has"
    of: Node
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Stored):
    """A function or operator by CEL's name for it (`_+_`, `_[_]`, `size`, `startsWith`); the
    receiver of a method is its first argument. Which overload it is depends on the values."""

    op: Literal["call"] = "call"
    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Logic(Stored):
    """`&&` or `||`, which absorb an error when the other side decides alone (CEL's rule)."""

    op: Literal["and", "or"]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose(Stored):
    """`condition ? then : otherwise`."""

    op: Literal["if"] = "if"
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Macro(Stored):
    """`of.map(var, body)` and its kin; `var` is visible in `body` alone."""

    op: Turning
    of: Node
    var: str
    body: Node
    condition: Node | None = None  # of `map(v, p, e)` alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Build(Stored):
    """A record or message; every field of the type is present, defaults filled in."""

    op: Literal["build"] = "build"
    type: str
    fields: dict[str, Node]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListOfNodes(Stored):
    """`[a, b]`."""

    op: Literal["list"] = "list"
    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MapOfNodes(Stored):
    """`{k: v}`."""

    op: Literal["dict"] = "dict"
    entries: tuple[tuple[Node, Node], ...]


Node = Annotated[
    Const | Ref | Get | Has | Call | Logic | Choose | Macro | Build | ListOfNodes | MapOfNodes,
    TaggedBy("op"),
]
