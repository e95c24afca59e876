"""The tables, in two sets: the orchestrator's own, and what a participant has in its database.

`migrations/` makes them; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
    Text,
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
