"""Service tokens, and an audit of their use that cannot be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the two tables and close the audit."""
    op.create_table(
        "masking_tokens",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(400), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("ends", sa.Double),
        sa.Column("used", sa.Double),
        sa.Column("revoked", sa.Boolean, nullable=False),
    )
    op.create_table(
        "masking_token_uses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("token", KEY, sa.ForeignKey("masking_tokens.id"), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
    )
    for statement in append_only(op.get_bind().dialect.name):
        op.execute(statement)


def append_only(dialect: str) -> tuple[str, ...]:
    """Triggers that refuse every change of the audit, for "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        return tuple(
            f"CREATE TRIGGER masking_token_uses_no_{verb.lower()} BEFORE {verb} ON masking_token_uses "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        )
    return (
        "CREATE FUNCTION masking_token_uses_closed() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER masking_token_uses_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON masking_token_uses "
        "FOR EACH STATEMENT EXECUTE FUNCTION masking_token_uses_closed()",
    )


def downgrade() -> None:
    """An audit is not undone."""
    raise NotImplementedError("the audit of tokens cannot be taken back")
