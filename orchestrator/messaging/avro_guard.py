"""What a stranger's Avro schema must not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def holds_lists_of_nothing(schema: Any) -> bool:
    """Whether a schema has an array of what takes no bytes: nine bytes could then ask a reader
    for 2^62 items. The schema is one that the library has parsed."""
    return _Walk().found(schema)


class _Walk:
    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def found(self, schema: Any) -> bool:
        match schema:
            case list():
                return any(self.found(s) for s in schema)
            case {"type": "array", "items": items}:
                return self.found(items) or self._empty(items)
            case {"type": "map", "values": values}:
                return self.found(values)
            case {"type": "record" | "error", "fields": fields}:
                self._named[schema["name"]] = schema
                return any(self.found(f["type"]) for f in fields)
            case {"type": "fixed" | "enum"}:
                self._named[schema["name"]] = schema
                return False
            case {"type": (dict() | list()) as inner}:
                return self.found(inner)
        return False

    def _empty(self, schema: Any, within: frozenset[str] = frozenset()) -> bool:
        if isinstance(schema, str):
            return schema == "null" or self._empty_name(schema, within)
        if not isinstance(schema, Mapping):
            return False  # a union says which one it is
        match schema["type"]:
            case "record" | "error":
                within |= {schema["name"]}
                return all(self._empty(f["type"], within) for f in schema["fields"])
            case "fixed":
                return bool(schema["size"] <= 0)
            case str() as name:
                return name == "null"
            case inner:
                return self._empty(inner, within)

    def _empty_name(self, name: str, within: frozenset[str]) -> bool:
        """A record that holds nothing but itself has no values, and its reader no end."""
        known = self._named.get(name)
        return name in within or (known is not None and self._empty(known, within))
