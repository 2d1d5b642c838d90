"""The memory of used tokens. Stores of before Alembic have it already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "used_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("forget_at", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_used_tokens_forget_at", "used_tokens", ["forget_at"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("used_tokens")
