"""Why the service says nothing of an order, in one sentence."""

from cds_service.decision.evaluate import Decision
from cds_service.decision.guideline import USUALLY_APPROPRIATE
from cds_service.decision.relevance import TOO_LITTLE_TO_GO_ON
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import NotRated, Silent
from cds_service.fhir.plain import Json
from cds_service.fhir.selected import CONFLICTING_CODES, NOT_OURS, ORDER_SIGN, select_orders
from cds_service.language import N_, Language

# By the reason for which an order is passed over; see `fhir/selected.py`.
PASSED_OVER = {
    "no-service-request": N_("It is no order of a study or treatment; others are not looked at."),
    "do-not-perform": N_("It says that something is not to be done."),
    "status": N_("It is not open any more: its status is neither draft, active nor on hold."),
    NOT_OURS: N_("Its code is in none of our maps: it asks for nothing that the guideline rates."),
    CONFLICTING_CODES: N_(
        "Its codes contradict each other, so that it is not known what is meant."
    ),
    "": N_("It is not among the orders that the user has just selected."),
}
TOO_LITTLE = N_(
    "There is too little to go on: it has no coded reason, and the conditions of the patient were "
    "not sent."
)
ABOUT_ELSE = N_("Its coded reasons, or the lack of any, do not make it one about: %(subject)s.")
ABSENT = N_("The guideline is not for this patient, as far as known: %(fact)s.")
UNCERTAIN = N_(
    "It is not known whether the guideline is for this patient, who would have: %(fact)s."
)
WELL_CHOSEN = N_("Well chosen: %(category)s in %(variants)s.")
PASSES = N_("%(category)s in %(variants)s, and an order of its kind passes in silence then.")
WELCOME = N_("Whatever its rating, it is not warned against here: %(rules)s.")


def why_passed_over(resource: Json, topic: Topic, language: Language) -> str:
    """Of a draft order that is not of the topic, or was not selected."""
    alone = {"draftOrders": {"entry": [{"resource": resource}]}}
    reasons = select_orders(ORDER_SIGN, alone, topic).passed_over
    return language.say(PASSED_OVER[next(iter(reasons), "")])


def why_no_card(decision: Decision, topic: Topic, language: Language) -> str:
    """Of an order of the topic whose decision shows no card."""
    verdict, say = decision.verdict, language.say
    if isinstance(verdict, Silent):
        return _not_relevant(verdict.reason, topic, language)
    if isinstance(verdict, NotRated):
        return say(WELCOME, rules=", ".join(say(rule.title) for rule in verdict.rules))
    category = topic.guideline.category[verdict.category]
    text = WELL_CHOSEN if category.id == USUALLY_APPROPRIATE else PASSES
    numbers = (str(variant.number) for variant in decision.outcomes.variants)
    variants = say(" and ").join(say("variant %(number)s", number=n) for n in numbers)
    label = category.in_text if text is WELL_CHOSEN else category.label
    return say(text, category=say(label), variants=variants)


def _not_relevant(reason: str, topic: Topic, language: Language) -> str:
    say, relevance = language.say, topic.relevance
    fact = topic.fact[relevance.fact]
    if reason == TOO_LITTLE_TO_GO_ON:
        return say(TOO_LITTLE)
    if reason == relevance.absent:
        return say(ABSENT, fact=say(fact.false))
    if reason == relevance.uncertain:
        return say(UNCERTAIN, fact=say(fact.true))
    return say(ABOUT_ELSE, subject=say(fact.in_text))
