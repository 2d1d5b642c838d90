"""Was the same advice on the same order overridden before?"""

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from cds_service.store.tables import decisions, feedback


def was_overridden(connection: Connection, client: str, advice_key: str, since: float) -> bool:
    """Whether a card with this advice was, and the client told us after `since`."""
    same_card = and_(feedback.c.client == decisions.c.client, feedback.c.card == decisions.c.card)
    found = (
        select(decisions.c.consult)
        .join(feedback, same_card)
        .where(
            decisions.c.advice_key == advice_key,
            decisions.c.client == client,
            feedback.c.outcome == "overridden",
            feedback.c.received_at >= since,
        )
        .limit(1)
    )
    return connection.execute(found).first() is not None
