"""Messages that wait for their next attempt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "participant_0005"
down_revision = "participant_0004"
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "parked",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("consumer", sa.String(255), nullable=False),
        sa.Column("lane", sa.String(768), nullable=False),
        sa.Column("place", sa.String(320), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("parked_place", "parked", ["consumer", "place"], unique=True)
    op.create_index("parked_lane", "parked", ["consumer", "lane", "position"])
    op.create_index("parked_due", "parked", ["consumer", "due_ms"])
