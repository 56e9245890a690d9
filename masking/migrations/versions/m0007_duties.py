"""What changed in the pool, who does what in turn, what operators were told; an index for pairs of people."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TO_NUMBERS = {
    "masking_bindings": ("patient_line", "doctor_line"),
    "masking_routes": ("virtual", "shown"),
}


def upgrade() -> None:
    """Make the tables and change the keys."""
    op.create_table(
        "masking_pool",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "masking_duties",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("taker", sa.String(64), nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )
    op.create_table(
        "masking_alerts",
        sa.Column("code", sa.String(32), primary_key=True),
        sa.Column("what", sa.String(96), primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
    op.create_table(
        "masking_tag_key",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("former", sa.Integer),
    )
    op.drop_index("masking_bindings_patient", "masking_bindings")
    op.create_index("masking_bindings_patient", "masking_bindings", ["patient", "doctor"])
    only = sa.text("kind = 'code'")
    op.create_index(
        "masking_bindings_cases", "masking_bindings", ["doctor", "doctor_line"],
        sqlite_where=only, postgresql_where=only,
    )  # fmt: skip
    if op.get_context().dialect.name == "postgresql":
        _unchain()


def _unchain() -> None:
    """Eight checks of foreign keys cost PostgreSQL more than the rest of a binding, and lock rows of the few numbers.
    Numbers are only removed by the writer whose turn it is, after a look; the key to the binding stays."""
    for table, columns in TO_NUMBERS.items():
        for column in columns:
            op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")


def downgrade() -> None:
    """Bindings are not undone: numbers would reach the wrong people."""
    raise NotImplementedError("bindings cannot be taken back")
