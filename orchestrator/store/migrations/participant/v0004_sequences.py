"""How far numbered events have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "participant_0004"
down_revision = "participant_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "sequences",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("type", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("first", sa.BigInteger),
        sa.Column("next", sa.BigInteger),
        sa.Column("broken_until", sa.BigInteger),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("sequences_moved_at", "sequences", ["consumer", "moved_at"])
    op.create_table(
        "early_messages",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("type", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("early_messages_until", "early_messages", ["consumer", "until_ms"])
