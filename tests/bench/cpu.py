"""CPU time of processes, and of everything else on the machine."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

#: Names a figure for all processes of the machine that are not ours.
OTHERS = "others"


def cpu_seconds(pid: int) -> float:
    """User and system time that a process and its children have used. Raises psutil.Error."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    living = sum(
        child.cpu_times().user + child.cpu_times().system
        for child in process.children(recursive=True)
    )
    ended: float = times.children_user + times.children_system
    return float(times.user + times.system) + ended + living


class Usage:
    """CPU seconds by name since it was made; `OTHERS` is what no named process used."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = self._now()

    def so_far(self) -> dict[str, float]:
        """What each used."""
        spent = {name: now - self._before[name] for name, now in self._now().items()}
        named = sum(seconds for name, seconds in spent.items() if name != OTHERS)
        return {**spent, OTHERS: max(0.0, spent[OTHERS] - named)}

    def _now(self) -> dict[str, float]:
        whole = psutil.cpu_times()
        busy = sum(whole) - whole.idle - getattr(whole, "iowait", 0.0)
        # Linux counts a guest's time within the user's as well.
        busy -= getattr(whole, "guest", 0.0) + getattr(whole, "guest_nice", 0.0)
        return {**{name: cpu_seconds(pid) for name, pid in self._pids.items()}, OTHERS: busy}
