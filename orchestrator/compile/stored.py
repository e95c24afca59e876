"""The plan as JSON and back, however deep its sagas are nested.

Pydantic's own JSON stops at 200 levels and a block takes up to four, so the models are written and
read one by one, each when those inside it are done.
"""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_jsonable_python

from dsl.cel.nodes import Node
from dsl.depth import make_room
from dsl.stored import Stored
from dsl.types import Type
from orchestrator.compile.plan import Instruction, Plan


def write_plan(plan: Plan) -> str:
    """The plan's wire form."""
    make_room()
    return json.dumps(plan, default=_written, ensure_ascii=False, separators=(",", ":"))


def read_plan(text: str) -> Plan:
    """The plan of a wire form. Raises ValueError for any other text."""
    make_room()
    return Plan.model_validate(json.loads(text, object_hook=_read))


def _written(part: Any) -> Any:
    if isinstance(part, BaseModel):
        return dict(part)
    if isinstance(part, Stored):
        return {name: getattr(part, name) for name in part.__slots__}
    return str(part) if isinstance(part, Type) else to_jsonable_python(part)


def _tagged(union: Any, tag: str) -> dict[str, TypeAdapter[Any]]:
    """What reads each class of a discriminated union, by the values of its tag."""
    return {
        value: TypeAdapter(part)
        for part in get_args(get_args(union)[0])
        for value in get_args(get_type_hints(part)[tag])
    }


_NODES = _tagged(Node, "op")
_INSTRUCTIONS = _tagged(Instruction, "kind")


def _read(part: dict[str, Any]) -> Any:
    """A node or an instruction as its model. No mapping of the plan has a text under these names:
    where a flow gives the names, the values are nodes."""
    op, kind = part.get("op"), part.get("kind")
    reader = _NODES.get(op) if isinstance(op, str) else None
    if reader is None and isinstance(kind, str):
        reader = _INSTRUCTIONS.get(kind)
    return part if reader is None else reader.validate_python(part)
