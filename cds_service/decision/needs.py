"""Which kinds of data could change a decision, most decisive first.

What is rated the same whatever the chart says needs nothing.
"""

from cds_service.decision.evaluate import Decision
from cds_service.decision.knowledge import Knowledge, Procedure
from cds_service.decision.relevance import RELEVANT, may_be_relevant

BY_WEIGHT = ("conditions", "patient", "procedures", "devices", "allergies", "observations")
FOR_CONTRAST = {"allergies", "observations"}


def kinds_needed(decision: Decision, knowledge: Knowledge) -> tuple[str, ...]:
    """The kinds that could change this decision, whether they were supplied or not."""
    if not may_be_relevant(decision.case.order):
        return ()
    needed = {"conditions", "patient", "procedures"}
    considered = _considered(decision, knowledge)
    if any(p.modality == "mri" for p in considered):
        needed.add("devices")
    if any(not p.traits.isdisjoint({"gadolinium", "iodinated"}) for p in considered):
        needed |= FOR_CONTRAST
    return tuple(kind for kind in BY_WEIGHT if kind in needed)


def _considered(decision: Decision, knowledge: Knowledge) -> set[Procedure]:
    """The ordered procedure and all that may be offered instead."""
    guideline = knowledge.guideline
    procedure = decision.case.order.procedure
    relevant = decision.relevance == RELEVANT
    variants = decision.outcomes.variants if relevant else guideline.variants_for(procedure)
    offered = {p for variant in variants for p in variant.usually_appropriate}
    return {procedure, *(guideline.procedures[p] for p in offered)}
