"""One small world of patients and orders, used by every test.

Everyone is a woman of 70 with all kinds of data supplied, unless a test says otherwise; today is
the day of `TODAY`. `ask` posts the orders through the real reader, core and cards.
"""

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Raw

from cds_service.decision.evaluate import Decision
from cds_service.decision.topic import Topic, Topics
from cds_service.hook import answer_hook
from cds_service.hook_call import HookCall, HookOutcome
from cds_service.mappings import load

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 21)
PATIENT = "maria"
SCT = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
LOINC = "http://loinc.org"
ANSWER = "urn:vcf-appropriateness:answer"
Json = dict[str, Any]

# Findings, as (system, code).
FRACTURE = (SCT, "42942008")
LUMBAR_FRACTURE = (SCT, "426646004")
OSTEOPOROTIC_FRACTURE = (SCT, "240198002")
NEOPLASTIC_FRACTURE = (SCT, "866087009")
WEDGE_FRACTURE_L1 = (ICD, "S32.010A")
FRACTURE_TYPE_NOT_STATED = (SCT, "125608002")
PAIN = (SCT, "161891005")
LOW_BACK_PAIN = (SCT, "279039007")
CHRONIC_PAIN = (SCT, "134407002")
ASYMPTOMATIC = (SCT, "84387000")
BREAST_CANCER = (SCT, "254837009")
CANCER = (SCT, "363346000")
SPINE_METASTASIS = (SCT, "94602001")
OSTEOPOROSIS = (SCT, "64859006")
KYPHOSIS = (SCT, "413428007")
CAUDA_EQUINA = (SCT, "192970008")
PACEMAKER = (SCT, "441509002")
PREGNANCY = (SCT, "77386006")
FEVER = (SCT, "386661006")
DISCITIS = (SCT, "302935008")
HYPERTENSION = (ICD, "I10")  # in no map
VERTEBROPLASTY = (SCT, "401226007")
LUMBAR_FUSION = (SCT, "50172003")
EDEMA_SEEN = (ANSWER, "edema-or-cleft-yes")
NO_EDEMA = (ANSWER, "edema-or-cleft-no")
GETTING_WORSE = (ANSWER, "worsening-yes")
NOT_GETTING_WORSE = (ANSWER, "worsening-no")
THORACIC_FRACTURE = (SCT, "308756007")
CERVICAL_FRACTURE = (SCT, "308757003")
FRACTURE_T12 = (ICD, "S22.080A")
FRACTURE_L3 = (ICD, "S32.030A")
THORACIC_PAIN = (SCT, "279038004")
LEG_PARESIS = (SCT, "102568007")
URINARY_RETENTION = (SCT, "267064002")
URINARY_INFECTION = (ICD, "N39.0")
SCOLIOSIS = (SCT, "111266001")
FALL = (ICD, "W19.XXXA")
SHUNT = (SCT, "7733008")
KIDNEY_DISEASE_4 = (SCT, "431857002")
GADOLINIUM = (SCT, "407976008")
IODINATED = (SCT, "426722004")
CONTRAST_MEDIA = (SCT, "385420005")

# Orders.
MRI_LUMBAR_WO = (CPT, "72148")
MRI_LUMBAR_W = (CPT, "72149")
MRI_LUMBAR_WO_W = (CPT, "72158")
MRI_LUMBAR = (LOINC, "24968-0")  # contrast not stated
CT_LUMBAR_WO = (CPT, "72131")
CT_LUMBAR_W = (CPT, "72132")
CT_LUMBAR_WO_W = (CPT, "72133")
CT_MYELOGRAPHY_LUMBAR = (LOINC, "24965-6")
BONE_SCAN = (CPT, "78306")
SPECT = (CPT, "78803")
PET_CT = (LOINC, "81554-8")
SPINE_BIOPSY = (LOINC, "24986-2")
BONE_BIOPSY = (CPT, "20225")
AUGMENTATION_LUMBAR = (CPT, "22514")
ABLATION = (CPT, "20982")
SURGEON = (SCT, "308482002")
RADIATION_ONCOLOGIST = (SCT, "306256000")
RADIONUCLIDE_THERAPY = (CPT, "79101")
MRI_THORACIC_WO = (CPT, "72146")
MRI_SPINE_W = (LOINC, "36256-6")  # no region
MRI_WHOLE_SPINE_W = (LOINC, "91561-1")
CT_LUMBAR = (LOINC, "24963-1")  # contrast not stated
CT_THORACIC_WO = (CPT, "72128")
CT_THORACIC_W = (CPT, "72129")
AUGMENTATION_THORACIC = (CPT, "22513")


SERVICE = "vcf-appropriateness"
TOPIC_FOLDER = ROOT / "mappings" / "topics" / "acr-vcf-2022"


@cache
def topics() -> Topics:
    """The topics of the shipped mappings, read once."""
    return load(ROOT / "mappings")


def topic() -> Topic:
    return topics()[SERVICE]


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def concept(*codings: tuple[str, str], display: str = "") -> Json:
    """A CodeableConcept of (system, code) pairs."""
    made = [{"system": system, "code": code} for system, code in codings]
    for coding in made:
        if display:
            coding["display"] = display
    return {"coding": made}


def resource(kind: str, identifier: str, **fields: Any) -> Json:
    """A resource of the patient; a field that is None is left out."""
    owner = "patient" if kind in ("AllergyIntolerance", "Device") else "subject"
    made = {"resourceType": kind, "id": identifier, owner: {"reference": f"Patient/{PATIENT}"}}
    made.update(fields)
    return {name: value for name, value in made.items() if value is not None}


def condition(
    *codings: tuple[str, str],
    onset: str | None = None,
    clinical: str | None = "active",
    verification: str | None = "confirmed",
    identifier: str = "",
    **fields: Any,
) -> Json:
    """A Condition; without onset it has no date."""
    return resource(
        "Condition",
        identifier or f"c-{codings[0][1].replace('.', '')}",
        code=concept(*codings),
        clinicalStatus=clinical and concept((CLINICAL, clinical)),
        verificationStatus=verification and concept((VERIFICATION, verification)),
        onsetDateTime=onset,
        **fields,
    )


CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def procedure(*codings: tuple[str, str], on: str | None = None, **fields: Any) -> Json:
    """A Procedure of the chart, completed unless told otherwise."""
    fields = {"status": "completed", **fields}
    identifier = f"p-{codings[0][1]}"
    return resource("Procedure", identifier, code=concept(*codings), performedDateTime=on, **fields)


def device(*codings: tuple[str, str], **fields: Any) -> Json:
    return resource("Device", f"d-{codings[0][1]}", type=concept(*codings), **fields)


def allergy(*codings: tuple[str, str], **fields: Any) -> Json:
    return resource("AllergyIntolerance", f"a-{codings[0][1]}", code=concept(*codings), **fields)


def observation(coding: tuple[str, str], on: str | None = None, **fields: Any) -> Json:
    """An Observation; give its value as valueQuantity, valueCodeableConcept, …"""
    fields = {"status": "final", **fields}
    identifier = f"o-{coding[1]}-{on}"
    return resource("Observation", identifier, code=concept(coding), effectiveDateTime=on, **fields)


def egfr(value: float, on: str | None = None) -> Json:
    return observation((LOINC, "98979-8"), on, valueQuantity={"value": value})


def patient(age: int | None = 70, sex: str | None = "female") -> Json:
    """The Patient, who had a birthday today."""
    born = TODAY.replace(year=TODAY.year - age).isoformat() if age is not None else None
    made = {"resourceType": "Patient", "id": PATIENT, "gender": sex, "birthDate": born}
    return {name: value for name, value in made.items() if value is not None}


def order(
    *codings: tuple[str, str],
    reasons: tuple[tuple[str, str], ...] = (),
    identifier: str | None = "order-1",
    **fields: Any,
) -> Json:
    """A draft ServiceRequest; each reason is a reasonCode of one coding."""
    made = resource("ServiceRequest", identifier or "", status="draft", intent="order")
    made["code"] = concept(*codings)
    if reasons:
        made["reasonCode"] = [concept(reason) for reason in reasons]
    if identifier is None:
        del made["id"]
    return {**made, **fields}


def bundle(resources: list[Json], **fields: Any) -> Json:
    entries = [{"resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **fields}


def hook_request(
    *orders: Json,
    hook: str = "order-sign",
    selections: list[str] | None = None,
    without: tuple[str, ...] = (),
    **chart: Any,
) -> Json:
    """The body of a hook. `chart` holds lists of resources by prefetch key; `without` names keys
    that are not sent. What is not named is sent as an empty Bundle.
    """
    keys = ("conditions", "procedures", "observations", "devices", "allergies")
    prefetch: Json = {"patient": chart.pop("patient", patient())}
    prefetch.update({key: bundle(chart.pop(key, [])) for key in keys})
    assert not chart, f"no prefetch key: {chart}"
    context: Json = {
        "userId": "Practitioner/dr-kim",
        "patientId": PATIENT,
        "draftOrders": bundle(list(orders)),
    }
    if selections is not None:
        context["selections"] = selections
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": {key: value for key, value in prefetch.items() if key not in without},
    }


def ask(*orders: Json, **options: Any) -> HookOutcome:
    """The answer of the service to a hook with these orders."""
    return post(hook_request(*orders, **options))


def post(body: Json) -> HookOutcome:
    return answer_hook(hook_call(body), topic())


def as_sent(prefetch: Any) -> dict[str, Raw]:
    """A prefetch as `HookCall` has it."""
    sent = prefetch if isinstance(prefetch, dict) else {}
    return {key: Raw(json.dumps(value)) for key, value in sent.items()}


def hook_call(body: Json, **changes: Any) -> HookCall:
    return HookCall(
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        context=body["context"],
        prefetch=as_sent(body.get("prefetch", {})),
        today=TODAY,
        base_url="https://cds.example.org",
        **changes,
    )


def decide(*orders: Json, **options: Any) -> Decision:
    """The decision on the one order."""
    (decision,) = ask(*orders, **options).decisions
    return decision


def card(*orders: Json, **options: Any) -> Json | None:
    """The one card, or None for silence."""
    return card_of(ask(*orders, **options))


def card_of(answer: HookOutcome) -> Json | None:
    cards = answer.body["cards"]
    assert len(cards) <= 1
    return cards[0] if cards else None


def suggested(decision: Decision) -> list[str]:
    """The suggestions of a decision in short: replace:mri-spine-wo, delete, answer:symptomatic."""
    return [
        ":".join(filter(None, (s.kind, s.procedure.id if s.procedure else s.fact)))
        for s in decision.suggestions
    ]


# What the tests of facts and variants ask for.
OLD_FRACTURE = condition(FRACTURE, onset=days_ago(400), identifier="old-fracture")


def said(fact_name: str, yes_or_no: str) -> tuple[str, str]:
    """The answer code of ours to the question about a fact."""
    return ANSWER, f"{fact_name.replace('_', '-')}-{yes_or_no}"


def fact(name: str, *reasons: tuple[str, str], **chart: Any) -> bool | None:
    """What a fact is for an order with these reasons."""
    return decide(order(MRI_LUMBAR_WO, reasons=reasons), **chart).facts[name].value


# What puts the patient in each variant of the guideline: the reasons of the order, and the chart.
IN_VARIANT: dict[int, tuple[tuple[tuple[str, str], ...], Json]] = {
    1: ((FRACTURE, PAIN), {}),
    2: ((FRACTURE, PAIN), {"conditions": [condition(BREAST_CANCER)]}),
    3: ((FRACTURE, PAIN), {"conditions": [OLD_FRACTURE]}),
    4: ((FRACTURE, ASYMPTOMATIC), {"conditions": [condition(BREAST_CANCER)]}),
    5: ((OSTEOPOROTIC_FRACTURE, ASYMPTOMATIC), {}),
    6: ((OSTEOPOROTIC_FRACTURE, PAIN, EDEMA_SEEN), {}),
    7: ((OSTEOPOROTIC_FRACTURE, PAIN), {"procedures": [procedure(VERTEBROPLASTY)]}),
    8: ((OSTEOPOROTIC_FRACTURE, PAIN, GETTING_WORSE), {}),
    9: ((NEOPLASTIC_FRACTURE, PAIN), {}),
}


def ask_in(
    variant: int, coding: tuple[str, str], *more: tuple[str, str], **options: Any
) -> HookOutcome:
    """The answer to one order for a patient in a variant. `more` are further reasons; lists of
    resources join those of the variant; `fields` are further fields of the order.
    """
    reasons, chart = IN_VARIANT[variant]
    draft = order(coding, reasons=reasons + more, **options.pop("fields", {}))
    for key, resources in chart.items():
        options[key] = resources + options.get(key, [])
    return ask(draft, **options)


def decide_in(variant: int, *order_and_more: tuple[str, str], **options: Any) -> Decision:
    (decision,) = ask_in(variant, *order_and_more, **options).decisions
    return decision


def card_in(variant: int, *order_and_more: tuple[str, str], **options: Any) -> Json | None:
    return card_of(ask_in(variant, *order_and_more, **options))


def spoken(decision: Decision) -> list[str]:
    """The safety rules that are about the order, by id."""
    return [alert.rule.id for alert in decision.alerts if alert.speaks]


ARGONAUT = "http://fhir.org/argonaut/Extension/"


def extensions(resource: Json) -> Json:
    """The Argonaut extensions of an order by their short name: pama-rating, …"""
    ours = (e for e in resource.get("extension", []) if e["url"].startswith(ARGONAUT))
    return {e["url"].removeprefix(ARGONAUT): e for e in ours}


def rating_codes(resource: Json) -> list[str]:
    """The codes of the PAMA rating on an order: the rating, then the category where it is told."""
    found = extensions(resource).get("pama-rating")
    return [c["code"] for c in found["valueCodeableConcept"]["coding"]] if found else []


def resources_sent(answer: HookOutcome) -> list[Json]:
    """Every resource in the actions of an answer, of suggestions and of the system."""
    buttons = [s for c in answer.body["cards"] for s in c.get("suggestions", [])]
    actions = [a for s in buttons for a in s["actions"]] + answer.body.get("systemActions", [])
    return [a["resource"] for a in actions if "resource" in a]
