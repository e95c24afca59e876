"""How the processes of a whole run share the tests: a file is a share, and all that needs the
session's servers is one, since each process that asked for them would start its own."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

#: What the ids of the tests that have servers in common begin with; the first that fits counts. One
#: that is forgotten here holds all the same, and its process starts servers for it.
_SHARES = {
    "servers": (
        "tests/chaos/test_kill.py",
        "tests/chaos/test_lost_task.py",
        "tests/deploy/",
        "tests/flows/",
        "tests/messaging/",
        "tests/runtime/test_saga_",
        "tests/service/",
        "tests/store/",
    ),
    "servers that may be killed": ("tests/chaos/",),
}


class Shares(LoadFileScheduling):
    """Hands out the largest shares first. The servers' tests mostly wait, so that the others have a
    processor beside them."""

    def _split_scope(self, nodeid: str) -> str:
        names = (name for name, begin in _SHARES.items() if nodeid.startswith(begin))
        return next(names, super()._split_scope(nodeid))
