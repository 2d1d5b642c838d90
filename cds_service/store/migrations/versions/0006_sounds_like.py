"""What the words of a Condition sound like, whose code is in no map."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("unmapped_codes", sa.Column("sounds_like", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("unmapped_codes", "sounds_like")
