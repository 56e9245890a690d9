"""Calls that a carrier holds for us."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "masking_live_calls",
        sa.Column("call", KEY, primary_key=True),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("binding", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("answered", sa.Double),
        sa.Column("cut", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """A call in progress is not forgotten."""
    raise NotImplementedError("calls in progress cannot be taken back")
