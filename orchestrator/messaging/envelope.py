"""The envelope of every message: CloudEvents 1.0, Kafka binary mode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.messaging.record import Headers, Record

SPEC_VERSION = "1.0"
JSON = "application/json"


class EnvelopeError(Exception):
    """A record is not one of our messages; the message names the record's place and the header."""


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where a command's answer goes; without a partition its key decides."""

    topic: str
    partition: int | None = None

    def __str__(self) -> str:
        return self.topic if self.partition is None else f"{self.topic}:{self.partition}"

    @classmethod
    def parse(cls, text: str) -> ReplyTo:
        """`<topic>` or `<topic>:<partition>`. Raises ValueError."""
        topic, colon, partition = text.partition(":")
        if not topic or (colon and not (partition.isascii() and partition.isdigit())):
            raise ValueError(f"not a topic or topic:partition: {text[:80]!r}")
        return cls(topic, int(partition) if colon else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message. `type` is its wire type (`dsl.model.wire_type`), `source` who sent it (a URI
    reference: `/sagas/PlaceOrder`, `/services/inventory`), `time` when (UTC), `key` what orders
    it, `correlation_id` the saga instance, `causation_id` the message that led to this one,
    `undoes` the id of the command that this one takes back."""

    id: str
    type: str
    source: str
    time: datetime
    key: str | None
    data: bytes
    content_type: str = JSON
    correlation_id: str | None = None
    causation_id: str | None = None
    reply_to: ReplyTo | None = None
    undoes: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None


def to_record(envelope: Envelope, topic: str, partition: int | None = None) -> Record:
    """The record that carries a message. Raises ValueError for a time without an offset."""
    if envelope.time.tzinfo is None:
        raise ValueError("an envelope's time needs an offset from UTC")
    time = envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    headers = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": envelope.id,
        "ce_source": envelope.source,
        "ce_type": envelope.type,
        "ce_time": time,
        "ce_subject": envelope.key,
        "content-type": envelope.content_type,
        "correlationid": envelope.correlation_id,
        "causationid": envelope.causation_id,
        "replyto": None if envelope.reply_to is None else str(envelope.reply_to),
        "undoes": envelope.undoes,
        "traceparent": envelope.traceparent,
        "tracestate": envelope.tracestate,
    }
    encoded: Headers = tuple((k, v.encode()) for k, v in headers.items() if v is not None)
    return Record(topic, envelope.key, envelope.data, encoded, partition)


def from_record(record: Record) -> Envelope:
    """The message that a record carries. Raises EnvelopeError."""
    found = _texts(record)
    version = _required(found, "ce_specversion", record)
    if version.split(".")[0] != "1":
        raise EnvelopeError(f"{record.place}: CloudEvents {version[:20]} is not understood, 1.0 is")
    return Envelope(
        id=_required(found, "ce_id", record),
        type=_required(found, "ce_type", record),
        source=_required(found, "ce_source", record),
        time=_time(found, record),
        key=record.key if record.key is not None else found.get("ce_subject"),
        data=record.value,
        content_type=found.get("content-type", JSON),
        correlation_id=found.get("correlationid"),
        causation_id=found.get("causationid"),
        reply_to=_reply_to(found, record),
        undoes=found.get("undoes"),
        traceparent=found.get("traceparent"),
        tracestate=found.get("tracestate"),
    )


def _texts(record: Record) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in record.headers:
        if name in _NAMES:
            try:
                found[name] = value.decode()
            except UnicodeDecodeError:
                raise EnvelopeError(f"{record.place}: header `{name}` is not UTF-8") from None
    return found


def _required(found: dict[str, str], name: str, record: Record) -> str:
    value = found.get(name)
    if not value:
        raise EnvelopeError(f"{record.place}: header `{name}` is missing")
    return value


def _time(found: dict[str, str], record: Record) -> datetime:
    """`ce_time` is optional in CloudEvents; the broker's timestamp stands in for it."""
    text = found.get("ce_time")
    if text is None:
        return record.timestamp or datetime.fromtimestamp(0, UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise EnvelopeError(f"{record.place}: header `ce_time` is not a time") from None
    if time.tzinfo is None:
        raise EnvelopeError(f"{record.place}: header `ce_time` has no offset from UTC")
    return time.astimezone(UTC)


def _reply_to(found: dict[str, str], record: Record) -> ReplyTo | None:
    text = found.get("replyto")
    if text is None:
        return None
    try:
        return ReplyTo.parse(text)
    except ValueError as error:
        raise EnvelopeError(f"{record.place}: header `replyto` is {error}") from None


_NAMES = frozenset(
    {
        *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"),
        *("content-type", "correlationid", "causationid", "replyto", "undoes"),
        *("traceparent", "tracestate"),
    }
)
