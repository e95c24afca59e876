"""What a module declares and nothing runs yet, so that nobody relies on it."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.model import ModuleModel, Overflow, PolicyModel


def idle(module: ModuleModel) -> tuple[str, ...]:
    """Aggregates, projections, and the limits of policies, in words."""
    declared = [("aggregate", a.name) for a in module.aggregates]
    declared += [("projection", p.name) for p in module.projections]
    found = [f"{kind} `{name.rpartition('.')[2]}`" for kind, name in declared]
    for policy in module.policies:
        name = policy.name.rpartition(".")[2]
        found += [f"`{setting}` of policy `{name}`" for setting in _limits(policy)]
    return tuple(found)


def _limits(policy: PolicyModel) -> Iterator[str]:
    settings = {
        "circuit_breaker": policy.circuit_breaker is not None,
        "rate_limit": policy.rate_limit is not None,
        "max_in_flight": policy.max_in_flight is not None,
        "overflow": policy.overflow is not Overflow.BLOCK,
    }
    return (name for name, said in settings.items() if said)
