"""Takes out of what earlier versions kept whatever may name a person."""

from sqlalchemy import Table, delete, select, update
from sqlalchemy.engine import Connection

from cds_service.mappings.forms import has_known_form
from cds_service.store.rows import NO_CODE, kept_reason
from cds_service.store.tables import feedback, unmapped_codes


def without_persons(table: str, row: dict) -> dict:
    """A row as this version would have made it, of codes and words that nobody else had."""
    if table == feedback.name:
        system, code = kept_reason(row["reason_system"], row["reason_code"], row["reason_display"])
        return {**row, "reason_system": system, "reason_code": code, "reason_display": ""}
    if table == unmapped_codes.name:
        known = has_known_form(row["system"], row["code"])
        system, code = (row["system"], row["code"]) if known else NO_CODE
        return {**row, "system": system, "code": code, "display": ""}
    return row


def clean(connection: Connection) -> None:
    """The same for all rows that are there; of unknown codes nothing is left."""
    u, f = unmapped_codes.c, feedback.c
    for coded in _different(connection, u.system, u.code):
        if not has_known_form(*coded.values()):
            connection.execute(delete(unmapped_codes).where(*_equal(unmapped_codes, coded)))
    connection.execute(update(unmapped_codes).values(display=None))
    for given in _different(connection, f.reason_system, f.reason_code, f.reason_display):
        kept = without_persons(feedback.name, given)
        if kept != given:
            connection.execute(update(feedback).where(*_equal(feedback, given)).values(kept))


def _different(connection, *columns) -> list[dict]:
    return [dict(row._mapping) for row in connection.execute(select(*columns).distinct())]


def _equal(table: Table, values: dict) -> list:
    return [table.c[name] == value for name, value in values.items()]
