"""What people ask for more than once, under different ids: done once, by its key or version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.evidence import Evidence, Violation, twice

#: Where the desk's answers go.
ANSWERS = "chaos.answers"


def _stamps(e: Evidence) -> Iterator[Violation]:
    """By key: one effect, and all who asked have the same answer."""
    answers, done = _answers(e), e.noted("stamp")
    for id, asked in e.stamps.items():
        yield from twice([id] * len(done[id]), "stamp of")
        got = [answers[each] for each in asked]
        if not all(got):
            yield Violation("lost", f"who asked for a stamp of {id} has no answer")
        elif not done[id]:
            yield Violation("lost", f"no stamp of {id}, though it was answered")
        elif len(set().union(*got)) > 1:
            yield Violation("doubled", f"who asked for a stamp of {id} got several")


def _limits(e: Evidence) -> Iterator[Violation]:
    """By version: of all who have seen a version one has their way, and versions go up by one."""
    answers, done = _answers(e), e.noted("limit")
    for (account, version), asked in e.limits.items():
        got = {type for each in asked for type, _ in answers[each]}
        if not all(answers[each] for each in asked):
            yield Violation("lost", f"version {version} of {account}: not all are answered")
        elif b"desk.Limited" not in got:
            yield Violation("lost", f"version {version} of {account}: nobody had their way")
        won = [a for a in asked if any(type == b"desk.Limited" for type, _ in answers[a])]
        if len(won) > 1:
            yield Violation("doubled", f"version {version} of {account}: {len(won)} had their way")
    for account, numbers in done.items():
        yield from twice(numbers, f"limit of {account}: version")
        if (came := list(dict.fromkeys(numbers))) != list(range(1, len(came) + 1)):
            yield Violation("disorder", f"versions of {account} came as {came}")


def _answers(e: Evidence) -> dict[str, set[tuple[bytes, bytes]]]:
    """By command: the type and the value of what was answered."""
    found: dict[str, set[tuple[bytes, bytes]]] = defaultdict(set)
    for record in e.on(ANSWERS):
        cause = (record.header("causationid") or b"").decode()
        found[cause].add((record.header("ce_type") or b"", record.value))
    return found


CHECKS = (_stamps, _limits)
