"""`report.html`: one page with everything in it, in each language."""

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader

from cds_service.decision.verdict import UNRESOLVED
from cds_service.language import LANGUAGES, Language, language
from cds_service.retrospective.as_of import LENIENT
from cds_service.retrospective.burden_told import sections_on_burden
from cds_service.retrospective.cards_told import sections_on_cards
from cds_service.retrospective.doubt_told import sections_on_doubt
from cds_service.retrospective.figures import Figures, in_all
from cds_service.retrospective.folder import Folder, whole_file
from cds_service.retrospective.job import Job, topics_of
from cds_service.retrospective.names import Names
from cds_service.retrospective.reviewed import Reviewed
from cds_service.retrospective.reviews_told import section_on_reviews
from cds_service.retrospective.section import Section, Told

MOST_CODES = 30
TEMPLATES = Environment(
    loader=PackageLoader("cds_service.retrospective"), autoescape=True, trim_blocks=True
)


def write_report(
    folder: Folder, figures: Figures, reviews: Reviewed | None, job: Job, first: str
) -> None:
    """Writes the report; `first` is the language that it opens in."""
    order = sorted(LANGUAGES, key=lambda code: code != first)
    pages = [_page(figures, reviews, job, language(code, job.mappings)) for code in order]
    made = TEMPLATES.get_template("report.html").render(pages=pages, manifest=figures.manifest)
    with whole_file(folder.report) as part:
        part.write_text(made, "utf-8")


def told_in(spoken: Language, figures: Figures, job: Job) -> Told:
    """The figures to be told in a language."""
    return Told(figures, Names(spoken, topics_of(job)), spoken)


def _page(
    figures: Figures, reviews: Reviewed | None, job: Job, spoken: Language
) -> dict[str, object]:
    """What the template needs for one language."""
    told = told_in(spoken, figures, job)
    return {
        "language": spoken.code,
        "say": spoken.say,
        "number": spoken.number,
        "count": told.numbers.count,
        "guidelines": told.names.guidelines,
        "headline": headline(told),
        "sections": list(_sections(told, reviews)),
        "codes": _codes(told),
    }


def _sections(of: Told, reviews: Reviewed | None) -> Iterator[Section]:
    """Every section, in the order of the report."""
    if reviews:
        yield section_on_reviews(of, reviews)
    yield from sections_on_cards(of)
    yield from sections_on_doubt(of)
    yield from sections_on_burden(of)


def headline(of: Told) -> dict[str, str]:
    """What a committee asks first, by its name."""
    say, numbers, total = of.say, of.numbers, of.figures.total
    orders, days = total.orders[LENIENT], of.days
    unresolved = in_all(p for p in of.figures.parts["topic"] if p.key == UNRESOLVED)
    return {
        say("orders assessed"): numbers.count(orders),
        say("cards"): numbers.between(total.cards, numbers.count),
        say("cards per 100 orders"): numbers.between(
            total.cards, lambda cards: numbers.per_hundred(cards, orders)
        ),
        say("cards a day"): numbers.between(total.cards, lambda cards: numbers.a_day(cards, days)),
        say("same answer both ways"): numbers.percent(of.figures.certainty.same, orders),
        say("not resolved"): numbers.between(
            unresolved.orders, lambda number: numbers.percent(number, orders)
        ),
    }


def _codes(of: Told) -> list[tuple[str, ...]]:
    """The codes in no map that came often enough to be shown, most frequent first."""
    found = []
    for code in of.figures.unmapped[:MOST_CODES]:
        sounds = code["sounds_like"]
        said = of.say("sounds like: %(what)s", what=of.names.of(sounds)) if sounds else ""
        words = said or code["display"] or ""
        times = of.numbers.count(int(code["count"]))
        about = of.names.of(code["about"])
        found.append((about, code["system"] or "", code["code"], words, times))
    return found
