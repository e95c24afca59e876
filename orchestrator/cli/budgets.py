"""`orchestrate check --budget`: what each saga may take, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from dsl.budget.budget import Budget, Budgets
from dsl.budget.cost import Cost
from dsl.budget.walk import Turns
from dsl.duration import said
from dsl.model import Place, SagaModel

if TYPE_CHECKING:
    from rich.table import Table

    from dsl.load import Loaded


class Known(NamedTuple):
    """A saga with its budget."""

    saga: SagaModel
    budget: Budget


def asked(loaded: Loaded) -> list[Known]:
    """The sagas of the modules that were asked for."""
    program = loaded.program
    if program is None:
        return []
    budgets = Budgets(saga for module in program.modules.values() for saga in module.sagas)
    modules = [program.modules[m] for m in loaded.asked]
    return [Known(saga, budgets.of(saga.name)) for module in modules for saga in module.sagas]


def to_json(known: Iterable[Known]) -> list[dict[str, Any]]:
    """As data: times in seconds, null where there is no limit; `unbounded` says where that comes
    from."""
    return [
        {
            "saga": saga.name,
            "within": saga.within.total_seconds() if saga.within is not None else None,
            "best": _cost(found.best),
            "worst": _cost(found.worst),
            "loops": [_loop(turns) for turns in found.loops],
            "unbounded": [
                {**_place(e.place), "time_only": e.time_only, "why": str(e.why)}
                for e in found.endless
            ],
        }
        for saga, found in known
    ]


def _cost(cost: Cost) -> dict[str, float | int | None]:
    return {
        "seconds": None if cost.seconds == inf else cost.seconds,
        "history": _count(cost.history),
        "messages": _count(cost.messages),
        "commands": _count(cost.commands),
        "events": _count(cost.events),
        "undos": _count(cost.undos),
        "dead_letters": _count(cost.letters),
        "calls": _count(cost.calls),
    }


def _count(value: float) -> int | None:
    return None if value == inf else int(value)


def _loop(turns: Turns) -> dict[str, Any]:
    return {
        **_place(turns.place),
        "turns": turns.count,
        "at_once": turns.at_once,
        "continues_as_new": turns.continues,
        "best": _cost(turns.turn.best),
        "worst": _cost(turns.turn.worst),
    }


def _place(place: Place) -> dict[str, Any]:
    return {"path": place.file, "line": place.line, "column": place.column}


def table(known: Iterable[Known]) -> Table:
    """For people: a row for each saga, one for each turn of its loops."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    made.add_column("saga", overflow="fold")
    for column in ("time", "history events", "messages", "calls"):
        made.add_column(column, justify="right")
    for saga, found in known:
        made.add_row(_short(saga), *_cells(found.best, found.worst))
        for turns in found.loops:
            where = f"  a turn of line {turns.place.line}"
            where += "" if turns.continues else ", in one run"
            made.add_row(where, *_cells(turns.turn.best, turns.turn.worst), style="dim")
    return made


def unbounded(known: Iterable[Known]) -> Iterator[str]:
    """A line for each place that leaves a budget without a limit."""
    for saga, found in known:
        for place, why in found.endless:
            where = f"{place.file}:{place.line}:{place.column}"
            yield f"`{_short(saga)}` is unbounded: {where}: {why}"


def _short(saga: SagaModel) -> str:
    return saga.name.rpartition(".")[2]


def _cells(best: Cost, worst: Cost) -> tuple[str, ...]:
    numbers = (
        (best.history, worst.history),
        (best.messages, worst.messages),
        (best.calls, worst.calls),
    )
    return (
        _between(_time(best.seconds), _time(worst.seconds)),
        *(_between(_number(low), _number(high)) for low, high in numbers),
    )


def _between(best: str, worst: str) -> str:
    return best if best == worst else f"{best} – {worst}"


def _time(seconds: float) -> str:
    try:
        return "no limit" if seconds == inf else said(timedelta(seconds=seconds))
    except OverflowError:
        return "no limit"


def _number(value: float) -> str:
    return "∞" if value == inf else f"{value:,.0f}"
