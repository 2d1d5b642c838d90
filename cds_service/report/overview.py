"""The panels of the dashboard: labels and numbers, made of the figures of a period."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from cds_service.language import N_
from cds_service.report.figures import (
    CATEGORIES,
    HEADINGS,
    NOT_RELEVANT,
    Figures,
    Period,
    Report,
    in_order,
)
from cds_service.report.formats import csv_of
from cds_service.report.queries import clients_in, make_report
from cds_service.report.unmapped import Unmapped, unmapped_in
from cds_service.store.tables import ACCEPTED, OVERRIDDEN

MOST_DAYS_BY_DAY = 31
MOST_BARS = 8
MOST_CODES = 20
REACTIONS = (ACCEPTED, OVERRIDDEN, "superseded", "ignored")
TITLES = {"day": N_("Orders by day and rating"), "week": N_("Orders by week and rating")}


@dataclass(frozen=True)
class Panel:
    """A chart: for each series, a number for each label. `over_time`: the labels are dates;
    `as_shares`: each label is drawn as the shares of the series.
    """

    title: str
    labels: tuple[str, ...]
    series: dict[str, tuple[int, ...]]
    over_time: bool = False
    as_shares: bool = False

    @property
    def is_empty(self) -> bool:
        return not any(any(numbers) for numbers in self.series.values())


@dataclass(frozen=True)
class Overview:
    """What the dashboard shows of a period, of one client or (empty) of all; `clients` are those
    that had orders in it.
    """

    period: Period
    client: str
    clients: tuple[str, ...]
    total: Figures
    panels: tuple[Panel, ...]
    unmapped: tuple[Unmapped, ...]


def overview_of(
    connection: Connection, period: Period, words: Mapping[str, str], client: str = ""
) -> Overview:
    """The overview of a period; of all clients where there is none of that name. `words` say how
    all that has a name of ours is called.
    """
    clients = clients_in(connection, period)
    client = client if client in clients else ""
    length = (period.until - period.since).days + 1
    unit = "day" if length <= MOST_DAYS_BY_DAY else "week"
    report = make_report(connection, period, unit, "variant", reasons=words, client=client)
    total = report.total
    panels = (
        _over_time(report, unit),
        _by_variant(report),
        _most(N_("Why cards were overridden"), N_("cards"), total.reasons),
        _most(N_("Facts that were missing"), N_("orders"), _in(words, total.missing_facts)),
        _most(N_("Data that was not supplied"), "orders", total.missing_data),
        _most(N_("Suggestions that were taken"), "cards", _in(words, total.suggestions)),
    )
    codes = unmapped_in(connection, period, MOST_CODES)
    heard = (replace(c, sounds_like=words.get(c.sounds_like, c.sounds_like)) for c in codes)
    return Overview(period, client, tuple(clients), total, panels, tuple(heard))


def _over_time(report: Report, unit: str) -> Panel:
    """By day or week, also where there was no order."""
    parts = report.parts[unit]
    first = report.period.since
    first -= timedelta(days=first.weekday() if unit == "week" else 0)
    labels = tuple(_dates(first, report.period.until, 7 if unit == "week" else 1))
    found = [parts[label].categories if label in parts else Counter() for label in labels]
    names = dict.fromkeys((*CATEGORIES.values(), NOT_RELEVANT))
    series = {name: tuple(counted[name] for counted in found) for name in names}
    return Panel(TITLES[unit], labels, series, over_time=True)


def _dates(first: date, last: date, step: int) -> list[str]:
    days = range(0, (last - first).days + 1, step)
    return [(first + timedelta(days=day)).isoformat() for day in days]


def _by_variant(report: Report) -> Panel:
    """Variants with a card that was shown, in the order of the guideline."""
    parts = report.parts["variant"]
    labels = tuple(in_order(word for word, figures in parts.items() if figures.shown))
    series = {
        HEADINGS[reaction]: tuple(getattr(parts[label], reaction) for label in labels)
        for reaction in REACTIONS
    }
    return Panel(N_("What became of the cards, by variant"), labels, series, as_shares=True)


def _most(title: str, what: str, counted: Counter[str]) -> Panel:
    """The most frequent ones, then the sum of the others."""
    most = counted.most_common(MOST_BARS)
    others = counted.total() - sum(number for _, number in most)
    if others:
        most.append((N_("others"), others))
    labels = tuple(name for name, _ in most)
    return Panel(title, labels, {what: tuple(number for _, number in most)})


def _in(words: Mapping[str, str], counted: Counter[str]) -> Counter[str]:
    """The counts with names of facts and procedures replaced by their words."""
    found: Counter[str] = Counter()
    for text, number in counted.items():
        found[" ".join(words.get(part, part) for part in text.split(" "))] += number
    return found


def shares(panel: Panel, row: int) -> dict[str, float]:
    """The percentages of a label by series: of its own sum, or of the largest label."""
    numbers = {name: series[row] for name, series in panel.series.items()}
    largest = max(map(max, panel.series.values()))
    whole = sum(numbers.values()) if panel.as_shares else largest
    return {name: 100 * number / (whole or 1) for name, number in numbers.items()}


def headline(total: Figures, number: Callable[[float], str]) -> dict[str, str]:
    """The headline numbers by name; `number` formats one for the reader's language."""
    shares = {
        HEADINGS[reaction]: _share(getattr(total, reaction), total.shown) for reaction in REACTIONS
    }
    return {
        "orders": number(total.orders),
        N_("rated"): _share(total.rated, total.relevant),
        N_("cards shown"): number(total.shown),
        HEADINGS["alerts_per_100"]: number(total.alerts_per_100),
        **shares,
    }


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def as_csv(overview: Overview, say: Callable[[str], str]) -> str:
    """The numbers of the panels, and the codes in no map, a line each."""
    lines = [
        [say(panel.title), say(label), say(name), numbers[row]]
        for panel in overview.panels
        for name, numbers in panel.series.items()
        for row, label in enumerate(panel.labels)
    ]
    codes = say(N_("Codes in no map"))
    lines += [[codes, f"{u.system}|{u.code}", u.about, u.number] for u in overview.unmapped]
    return csv_of(["panel", "label", "series", "number"], lines)
