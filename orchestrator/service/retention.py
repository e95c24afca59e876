"""Forgets what a participant need not know any longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from orchestrator.store import business_keys, inbox, outbox, sequences
from orchestrator.store.database import Database
from orchestrator.store.sweep import Remove, Sweep


@dataclass(frozen=True, slots=True)
class Keys:
    """How long a consumer knows the business keys of its commands (by wire type)."""

    consumer: str
    remember: Mapping[str, timedelta]


class Retention(Sweep):
    """Removes inbox rows, and messages that were published from the outbox, that are older than
    `remember`, how far the numbered events of the consumer `events` have come where none came for
    as long, and business keys as `keys` says."""

    def __init__(
        self,
        database: Database,
        remember: timedelta,
        *,
        every: float = 600.0,
        batch: int = 1000,
        keys: Keys | None = None,
        events: str | None = None,
    ) -> None:
        rules: list[tuple[Remove, timedelta]] = [
            (inbox.remove, remember),
            (outbox.remove, remember),
        ]
        if events is not None:
            rules.append((partial(sequences.participant.remove, events), remember))
        if keys is not None:
            for command, time in keys.remember.items():
                rules.append((partial(business_keys.remove, keys.consumer, command), time))
        super().__init__(database, rules, every=every, batch=batch)
