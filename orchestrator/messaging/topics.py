"""What Kafka accepts as a topic's name."""

from __future__ import annotations

import re

#: Kafka's own limit (`org.apache.kafka.common.internals.Topic.MAX_NAME_LENGTH`).
MAX_LENGTH = 249

_LEGAL = re.compile(r"[a-zA-Z0-9._-]+\Z")


def topic_problem(name: str) -> str | None:
    """Why Kafka would refuse this name for a topic, as a clause; None when it would not."""
    if not name:
        return "it is empty"
    if name in (".", ".."):
        return f"it must not be `{name}`"
    if len(name) > MAX_LENGTH:
        return f"it is {len(name)} characters long, at most {MAX_LENGTH} are allowed"
    if not _LEGAL.match(name):
        return "only ASCII letters, digits, `.`, `_` and `-` are allowed"
    return None
