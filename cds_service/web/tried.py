"""A hook that was tried: each draft order with its card, or why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.decision.evaluate import Decision
from cds_service.decision.topic import Topic
from cds_service.fhir.plain import Json, as_dict, as_text, codings, dicts
from cds_service.hook_call import HookOutcome
from cds_service.language import N_, Language
from cds_service.mappings.listing import Listing
from cds_service.web.in_words import SEXES
from cds_service.web.situations import drafts
from cds_service.web.why_silent import why_no_card, why_passed_over

RATINGS = {
    "appropriate": N_("appropriate"),
    "not-appropriate": N_("not appropriate"),
    "no-criteria-apply": N_("no criteria apply"),
}

# Where resources of a chart have their date.
DATES = ("onsetDateTime", "performedDateTime", "effectiveDateTime", "recordedDate")


@dataclass(frozen=True)
class Concept:
    """What was coded, in words, and its codes with the names of their systems."""

    words: str
    codes: str


@dataclass(frozen=True)
class TriedOrder:
    """A draft order. `card` is that of the answer, None where there is none; `silent` says why
    then. `rating` is in words, empty for none. `references` are reasons by reference, and
    `can_change` says whether its code and reasons can be chosen.
    """

    order: Concept
    reasons: tuple[Concept, ...]
    references: tuple[str, ...]
    can_change: bool
    card: Json | None
    silent: str
    rating: str


@dataclass(frozen=True)
class Known:
    """A resource of the patient: its type, what it says in words, and its date."""

    kind: str
    words: str
    when: str


@dataclass(frozen=True)
class Words:
    """What a hook that was tried is told in."""

    topic: Topic
    listing: Listing
    language: Language


def tried_orders(request: Json, outcome: HookOutcome, words: Words) -> list[TriedOrder]:
    """Every draft order of the request, in its order."""
    cards = {card["uuid"]: card for card in outcome.body["cards"]}
    decided = zip(outcome.selected.ours, outcome.decisions, outcome.evaluations, strict=True)
    by_order = {id(o.resource): (d, cards.get(e.card)) for o, d, e in decided}
    return [_tried(order, by_order.get(id(order)), words) for order in drafts(request)]


def unanswered_orders(request: Json, words: Words) -> list[TriedOrder]:
    """The same of a request that was refused."""
    return [_shown(order, words, None, "", "") for order in drafts(request)]


def _tried(order: Json, decided: tuple[Decision, Json | None] | None, words: Words) -> TriedOrder:
    if decided is None:
        why = why_passed_over(order, words.topic, words.language)
        return _shown(order, words, None, why, "")
    decision, card = decided
    why = "" if card else why_no_card(decision, words.topic, words.language)
    rating = RATINGS.get(decision.rating or "", "")
    return _shown(order, words, card, why, words.language.say(rating))


def _shown(order: Json, words: Words, card: Json | None, silent: str, rating: str) -> TriedOrder:
    references = (as_text(r.get("reference")) for r in dicts(order.get("reasonReference")))
    return TriedOrder(
        order=_concept(order.get("code"), words),
        reasons=tuple(_concept(reason, words) for reason in dicts(order.get("reasonCode"))),
        references=tuple(filter(None, references)),
        can_change=order.get("resourceType") == "ServiceRequest",
        card=card,
        silent=silent,
        rating=rating,
    )


def _concept(concept: Json | None, words: Words) -> Concept:
    """In the words of its first code, else in its text; an answer is said in the language."""
    found = codings(concept)
    names = (f"{words.listing.system(system)} {code}".strip() for system, code, _ in found)
    answers = words.topic.terminology.answers
    answered = (code for system, code, _ in found if system == answers)
    own = next((_display((answers, code), words) for code in answered), "")
    display = next((d or _display((s, c), words) for s, c, d in found), "")
    text = as_text(concept.get("text")) if isinstance(concept, dict) else ""
    return Concept(own or display or text or "?", " · ".join(names))


def _display(key: tuple[str, str], words: Words) -> str:
    return words.language.say(words.topic.terminology.display(key))


def known_of(request: Any, words: Words) -> list[Known]:
    """The resources of the patient in the prefetch, in the order of the request."""
    sent = as_dict(as_dict(request).get("prefetch")).values()
    found = (resource for value in sent for resource in _resources(value))
    return [_known(r, words) for r in found if r.get("resourceType") != "OperationOutcome"]


def _resources(value: Any) -> Iterator[Json]:
    """Those of a Bundle, or the one that came alone."""
    found = as_dict(value)
    if found.get("resourceType") == "Bundle":
        yield from (as_dict(entry.get("resource")) for entry in dicts(found.get("entry")))
    elif found:
        yield found


def _known(resource: Json, words: Words) -> Known:
    kind = as_text(resource.get("resourceType"))
    if kind == "Patient":
        born, sex = as_text(resource.get("birthDate")), as_text(resource.get("gender"))
        return Known(kind, words.language.say(SEXES.get(sex, "")), born)
    coded = resource.get("code") or resource.get("type")
    when = next((d for name in DATES if (d := as_text(resource.get(name)).partition("T")[0])), "")
    return Known(kind, _concept(as_dict(coded), words).words + _value(resource), when)


def _value(resource: Json) -> str:
    value = as_dict(resource.get("valueQuantity"))
    return f" {value.get('value')} {as_text(value.get('unit'))}".rstrip() if value else ""
