"""Virtual numbers, bindings, routes, wrong codes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "masking_numbers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.String(24), nullable=False, unique=True),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("area", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("used", sa.Double, nullable=False),
    )
    _bindings()
    _routes()
    op.create_table(
        "masking_tries",
        sa.Column("subject", sa.String(96), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("pauses", sa.Integer, nullable=False),
    )


def _bindings() -> None:
    op.create_table(
        "masking_bindings",
        sa.Column("id", BIG, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("doctor", KEY, nullable=False),
        sa.Column("patient", KEY, nullable=False),
        sa.Column("patient_line", sa.Integer, sa.ForeignKey("masking_numbers.id"), nullable=False),
        sa.Column("doctor_line", sa.Integer, sa.ForeignKey("masking_numbers.id")),
        sa.Column("code", sa.LargeBinary),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("live", sa.Double, nullable=False),
        sa.Column("gone", sa.Double, nullable=False),
        sa.Column("quarantine", sa.Double, nullable=False),
        sa.Column("longest", sa.Double, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("killed", sa.Boolean, nullable=False),
        sa.Column("key", sa.String(128)),
        sa.Column("asked", sa.String(32), nullable=False),
    )
    op.create_index("masking_bindings_key", "masking_bindings", ["owner", "key"], unique=True)
    op.create_index("masking_bindings_doctor", "masking_bindings", ["doctor"])
    op.create_index("masking_bindings_patient", "masking_bindings", ["patient"])
    op.create_index("masking_bindings_newest", "masking_bindings", ["owner", "created"])
    op.create_index("masking_bindings_gone", "masking_bindings", ["gone"])


def _routes() -> None:
    op.create_table(
        "masking_routes",
        sa.Column("caller", KEY, primary_key=True),
        sa.Column("virtual", sa.Integer, sa.ForeignKey("masking_numbers.id"), primary_key=True, autoincrement=False),
        sa.Column("binding", BIG, sa.ForeignKey("masking_bindings.id"), nullable=False),
        sa.Column("callee", KEY, nullable=False),
        sa.Column("shown", sa.Integer, sa.ForeignKey("masking_numbers.id"), nullable=False),
        sa.Column("live", sa.Double, nullable=False),
        sa.Column("gone", sa.Double, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("coded", sa.Boolean, nullable=False),
    )
    op.create_index("masking_routes_binding", "masking_routes", ["binding"])
    op.create_index("masking_routes_virtual", "masking_routes", ["virtual"])
    only = sa.text("coded")
    op.create_index(
        "masking_routes_codes", "masking_routes", ["virtual", "gone"], sqlite_where=only, postgresql_where=only
    )


def downgrade() -> None:
    """Bindings are not undone: numbers would reach the wrong people."""
    raise NotImplementedError("bindings cannot be taken back")
