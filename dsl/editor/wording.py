"""Types, policies and declarations in the words of a flow, for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dsl.check.names import Module
from dsl.duration import written
from dsl.editor.declared import Declared, find
from dsl.model import Part, PolicyModel, Retry
from dsl.types import ListOf, MapOf, Named, OneOf, Optional, Type

#: A declaration longer than this is shown by its beginning.
_MOST_LINES = 24


def type_words(type: Type, modules: Mapping[str, Module]) -> str:
    """A type as one would write it in a file that imports what it names."""
    match type:
        case Named(name):
            return _short(name, modules)
        case OneOf(names):
            return " | ".join(_short(n, modules) for n in names)
        case Optional(of):
            return f"{type_words(of, modules)}?"
        case ListOf(item):
            return f"list<{type_words(item, modules)}>"
        case MapOf(key, value):
            return f"map<{type_words(key, modules)}, {type_words(value, modules)}>"
    return str(type)


def _short(qualified: str, modules: Mapping[str, Module]) -> str:
    found = find(qualified, modules)
    kept = 2 if found and found.kind in ("command", "event") else 1
    return ".".join(qualified.split(".")[-kept:])


def source_of(declared: Declared) -> str:
    """A declaration as it is written, cut when it is long; of a saga or a service its head."""
    node = declared.node
    text = str(node.at.text)
    body = getattr(node, "body", None)
    if body is not None:
        text = text[: body.at.start - node.at.start]
    elif declared.kind == "service":
        text = _service(node)
    lines = text.rstrip().split("\n")
    indent = _indent(declared)
    lines = [line.removeprefix(indent).rstrip() for line in lines]
    return "\n".join((*lines[:_MOST_LINES], "…") if len(lines) > _MOST_LINES else lines)


def _service(node: Any) -> str:
    settings = [f"  {s.at.text}" for s in node.settings]
    commands = [f"  command {c.name.text}" for c in node.commands]
    events = [f"  event {e.name.text}" for e in node.events]
    return "\n".join((f"service {node.name.text} {{", *settings, *commands, *events, "}"))


def _indent(declared: Declared) -> str:
    source, at = declared.at.source, declared.node.at
    number, column = source.position(at.start)
    before = source.line(number)[: column - 1]
    return before if not before.strip() else ""


def policy_words(policy: PolicyModel) -> list[tuple[str, str]]:
    """What a policy grants, inherited settings included: name and value."""
    values = [(n, getattr(policy, n)) for n in policy.__struct_fields__ if n not in _NOT_SETTINGS]
    return [(name, _value(value)) for name, value in values if value is not None]


_NOT_SETTINGS = ("name", "doc")


def _value(value: object) -> str:
    match value:
        case timedelta():
            return written(value)
        case Retry(attempts=attempts) if attempts <= 1:
            return "none"
        case Retry():
            text = f"{value.attempts} attempts, waits from {written(value.initial)}"
            text += f" × {value.factor:g}" if value.factor != 1 else ""
            text += f" up to {written(value.maximum)}" if value.maximum else ""
            return text + (f", jitter {value.jitter:.0%}" if value.jitter else "")
        case Part():
            parts = ((n, getattr(value, n)) for n in value.__struct_fields__)
            return ", ".join(f"{n}: {_value(v)}" for n, v in parts if v is not None)
        case float():
            return f"{value:g}"
        case bool():
            return str(value).lower()
    return str(value)
