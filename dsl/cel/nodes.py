"""Typed expressions: what the plan stores and the evaluator compiles.

These models are part of the plan's wire form: fields are added with defaults, never removed or
renamed, because stored plans and running sagas outlive a release.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dsl.types import TypeField


class _Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Const(_Node):
    """A constant; `value` is the JSON wire form of `type` (a decimal as its text, and so on)."""

    op: Literal["const"] = "const"
    type: TypeField
    value: Any = None


class Ref(_Node):
    """A variable of the scope."""

    op: Literal["ref"] = "ref"
    name: str


class Get(_Node):
    """`of.name`, a field of a struct or a string key of a map."""

    op: Literal["get"] = "get"
    of: Node
    name: str


class Has(_Node):
    """`has(of.name)`."""

    op: Literal["has"] = "has"
    of: Node
    name: str


class Call(_Node):
    """A function or operator by CEL's name for it (`_+_`, `_[_]`, `size`, `startsWith`); the
    receiver of a method is its first argument. Which overload it is depends on the values."""

    op: Literal["call"] = "call"
    function: str
    args: tuple[Node, ...]


class Logic(_Node):
    """`&&` or `||`, which absorb an error when the other side decides alone (CEL's rule)."""

    op: Literal["and", "or"]
    left: Node
    right: Node


class Choose(_Node):
    """`condition ? then : otherwise`."""

    op: Literal["if"] = "if"
    condition: Node
    then: Node
    otherwise: Node


class Macro(_Node):
    """`of.map(var, body)` and its kin; `var` is visible in `body` alone."""

    op: Literal["map", "filter", "all", "exists", "exists_one"]
    of: Node
    var: str
    body: Node
    condition: Node | None = None  # of `map(v, p, e)` alone


class Build(_Node):
    """A record or message; every field of the type is present, defaults filled in."""

    op: Literal["build"] = "build"
    type: str
    fields: dict[str, Node]


class ListOfNodes(_Node):
    """`[a, b]`."""

    op: Literal["list"] = "list"
    items: tuple[Node, ...]


class MapOfNodes(_Node):
    """`{k: v}`."""

    op: Literal["dict"] = "dict"
    entries: tuple[tuple[Node, Node], ...]


Node = Annotated[
    Const | Ref | Get | Has | Call | Logic | Choose | Macro | Build | ListOfNodes | MapOfNodes,
    Field(discriminator="op"),
]

for _model in (Get, Has, Call, Logic, Choose, Macro, Build, ListOfNodes, MapOfNodes):
    _model.model_rebuild()
