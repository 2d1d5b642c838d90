"""Requests as EHRs send them: a draft order and the chart of a patient, and one of each card."""

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
NEW_FRACTURE = "order-sign/variant-1-contrast-mri-for-a-new-painful-fracture"
SIZES = (5, 50, 200, 500)
MANY_ORDERS = 20
BYTES = 2_350  # of a resource, most of them text
A_HIT_EVERY = 50  # a chart repeats itself: the back pain was coded at other visits too
SNOMED_CT, ICD_10_CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
OTHERS = {"procedures": 20, "observations": 20, "devices": 2, "allergies": 3}
Json = dict

CARDS = {
    "no card": "order-sign/variant-1-mri-without-contrast-passes-in-silence",
    "better orders": NEW_FRACTURE,
    "a question": "order-select/question-about-symptoms",
    "critical": "order-sign/safety-cauda-equina-and-a-ct",
    "not rated": "order-sign/two-questions-answered-and-still-open",
    "not ours": "order-sign/silence-for-a-chest-order",
}
BACK_PAIN = (SNOMED_CT, "279039007", "Low back pain (finding)")
X_RAY = (SNOMED_CT, "840361000", "Plain X-ray of lumbar vertebral column region (procedure)")
X_RAY_SEEN = (LOINC, "24972-2", "XR Lumbar spine Views")
EGFR = (LOINC, "98979-8", "eGFR CKD-EPI 2021")
# What else is wrong with people: in no map, seen when the terminology was gathered.
IN_NO_MAP = (
    (ICD_10_CM, "I10", ""),
    (SNOMED_CT, "13645005", "Chronic obstructive lung disease (disorder)"),
    (SNOMED_CT, "709044004", "Chronic kidney disease (disorder)"),
    (ICD_10_CM, "N18.30", "Chronic kidney disease, stage 3 unspecified"),
    (SNOMED_CT, "22325002", "Abnormal gait (finding)"),
    (ICD_10_CM, "R26.2", "Difficulty in walking, not elsewhere classified"),
    (SNOMED_CT, "26544005", "Muscle weakness (finding)"),
    (ICD_10_CM, "R20.2", "Paresthesia of skin"),
    (SNOMED_CT, "51615001", "Fibrosis of lung (disorder)"),
    (ICD_10_CM, "G89.4", "Chronic pain syndrome"),
    (SNOMED_CT, "161615003", "History of surgery (situation)"),
    (ICD_10_CM, "Z95.828", "Presence of other vascular implants and grafts"),
    (SNOMED_CT, "19887002", "Claustrophobia (finding)"),
    (ICD_10_CM, "Z98.890", "Other specified postprocedural states"),
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is asked, how many times in a round, and how its token is signed."""

    name: str
    body: bytes
    times: int
    algorithm: str = "ES384"

    @property
    def kilobytes(self) -> float:
        return len(self.body) / 1000


def all_requests() -> list[Request]:
    """Charts of each size, twenty orders, another kind of signature, and one of each card."""
    times = dict(zip(SIZES, (450, 360, 240, 150), strict=True))
    made = [Request(f"N = {n}", encoded(chart(n)), times[n]) for n in SIZES]
    made.append(Request("N = 50, RS384", encoded(chart(50)), 360, "RS384"))
    made.append(Request(f"N = 50, {MANY_ORDERS} orders", encoded(with_orders(chart(50))), 150))
    return made + [Request(name, encoded(fixture(case)), 960) for name, case in CARDS.items()]


def encoded(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def fixture(case: str) -> Json:
    """A request of the fixtures. Its orders carry its day, so that it means the same on any."""
    folder = FIXTURES / case
    body = json.loads((folder / "request.json").read_text("utf-8"))
    today = json.loads((folder / "case.json").read_text("utf-8"))["today"]
    for entry in body["context"]["draftOrders"]["entry"]:
        entry["resource"].setdefault("authoredOn", today)
    return body


def chart(conditions: int) -> Json:
    """An order-select with one order of ours, which gets a card, and a whole chart."""
    body = {**fixture(NEW_FRACTURE), "hook": "order-select"}
    body["context"]["selections"] = ["ServiceRequest/order-1"]
    patient = body["context"]["patientId"]
    for key, number in {"conditions": conditions, **OTHERS}.items():
        there = [entry["resource"] for entry in body["prefetch"][key]["entry"]]
        more = [FILLERS[key](n, patient) for n in range(number - len(there))]
        body["prefetch"][key] = searched(there + more)
    body["prefetch"]["patient"] = dressed(body["prefetch"]["patient"])
    return body


def with_orders(body: Json) -> Json:
    """The same with many orders, all selected."""
    context = body["context"]
    (entry,) = context["draftOrders"]["entry"]
    names = [f"order-{n}" for n in range(1, MANY_ORDERS + 1)]
    copies = [{"resource": {**deepcopy(entry["resource"]), "id": name}} for name in names]
    context["draftOrders"]["entry"] = copies
    context["selections"] = [f"ServiceRequest/{name}" for name in names]
    return body


def searched(resources: list[Json]) -> Json:
    """The answer of a server to a search."""
    entries = [
        {
            "fullUrl": f"https://ehr.example.org/fhir/{r['resourceType']}/{r['id']}",
            "resource": dressed(r),
            "search": {"mode": "match"},
        }
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def dressed(resource: Json) -> Json:
    """With what servers add: meta, an extension, and text up to the usual size."""
    made = {
        **resource,
        "meta": {"versionId": "3", "lastUpdated": "2026-11-20T09:30:00Z", "source": "#ehr"},
        "extension": [{"url": "urn:example:department", "valueString": "Outpatient clinic"}],
        "text": {"status": "generated", "div": ""},
    }
    words = "Seen in the clinic; the note says more. " * (BYTES // 40)
    room = BYTES - len(encoded(made))
    made["text"]["div"] = f'<div xmlns="http://www.w3.org/1999/xhtml">{words[:room]}</div>'
    return made


def condition(number: int, patient: str) -> Json:
    """Its code is in no map, but for a few."""
    is_hit = number % A_HIT_EVERY == A_HIT_EVERY - 1
    coding = BACK_PAIN if is_hit else IN_NO_MAP[number % len(IN_NO_MAP)]
    return {
        **resource("Condition", number, patient, coding),
        "clinicalStatus": status("condition-clinical", "active"),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "category": [status("condition-category", "problem-list-item")],
        "encounter": {"reference": f"Encounter/e-{number}"},
        "recordedDate": "2026-11-15",
    }


def procedure(number: int, patient: str) -> Json:
    made = resource("Procedure", number, patient, X_RAY)
    return {**made, "status": "completed", "performedDateTime": "2025-03-04"}


def observation(number: int, patient: str) -> Json:
    """The first two are what was asked for, values of the kidneys."""
    made = resource("Observation", number, patient, X_RAY_SEEN if number > 1 else EGFR)
    made |= {"status": "final", "effectiveDateTime": "2025-03-04"}
    if number > 1:
        return {**made, "valueString": "No change."}
    return {**made, "valueQuantity": {"value": 74 + number, "unit": "mL/min/1.73 m2"}}


def device(number: int, patient: str) -> Json:
    made = resource("Device", number, patient, ("urn:example:device", "cane", "Cane"))
    return renamed(renamed(made, "code", "type"), "subject", "patient")


def allergy(number: int, patient: str) -> Json:
    made = resource("AllergyIntolerance", number, patient, ("urn:example:food", "nut", "Nuts"))
    return renamed(made, "subject", "patient")


def renamed(resource: Json, field: str, name: str) -> Json:
    return {(name if key == field else key): value for key, value in resource.items()}


def resource(kind: str, number: int, patient: str, coding: tuple[str, str, str]) -> Json:
    system, code, display = coding
    shown = {"display": display} if display else {}
    return {
        "resourceType": kind,
        "id": f"{kind.lower()}-{number}",
        "code": {"coding": [{"system": system, "code": code, **shown}], "text": display or code},
        "subject": {"reference": f"Patient/{patient}"},
    }


def status(system: str, code: str) -> Json:
    url = f"http://terminology.hl7.org/CodeSystem/{system}"
    return {"coding": [{"system": url, "code": code}]}


FILLERS = {"conditions": condition, "procedures": procedure, "observations": observation,
           "devices": device, "allergies": allergy}  # fmt: skip
