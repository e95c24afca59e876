"""What a module declares and nothing runs yet, so that nobody relies on it."""

from __future__ import annotations

from dsl.model import ModuleModel


def idle(module: ModuleModel) -> tuple[str, ...]:
    """Aggregates and projections, in words."""
    declared = [("aggregate", a.name) for a in module.aggregates]
    declared += [("projection", p.name) for p in module.projections]
    return tuple(f"{kind} `{name.rpartition('.')[2]}`" for kind, name in declared)
