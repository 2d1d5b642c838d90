"""The CDS services, one for each topic, as discovery lists them."""

from cds_service.decision.topic import Topic, Topics

# The CDS Hooks Sandbox keeps only the last service of an id, and its screens need order-select.
HOOKS = ("order-sign", "order-select")
SPECIFICATION = "3.0.0"
HOOK_VERSION = "1.0"
# The value sets of the Observations that are asked for.
USED_OBSERVATIONS = frozenset({"egfr", "pregnancy-status"})


def discovery(topics: Topics) -> dict:
    """The answer of `GET /cds-services` (CDS Hooks 2.0 and 3.0).

    A topic has one id under both hooks, so that an EHR replaces the cards of order-select by those
    of order-sign.
    """
    return {"services": [_service(topic, hook) for topic in topics.values() for hook in HOOKS]}


def _service(topic: Topic, hook: str) -> dict:
    service, source = topic.about.service, topic.about.source
    return {
        "hook": hook,
        "id": service.id,
        "title": service.title,
        "description": service.description % {"guideline": source.title, "edition": source.edition},
        "usageRequirements": service.usage_requirements,
        "version": SPECIFICATION,
        "hookVersion": HOOK_VERSION,
        "prefetch": prefetch_templates(topic),
    }


def prefetch_templates(topic: Topic) -> dict[str, str]:
    """The prefetch templates by key. They use simple tokens only, and no parameter twice."""
    patient = "{{context.patientId}}"
    return {
        "patient": f"Patient/{patient}",
        "conditions": f"Condition?patient={patient}",
        "procedures": f"Procedure?patient={patient}",
        "observations": f"Observation?patient={patient}&code={_observation_codes(topic)}",
        "devices": f"Device?patient={patient}",
        "allergies": f"AllergyIntolerance?patient={patient}",
    }


def _observation_codes(topic: Topic) -> str:
    used = (
        f"{system}|{code}"
        for (system, code), meaning in topic.terminology.meanings.items()
        if meaning.sets & USED_OBSERVATIONS
    )
    return ",".join(sorted(used))
