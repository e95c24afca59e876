"""How the processes of a whole run share the tests: a file is a share, and what needs the session's
servers is two, since each process that asks for them starts its own."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling

#: What the ids of the tests that have servers in common begin with; the first that fits counts. One
#: that is forgotten here holds all the same, and its process starts servers for it.
_SHARES = {
    "servers, sagas": (
        "tests/chaos/test_kill.py",
        "tests/chaos/test_lost_task.py",
        "tests/runtime/test_saga_",
    ),
    "servers, messages": (
        "tests/deploy/",
        "tests/flows/",
        "tests/messaging/",
        "tests/service/",
        "tests/store/",
    ),
    "servers that may be killed": ("tests/chaos/",),
}


class Shares(LoadFileScheduling):
    """Hands out the shares with names first, which take longest: the servers' tests mostly wait, so
    that the others have a processor beside them."""

    def _assign_work_unit(self, node: Any) -> None:
        for name in reversed(_SHARES):
            if name in self.workqueue:
                self.workqueue.move_to_end(name, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        names = (name for name, begin in _SHARES.items() if nodeid.startswith(begin))
        return next(names, super()._split_scope(nodeid))
