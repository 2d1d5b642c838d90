"""Rows as the service makes them, and what is in a table."""

from sqlalchemy import select

from cds_service.store.loader import SpoolLoader, line
from cds_service.store.spool import Spool
from cds_service.store.tables import metadata

AT = 1_795_000_000.0
DAY = int(AT // 86_400)


def decision_row(**changes):
    """A usually not appropriate order with a card that was shown."""
    return {
        "client": "hospital", "consult": "c-1", "day": DAY, "at": AT, "procedure": "mri-spine-w",
        "region": "lumbar", "relevance": "relevant", "subject": "rated", "topic": "variant1",
        "category": "usually-not-appropriate", "rating": "not-appropriate", "indicator": "warning",
        "shown": True, "hidden": "", "rules": "", "unknown": "", "missing": "", "question": "",
        "card": "card-1", "order_key": "order-1", "advice_key": "advice-1", "tenant": "",
        "hook": "order-sign", "hook_instance": "h-1", "service_version": "1", "rules_version": "1",
        "edition": "revised 2022", "guideline": "acr-vcf-2022", "variants": "variant-1",
        "milliseconds": 1.0, "facts": {}, "suggestions": {"s-1": "replace mri-spine-wo"}, **changes,
    }  # fmt: skip


def feedback_row(**changes):
    return {
        "client": "hospital", "card": "card-1", "outcome": "overridden", "outcome_at": AT + 60,
        "day": DAY, "received_at": AT + 61, "tenant": "", "suggestions": [], "reason_system": "",
        "reason_code": "", "reason_display": "", "comment": None, **changes,
    }  # fmt: skip


def loaded(database, folder, *rows):
    """The rows in the database, by way of the spool."""
    spool = Spool(folder / "spool")
    spool.append([line(*row) for row in rows])
    SpoolLoader(database, spool, lambda *_: None).load()


def kept(database, table):
    with database.begin() as connection:
        return [dict(row._mapping) for row in connection.execute(select(metadata.tables[table]))]
