"""Suggestions and system actions: what the EHR is to do with the order."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.cards.rating import has_our_rating, with_rating
from cds_service.decision.evaluate import NOT_CHECKED, NOT_RELEVANT, UNREADABLE
from cds_service.decision.suggestions import Suggestion
from cds_service.decision.terminology import ANSWERS

# An order of which nothing is said was not validated, and one that is unreadable is not valid.
NOT_VALIDATED = (NOT_RELEVANT, UNREADABLE, NOT_CHECKED)


@dataclass(frozen=True)
class Offer:
    """A button of a card as CDS Hooks writes it, and what it does in short."""

    does: str
    body: Json

    @property
    def action(self) -> Json:
        return self.body["actions"][0]

    def with_action(self, action: Json) -> "Offer":
        return replace(self, body={**self.body, "actions": [action]})


def offers(evaluated: EvaluatedOrder) -> list[Offer]:
    """The buttons of the card; none for an order without an id."""
    if not evaluated.has_id:
        return []
    return [
        offer(evaluated, number, suggestion, *MAKE[suggestion.kind](evaluated, suggestion))
        for number, suggestion in enumerate(evaluated.decision.suggestions)
    ]


def offer(
    evaluated: EvaluatedOrder, number: int, suggestion: Suggestion, label: str, action: Json
) -> Offer:
    """A button with one action; `number` is its place among the suggestions."""
    made = {
        "label": label,
        "uuid": evaluated.uuid("suggestion", number, label),
        "actions": [{**action, "description": label}],
    }
    if suggestion.recommended:
        made["isRecommended"] = True
    return Offer(_does(suggestion), made)


def _does(suggestion: Suggestion) -> str:
    """In short: replace mri-spine-wo, answer symptomatic “Yes…”, delete."""
    if suggestion.answer:
        return f"answer {suggestion.fact} “{suggestion.answer.label}”"
    if suggestion.procedure:
        return f"{suggestion.kind} {suggestion.procedure.id}"
    return suggestion.kind


def system_action(evaluated: EvaluatedOrder) -> Json | None:
    """The update that puts the rating on the order, or takes an earlier one of ours off it."""
    decision, order = evaluated.decision, evaluated.resource
    if not evaluated.has_id or decision.subject in NOT_VALIDATED:
        return None
    if decision.rating is None and not has_our_rating(order):
        return None
    if decision.rating is None:
        return without_our_rating(order, evaluated.say)
    return update(
        evaluated.say("Attach the appropriateness rating"),
        with_rating(
            order,
            decision.rating,
            evaluated.guideline.categories.get(decision.category),
            evaluated.consult_id,
            evaluated.auc_applied,
        ),
    )


def without_our_rating(resource: Json, say: Callable[[str], str]) -> Json:
    """The update of an order that is rated no more; `say` puts a text in the client's language."""
    words = say("Remove the appropriateness rating")
    return update(words, with_rating(resource, None, None, "", None))


def _replace(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """The whole draft with another code, and the rating of what it asks for now."""
    name = evaluated.study(suggestion.procedure, suggestion.place)
    decision = evaluated.decision
    category = decision.outcomes.category(suggestion.procedure.id)
    changed = with_rating(
        {**evaluated.resource, "code": _code(evaluated, suggestion)},
        decision.rating_of(suggestion.procedure.id),
        evaluated.guideline.categories.get(category),
        evaluated.consult_id,
        evaluated.auc_applied,
    )
    return evaluated.say("Change to %(study)s", study=name), update(name, changed)


def _create(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """A further order for the same patient and reasons."""
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
    return evaluated.say("Remove this order (medical management only)"), delete(evaluated)


def delete(evaluated: EvaluatedOrder) -> Json:
    """The action that drops the draft."""
    return {"type": "delete", "resourceId": f"ServiceRequest/{evaluated.resource['id']}"}


def _answer(evaluated: EvaluatedOrder, suggestion: Suggestion) -> tuple[str, Json]:
    """The draft with the answer among its reasons; the next call finds it there."""
    answer = suggestion.answer
    codings = [{"system": answer.system, "code": answer.code, "display": answer.display}]
    if answer.system != ANSWERS:
        codings.append(_own_coding(evaluated, suggestion))
    label = evaluated.say(answer.label)
    reason = {"coding": codings, "text": label}
    reasons = [*evaluated.resource.get("reasonCode", []), reason]
    changed = with_rating({**evaluated.resource, "reasonCode": reasons}, None, None, "", None)
    return label, update(label, changed)


def _own_coding(evaluated: EvaluatedOrder, suggestion: Suggestion) -> Json:
    """Says that a standard code is an answer, so that questions can be counted."""
    asked = next(q for q in evaluated.guideline.questions if q.fact == suggestion.fact)
    said = "yes" if suggestion.answer == asked.yes else "no"
    code = f"{suggestion.fact.replace('_', '-')}-{said}"
    return {"system": ANSWERS, "code": code, "display": suggestion.answer.label}


MAKE = {"replace": _replace, "create": _create, "delete": _delete, "answer": _answer}


def _code(evaluated: EvaluatedOrder, suggestion: Suggestion) -> Json:
    """The codings of every system that has one, the system of the order first."""
    used = _systems_of(evaluated)
    codes = sorted(suggestion.codes, key=lambda code: code.system not in used[:1])
    codings = [{"system": c.system, "code": c.code, "display": c.display} for c in codes]
    return {"coding": codings, "text": evaluated.study(suggestion.procedure, suggestion.place)}


def _systems_of(evaluated: EvaluatedOrder) -> list[str]:
    """The code systems that the order uses and we know, in their order."""
    terminology = evaluated.knowledge.terminology
    codings = evaluated.resource["code"].get("coding", [])
    keys = (terminology.normalise(c.get("system", ""), c.get("code", "")) for c in codings)
    return [key[0] for key in keys if key in terminology.orders]


def update(description: str, resource: Json) -> Json:
    """The action that puts a resource in place of the draft."""
    return {"type": "update", "description": description, "resource": resource}
