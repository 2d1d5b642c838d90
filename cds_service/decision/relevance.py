"""Whether an order is about the vertebral compression fracture at all."""

from cds_service.decision.chart import Case
from cds_service.decision.facts import Fact

FRACTURE = {
    "vertebral-compression-fracture",
    "vertebral-fracture-type-not-stated",
    "fracture-bone-not-stated",
    "traumatic-vertebral-fracture",
}
SYMPTOM = {
    "spine-pain",
    "spine-pain-chronic",
    "radiculopathy",
    "neurologic-deficit",
    "cord-compression",
}

REASONS_FOR_A_SPINE_STUDY = (
    FRACTURE
    | SYMPTOM
    | {"cord-compression-symptom", "asymptomatic"}
    | {"osteoporosis", "osteoporotic-vertebral-fracture", "malignancy"}
    | {"bone-metastasis", "vertebral-metastasis", "neoplastic-vertebral-fracture"}
    | {"abnormal-imaging-finding", "spinal-infection", "fever"}
    | {"kyphosis", "spinal-deformity-or-instability", "restrictive-lung-disease"}
)
REASONS_FOR_ANY_STUDY = FRACTURE | SYMPTOM | {"vertebral-metastasis"}

RELEVANT = "relevant"
TOO_LITTLE_TO_GO_ON = "too-little-to-go-on"


def relevance(case: Case, vcf: Fact, new_vcf: Fact) -> str:
    """`relevant`, or why the order is passed over in silence."""
    order = case.order
    if not order.has_coded_reasons and not case.chart.has("conditions") and not vcf.value:
        return TOO_LITTLE_TO_GO_ON
    if vcf.value is not True:
        return "no-fracture" if vcf.value is False else "fracture-uncertain"
    if not order.has_coded_reasons:
        about = order.about_spine and _from_the_chart(new_vcf)
        return RELEVANT if about else "not-about-the-fracture"
    wanted = REASONS_FOR_A_SPINE_STUDY if order.about_spine else REASONS_FOR_ANY_STUDY
    if any(reason.answer or reason.sets & wanted for reason in order.reasons):
        return RELEVANT
    return "not-about-the-fracture"


def _from_the_chart(new_vcf: Fact) -> bool:
    return new_vcf.value is True and any(e.source != "reason" for e in new_vcf.evidence)
