"""A dead letter that a person has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.messaging.envelope import JSON, SPEC_VERSION
from orchestrator.messaging.obituary import before_edits, edited_id
from orchestrator.messaging.record import Record
from orchestrator.store import letter_deeds
from orchestrator.store.letters import Body, Letter

_CONTENT_TYPE = "content-type"


@dataclass(slots=True)
class Edited:
    """What a letter holds now. Its headers but for the content type are a message's, with a new id
    and the old one as its cause."""

    topic: str
    id: str
    type: str | None
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    content_type: str

    def record(self) -> Record:
        """As it will be sent."""
        key = None if self.key is None else self.key.decode("utf-8", "surrogateescape")
        headers = self.headers | {_CONTENT_TYPE: self.content_type.encode()}
        return Record(self.topic, key, self.value, tuple(headers.items()))


def edited(
    letter: Letter, body: Body, headers: Mapping[str, bytes | None], key: str | None
) -> Edited:
    """The letter with these headers instead of its own (None: without), and this key. What every
    message has, and this one has not, is added."""
    old = letter.message_id
    id = edited_id(old)
    found = {
        "ce_specversion": SPEC_VERSION.encode(),
        "ce_source": b"/dead-letters",
        "ce_time": datetime.now(UTC).isoformat().replace("+00:00", "Z").encode(),
        **dict(body.headers),
        "ce_id": id.encode(),
    }
    if old is not None:
        found["causationid"] = before_edits(old).encode()
    new_key = body.key
    if key is not None:
        new_key = key.encode()
        found["ce_subject"] = new_key
    for name, value in headers.items():
        found.pop(name, None)
        if value is not None:
            found[name] = value
    type = found.get("ce_type")
    return Edited(
        topic=letter.topic or letter.letter_topic,
        id=found["ce_id"].decode("utf-8", "replace") if "ce_id" in found else id,
        type=None if type is None else type.decode("utf-8", "replace"),
        key=new_key,
        value=body.value,
        headers=found,
        content_type=found.pop(_CONTENT_TYPE, JSON.encode()).decode("utf-8", "replace"),
    )


async def store(
    session: AsyncSession, letter: Letter, body: Body, changed: Edited, who: str
) -> bool:
    """Keeps it in the letter's place; False when that does not wait any longer."""
    record = changed.record()
    return await letter_deeds.edit(
        session,
        letter,
        who,
        key=changed.key,
        value=changed.value,
        headers=record.headers,
        message_id=changed.id,
        type=changed.type,
        was=body.value,
    )
