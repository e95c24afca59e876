"""A log that says the same thing thousands of times says it a few times, so that the report of a
test that fails can be read: aiokafka tells of every attempt to reach a broker that is down."""

from __future__ import annotations

import logging
from collections import Counter

_MOST = 3


class FewRepeats(logging.Filter):
    """Lets each line of the program through so often for each test."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[tuple[str, int]] = Counter()

    def watch(self, library: str) -> None:
        """Filters all loggers of a library that is imported."""
        for name in list(logging.root.manager.loggerDict):
            if name.partition(".")[0] == library:
                logging.getLogger(name).addFilter(self)

    def begin(self) -> None:
        """Another test begins."""
        self._counts.clear()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is no repeat too many; the last that is let through says so."""
        place = record.pathname, record.lineno
        self._counts[place] += 1
        if self._counts[place] == _MOST:
            record.msg = f"{record.getMessage()} (more of these are left out)"
            record.args = ()
        return self._counts[place] <= _MOST
