"""The outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "participant_0002"
down_revision = "participant_0001"
branch_labels = None
depends_on = None

_BUCKETS = 64

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables, and a row for each bucket."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(512), primary_key=True),
        sa.Column("aggregatetype", sa.String(255), nullable=False),
        sa.Column("aggregateid", sa.String(512)),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("outbox_created_at", "outbox", ["created_at"])
    op.create_table(
        "outbox_pending",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.String(512), sa.ForeignKey("outbox.id"), nullable=False),
        sa.Column("bucket", sa.SmallInteger, nullable=False),
        sa.Column("aggregate", sa.String(768), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_pending_bucket", "outbox_pending", ["bucket", "position"])
    op.create_index("outbox_pending_message", "outbox_pending", ["message_id"])
    op.create_table(
        "outbox_held",
        sa.Column("aggregate", sa.String(768), primary_key=True),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    buckets = op.create_table(
        "outbox_buckets",
        sa.Column("bucket", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String(255)),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(buckets, [{"bucket": n, "until_ms": 0} for n in range(_BUCKETS)])
