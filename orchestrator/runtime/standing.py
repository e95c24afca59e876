"""Where a saga stands: the way from its body down to a loop's turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.runtime.snapshot import freeze_names, thaw_names
from orchestrator.runtime.tagged import from_tagged, to_tagged


@dataclass(slots=True)
class Frame:
    """One block of the way: which of its instructions stands open, and in which of that one's own
    blocks (as `compile.bodies` counts them) it goes on.

    A loop's frame tells its turn. `names` are those of the turn's own block; a loop that stands
    between two turns, before `turn`, has None and ends the way. `items` are those of a `for`, from
    this turn on; `yields` what the turns before gave. A `try` whose scope is being undone ends the
    way, too: `undoing` holds the failure that its handler gets.
    """

    index: int = 0
    block: int = 0
    turn: int = 0
    names: dict[str, Any] | None = None
    items: list[Any] = field(default_factory=list)
    yields: list[Any] = field(default_factory=list)
    undoing: tuple[Any] | None = None

    def freeze(self) -> dict[str, Any]:
        """The frame as what `json` writes; what says nothing is left out."""
        whole = {
            "index": self.index,
            "block": self.block,
            "turn": self.turn,
            "names": None if self.names is None else freeze_names(self.names),
            "items": to_tagged(self.items),
            "yields": to_tagged(self.yields),
            "undoing": to_tagged(list(self.undoing)) if self.undoing else None,
        }
        return {k: v for k, v in whole.items() if v or v == {}}


def thaw_frame(frozen: dict[str, Any]) -> Frame:
    """The frame that `Frame.freeze` wrote."""
    names, undoing = frozen.get("names"), frozen.get("undoing")
    return Frame(
        index=frozen.get("index", 0),
        block=frozen.get("block", 0),
        turn=frozen.get("turn", 0),
        names=None if names is None else thaw_names(names),
        items=from_tagged(frozen.get("items", [])),
        yields=from_tagged(frozen.get("yields", [])),
        undoing=(from_tagged(undoing[0]),) if undoing else None,
    )


#: The frames from a block on inwards, outermost first; empty for a block that begins.
Way = tuple[Frame, ...]


@dataclass(slots=True)
class Stopped:
    """A saga that stops between two turns, on its way out: each block adds its frame, the innermost
    first."""

    frames: list[Frame]


class Paused(Exception):
    """A saga stopped where another run can go on: with `state`, which `json` writes."""

    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__("the saga goes on in another run")
        self.state = state
