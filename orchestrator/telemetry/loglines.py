"""What every line of a log is given, and what is taken out of it."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

from orchestrator.telemetry import traces

_HIDDEN = "***"

#: Names of fields whose values nobody is to see.
_SECRET = re.compile(r"passw|secret|token|api_?key|credential|authorization", re.IGNORECASE)

#: The password of a URL.
_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/]+@", re.IGNORECASE)

Line = MutableMapping[str, Any]


def redact(_: Any, __: str, line: Line) -> Line:
    """Hides the values of fields that are named like secrets, and passwords in URLs."""
    for name, value in line.items():
        if _SECRET.search(name):
            line[name] = _HIDDEN
        elif isinstance(value, str) and "://" in value:
            line[name] = _PASSWORD.sub(rf"\1:{_HIDDEN}@", value)
    return line


def add_trace(_: Any, __: str, line: Line) -> Line:
    """The ids of the present span, so that a line and its trace are found by each other."""
    line.update(traces.present())
    return line
