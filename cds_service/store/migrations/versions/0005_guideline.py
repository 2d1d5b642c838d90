"""The guideline by which an order was rated."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("guideline", sa.String(100), nullable=True))


def downgrade() -> None:
    op.drop_column("decisions", "guideline")
