"""The tables, in two sets: the orchestrator's own, and what a participant has in its database.

`migrations/` makes them; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from orchestrator.store.columns import UtcDateTime

orchestrator = MetaData()
participant = MetaData()

#: Every version of every module that was ever deployed; never changed, because running sagas and
#: their histories refer to it.
flow_versions = Table(
    "flow_versions",
    orchestrator,
    Column("module", String(255), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

#: The version that new sagas of a module get.
current_versions = Table(
    "current_versions",
    orchestrator,
    Column("module", String(255), primary_key=True),
    Column("version", String(128), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["module", "version"],
        ["flow_versions.module", "flow_versions.version"],
        name="current_versions_version_fkey",
    ),
)

#: Events for a saga that was not there when they came, in that order by `position`. It may still be
#: started: `claimed_at` is when it asked for them.
unclaimed_events = Table(
    "unclaimed_events",
    orchestrator,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("saga_id", String(768), nullable=False),
    Column("event_id", String(512), nullable=False),
    Column("type", String(255), nullable=False),
    Column("data", JSON, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime),
    UniqueConstraint("saga_id", "event_id", name="unclaimed_events_event_key"),
    Index("unclaimed_events_received_at", "received_at"),
    sqlite_autoincrement=True,
)

#: Every dead letter, in the order in which they were found, with all that it takes to send it
#: again. `key_text` is the key as it is shown and compared; `holds` tells that later messages of
#: the key wait at the consumer until this one is redriven or discarded; `after_run` and
#: `after_letter` are the redrive that it died after; while `state` is `redriving`, it is `run`'s
#: until `until_ms` (by the database's clock).
dead_letters = Table(
    "dead_letters",
    orchestrator,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("letter_topic", String(255), nullable=False),
    Column("letter_partition", Integer, nullable=False),
    Column("letter_offset", BigInteger, nullable=False),
    Column("flow", String(255)),
    Column("topic", String(255)),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("consumer", String(255)),
    Column("type", String(255)),
    Column("key_text", String(512)),
    Column("message_id", String(512)),
    Column("saga_id", String(768)),
    Column("disposition", String(16), nullable=False),
    Column("error", String(255)),
    Column("message", Text, nullable=False),
    Column("place", String(320)),
    Column("died_at", UtcDateTime, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("run", String(32)),
    Column("until_ms", BigInteger),
    Column("after_run", String(32)),
    Column("after_letter", BigInteger),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
    Column("headers", JSON, nullable=False),
    UniqueConstraint(
        "letter_topic", "letter_partition", "letter_offset", name="dead_letters_letter_key"
    ),
    Index("dead_letters_state", "state", "id"),
    Index("dead_letters_lane", "consumer", "topic", "key_text", "id"),
    Index("dead_letters_message", "message_id"),
    Index("dead_letters_after", "after_run"),
    sqlite_autoincrement=True,
)

#: Who did what to a dead letter, and when. `was` is what an edit replaced.
dead_letter_deeds = Table(
    "dead_letter_deeds",
    orchestrator,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("letter", ForeignKey("dead_letters.id", ondelete="CASCADE"), nullable=False),
    Column("deed", String(16), nullable=False),
    Column("who", String(255), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Text),
    Column("was", LargeBinary),
    Index("dead_letter_deeds_letter", "letter", "id"),
)

#: What a consumer has processed, with its answer. `answer` is null while the transaction that
#: processes it is open, so nobody else sees that.
inbox = Table(
    "inbox",
    participant,
    Column("consumer", String(255), primary_key=True),
    Column("message_id", String(512), primary_key=True),
    Column("payload_sha256", String(64), nullable=False),
    Column("answer", JSON(none_as_null=True)),
    Column("processed_at", UtcDateTime, nullable=False),
    Index("inbox_processed_at", "processed_at"),
)

#: What a consumer has done under the business keys of its commands, with its answers. As in the
#: inbox, nobody sees a row without `answer`.
business_keys = Table(
    "business_keys",
    participant,
    Column("consumer", String(255), primary_key=True),
    Column("command", String(255), primary_key=True),
    Column("key_sha256", String(64), primary_key=True),
    Column("message_id", String(512), nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("answer", JSON(none_as_null=True)),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index("business_keys_recorded_at", "consumer", "command", "recorded_at"),
)

#: Messages that were committed together with what they tell, in the columns of Debezium's event
#: router (`aggregatetype` is the topic, `aggregateid` the record's key, None without): insert-only,
#: so that change data capture may take the relay's place.
outbox = Table(
    "outbox",
    participant,
    Column("id", String(512), primary_key=True),
    Column("aggregatetype", String(255), nullable=False),
    Column("aggregateid", String(512)),
    Column("type", String(255), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("outbox_created_at", "created_at"),
)

#: What is not published yet. Within an aggregate `position` is the order of the commits.
outbox_pending = Table(
    "outbox_pending",
    participant,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("message_id", String(512), ForeignKey("outbox.id"), nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("aggregate", String(768), nullable=False),
    Index("outbox_pending_bucket", "bucket", "position"),
    Index("outbox_pending_message", "message_id"),
    # Without it SQLite gives the position of a deleted last row again.
    sqlite_autoincrement=True,
)

#: Aggregates whose first message was refused: the others go on, these wait (times are
#: milliseconds since 1970, by the database's clock).
outbox_held = Table(
    "outbox_held",
    participant,
    Column("aggregate", String(768), primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

#: Which relay has which share of the aggregates, and until when.
outbox_buckets = Table(
    "outbox_buckets",
    participant,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", String(255)),
    Column("until_ms", BigInteger, nullable=False),
)


def _sequences(name: str, metadata: MetaData) -> Table:
    """How far the numbered events of a key have come: `next` is the number that is awaited, null
    before any was taken; `first` the first that was taken. Up to `broken_until` events were given
    up because `next` did not come."""
    return Table(
        name,
        metadata,
        Column("consumer", String(255), primary_key=True),
        Column("type", String(255), primary_key=True),
        Column("key", String(512), primary_key=True),
        Column("first", BigInteger),
        Column("next", BigInteger),
        Column("broken_until", BigInteger),
        Column("moved_at", UtcDateTime, nullable=False),
        Index(f"{name}_moved_at", "consumer", "moved_at"),
    )


def _early(name: str, metadata: MetaData) -> Table:
    """Events that came before their turn, until the one before them comes or `until_ms` (by the
    database's clock) is over."""
    return Table(
        name,
        metadata,
        Column("consumer", String(255), primary_key=True),
        Column("type", String(255), primary_key=True),
        Column("key", String(512), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("record", JSON, nullable=False),
        Column("until_ms", BigInteger, nullable=False),
        Index(f"{name}_until", "consumer", "until_ms"),
    )


#: A participant's, and the orchestrator's own: both may share a database.
sequences = _sequences("sequences", participant)
early_messages = _early("early_messages", participant)
event_sequences = _sequences("event_sequences", orchestrator)
early_events = _early("early_events", orchestrator)

#: Messages that wait for their next attempt, and those of their key behind them: a lane is what
#: order is kept within, its first row waits until `due_ms` (by the database's clock).
parked = Table(
    "parked",
    participant,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("consumer", String(255), nullable=False),
    Column("lane", String(768), nullable=False),
    Column("place", String(320), nullable=False),
    Column("record", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("error", Text),
    Index("parked_place", "consumer", "place", unique=True),
    Index("parked_lane", "consumer", "lane", "position"),
    Index("parked_due", "consumer", "due_ms"),
    # Without it SQLite gives the position of a deleted last row again.
    sqlite_autoincrement=True,
)
