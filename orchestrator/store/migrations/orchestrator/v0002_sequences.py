"""How far numbered events have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "orchestrator_0002"
down_revision = "orchestrator_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "event_sequences",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("type", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("first", sa.BigInteger),
        sa.Column("next", sa.BigInteger),
        sa.Column("broken_until", sa.BigInteger),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("event_sequences_moved_at", "event_sequences", ["consumer", "moved_at"])
    op.create_table(
        "early_events",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("type", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("early_events_until", "early_events", ["consumer", "until_ms"])
