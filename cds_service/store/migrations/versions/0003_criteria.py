"""Which of the EHR's rules fired the hook, where it says so (Epic's criteria id)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("criteria", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("decisions", "criteria")
