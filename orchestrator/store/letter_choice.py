"""Which dead letters are meant: a filter over columns that are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_

from orchestrator.store.tables import dead_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Letters for which all that is given holds. `error` is a class, with or without its module, or
    a part of the message; `since` and `until` are when they died."""

    ids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    flow: str | None = None
    topic: str | None = None
    consumer: str | None = None
    type: str | None = None
    key: str | None = None
    saga_id: str | None = None
    message_id: str | None = None
    error: str | None = None
    disposition: str | None = None
    holds: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything but a state is asked for."""
        given = (getattr(self, name) for name in self.__slots__ if name != "states")
        return any(value not in (None, ()) for value in given)


_EQUAL = (*("flow", "topic", "consumer", "type", "saga_id", "message_id", "disposition", "holds"),)


def conditions(choice: Choice) -> list[ColumnElement[bool]]:
    """What a row has to be, to be chosen."""
    return [*_conditions(choice)]


def _conditions(choice: Choice) -> Iterable[ColumnElement[bool]]:
    table = dead_letters.c
    if choice.ids:
        yield table.id.in_(choice.ids)
    if choice.states:
        yield table.state.in_(choice.states)
    for name in _EQUAL:
        wanted = getattr(choice, name)
        if wanted is not None:
            yield table[name] == wanted
    if choice.key is not None:
        yield table.key_text == choice.key
    if choice.error is not None:
        yield or_(
            table.error == choice.error,
            table.error.endswith(f".{choice.error}", autoescape=True),
            table.message.contains(choice.error, autoescape=True),
        )
    if choice.since is not None:
        yield table.died_at >= choice.since
    if choice.until is not None:
        yield table.died_at < choice.until
