"""Events, hooks, deliveries, call records, complaints."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; ends of bindings are found by an index."""
    op.create_index("masking_bindings_live", "masking_bindings", ["live"])
    _events()
    _hooks()
    _deliveries()
    _cdrs()
    op.create_table(
        "masking_complaints",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    op.create_index("masking_complaints_number", "masking_complaints", ["number", "at"])
    op.create_table(
        "masking_marks",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "masking_events",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("once", sa.String(96), unique=True),
    )
    op.create_index("masking_events_place", "masking_events", ["stream", "place"], unique=True)
    op.create_index("masking_events_newest", "masking_events", ["owner", "at"])
    op.create_index("masking_events_at", "masking_events", ["at"])


def _hooks() -> None:
    op.create_table(
        "masking_hooks",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("use", sa.String(16), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("former", sa.LargeBinary),
        sa.Column("former_until", sa.Double, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("fails", sa.Integer, nullable=False),
        sa.Column("rest", sa.Double, nullable=False),
    )
    op.create_index("masking_hooks_owner", "masking_hooks", ["owner"])


def _deliveries() -> None:
    op.create_table(
        "masking_deliveries",
        sa.Column("hook", KEY, sa.ForeignKey("masking_hooks.id"), primary_key=True),
        sa.Column("event", KEY, sa.ForeignKey("masking_events.id"), primary_key=True),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("lease", sa.Double, nullable=False),
        sa.Column("taker", sa.String(64), nullable=False),
        sa.Column("last", sa.String(64), nullable=False),
    )
    op.create_index("masking_deliveries_due", "masking_deliveries", ["state", "hook", "due"])
    op.create_index("masking_deliveries_order", "masking_deliveries", ["hook", "stream", "place"])
    op.create_index("masking_deliveries_event", "masking_deliveries", ["event"])


def _cdrs() -> None:
    op.create_table(
        "masking_cdrs",
        sa.Column("call", KEY, primary_key=True),
        sa.Column("leg", sa.String(1), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("binding", KEY, nullable=False),
        sa.Column("party", KEY, nullable=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(16), nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("answered", sa.Double),
        sa.Column("ended", sa.Double, nullable=False),
        sa.Column("end", sa.String(16), nullable=False),
        sa.Column("released_by", sa.String(8), nullable=False),
        sa.Column("by_code", sa.Boolean, nullable=False),
    )
    op.create_index("masking_cdrs_newest", "masking_cdrs", ["owner", "ended"])
    op.create_index("masking_cdrs_binding", "masking_cdrs", ["binding"])
    op.create_index("masking_cdrs_ended", "masking_cdrs", ["ended"])


def downgrade() -> None:
    """Records are not undone."""
    raise NotImplementedError("call records cannot be taken back")
