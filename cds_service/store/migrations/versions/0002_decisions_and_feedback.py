"""What was decided, what became of it, and codes in no map."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("client", sa.String(200), primary_key=True),
        sa.Column("card", sa.String(36), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("procedure", sa.String(100), nullable=False),
        sa.Column("region", sa.String(100), nullable=False),
        sa.Column("relevance", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("rating", sa.String(40), nullable=False),
        sa.Column("indicator", sa.String(20), nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.Column("hidden", sa.String(20), nullable=False),
        sa.Column("rules", sa.String(500), nullable=False),
        sa.Column("unknown", sa.String(500), nullable=False),
        sa.Column("missing", sa.String(200), nullable=False),
        sa.Column("question", sa.String(60), nullable=False),
        sa.Column("consult", sa.String(36), nullable=False),
        sa.Column("order_key", sa.String(32), nullable=True),
        sa.Column("advice_key", sa.String(32), nullable=True),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("hook", sa.String(40), nullable=False),
        sa.Column("hook_instance", sa.String(32), nullable=False),
        sa.Column("service_version", sa.String(40), nullable=False),
        sa.Column("rules_version", sa.String(40), nullable=False),
        sa.Column("edition", sa.String(100), nullable=False),
        sa.Column("variants", sa.String(200), nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    _index("ix_decisions_day", "decisions", "day")
    _index("ix_decisions_order", "decisions", "order_key", "at")
    op.create_table(
        "feedback",
        sa.Column("client", sa.String(200), primary_key=True),
        sa.Column("card", sa.String(36), primary_key=True),
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("outcome_at", sa.Float, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("reason_system", sa.String(200), nullable=False),
        sa.Column("reason_code", sa.String(100), nullable=False),
        sa.Column("reason_display", sa.String(200), nullable=False),
        sa.Column("comment", sa.Text, nullable=True),
        if_not_exists=True,
    )
    _index("ix_feedback_day", "feedback", "day")
    _index("ix_feedback_received_at", "feedback", "received_at")
    op.create_table(
        "unmapped_codes",
        sa.Column("client", sa.String(200), primary_key=True),
        sa.Column("consult", sa.String(36), primary_key=True),
        sa.Column("about", sa.String(10), primary_key=True),
        sa.Column("system", sa.String(200), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    _index("ix_unmapped_codes_day", "unmapped_codes", "day")


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), if_not_exists=True)


def downgrade() -> None:
    for table in ("unmapped_codes", "feedback", "decisions"):
        op.drop_table(table)
