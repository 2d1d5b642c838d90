"""Digests of codes that few patients had; what was kept and may name a person is taken out."""

import sqlalchemy as sa
from alembic import op

from cds_service.store.cleaning import clean

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "seen_codes",
        sa.Column("code_key", sa.String(32), primary_key=True),
        sa.Column("source_key", sa.String(32), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
    )
    op.create_index("ix_seen_codes_day", "seen_codes", ["day"])
    op.create_table(
        "common_codes",
        sa.Column("code_key", sa.String(32), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
    )
    op.create_index("ix_common_codes_day", "common_codes", ["day"])
    clean(op.get_bind())


def downgrade() -> None:
    for table in ("common_codes", "seen_codes"):
        op.drop_table(table)
