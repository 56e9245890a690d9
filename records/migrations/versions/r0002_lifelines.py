"""Calls in progress, for ringing callers back after a fault."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lifelines",
        sa.Column("call", sa.String(64), primary_key=True),
        sa.Column("party", sa.String(64), nullable=False),
        sa.Column("reachable", sa.Boolean, nullable=False),
        sa.Column("keeper", sa.String(64), nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("human", sa.Boolean, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("cut", sa.Boolean, nullable=False),
    )
    op.create_index("lifelines_by_party", "lifelines", ["party"])
