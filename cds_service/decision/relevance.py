"""Whether an order is about the vertebral compression fracture at all."""

from cds_service.decision.chart import Case, Order
from cds_service.decision.facts import Fact

FRACTURE = {
    "vertebral-compression-fracture",
    "vertebral-fracture-type-not-stated",
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
    | {"bone-metastasis", "vertebral-metastasis"}
    | {"abnormal-imaging-finding", "spinal-infection", "fever"}
    | {"kyphosis", "spinal-deformity-or-instability", "restrictive-lung-disease"}
)
REASONS_FOR_ANY_STUDY = FRACTURE | SYMPTOM | {"vertebral-metastasis"}

RELEVANT = "relevant"
TOO_LITTLE_TO_GO_ON = "too-little-to-go-on"
NOT_ABOUT_THE_FRACTURE = "not-about-the-fracture"
NO_FRACTURE = "no-fracture"
FRACTURE_UNCERTAIN = "fracture-uncertain"


def relevance(case: Case, vcf: Fact, new_vcf: Fact) -> str:
    """`relevant`, or why the order is passed over in silence."""
    order = case.order
    if not may_be_relevant(order):
        return NOT_ABOUT_THE_FRACTURE
    if not order.has_coded_reasons and not case.chart.has("conditions") and not vcf.value:
        return TOO_LITTLE_TO_GO_ON
    if vcf.value is not True:
        return NO_FRACTURE if vcf.value is False else FRACTURE_UNCERTAIN
    if not order.has_coded_reasons and not _in_the_chart(new_vcf):
        return NOT_ABOUT_THE_FRACTURE
    return RELEVANT


def may_be_relevant(order: Order) -> bool:
    """What the order alone says: its reasons, or that it is one of the spine without any."""
    if not order.has_coded_reasons:
        return order.about_spine
    wanted = REASONS_FOR_A_SPINE_STUDY if order.about_spine else REASONS_FOR_ANY_STUDY
    return any(reason.answer or reason.sets & wanted for reason in order.reasons)


def _in_the_chart(new_vcf: Fact) -> bool:
    return new_vcf.value is True and any(e.source != "reason" for e in new_vcf.evidence)
