"""The detail of a card, read in five seconds: what is critical, the verdict with its reason, what
instead, what this rests on, the other ratings, other cautions, the source.

Source: the decision rules, section 5, "The detail is read in five seconds".
"""

from collections.abc import Iterator
from functools import cache, partial

from cds_service.cards.cautions import critical_lines, other_cautions
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.evidence import what_this_rests_on
from cds_service.cards.instead import how_to_answer, instead
from cds_service.cards.ratings import other_ratings
from cds_service.cards.why import why
from cds_service.decision.verdict import NotChecked
from cds_service.language import ENGLISH

# Characters, in English. Other languages may take a third more.
ROOM = 900
ALL = 99
# What yields where room is short: how many categories of other ratings are told, and how many
# suggestions say their reason.
STEPS = ((ALL, ALL), (2, ALL), (1, ALL), (0, ALL), (0, 1), (0, 0))


def detail(evaluated: EvaluatedOrder, remarks: str, takes_answers: bool) -> str:
    """GitHub-flavoured Markdown; text of the client is escaped. `remarks` are of the dialect,
    `takes_answers` says whether it has buttons for answers. Where room is short, ratings yield
    first, and a safety line never.
    """
    if isinstance(evaluated.decision.verdict, NotChecked):
        return why(evaluated)
    room = ROOM if evaluated.language is ENGLISH else ROOM * 4 // 3
    text = ""
    for text in _shorter_and_shorter(evaluated, remarks, takes_answers):
        if len(text) <= room:
            break
    return text


def _shorter_and_shorter(
    evaluated: EvaluatedOrder, remarks: str, takes_answers: bool
) -> Iterator[str]:
    safety, verdict, cautions = critical_lines(evaluated), why(evaluated), other_cautions(evaluated)
    asked, rests_on = _question(evaluated, takes_answers), what_this_rests_on(evaluated)
    offers, source = cache(partial(instead, evaluated)), _source(evaluated)
    for categories, reasons in STEPS:
        offered, ratings = offers(reasons), other_ratings(evaluated, categories)
        parts = (safety, verdict, offered, asked, remarks, rests_on, ratings, cautions)
        yield "\n\n".join(filter(None, (*parts, source)))


def _question(evaluated: EvaluatedOrder, takes_answers: bool) -> str:
    """The question, and how it is answered."""
    question = evaluated.decision.question
    if question is None:
        return ""
    if takes_answers and evaluated.has_id:
        how = evaluated.say("The answer becomes one of the reasons of the order.")
    else:
        how = how_to_answer(evaluated)
    return f"**{evaluated.say(question.text)}** {how}"


def _source(evaluated: EvaluatedOrder) -> str:
    about = evaluated.topic.about
    return evaluated.say(
        "%(source)s. %(scope)s Not endorsed by its authors; you and the radiologist decide.",
        source=evaluated.say(about.source.short),
        scope=evaluated.say(about.texts.scope),
    )
