"""How a block of statements is left, and what each of these ways costs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dsl.budget.cost import NOTHING, Cost, Range, any_of


class Ways(msgspec.Struct):
    """A block goes on, returns, yields, or fails; None where it never does so."""

    on: Range | None = None
    returned: Range | None = None
    yielded: Range | None = None
    failed: Range | None = None

    def then(self, after: Ways) -> Ways:
        """This and what follows where it goes on."""
        if self.on is None:
            return self
        return Ways(
            _plus(self.on, after.on),
            any_of((self.returned, _plus(self.on, after.returned))),
            any_of((self.yielded, _plus(self.on, after.yielded))),
            any_of((self.failed, _plus(self.on, after.failed))),
        )

    @property
    def any(self) -> Range | None:
        """However it is left."""
        return any_of((self.on, self.returned, self.yielded, self.failed))

    @property
    def worst(self) -> Cost:
        """The most that it may take, however it is left."""
        whole = self.any
        return whole.worst if whole else NOTHING


#: Nothing at all.
ON = Ways(on=Range())


def one_of(ways: Sequence[Ways]) -> Ways:
    """One of several ways."""
    return Ways(
        any_of(w.on for w in ways),
        any_of(w.returned for w in ways),
        any_of(w.yielded for w in ways),
        any_of(w.failed for w in ways),
    )


def _plus(first: Range, second: Range | None) -> Range | None:
    return None if second is None else first.plus(second)
