"""What a dead letter tells of itself, and the record that sends it again."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from orchestrator.messaging.deadletter import (
    DISPOSITION,
    EXCEPTION,
    EXCEPTION_HEADERS,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    HOLDS,
    ORIGINAL_GROUP,
    ORIGINAL_OFFSET,
    ORIGINAL_PARTITION,
    ORIGINAL_TOPIC,
    Disposition,
)
from orchestrator.messaging.envelope import Envelope, to_record
from orchestrator.messaging.record import Headers, Record

#: `<run>/<letter>`: which redrive sent a record again, and what it was in the index. It stays in
#: the dead letter when the record dies again.
REDRIVE = "redrive"
#: The consumer group that gave it up; the others have had it.
REDRIVE_FOR = "redrivefor"

#: The type of the message that tells of a letter that was discarded.
DISCARDED = "orchestrate.LetterDiscarded"

#: What of a letter's headers names it.
_MARKS = {ORIGINAL_TOPIC, ORIGINAL_PARTITION, ORIGINAL_OFFSET, REDRIVE, REDRIVE_FOR}

_EDITED = ":edited:"
#: Well under what an inbox has room for.
_LONGEST_ID = 400

_SEPARATOR = re.compile(r"[/\\]")
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_JAVA = re.compile(r"^\s*at (\S+\(\S+\))", re.MULTILINE)
#: Of a frame that is not the author's own.
_FOREIGN = re.compile(r"[/\\](site-packages|orchestrator|lib[/\\]python3[^/\\]*)[/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obituary:
    """What the headers of a dead letter say; what is not there, or cannot be read, is None.
    `topic`, `partition` and `offset` are where it was first read, `group` is who gave it up,
    `error` a class, `place` the line of code that it came from; it `holds` its key when later
    messages of that wait until a person has decided. A letter of another program is
    `exhausted`."""

    topic: str | None
    partition: int | None
    offset: int | None
    group: str | None
    disposition: Disposition
    error: str | None
    message: str
    trace: str
    place: str | None
    id: str | None
    type: str | None
    correlation_id: str | None
    died: datetime
    holds: bool
    redrive: str | None

    @property
    def after(self) -> tuple[str, int] | None:
        """The run, and the letter, by which it had been sent again before it died."""
        run, _, letter = (self.redrive or "").partition("/")
        return (run, int(letter)) if run and letter.isascii() and letter.isdigit() else None


def read_obituary(record: Record) -> Obituary:
    """Reads a dead letter; whatever its bytes are."""
    trace = _text(record, EXCEPTION_STACKTRACE) or ""
    try:
        disposition = Disposition(_text(record, DISPOSITION) or "")
    except ValueError:
        disposition = Disposition.EXHAUSTED
    return Obituary(
        topic=_text(record, ORIGINAL_TOPIC),
        partition=_number(record, ORIGINAL_PARTITION, ">i"),
        offset=_number(record, ORIGINAL_OFFSET, ">q"),
        group=_text(record, ORIGINAL_GROUP),
        disposition=disposition,
        error=_text(record, EXCEPTION),
        message=_text(record, EXCEPTION_MESSAGE) or "",
        trace=trace,
        place=_place(trace),
        id=_text(record, "ce_id"),
        type=_text(record, "ce_type"),
        correlation_id=_text(record, "correlationid"),
        died=record.timestamp or datetime.now(UTC),
        holds=record.header(HOLDS) is not None,
        redrive=_text(record, REDRIVE),
    )


def sent_again(letter: Record, topic: str, group: str | None, redrive: str) -> Record:
    """The record that brings a dead letter back to the topic where it was read: as it was, with its
    id. It keeps where it was first read, so that a second death does not lose that."""
    gone = {*EXCEPTION_HEADERS, DISPOSITION, HOLDS, REDRIVE, REDRIVE_FOR}
    kept = tuple((name, value) for name, value in letter.headers if name not in gone)
    marks: Headers = ((REDRIVE, redrive.encode()),)
    if group is not None:
        marks += ((REDRIVE_FOR, group.encode()),)
    return Record(topic, letter.key, letter.value, (*kept, *marks))


def edited_id(id: str | None) -> str:
    """The id of a message that a person has changed: another one, so that what knows the old one
    takes it, and one from which the old one is seen, so that its saga knows the answer."""
    mark = uuid4().hex[:12]
    if id is None:
        return mark
    stem = before_edits(id)
    return f"{stem if len(stem) <= _LONGEST_ID else mark}{_EDITED}{mark}"


def before_edits(id: str) -> str:
    """The id that a message had before a person changed it."""
    return id.partition(_EDITED)[0]


def is_redriven(record: Record) -> bool:
    """Whether a person has sent it again."""
    return record.header(REDRIVE) is not None


def first_place(record: Record) -> str:
    """Where a record was read for the first time, however often it was sent again."""
    topic = _text(record, ORIGINAL_TOPIC)
    partition = _number(record, ORIGINAL_PARTITION, ">i")
    offset = _number(record, ORIGINAL_OFFSET, ">q")
    if topic is None or partition is None or offset is None:
        return record.place
    return f"{topic}[{partition}]@{offset}"


def discarded(letter: Record, topic: str, group: str, redrive: str) -> Record:
    """What tells a group that a letter is not coming again: later messages of its key go on."""
    told = Envelope(
        id=f"{redrive}:discarded",
        type=DISCARDED,
        source="/dead-letters",
        time=datetime.now(UTC),
        key=letter.key,
        data=b"null",
    )
    again = sent_again(letter, topic, group, redrive)
    kept = tuple(h for h in again.headers if h[0] in _MARKS)
    record = to_record(told, topic)
    return record._replace(headers=(*record.headers, *kept))


def is_for_another(record: Record, group: str) -> bool:
    """Whether a record was sent again for another group than this one, which has had it."""
    meant = record.header(REDRIVE_FOR)
    return meant is not None and meant != group.encode()


def _place(trace: str) -> str | None:
    """The innermost line of the author's own code; None where all is ours."""
    for file, line, function in reversed(_FRAME.findall(trace)):
        if not _FOREIGN.search(file):
            return f"{_SEPARATOR.split(file)[-1]}:{line} in {function}"
    found = _JAVA.search(trace)
    return found.group(1) if found else None


def _text(record: Record, header: str) -> str | None:
    found = record.header(header)
    # PostgreSQL has no NUL in a text.
    return None if found is None else found.decode("utf-8", "replace").replace("\0", "\ufffd")


def _number(record: Record, header: str, form: str) -> int | None:
    found = record.header(header)
    if found is None or len(found) != struct.calcsize(form):
        return None
    number: int = struct.unpack(form, found)[0]
    return number
