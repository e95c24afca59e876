"""Numbered events that come in a scenario: each is handed on once and in its turn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container
from dataclasses import dataclass

from dsl.model import Program, wire_type
from dsl.values import Struct
from orchestrator.testing.course import Event
from orchestrator.testing.order import GAP, Order, Place
from orchestrator.testing.world import World


@dataclass(frozen=True, slots=True)
class _Came:
    """An event, what hands it on, and when its time to wait is over."""

    event: Struct
    number: int
    take: Callable[[], None]
    until: float


class Numbered:
    """The orders of all numbered events of a scenario, by type and key."""

    def __init__(self, world: World, program: Program) -> None:
        self._world = world
        self._program = program
        self._orders: dict[tuple[str, str], Order[_Came]] = defaultdict(Order)
        #: The highest number of each that is given.
        self._last: Counter[tuple[str, str]] = Counter()

    def numbered(self, event: Struct, named: Container[str]) -> tuple[Struct, int | None]:
        """An event that is going to come, with its number: where that is not `named`, the one
        behind the last of its key so far."""
        field = self._program.event(event.type).sequence
        if field is None:
            return event, None
        stream = self._stream(event)
        if field not in named:
            event = Struct(event.type, {**event, field: self._last[stream] + 1})
        number: int = event[field]
        self._last[stream] = max(number, self._last[stream])
        return event, number

    def began(self, event: Struct) -> None:
        """The event that starts the saga is the first of its order, when it is numbered."""
        _, number = self.numbered(event, event)
        if number is not None:
            order = self._order(event)
            order.begin(number)
            order.place(number, _Came(event, number, lambda: None, 0.0))

    def come(self, event: Struct, number: int, take: Callable[[], None]) -> None:
        """Hands an event on when its turn is, and then those that waited for it."""
        order, loop = self._order(event), self._world.loop
        came = _Came(event, number, take, loop.time() + GAP)
        place = order.place(number, came)
        match place:
            case Place.TAKEN:
                take()
                self._go_on(order)
            case Place.EARLY:
                self._tell(came, f"early: {self._missing(order)} has not come")
                loop.call_later(GAP, self._overdue, order)
            case Place.DUPLICATE:
                self._tell(came, f"passed over: {number} has come before")
            case Place.STALE | Place.BEHIND | Place.FULL:
                self._tell(came, "out of its order")
                self._bury(came, self._missing(order))

    def _overdue(self, order: Order[_Came]) -> None:
        now = self._world.loop.time()
        while any(came.until <= now for came in order.early.values()):
            missing = self._missing(order)
            given_up = order.give_up()
            for came in given_up:
                self._bury(came, missing)
            if not given_up:
                self._go_on(order)  # the order begins with what waits

    def _go_on(self, order: Order[_Came]) -> None:
        while (came := order.turn()) is not None:
            came.take()

    def _order(self, event: Struct) -> Order[_Came]:
        return self._orders[self._stream(event)]

    def _stream(self, event: Struct) -> tuple[str, str]:
        return event.type, str(event[self._program.event(event.type).key])

    def _missing(self, order: Order[_Came]) -> str:
        return "the one before it" if order.next is None else f"event {order.next}"

    def _tell(self, came: _Came, what: str) -> None:
        self._world.log(Event.ARRIVED, f"{self._world.message(came.event)}, {what}")

    def _bury(self, came: _Came, missing: str) -> None:
        name = wire_type(came.event.type)
        text = f"dead letter of {name}: event {came.number} came and {missing} did not"
        self._world.log(Event.BURIED, text)
