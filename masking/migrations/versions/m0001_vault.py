"""Parties, and an audit of reveals that cannot be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables and close the audit."""
    op.create_table(
        "masking_parties",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tag", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("number", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "masking_reveals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("party", sa.String(64), sa.ForeignKey("masking_parties.id"), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    for statement in append_only(op.get_bind().dialect.name):
        op.execute(statement)


def append_only(dialect: str) -> tuple[str, ...]:
    """Triggers that refuse every change of the audit, for "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER masking_reveals_no_{verb.lower()} BEFORE {verb} ON masking_reveals "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        )
    return (
        "CREATE FUNCTION masking_reveals_closed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER masking_reveals_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON masking_reveals "
        "FOR EACH STATEMENT EXECUTE FUNCTION masking_reveals_closed()",
    )


def downgrade() -> None:
    """A vault is not undone."""
    raise NotImplementedError("the vault cannot be taken back")
