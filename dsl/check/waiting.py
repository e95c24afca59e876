"""Whether what sagas wait for can come: somebody publishes it, and nobody waits in a circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

import msgspec

from dsl import syntax
from dsl.check.circles import circles
from dsl.check.contents import statements
from dsl.check.courses import Course, Needs, course
from dsl.check.messages import Messages
from dsl.check.names import Module
from dsl.check.report import Report
from dsl.diagnostic import Note
from dsl.model import wire_type

#: How many sagas of a circle are named.
_NAMED = 5


class _Saga(msgspec.Struct, frozen=True, eq=False):
    """A saga, its course and the events that it emits; `name` is qualified."""

    name: str
    course: Course
    gives: Needs


#: Who waits for something, in the order of the text, and where.
Waits = dict[str, list[tuple[int, _Saga, syntax.Path]]]


def check_waiting(
    modules: Mapping[str, Module],
    messages: Messages,
    elsewhere: Needs,
    circular: Needs,
    report: Report,
) -> None:
    """Reports awaited events that nothing publishes, and sagas that wait for each other.

    A service that has commands has a participant, which may publish any of its events. Events that
    answer a command come from whoever answers, those of a service that says `publisher: outside`
    from there, and `elsewhere` are those that sagas in files emit which are not checked here. All
    others come from sagas. That `circular` sagas never end is reported elsewhere.
    """
    sagas = list(_sagas(modules, messages, circular))
    free = elsewhere | messages.published
    waits: Waits = defaultdict(list)
    order = count()
    for saga in sagas:
        for need, path in saga.course.waits:
            waits[need].append((next(order), saga, path))
    known = free.union(*(s.gives for s in sagas), (s.name for s in sagas))
    for need, ((_, _, path), *_) in waits.items():
        if need not in known:
            message = f"nothing here publishes `{wire_type(need)}`"
            help = "`emit` it in a saga; for what comes from outside, say `publisher: outside`"
            report.warn("F371", message, path.at, "nobody is known to", help)
    for circle in _circles(sagas, free):
        _report(circle, waits, report)


def _sagas(modules: Mapping[str, Module], messages: Messages, circular: Needs) -> Iterator[_Saga]:
    for module in modules.values():
        for symbol in module.own.values():
            if isinstance(symbol.declaration, syntax.SagaDecl):
                found = _course(symbol.declaration, module, messages, circular)
                yield _Saga(symbol.name, found, frozenset(event for event, _ in found.gives))


def _course(saga: syntax.SagaDecl, module: Module, messages: Messages, circular: Needs) -> Course:
    def event(path: syntax.Path) -> str | None:
        found = messages.known_event(path, module)
        return found.name if found else None

    def child(path: syntax.Path) -> str | None:
        symbol = module.find(path.text)
        declared = symbol is not None and isinstance(symbol.declaration, syntax.SagaDecl)
        known = symbol is not None and declared and symbol.name not in circular
        return symbol.name if symbol and known else None

    return course(saga, event, child)


def emitted(files: Iterable[syntax.File]) -> Needs:
    """The qualified names of the events that the sagas of files emit, as they are written."""
    return frozenset(name for file in files if file.module for name in _emitted(file))


def _emitted(file: syntax.File) -> Iterator[str]:
    assert file.module
    homes = {n.text: i.module.text for i in file.imports for n in i.names}
    homes |= {d.name.text: file.module.text for d in file.declarations}
    for saga in file.declarations:
        if isinstance(saga, syntax.SagaDecl):
            for statement in statements(saga.body, undos=True):
                if isinstance(statement, syntax.Emit):
                    path = statement.event.callee
                    yield f"{homes.get(path.parts[0].text)}.{path.text}"


def _circles(sagas: list[_Saga], free: Needs) -> list[set[str]]:
    """The events and sagas that can never come, by those that wait for each other."""
    ways: dict[str, list[Needs]] = {}
    for saga in sagas:
        ways.setdefault(saga.name, []).extend(saga.course.ends)
        for event, needs in saga.course.gives:
            if event not in free:
                ways.setdefault(event, []).append(needs)
    never = _never(ways)
    return circles({n: sorted({x for way in ways[n] for x in way if x in never}) for n in never})


def _never(ways: Mapping[str, list[Needs]]) -> set[str]:
    """What can never come: each of its ways needs something that never comes. What has no way at
    all, as a saga that always fails, is another matter."""
    left = {
        (name, n): sum(need in ways for need in way)
        for name, all in ways.items()
        for n, way in enumerate(all)
    }
    waiting: dict[str, list[tuple[str, int]]] = {}
    for name, all in ways.items():
        for n, way in enumerate(all):
            for need in way:
                waiting.setdefault(need, []).append((name, n))
    come = {name for (name, _), count in left.items() if count == 0}
    come |= {name for name, all in ways.items() if not all}
    fresh = list(come)
    while fresh:
        for name, n in waiting.get(fresh.pop(), ()):
            left[name, n] -= 1
            if left[name, n] == 0 and name not in come:
                come.add(name)
                fresh.append(name)
    return ways.keys() - come


def _report(circle: set[str], waits: Waits, report: Report) -> None:
    """One report for each circle: at the first wait of it, with the others beside."""
    places: dict[str, syntax.Path] = {}
    for _, saga, path in sorted((w for need in circle for w in waits[need]), key=lambda w: w[0]):
        if saga.name in circle or not saga.gives.isdisjoint(circle):
            places.setdefault(saga.name.rpartition(".")[2], path)
    (_, at), *others = places.items()
    also = tuple(Note(p.at, f"`{name}` waits here") for name, p in others[:_NAMED])
    names = [f"`{name}`" for name in places]
    if others:
        few = names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED} more"]
        message = f"{', '.join(few[:-1])} and {few[-1]} wait for each other"
        label, help = "this never comes", "let one of them go on without waiting"
    else:
        message, label = f"{names[0]} waits for itself", "only it could end this wait"
        help = "do what is waited for before waiting, or let another saga do it"
    report.add("F372", message, at.at, label, help, also)
