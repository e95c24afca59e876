"""Events that came for sagas that were not there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "orchestrator_0003"
down_revision = "orchestrator_0002"
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "unclaimed_events",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("saga_id", sa.String(768), nullable=False),
        sa.Column("event_id", sa.String(512), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("saga_id", "event_id", name="unclaimed_events_event_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("unclaimed_events_received_at", "unclaimed_events", ["received_at"])
