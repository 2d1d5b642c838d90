"""Which kinds of data could change a decision, most decisive first.

None where the order alone decides.
"""

from cds_service.decision.evaluate import Decision
from cds_service.decision.guideline import Procedure
from cds_service.decision.relevance import RELEVANT
from cds_service.decision.situation import Situation
from cds_service.decision.topic import Topic

BY_WEIGHT = ("conditions", "patient", "procedures", "devices", "allergies", "observations")
FOR_CONTRAST = {"allergies", "observations"}


def kinds_needed(decision: Decision, topic: Topic) -> tuple[str, ...]:
    """The kinds that could change this decision, whether they were supplied or not."""
    if not topic.relevance.is_possible(Situation(decision.case, topic.guideline)):
        return ()
    needed = {"conditions", "patient", "procedures"}
    considered = _considered(decision, topic)
    if any(p.modality == "mri" for p in considered):
        needed.add("devices")
    if any(not p.traits.isdisjoint({"gadolinium", "iodinated"}) for p in considered):
        needed |= FOR_CONTRAST
    return tuple(kind for kind in BY_WEIGHT if kind in needed)


def _considered(decision: Decision, topic: Topic) -> set[Procedure]:
    """The ordered procedure and all that may be offered instead."""
    guideline = topic.guideline
    procedure = decision.case.order.procedure
    relevant = decision.relevance == RELEVANT
    variants = decision.outcomes.variants if relevant else guideline.variants_for(procedure)
    offered = {p for variant in variants for p in variant.usually_appropriate}
    return {procedure, *(guideline.procedure[p] for p in offered)}
