"""The index of dead letters, and who did what to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "orchestrator_0004"
down_revision = "orchestrator_0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "dead_letters",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("letter_topic", sa.String(255), nullable=False),
        sa.Column("letter_partition", sa.Integer, nullable=False),
        sa.Column("letter_offset", sa.BigInteger, nullable=False),
        sa.Column("flow", sa.String(255)),
        sa.Column("topic", sa.String(255)),
        sa.Column("partition", sa.Integer),
        sa.Column("offset", sa.BigInteger),
        sa.Column("consumer", sa.String(255)),
        sa.Column("type", sa.String(255)),
        sa.Column("key_text", sa.String(512)),
        sa.Column("message_id", sa.String(512)),
        sa.Column("saga_id", sa.String(768)),
        sa.Column("disposition", sa.String(16), nullable=False),
        sa.Column("error", sa.String(255)),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("place", sa.String(320)),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holds", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run", sa.String(32)),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("after_run", sa.String(32)),
        sa.Column("after_letter", sa.BigInteger),
        sa.Column("key", sa.LargeBinary),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.UniqueConstraint(
            "letter_topic", "letter_partition", "letter_offset", name="dead_letters_letter_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("dead_letters_state", "dead_letters", ["state", "id"])
    op.create_index("dead_letters_lane", "dead_letters", ["consumer", "topic", "key_text", "id"])
    op.create_index("dead_letters_message", "dead_letters", ["message_id"])
    op.create_index("dead_letters_after", "dead_letters", ["after_run"])
    op.create_table(
        "dead_letter_deeds",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column(
            "letter", _ID, sa.ForeignKey("dead_letters.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("deed", sa.String(16), nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("was", sa.LargeBinary),
    )
    op.create_index("dead_letter_deeds_letter", "dead_letter_deeds", ["letter", "id"])
