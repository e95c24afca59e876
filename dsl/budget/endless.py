"""Places where a saga's text sets no limit."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from dsl.model import Place


class Why(StrEnum):
    """Why nothing can be told, as people read it."""

    CONDITION = "its condition alone ends the loop"
    ITEMS = "the list that it goes through comes with the data"
    WAIT = "it waits without a limit"
    SAGA = "the saga that it calls has no limit"
    TIME = "its time comes with the data"


class Endless(NamedTuple):
    """A place without a limit: of its time alone, or of everything that it does."""

    place: Place
    why: Why

    @property
    def time_only(self) -> bool:
        """Whether the number of events and messages is known all the same."""
        return self.why in (Why.WAIT, Why.SAGA, Why.TIME)
