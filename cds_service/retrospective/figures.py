"""The figures of the report, from the rows of a run. All are exact here; `disclosure` hides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb

from cds_service.retrospective.as_of import LENIENT, MODES
from cds_service.retrospective.disclosure import SMALLEST
from cds_service.retrospective.folder import Folder
from cds_service.retrospective.manifest import Manifest
from cds_service.retrospective.results import ALONE

# What the parts of the report are made of. Of the first, both answers are in the same part.
OF_THE_ORDER = ("procedure", "department", "month")
OF_THE_ANSWER = ("topic", "indicator", "decision")
COUNTED = "guideline, {}, mode, count(*), count(indicator)"
COLUMNS = "guideline, {}, mode"
TOTAL = "SELECT mode, count(*), count(indicator) FROM rows GROUP BY mode"
# Where an order could not be rated: by the question, else all unknown facts, else why not.
MISSING = """
    SELECT fact, count(*) FROM (
        SELECT unnest(CASE WHEN question IS NOT NULL THEN [question]
                           WHEN decision = 'unresolved' THEN "unknown" ELSE [decision] END) AS fact
        FROM rows WHERE mode = 'lenient' AND topic = 'unresolved')
    GROUP BY fact ORDER BY count(*) DESC, fact
"""
QUESTIONS = """
    SELECT question, count(*) FROM rows WHERE mode = 'lenient' AND question IS NOT NULL
    GROUP BY question ORDER BY count(*) DESC, question
"""
NOT_SUPPLIED = """
    SELECT kind, count(*) FROM (SELECT unnest(missing) AS kind FROM rows WHERE mode = 'lenient')
    GROUP BY kind ORDER BY count(*) DESC, kind
"""
CERTAINTY = """
    SELECT count(*) FILTER (ROW(s.decision, s.category, s.variants, s.rules, s.indicator)
                            IS NOT DISTINCT FROM
                            ROW(l.decision, l.category, l.variants, l.rules, l.indicator)),
        count(*) FILTER (s.indicator IS NOT NULL AND l.indicator IS NOT NULL),
        count(*) FILTER (s.indicator IS NOT NULL AND l.indicator IS NULL),
        count(*) FILTER (s.indicator IS NULL AND l.indicator IS NOT NULL)
    FROM rows s JOIN rows l USING ("order", guideline)
    WHERE s.mode = 'strict' AND l.mode = 'lenient'
"""
# Under the smallest count, a code is not shown.
UNMAPPED = """
    SELECT about, code, display, system, sounds_like, count FROM read_csv(?, all_varchar = true)
    WHERE count::INT >= ? ORDER BY about = 'condition' AND sounds_like IS NULL, count::INT DESC
"""


@dataclass
class Part:
    """Orders and cards, by mode."""

    guideline: str
    key: str
    orders: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))
    cards: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODES, 0))

    def add(self, mode: str, orders: int, cards: int) -> None:
        self.orders[mode] += orders
        self.cards[mode] += cards


def in_all(parts: Iterable[Part]) -> Part:
    """Several parts as one."""
    whole = Part("", "")
    for part in parts:
        for mode in MODES:
            whole.add(mode, part.orders[mode], part.cards[mode])
    return whole


@dataclass(frozen=True)
class Certainty:
    """Orders decided the same in both modes; with a card in both, and in one only."""

    same: int
    card_in_both: int
    card_strictly: int
    card_leniently: int


@dataclass(frozen=True)
class Figures:
    """`parts` by what they are made of; the counts are of the lenient answers. `unmapped` are rows
    of `unmapped.csv`.
    """

    total: Part
    parts: dict[str, list[Part]]
    certainty: Certainty
    missing: dict[str, int]
    questions: dict[str, int]
    not_supplied: dict[str, int]
    unmapped: list[dict[str, Any]]
    manifest: Manifest


def figures_of(folder: Folder, manifest: Manifest) -> Figures:
    """All figures of a finished run."""
    with duckdb.connect(config=ALONE) as rows:
        rows.read_parquet(str(folder.orders)).create_view("rows")
        total = _total(rows)
        parts = {name: list(_parts(rows, name)) for name in OF_THE_ORDER + OF_THE_ANSWER}
        codes = rows.execute(UNMAPPED, [str(folder.unmapped), SMALLEST])
        names = [column[0] for column in codes.description]
        unmapped = [dict(zip(names, values, strict=True)) for values in codes.fetchall()]
        return Figures(
            total,
            parts,
            Certainty(*rows.execute(CERTAINTY).fetchone()),
            dict(rows.execute(MISSING).fetchall()),
            dict(rows.execute(QUESTIONS).fetchall()),
            dict(rows.execute(NOT_SUPPLIED).fetchall()),
            unmapped,
            manifest,
        )


def _total(rows: duckdb.DuckDBPyConnection) -> Part:
    total = Part("", "")
    for mode, orders, cards in rows.execute(TOTAL).fetchall():
        total.add(mode, orders, cards)
    return total


def _parts(rows: duckdb.DuckDBPyConnection, name: str) -> Iterator[Part]:
    """The parts by a column, the largest first; months by their time."""
    found: dict[tuple[str, str], Part] = {}
    counted = rows.table("rows").aggregate(COUNTED.format(name), COLUMNS.format(name))
    for guideline, key, mode, orders, cards in counted.fetchall():
        key = "" if key is None else key
        part = found.setdefault((guideline, key), Part(guideline, key))
        part.add(mode, orders, cards)
    ordered = sorted(found.values(), key=lambda part: (part.guideline, part.key))
    return iter(ordered if name == "month" else sorted(ordered, key=lambda p: -p.orders[LENIENT]))
