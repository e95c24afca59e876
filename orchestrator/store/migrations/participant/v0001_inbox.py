"""The inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "participant_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(255), primary_key=True),
        sa.Column("message_id", sa.String(512), primary_key=True),
        sa.Column("payload_sha256", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("inbox_processed_at", "inbox", ["processed_at"])
