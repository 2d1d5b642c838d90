"""Requests as EHRs send them: a draft order, and the chart of a patient."""

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures" / "order-sign"
ONE_CARD = "variant-1-contrast-mri-for-a-new-painful-fracture"
NO_CARD = "variant-1-mri-without-contrast-passes-in-silence"
NOT_OURS = "silence-for-a-chest-order"
MANY_ORDERS = 20
INSTANCE = b"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"  # the hookInstance of the fixtures
SEEN, UPDATED = b"Seen in the", b"2026-11-20T09:30:00Z"  # in each resource
BYTES = 2_350  # of a resource, most of them text
A_HIT_EVERY = 50  # a chart repeats itself: the back pain was coded at other visits too
SNOMED_CT, ICD_10_CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
Json = dict

BACK_PAIN = (SNOMED_CT, "279039007", "Low back pain (finding)")
X_RAY = (SNOMED_CT, "840361000", "Plain X-ray of lumbar vertebral column region (procedure)")
X_RAY_SEEN = (LOINC, "24972-2", "XR Lumbar spine Views")
CANE = ("urn:example:device", "cane", "Cane")
NUTS = ("urn:example:food", "nut", "Nuts")
# What else is wrong with people: in no map, seen when the terminology was gathered.
IN_NO_MAP = (
    (ICD_10_CM, "I10", ""),
    (SNOMED_CT, "13645005", "Chronic obstructive lung disease (disorder)"),
    (SNOMED_CT, "709044004", "Chronic kidney disease (disorder)"),
    (ICD_10_CM, "N18.30", "Chronic kidney disease, stage 3 unspecified"),
    (SNOMED_CT, "22325002", "Abnormal gait (finding)"),
    (ICD_10_CM, "R26.2", "Difficulty in walking, not elsewhere classified"),
    (SNOMED_CT, "26544005", "Muscle weakness (finding)"),
    (ICD_10_CM, "G89.4", "Chronic pain syndrome"),
    (ICD_10_CM, "Z95.828", "Presence of other vascular implants and grafts"),
    (SNOMED_CT, "19887002", "Claustrophobia (finding)"),
)  # fmt: skip
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                      "code": "active"}]}  # fmt: skip
# By prefetch key: type, number in a chart, code, and what else there is of each.
OTHERS = {
    "procedures": ("Procedure", 20, X_RAY,
                   {"status": "completed", "performedDateTime": "2025-03-04"}),
    "observations": ("Observation", 20, X_RAY_SEEN,
                     {"status": "final", "effectiveDateTime": "2025-03-04", "valueString": "Same"}),
    "devices": ("Device", 2, CANE, {}),
    "allergies": ("AllergyIntolerance", 3, NUTS, {}),
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is asked, how many times in a round, and how its token is signed: as Epic does, unless
    it is said. With `is_new` no chart is one that was seen before.
    """

    name: str
    body: bytes
    times: int
    algorithm: str = "RS384"
    is_new: bool = False
    of_peers: bool = False

    def message(self, number: int) -> bytes:
        """The body for the request of that number: with a hookInstance of its own, and where it is
        new, with other words and another time in each resource.
        """
        body = self.body.replace(INSTANCE, str(uuid4()).encode())
        if not self.is_new:
            return body
        minute, second = divmod(number % 3600, 60)
        changed = body.replace(SEEN, b"S%010d" % number)
        return changed.replace(UPDATED, b"2026-11-20T09:%02d:%02dZ" % (minute, second))


def all_requests() -> list[Request]:
    """Charts of each size, many orders, and small requests; again and new."""
    charts = {number: encoded(chart(number)) for number in (5, 50, 200, 500)}
    return [
        Request("N = 5", charts[5], 240),
        Request("N = 50", charts[50], 240, of_peers=True),
        Request("N = 200", charts[200], 120),
        Request("N = 500", charts[500], 80),
        Request("N = 50, new", charts[50], 240, is_new=True),
        Request("N = 200, new", charts[200], 120, is_new=True),
        Request("N = 500, new", charts[500], 80, is_new=True),
        Request("N = 50, ES384", charts[50], 240, "ES384"),
        Request(f"N = 50, {MANY_ORDERS} orders", encoded(with_orders(chart(50))), 80),
        Request("no card", encoded(fixture(NO_CARD)), 480),
        Request("not ours", encoded(fixture(NOT_OURS)), 600),
    ]


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
    body = {**fixture(ONE_CARD), "hook": "order-select"}
    body["context"]["selections"] = ["ServiceRequest/order-1"]
    patient, prefetch = body["context"]["patientId"], body["prefetch"]
    fillers = {"conditions": [condition(number, patient) for number in range(conditions)]}
    for key, (kind, number, coding, more) in OTHERS.items():
        fillers[key] = [{**resource(kind, n, patient, coding), **more} for n in range(number)]
    for key, filling in fillers.items():
        there = [entry["resource"] for entry in prefetch[key]["entry"]]
        prefetch[key] = searched((there + filling)[: len(filling)])
    prefetch["patient"] = dressed(prefetch["patient"])
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
    entries = [{"resource": dressed(r), "search": {"mode": "match"}} for r in resources]
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
    made = resource("Condition", number, patient, coding)
    return {**made, "clinicalStatus": ACTIVE, "recordedDate": "2026-11-15"}


def resource(kind: str, number: int, patient: str, coding: tuple[str, str, str]) -> Json:
    """With its code and its patient where resources of this type have them."""
    system, code, display = coding
    shown = {"display": display} if display else {}
    subject = "patient" if kind in ("Device", "AllergyIntolerance") else "subject"
    return {
        "resourceType": kind,
        "id": f"{kind.lower()}-{number}",
        ("type" if kind == "Device" else "code"): {
            "coding": [{"system": system, "code": code, **shown}], "text": display or code
        },
        subject: {"reference": f"Patient/{patient}"},
    }  # fmt: skip
