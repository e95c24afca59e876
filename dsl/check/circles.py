"""Circles in what needs what, in linear time and without recursion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def circles(needs: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """The groups of names that need each other, one that needs itself included (Kosaraju)."""
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, others in needs.items():
        for other in others:
            needed_by[other].append(name)
    found: list[set[str]] = []
    seen: set[str] = set()
    for name in reversed(_finished(needs)):
        if name not in seen:
            group = _reached(name, needed_by, seen)
            if len(group) > 1 or name in needs[name]:
                found.append(group)
    return found


def _finished(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """All names, each after those that it needs (apart from circles)."""
    order: list[str] = []
    seen: set[str] = set()
    for start in needs:
        stack = [(start, iter(needs[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(needs[following])))
    return order


def _reached(start: str, edges: Mapping[str, Sequence[str]], seen: set[str]) -> set[str]:
    """What is reached from `start` and was not before; `seen` grows by it."""
    group, left = {start}, [start]
    while left:
        left += (new := set(edges[left.pop()]) - seen - group)
        group |= new
    seen |= group
    return group
