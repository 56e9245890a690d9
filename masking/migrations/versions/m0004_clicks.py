"""Click-to-calls asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "masking_clicks",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("binding", KEY, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("key", sa.String(128)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("end", sa.String(16)),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("beat", sa.Double, nullable=False),
        sa.Column("taker", sa.String(64), nullable=False),
    )
    op.create_index("masking_clicks_key", "masking_clicks", ["owner", "key"], unique=True)
    op.create_index("masking_clicks_waiting", "masking_clicks", ["state", "at"])


def downgrade() -> None:
    """What was asked for is not forgotten."""
    raise NotImplementedError("wishes cannot be taken back")
