"""Suggestions and system actions: how the EHR can change the order."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.cards.rating import (
    Rating,
    has_rating_of,
    with_rating,
    without_rating_of,
    without_ratings,
)
from cds_service.decision.suggestions import Suggestion
from cds_service.decision.terminology import Coding
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import NotChecked, Silent


@dataclass(frozen=True)
class Offer:
    """A suggestion of a card in CDS Hooks JSON, and what it does in short, for the store."""

    does: str
    body: Json

    @property
    def action(self) -> Json:
        return self.body["actions"][0]

    def with_action(self, action: Json) -> "Offer":
        return replace(self, body={**self.body, "actions": [action]})


def offers(evaluated: EvaluatedOrder) -> list[Offer]:
    """The suggestions of the card; none for an order without an id."""
    if not evaluated.has_id:
        return []
    return [
        offer(evaluated, number, suggestion, *MAKE[suggestion.kind](evaluated, suggestion))
        for number, suggestion in enumerate(evaluated.decision.suggestions)
    ]


def offer(
    evaluated: EvaluatedOrder, number: int, suggestion: Suggestion, label: str, action: Json
) -> Offer:
    """A suggestion with one action; `number` is its place on the card."""
    made = {
        "label": label,
        "uuid": evaluated.uuid("suggestion", number, label),
        "actions": [{**action, "description": label}],
    }
    if suggestion.recommended:
        made["isRecommended"] = True
    return Offer(does(suggestion), made)


def does(suggestion: Suggestion) -> str:
    """In short: replace PROCEDURE, answer FACT “Yes…”, delete."""
    if suggestion.answer:
        return f"answer {suggestion.fact} “{suggestion.answer.label}”"
    if suggestion.procedure:
        return f"{suggestion.kind} {suggestion.procedure.id}"
    return suggestion.kind


def system_action(evaluated: EvaluatedOrder) -> Json | None:
    """The update that puts the rating on the order, or removes an earlier one of this topic. None
    where there is nothing to change.
    """
    decision, order = evaluated.decision, evaluated.resource
    if not evaluated.has_id or isinstance(decision.verdict, Silent | NotChecked):
        return None
    if decision.rating is not None:
        rating = _rating(evaluated, decision.rating, decision.category)
        words = evaluated.say("Attach the appropriateness rating")
        return update(words, with_rating(order, rating))
    if has_rating_of(evaluated.topic, order):
        return removal_of_rating(order, evaluated.topic, evaluated.say)
    return None


def removal_of_rating(resource: Json, topic: Topic, say: Callable[[str], str]) -> Json:
    """The update that removes the topic's rating; `say` translates its description."""
    words = say("Remove the appropriateness rating")
    return update(words, without_rating_of(topic, resource))


def _rating(evaluated: EvaluatedOrder, code: str, category: str | None) -> Rating:
    named = evaluated.topic.guideline.category.get(category)
    return Rating(evaluated.topic, code, named, evaluated.consult_id, evaluated.auc_applied)


def _replace(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """An update: the draft with the suggested code, and the rating of that."""
    changed = evaluated.once(("replace", id(suggestion)), lambda: _changed(evaluated, suggestion))
    name, code = changed["code"]["text"], evaluated.decision.rating_of(suggestion.procedure.id)
    if code is not None:
        category = evaluated.decision.outcomes.category(suggestion.procedure.id)
        changed = with_rating(changed, _rating(evaluated, code, category))
    return evaluated.say("Change to %(study)s", study=name), update(name, changed)


def _changed(evaluated: EvaluatedOrder, suggestion: Suggestion) -> Json:
    """The order for the suggested study, without a rating."""
    return without_ratings({**evaluated.resource, "code": _code(evaluated, suggestion)})


def _create(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """A create: a further order for the same patient and reasons."""
    draft = evaluated.resource
    kept = ("subject", "encounter", "requester", "reasonCode", "reasonReference")
    order = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": draft.get("intent", "order"),
        "priority": "urgent",
        "code": _code(evaluated, suggestion),
        **{name: draft[name] for name in kept if name in draft},
    }
    name = evaluated.study(suggestion.procedure, suggestion.place)
    label = evaluated.say("Add %(study)s (urgent)", study=name)
    return label, {"type": "create", "resource": order}


def _delete(evaluated: EvaluatedOrder, _: Suggestion) -> tuple[str, Json]:
    instead = evaluated.say(evaluated.topic.about.texts.deletes)
    return evaluated.say("Remove this order (%(instead)s)", instead=instead), delete(evaluated)


def delete(evaluated: EvaluatedOrder) -> Json:
    """The action that drops the draft."""
    return {"type": "delete", "resourceId": f"ServiceRequest/{evaluated.resource['id']}"}


def _answer(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """An update: the draft with the answer among its reasons, where the next call reads it."""
    given = suggestion.answer.coding
    codings = [_coding(given)]
    if given.system != evaluated.topic.terminology.answers:
        codings.append(_own_coding(evaluated, suggestion))
    label = evaluated.say(suggestion.answer.label)
    reason = {"coding": codings, "text": label}
    reasons = [*evaluated.resource.get("reasonCode", []), reason]
    changed = {**evaluated.resource, "reasonCode": reasons}
    return label, update(label, without_rating_of(evaluated.topic, changed))


def _own_coding(evaluated: EvaluatedOrder, suggestion: Suggestion) -> Json:
    """Our own code of the answer, added to the standard one, so that questions can be counted."""
    asked = evaluated.topic.question(suggestion.fact)
    said = "yes" if suggestion.answer == asked.yes else "no"
    system, label = evaluated.topic.terminology.answers, suggestion.answer.label
    return {"system": system, "code": asked.code_of(said), "display": label}


def _coding(coding: Coding) -> Json:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


MAKE = {"replace": _replace, "create": _create, "delete": _delete, "answer": _answer}


def _code(evaluated: EvaluatedOrder, suggestion: Suggestion) -> Json:
    """The codings of every system that has one, the system of the order first."""
    used = _systems_of(evaluated)
    codes = sorted(suggestion.codes, key=lambda code: code.system not in used[:1])
    codings = [_coding(code) for code in codes]
    return {"coding": codings, "text": evaluated.study(suggestion.procedure, suggestion.place)}


def _systems_of(evaluated: EvaluatedOrder) -> list[str]:
    """The code systems that the order uses and we know, in their order."""
    terminology = evaluated.topic.terminology
    codings = evaluated.resource["code"].get("coding", [])
    keys = (terminology.normalise(c.get("system", ""), c.get("code", "")) for c in codings)
    return [key[0] for key in keys if key in terminology.orders]


def update(description: str, resource: Json) -> Json:
    """The action that puts a resource in place of the draft."""
    return {"type": "update", "description": description, "resource": resource}
