"""What reviewers said of a sample: how often the answers are right, with Wilson intervals.

Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; for strata that are weighted to the whole
with the effective number of reviews (E. L. Korn, B. I. Graubard, Surv. Methodol. 24 (1998) 193).
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from cds_service.retrospective.folder import Folder, RunError
from cds_service.retrospective.results import ALONE

RIGHT, WRONG = REVIEWS = ("right", "wrong")
HEADER = ["order", "review"]
Z = 1.959964  # of the 95 % interval
STRATA = """
    SELECT "order", guideline, coalesce(topic, ''), indicator IS NOT NULL FROM rows
    WHERE mode = 'lenient'
"""
# Guideline, topic of the card, and whether a card is shown.
Key = tuple[str, str, bool]


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, from `number` reviews."""

    share: float
    low: float
    high: float
    number: int


@dataclass
class Stratum:
    """Orders that are answered alike: `size` of them, of which some were reviewed."""

    key: Key
    size: int = 0
    reviews: list[str] = field(default_factory=list)

    @property
    def shows_card(self) -> bool:
        return self.key[2]

    def estimate(self, review: str) -> Estimate:
        """The share of reviews that say so."""
        number = len(self.reviews)
        return estimate(self.reviews.count(review) / number, number, number)


@dataclass(frozen=True)
class Reviewed:
    """`accuracy` is the share of answers that are right, with and without a card; `false_positives`
    that of shown cards that are wrong; each weighted to the whole, None without reviews.
    """

    strata: list[Stratum]
    accuracy: Estimate | None
    false_positives: Estimate | None


def reviewed(file: Path, folder: Folder) -> Reviewed:
    """Reads a CSV file with the columns order and review. Raises RunError, which names the line."""
    strata, where = _strata(folder)
    for number, (order, review) in _rows(file):
        if review not in REVIEWS:
            raise RunError(f"{file}, line {number}: the review must be right or wrong")
        if order not in where:
            raise RunError(
                f"{file}, line {number}: no order of this run, or one that is there twice"
            )
        for key in where.pop(order):
            strata[key].reviews.append(review)
    found = [stratum for stratum in strata.values() if stratum.reviews]
    cards = [stratum for stratum in found if stratum.shows_card]
    return Reviewed(found, weighted(found, RIGHT), weighted(cards, WRONG))


def weighted(strata: list[Stratum], review: str) -> Estimate | None:
    """The share in all strata together, each by its size."""
    if not strata:
        return None
    whole, number = sum(s.size for s in strata), sum(len(s.reviews) for s in strata)
    share = variance = 0.0
    for stratum in strata:
        weight, own = stratum.size / whole, stratum.estimate(review).share
        share += weight * own
        variance += weight**2 * own * (1 - own) / len(stratum.reviews)
    effective = share * (1 - share) / variance if variance else number
    return estimate(share, min(effective, number), number)


def estimate(share: float, effective: float, number: int) -> Estimate:
    """A share of so many reviews with the Wilson interval; `effective` is their worth in it."""
    square = Z * Z / effective
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / effective + square / (4 * effective)) / (1 + square)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half), number)


def _strata(folder: Folder) -> tuple[dict[Key, Stratum], dict[str, list[Key]]]:
    """The strata of a run, and those of each order by its digest."""
    strata: dict[Key, Stratum] = {}
    where: dict[str, list[Key]] = {}
    with duckdb.connect(config=ALONE) as rows:
        rows.read_parquet(str(folder.orders)).create_view("rows")
        for order, *key in rows.execute(STRATA).fetchall():
            stratum = strata.setdefault(tuple(key), Stratum(tuple(key)))
            stratum.size += 1
            where.setdefault(order, []).append(stratum.key)
    return strata, where


def _rows(file: Path) -> Iterable[tuple[int, list[str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = csv.reader(opened)
            if next(lines, None) != HEADER:
                raise RunError(f"{file}: the columns must be {', '.join(HEADER)}")
            return [
                (lines.line_num, [cell.strip() for cell in row]) for row in lines if len(row) == 2
            ]
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{file} cannot be read: {type(error).__name__}") from None
