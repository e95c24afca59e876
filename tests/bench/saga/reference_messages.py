"""What the hand-written saga passes around; a module of its own, so that the sandbox does not
read it again for every workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

QUEUE = "bench.reference"


@dataclass
class Line:
    """A line of an order."""

    sku: str
    quantity: int
    price: str


@dataclass
class Order:
    """The saga's input."""

    order_id: str
    customer_id: str
    card: str
    address: str
    lines: list[Line]


@dataclass
class Receipt:
    """The saga's result."""

    order_id: str
    total: str
    tracking: str


@dataclass
class Message:
    """A command or event to publish."""

    id: str
    type: str
    topic: str
    key: str
    data: dict[str, Any]
    correlation_id: str


@dataclass
class Reply:
    """An answer; `command_id` is the message that it answers."""

    command_id: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """What a step is granted, in seconds; the flow's `standard` and `courier`."""

    timeout: float
    attempts: int
    wait: float
    factor: float


STANDARD = Policy(timeout=3, attempts=3, wait=0.5, factor=2)
COURIER = Policy(timeout=1, attempts=3, wait=0.5, factor=1)
