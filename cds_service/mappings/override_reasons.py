"""Reads the override reasons, and which of HL7's reasons each of them maps to."""

from cds_service.decision.topic import OverrideReason
from cds_service.mappings.source import Document, Source

FOLDER = "override-reasons"


def read_override_reasons(shared: Source) -> tuple[OverrideReason, ...]:
    """The reasons in their order. None, and a problem, where a file cannot be read; a reason that
    only one of them has is a problem, too.
    """
    listed = shared.document(f"{FOLDER}/code-system.json")
    mapped = shared.document(f"{FOLDER}/concept-map.json")
    if listed is None or mapped is None:
        return ()
    targets = _targets(mapped)
    file, system = listed
    for code in sorted({concept["code"] for concept in system["concept"]} ^ targets.keys()):
        shared.problems.add(file, code, "is not in both files of override-reasons/")
    concepts = [(concept["code"], concept["display"]) for concept in system["concept"]]
    return tuple(
        OverrideReason(system["url"], code, display, *targets[code])
        for code, display in concepts
        if code in targets
    )


def _targets(mapped: Document) -> dict[str, tuple[str, str]]:
    """Code and display of HL7's reason by our code; empty where it has none."""
    (group,) = mapped[1]["group"]
    found = {element["code"]: element["target"][0] for element in group["element"]}
    return {code: (to.get("code", ""), to.get("display", "")) for code, to in found.items()}
