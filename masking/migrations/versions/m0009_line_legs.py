"""Legs in progress on our own lines."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "masking_line_legs",
        sa.Column("call", KEY, primary_key=True),
        sa.Column("leg", sa.String(1), primary_key=True),
        sa.Column("keeper", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("binding", KEY, nullable=False),
        sa.Column("party", KEY, nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("answered", sa.Double),
        sa.Column("by_code", sa.Boolean, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """A call in progress is not forgotten."""
    raise NotImplementedError("calls in progress cannot be taken back")
