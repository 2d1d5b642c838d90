"""Epic: one action per suggestion, orders from its preference lists, no updates of draft orders.

Source: Epic's CDS Hooks documentation (fhir.epic.com, Documentation, cds-hooks), sections Actions,
Card Attributes, Suggestion Attributes, Codesets for Create APIs, Supported Extensions.
"""

import re
from collections.abc import Iterable

from cds_service.cards.actions import Offer, delete, offer
from cds_service.cards.dialect import Dialect, ResponseOptions
from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.decision.safety import cautions
from cds_service.decision.suggestions import Suggestion
from cds_service.decision.topic import Topic

PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
CONTENT_TYPE = "com.epic.cdshooks.card.detail.content-type"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
INPATIENT, OUTPATIENT = "inpatient", "outpatient"
LONGEST_TOPIC = 100


def wrong_keys(keys: Iterable[tuple[str, str]], topics: Iterable[Topic]) -> list[str]:
    """The procedures and regions of a preference list that no topic has."""
    procedures = {name for topic in topics for name in topic.guideline.procedure}
    places = {name for topic in topics for name in topic.terminology.places}
    return [p for p, _ in keys if p not in procedures] + [
        r for _, r in keys if r and r not in places
    ]


def _offers(evaluated: EvaluatedOrder, options: ResponseOptions) -> list[Offer]:
    """A suggestion for each study with a key, and a separate one that removes the draft."""
    if not evaluated.has_id:
        return []
    made = [
        _ordered(evaluated, number, suggestion, key)
        for number, suggestion in enumerate(evaluated.decision.suggestions)
        if (key := _key(suggestion, options))
    ]
    number = len(evaluated.decision.suggestions)
    replaces = any(o.does.startswith("replace") for o in made)
    deletes = any(s.kind == "delete" for s in evaluated.decision.suggestions)
    if replaces or deletes:
        made.append(_removed(evaluated, number, replaces))
    return made


def _key(suggestion: Suggestion, options: ResponseOptions) -> str | None:
    """The site's key for the study of that region, else of any region."""
    if suggestion.procedure is None:
        return None
    region = suggestion.place.code if suggestion.place else ""
    keys = options.preference_list
    return keys.get((suggestion.procedure.id, region)) or keys.get((suggestion.procedure.id, ""))


def _ordered(evaluated: EvaluatedOrder, number: int, suggestion: Suggestion, key: str) -> Offer:
    """The suggestion that orders a study. Epic shows its description, which names the study."""
    name = evaluated.study(suggestion.procedure, suggestion.place)
    if suggestion.kind == "replace":
        words = evaluated.say("Order %(study)s instead", study=name)
    else:
        words = evaluated.say("Order %(study)s as well (urgent)", study=name)
    order = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        **{name: evaluated.resource[name] for name in ("subject",) if name in evaluated.resource},
        "category": [_category(evaluated.resource)],
        "code": {"coding": [{"system": PREFERENCE_LIST, "code": key}], "text": name},
    }
    return offer(evaluated, number, suggestion, words, {"type": "create", "resource": order})


def _category(resource: Json) -> Json:
    """The category of the draft if it is inpatient or outpatient; else outpatient."""
    codings = [c for one in resource.get("category", []) for c in one.get("coding", [])]
    named = [c.get("code") for c in codings if c.get("code") in (INPATIENT, OUTPATIENT)]
    code = named[0] if named else OUTPATIENT
    return {"coding": [{"system": CATEGORIES, "code": code, "display": code.capitalize()}]}


def _removed(evaluated: EvaluatedOrder, number: int, replaced: bool) -> Offer:
    """The suggestion that removes the draft; recommended only together with a replacement."""
    name = evaluated.ordered
    if replaced:
        words = evaluated.say(
            "Remove the draft order %(study)s (replaced by the order above)", study=name
        )
    else:
        words = evaluated.say(
            "Remove the draft order %(study)s (%(instead)s)",
            study=name,
            instead=evaluated.say(evaluated.topic.about.texts.deletes),
        )
    removal = Suggestion("delete", recommended=replaced)
    return offer(evaluated, number, removal, words, delete(evaluated))


def _remarks(evaluated: EvaluatedOrder, options: ResponseOptions) -> str:
    """Names the studies that have no suggestion here, for want of a key."""
    studies = [s for s in evaluated.decision.suggestions if s.procedure]
    left_out = [s for s in studies if not _key(s, options)]
    if left_out and left_out == studies:
        return evaluated.say("To be chosen by hand, since it is on no preference list.")
    names = [evaluated.say(s.procedure.short) for s in left_out]
    if not names:
        return ""
    return evaluated.say(
        "To be chosen by hand, since it is on no preference list: %(studies)s.",
        studies="; ".join(names),
    )


def _topic(evaluated: EvaluatedOrder) -> str:
    """Letters and digits, the same for the same advice: acknowledgements are remembered by it, so
    another rating, question or caution is another topic.
    """
    decision = evaluated.decision
    rules = [alert.rule.id for alert in cautions(decision.alerts)]
    asked = [decision.question.fact] if decision.question else []
    band = decision.category or decision.subject
    parts = (decision.topic, decision.case.order.procedure.id, band, *asked, *rules)
    return re.sub(r"[^A-Za-z0-9]", "", "".join(parts))[:LONGEST_TOPIC]


def _finish_card(card: Json, options: ResponseOptions) -> Json:
    content_type = "text/plain" if options.plain_text else "text/markdown"
    return {**card, "extension": {CONTENT_TYPE: content_type}}


EPIC = Dialect(
    selection_behavior="any",
    links=False,
    ratings=False,
    takes_answers=False,
    offers=_offers,
    remarks=_remarks,
    topic=_topic,
    finish_card=_finish_card,
)
