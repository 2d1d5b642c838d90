"""A year of 5,000 orders a day in a SQLite store, and how long the reports of it take.

`python -m bench.year [FOLDER]` leaves the store in the folder, to be looked at by a service.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import insert

from cds_service.report.figures import BY, EPOCH, Period
from cds_service.report.queries import make_report
from cds_service.store.database import Database
from cds_service.store.tables import decisions, feedback, unmapped_codes

DAYS, A_DAY = 365, 5_000
PROCEDURES = ("mri-spine-wo", "mri-spine-w", "ct-spine-wo", "ct-spine-w", "bone-scan", "fdg-pet-ct")
TOPICS = ("variant1",) * 5 + ("variant2", "variant3", "variant4", "unresolved", "novariant", "")
CATEGORIES = ("usually-appropriate",) * 3 + ("may-be-appropriate", "usually-not-appropriate")
FACTS = ("symptomatic", "malignancy", "prior_vcf")
REASONS = ("Specialist request", "Patient preference", "Does not apply to patient", "")
CODES = (("http://loinc.org", "99999-9"), ("urn:local", "MR17"), ("urn:local", "CT4"))


def rows_of(day: int, chance: random.Random) -> Iterator[tuple[str, dict]]:
    """The rows of a day, by table."""
    for number in range(A_DAY):
        name = f"{day}-{number}"
        row = decision(name, day, day * 86_400 + number * 17.0, chance)
        yield "decisions", row
        if row["shown"] and chance.random() < 0.5:
            yield "feedback", reaction(row, chance)
        if chance.random() < 0.02:
            system, code = chance.choice(CODES)
            yield "unmapped_codes", {
                "client": row["client"], "consult": name, "about": "order", "system": system,
                "code": code, "day": day,
            }  # fmt: skip


def decision(name: str, day: int, at: float, chance: random.Random) -> dict:
    topic, category = chance.choice(TOPICS), chance.choice(CATEGORIES)
    rated = topic.startswith("variant")
    card = topic == "unresolved" or rated and category != CATEGORIES[0]
    return {
        "client": f"hospital-{chance.randrange(5)}", "consult": name, "day": day, "at": at,
        "procedure": chance.choice(PROCEDURES), "region": "lumbar",
        "relevance": "relevant" if topic else "no-fracture",
        "subject": "rated" if rated else "question" if topic == "unresolved" else "not-relevant",
        "topic": topic, "category": category if rated else "",
        "rating": "appropriate" if rated else "", "indicator": "warning" if card else "",
        "shown": card, "hidden": "", "rules": "mri-implant" if chance.random() < 0.05 else "",
        "unknown": "", "missing": "devices" if chance.random() < 0.1 else "",
        "question": chance.choice(FACTS) if topic == "unresolved" else "",
        "card": f"k{name}", "order_key": f"{day}-{chance.randrange(A_DAY)}",
        "advice_key": f"a{name}" if card else None, "tenant": "", "hook": "order-sign",
        "hook_instance": name, "service_version": "0.1.0", "rules_version": "861ae4eca8fb",
        "edition": "revised 2022", "variants": "variant-1", "milliseconds": 4.2,
        "facts": dict.fromkeys(FACTS, "true"),
        "suggestions": {f"s{name}": "replace mri-spine-wo"},
    }  # fmt: skip


def reaction(row: dict, chance: random.Random) -> dict:
    taken = chance.random() < 0.4
    return {
        "client": row["client"], "card": row["card"], "outcome_at": row["at"] + 30,
        "outcome": "accepted" if taken else "overridden", "day": row["day"],
        "received_at": row["at"] + 31, "tenant": "",
        "suggestions": list(row["suggestions"]) if taken else [], "reason_system": "",
        "reason_code": "", "reason_display": "" if taken else chance.choice(REASONS),
        "comment": None,
    }  # fmt: skip


def fill(database: Database, days: int = DAYS) -> Period:
    """The store with so many days until today."""
    chance, today = random.Random(1), datetime.now(UTC).date()  # noqa: S311  numbers to look at
    last = (today - EPOCH).days
    for day in track(range(last - days + 1, last + 1), "a year of orders"):
        rows = list(rows_of(day, chance))
        with database.begin() as connection:
            for table in (decisions, feedback, unmapped_codes):
                some = [row for name, row in rows if name == table.name]
                connection.execute(insert(table), some)
    return Period(today - timedelta(days - 1), today)


def main(folder: Path) -> None:
    database = Database("", folder)
    period = fill(database)
    table = Table(
        "Report of a year", "seconds", "orders", "cards", title=f"{DAYS} × {A_DAY} orders"
    )
    for by in ("", *BY):
        started = time.perf_counter()
        with database.begin() as connection:
            total = make_report(connection, period, *filter(None, [by])).total
        spent = time.perf_counter() - started
        table.add_row(by or "in all", f"{spent:.1f}", f"{total.orders:,}", f"{total.shown:,}")
    Console().print(table)
    database.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
