"""What the issues ask of a figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound of a row's ratio or, with a `unit`, of its value."""

    bound: float
    unit: str | None = None
    most: bool = False

    def holds(self, value: float, ratio: float | None) -> bool:
        """Whether a figure is within it; without a ratio one that bounds it is missed."""
        found = value if self.unit is not None else ratio
        if found is None:
            return False
        return found <= self.bound if self.most else found >= self.bound

    def __str__(self) -> str:
        what = "×" if self.unit is None else f" {self.unit}"
        return f"{'≤' if self.most else '≥'} {self.bound:,g}{what}"


def times(bound: float) -> Aim:
    """At least so many times the reference."""
    return Aim(bound)


def at_most_times(bound: float) -> Aim:
    """At most so many times the reference."""
    return Aim(bound, most=True)


def at_least(bound: float, unit: str) -> Aim:
    """At least so much."""
    return Aim(bound, unit)


def at_most(bound: float, unit: str) -> Aim:
    """At most so much."""
    return Aim(bound, unit, most=True)
