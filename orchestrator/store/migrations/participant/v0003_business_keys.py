"""Business keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "participant_0003"
down_revision = "participant_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "business_keys",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("command", sa.String(255), primary_key=True),
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("message_id", sa.String(512), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(
        "business_keys_recorded_at", "business_keys", ["consumer", "command", "recorded_at"]
    )
