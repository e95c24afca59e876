"""Versions of flows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "orchestrator_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "flow_versions",
        sa.Column("module", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(128), primary_key=True),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "current_versions",
        sa.Column("module", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(128), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["module", "version"],
            ["flow_versions.module", "flow_versions.version"],
            name="current_versions_version_fkey",
        ),
    )
