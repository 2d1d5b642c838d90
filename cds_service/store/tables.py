"""The tables. `tests/store/test_columns.py` says of each column why it is no patient data."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
)

DAY_SECONDS = 86_400
# What can become of a card, in the words of CDS Hooks.
ACCEPTED, OVERRIDDEN = "accepted", "overridden"

metadata = MetaData()

# The digest of client and token id, never the id itself; when it may be forgotten.
used_tokens = Table(
    "used_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("forget_at", Float, nullable=False, index=True),
)

# One row per evaluated order, by the id of its card, shown or not. Lists of words are joined by
# commas; times are seconds since 1970, and `day` counts days since then, in UTC. `topic` is the
# topic code of the card; `guideline` is empty (NULL) in rows of before there were several. What
# reports read stands first, what is long last, so that a report reads less of each row.
decisions = Table(
    "decisions",
    metadata,
    Column("client", String(200), primary_key=True),
    Column("card", String(36), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("procedure", String(100), nullable=False),
    Column("region", String(100), nullable=False),
    Column("relevance", String(40), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("category", String(60), nullable=False),
    Column("rating", String(40), nullable=False),
    Column("indicator", String(20), nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("hidden", String(20), nullable=False),
    Column("rules", String(500), nullable=False),
    Column("unknown", String(500), nullable=False),
    Column("missing", String(200), nullable=False),
    Column("question", String(60), nullable=False),
    Column("consult", String(36), nullable=False),
    Column("order_key", String(32), nullable=True),
    Column("advice_key", String(32), nullable=True),
    Column("tenant", String(200), nullable=False),
    Column("hook", String(40), nullable=False),
    Column("hook_instance", String(32), nullable=False),
    Column("service_version", String(40), nullable=False),
    Column("rules_version", String(40), nullable=False),
    Column("edition", String(100), nullable=False),
    Column("variants", String(200), nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("criteria", String(64), nullable=True),
    Column("guideline", String(100), nullable=True),
    Column("facts", JSON, nullable=False),
    Column("suggestions", JSON, nullable=False),
    Index("ix_decisions_day", "day"),
    Index("ix_decisions_order", "order_key", "at"),
)

# What became of a card, as the client told it; a repeat of the same is the same row. The display of
# a reason is empty: earlier versions kept it.
feedback = Table(
    "feedback",
    metadata,
    Column("client", String(200), primary_key=True),
    Column("card", String(36), primary_key=True),
    Column("outcome", String(20), primary_key=True),
    Column("outcome_at", Float, primary_key=True),
    Column("day", Integer, nullable=False, index=True),
    Column("received_at", Float, nullable=False, index=True),
    Column("tenant", String(200), nullable=False),
    Column("suggestions", JSON, nullable=False),
    Column("reason_system", String(200), nullable=False),
    Column("reason_code", String(100), nullable=False),
    Column("reason_display", String(200), nullable=False),
    Column("comment", Text, nullable=True),
)

# Codes that are in no map: of evaluated orders and their reasons, of other orders that are worded
# like them, and of Conditions where an order was evaluated. The words are those of an order that
# many patients had, never of a reason or a Condition; `sounds_like` is what the latter's sound
# like, in a word of ours.
unmapped_codes = Table(
    "unmapped_codes",
    metadata,
    Column("client", String(200), primary_key=True),
    Column("consult", String(36), primary_key=True),
    Column("about", String(10), primary_key=True),
    Column("system", String(200), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("day", Integer, nullable=False, index=True),
    Column("display", String(200), nullable=True),
    Column("sounds_like", String(40), nullable=True),
)

# Codes and words that few patients had so far: a keyed digest of them, and of each patient another
# one, salted by the code. Then those that many had, of which there is the first digest only.
seen_codes = Table(
    "seen_codes",
    metadata,
    Column("code_key", String(32), primary_key=True),
    Column("source_key", String(32), primary_key=True),
    Column("day", Integer, nullable=False, index=True),
)
common_codes = Table(
    "common_codes",
    metadata,
    Column("code_key", String(32), primary_key=True),
    Column("day", Integer, nullable=False, index=True),
)

# Which decision feedback is about.
OF_THE_CARD = and_(decisions.c.client == feedback.c.client, decisions.c.card == feedback.c.card)

KEPT = {t.name: t for t in (decisions, feedback, unmapped_codes, seen_codes, common_codes)}
