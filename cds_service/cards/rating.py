"""The PAMA rating on an order, after the Argonaut guide "CDS Hooks for PAMA".

Source: https://github.com/argonautproject/cds-hooks-for-pama
"""

from cds_service.decision.evaluate import APPROPRIATE
from cds_service.decision.knowledge import DISAGREEMENT, MAY_BE_APPROPRIATE, Category

ARGONAUT = "http://fhir.org/argonaut/"
RATING = ARGONAUT + "Extension/pama-rating"
CONSULTED = ARGONAUT + "Extension/pama-rating-qcdsm-consulted"
CONSULT_ID = ARGONAUT + "Extension/pama-rating-consult-id"
AUC_APPLIED = ARGONAUT + "Extension/pama-rating-auc-applied"
EXTENSIONS = (RATING, CONSULTED, CONSULT_ID, AUC_APPLIED)

# The guide wants the CMS code of a qualified mechanism. This service is none and says so.
NOT_QUALIFIED = "not-a-qcdsm:vcf-appropriateness"


def with_rating(
    resource: dict, rating: str | None, category: Category | None, consult_id: str, auc: str | None
) -> dict:
    """The order with this rating in place of an earlier one, or without the one of ours.

    A rating that another service left stays until there is one of ours to take its place.
    """
    kept = resource.get("extension", [])
    if rating is not None or has_our_rating(resource):
        kept = [e for e in kept if e.get("url") not in EXTENSIONS]
    if rating is not None:
        kept = kept + _extensions(rating, category, consult_id, auc)
    rest = {name: value for name, value in resource.items() if name != "extension"}
    return {**rest, "extension": kept} if kept else rest


def has_our_rating(resource: dict) -> bool:
    """Whether an earlier evaluation of this service left a rating; another service's stays."""
    extensions = resource.get("extension")
    return isinstance(extensions, list) and any(
        isinstance(e, dict) and e.get("url") == CONSULTED and e.get("valueString") == NOT_QUALIFIED
        for e in extensions
    )


def _extensions(
    rating: str, category: Category | None, consult_id: str, auc: str | None
) -> list[dict]:
    codings = [{"system": ARGONAUT + "CodeSystem/pama-rating", "code": rating}]
    if rating == APPROPRIATE and category and category.id in (MAY_BE_APPROPRIATE, DISAGREEMENT):
        codings.append(
            {
                "system": "urn:vcf-appropriateness:category",
                "code": category.id,
                "display": category.label,
            }
        )
    extensions = [
        {"url": RATING, "valueCodeableConcept": {"coding": codings}},
        {"url": CONSULTED, "valueString": NOT_QUALIFIED},
        {"url": CONSULT_ID, "valueUri": f"urn:uuid:{consult_id}"},
    ]
    if auc:
        extensions.append({"url": AUC_APPLIED, "valueUri": auc})
    return extensions
