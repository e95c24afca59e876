"""The variables of a running saga, block within block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Env(dict[str, Any]):
    """The names of a block, and through it those of the blocks around it. `turn` is which turn of
    which loops this is, `[2][0]`: a part of the ids of what is sent from here. `alone` tells that
    nothing of the saga runs beside this block, so that it may stop here; `undoing` that it belongs
    to an `undo { }`, so that it has to come to its end."""

    __slots__ = ("_outer", "alone", "turn", "undoing")

    def __init__(
        self, outer: Env | None = None, turn: str | None = None, alone: bool | None = None
    ) -> None:
        super().__init__()
        self._outer = outer
        self.alone: bool = alone if alone is not None else outer is not None and outer.alone
        self.undoing: bool = outer is not None and outer.undoing
        self.turn: str = turn if turn is not None else outer.turn if outer is not None else ""

    def __missing__(self, name: str) -> Any:
        if self._outer is None:
            raise KeyError(name)
        return self._outer[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, here or further out."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        # Copying (`{**env}`, `dict(env)`) goes by this, and by `keys`.
        outer = () if self._outer is None else self._outer  # an empty block is false
        yield from dict.fromkeys((*outer, *super().__iter__()))

    def keys(self) -> Any:
        """Every name in sight."""
        return list(self)

    def own(self) -> dict[str, Any]:
        """The names of this block alone."""
        return dict(self.items())

    def assign(self, name: str, value: Any) -> None:
        """Gives a variable a new value where it was declared."""
        env: Env | None = self
        while env is not None and not dict.__contains__(env, name):
            env = env._outer
        (self if env is None else env)[name] = value

    def snapshot(self) -> Env:
        """All names with their present values; what is assigned later does not change it."""
        copied = Env(turn=self.turn)
        copied.update({name: self[name] for name in self})
        return copied
