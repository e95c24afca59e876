"""How deep a flow may be nested, and the room on Python's stack that this takes."""

from __future__ import annotations

import sys

#: How many blocks may stand inside one another.
DEEPEST_BLOCK = 200
#: How many types may stand inside one another, what their aliases stand for included.
DEEPEST_TYPE = 200

# Frames for the deepest blocks around the deepest expression, and as many again for the caller.
_FRAMES = 10_000


def make_room() -> None:
    """Lets Python functions call one another as deeply as the deepest flow needs.

    Since 3.11 such calls take no C stack. The limit stays raised: another thread may be deep in a
    flow when this one is done.
    """
    if sys.getrecursionlimit() < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
