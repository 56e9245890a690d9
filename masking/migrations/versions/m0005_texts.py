"""Texts that are relayed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "masking_text_marks",
        sa.Column("mark", KEY, primary_key=True),
        sa.Column("until", sa.Double, nullable=False),
    )
    op.create_index("masking_text_marks_until", "masking_text_marks", ["until"])
    op.create_table(
        "masking_text_parts",
        sa.Column("whole", KEY, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("party", KEY, nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("masking_text_parts_at", "masking_text_parts", ["at"])
    op.create_table(
        "masking_text_stops",
        sa.Column("binding", KEY, primary_key=True),
        sa.Column("party", KEY, primary_key=True),
        sa.Column("other", KEY, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )
    _texts()


def _texts() -> None:
    op.create_table(
        "masking_texts",
        sa.Column("seq", BIG, primary_key=True),
        sa.Column("id", KEY, nullable=False, unique=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("binding", KEY, nullable=False),
        sa.Column("party", KEY, nullable=False),
        sa.Column("shown", sa.String(24), nullable=False),
        sa.Column("sender", KEY, nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("lease", sa.Double, nullable=False),
        sa.Column("since", sa.Double),
        sa.Column("unsure", sa.Boolean, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
    )
    op.create_index("masking_texts_due", "masking_texts", ["state", "due"])
    op.create_index("masking_texts_order", "masking_texts", ["party", "shown", "seq"])
    op.create_index("masking_texts_at", "masking_texts", ["at"])


def downgrade() -> None:
    """Wishes to get no more texts must not be lost."""
    raise NotImplementedError("texts cannot be taken back")
