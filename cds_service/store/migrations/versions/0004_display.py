"""The words of order codes that are in no map."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("unmapped_codes", sa.Column("display", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("unmapped_codes", "display")
