"""Which topics hold dead letters, and whose they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchestrator.compile.plan import Plan
from orchestrator.messaging.deadletter import SUFFIX
from orchestrator.runtime import replies


class LetterTopics:
    """What some plans say of dead letters."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._named = set[str]().union(*(named_topics(plan) for plan in plans))
        self._sagas = {s.short: plan.module for plan in plans for s in plan.sagas.values()}
        self._topics = {t.name: plan.module for plan in plans for t in plan.topics}

    def among(self, present: Collection[str]) -> list[str]:
        """Of the topics that are present: `<topic>.<group>-dlt` for every topic of the plans and
        any group, so that consumers which no plan knows are among them, and those that policies
        name."""
        return sorted(t for t in present if t in self._named or self._is_of_ours(t))

    def flow(self, topic: str | None, saga_id: str | None) -> str | None:
        """The module whose saga it is about, else one that its topic is part of."""
        saga = (saga_id or "").partition("/")[0]
        return self._sagas.get(saga) or self._topics.get(topic or "")

    def _is_of_ours(self, topic: str) -> bool:
        if not topic.endswith(SUFFIX):
            return False
        # A topic's name may itself have dots in it, and a group's too.
        parts = topic.split(".")
        sources = (".".join(parts[:n]) for n in range(1, len(parts)))
        return any(s in self._topics or s == replies.TOPIC.name for s in sources)


def named_topics(plan: Plan) -> set[str]:
    """The dead-letter topics that a plan's policies name."""
    found: set[str] = set()
    pending: list[object] = [plan.model_dump(mode="python", include={"sagas", "children"})]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            name = part.get("dead_letter")
            if isinstance(name, str):
                found.add(name)
            pending.extend(part.values())
        elif isinstance(part, list | tuple):
            pending.extend(part)
    return found
