"""The table of services: what discovery tells a client."""

from cds_service.decision.knowledge import Knowledge

SERVICE_ID = "vcf-appropriateness"
# The CDS Hooks Sandbox keeps the last service of an id only, and its screens need order-select.
HOOKS = ("order-sign", "order-select")
SPECIFICATION = "3.0.0"
HOOK_VERSION = "1.0"
USED_OBSERVATIONS = frozenset({"egfr", "pregnancy-status"})


def discovery(knowledge: Knowledge) -> dict:
    """The answer of `GET /cds-services` (CDS Hooks 2.0 and 3.0).

    One id under both hooks, so that what a later hook says replaces what an earlier one said.
    """
    guideline = knowledge.guideline
    templates = prefetch_templates(knowledge)
    return {
        "services": [
            {
                "hook": hook,
                "id": SERVICE_ID,
                "title": "Vertebral compression fractures: is this the right study or treatment?",
                "description": (
                    "Rates orders of imaging and treatment for a vertebral compression fracture "
                    f"by the {guideline.title} ({guideline.edition}). Silent when the order is "
                    "well chosen; otherwise one card with the better choice, or one question."
                ),
                "usageRequirements": (
                    "Works best with coded reasons on the order and with all prefetch keys; what "
                    "is not supplied is never guessed."
                ),
                "version": SPECIFICATION,
                "hookVersion": HOOK_VERSION,
                "prefetch": templates,
            }
            for hook in HOOKS
        ]
    }


def prefetch_templates(knowledge: Knowledge) -> dict[str, str]:
    """One search per key, with simple tokens only and no parameter twice."""
    patient = "{{context.patientId}}"
    return {
        "patient": f"Patient/{patient}",
        "conditions": f"Condition?patient={patient}",
        "procedures": f"Procedure?patient={patient}",
        "observations": f"Observation?patient={patient}&code={_observation_codes(knowledge)}",
        "devices": f"Device?patient={patient}",
        "allergies": f"AllergyIntolerance?patient={patient}",
    }


def _observation_codes(knowledge: Knowledge) -> str:
    meanings = knowledge.terminology.meanings
    used = (
        f"{system}|{code}"
        for (system, code), meaning in meanings.items()
        if meaning.sets & USED_OBSERVATIONS
    )
    return ",".join(sorted(used))
