"""FHIR Bulk Data exports with known answers; the same seed makes the same export.

    python -m bench.exports FOLDER --patients 50000

Charts are the size of Synthea's, about 20 resources a patient. A share of the patients has an order
of ours, each in one of SITUATIONS, which say what the answer is; some of them hold facts that came
later, and must not leak into it. `expected.json` beside the export has the answers.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.charts import BACK_PAIN, IN_NO_MAP, LOINC, SNOMED_CT, Json

CPT = "http://www.ama-assn.org/go/cpt"
LOCAL = "urn:example:hospital:orders"
FRACTURE = (SNOMED_CT, "42942008", "Compression fracture of vertebral column (disorder)")
CANCER = (SNOMED_CT, "254837009", "Malignant neoplasm of breast (disorder)")
COLLAPSE = (SNOMED_CT, "240198002", "Osteoporotic vertebral collapse (disorder)")
EDEMA = ("urn:vcf-appropriateness:answer", "edema-or-cleft-yes", "")
AUGMENTATION = (CPT, "22514", "Kyphoplasty/augmentation, first body, lumbar")
PACEMAKER = (SNOMED_CT, "441509002", "Cardiac pacemaker")
WITH_CONTRAST = (CPT, "72149", "MRI lumbar spine, with contrast")
WITHOUT_CONTRAST = (CPT, "72148", "MRI lumbar spine, without contrast")
OF_THE_SITE = (LOCAL, "MRLSPW", "MRI LUMBAR SPINE W CONTRAST")
CHEST = (LOINC, "36643-5", "XR Chest 2 Views")
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
FIRST_DAY = datetime(2025, 1, 6, 8, tzinfo=UTC)
DAYS = 330
CLINICIANS, CLINICS = 40, 8
LINES_OF_A_FILE = 100_000
FILLERS = {"Observation": 9, "Condition": 4, "Procedure": 2, "Encounter": 2, "Immunization": 1}

# What is expected of an order: decision, topic of the card, indicator.
Answer = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Seeded:
    """An order that was written into the export, and the answer to it by mode."""

    order: str
    situation: str
    expected: dict[str, Answer]


@dataclass
class Situation:
    """Which order, for which reasons, with which facts, given the time of the order."""

    name: str
    code: tuple[str, str, str]
    strict: Answer | None
    lenient: Answer | None
    facts: Callable[["Chart"], list[Json]]
    reasons: tuple[tuple[str, str, str], ...] = (FRACTURE,)
    fields: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """Writes resources of a patient, with dates counted from the order."""

    patient: str
    ordered: datetime

    def day(self, days: int) -> str:
        return (self.ordered + timedelta(days=days)).date().isoformat()

    def resource(self, kind: str, name: str, code: tuple[str, str, str], **more: object) -> Json:
        system, value, display = code
        owner = "patient" if kind in ("Device", "AllergyIntolerance") else "subject"
        coding = {"system": system, "code": value, "display": display}
        return {
            "resourceType": kind,
            "id": f"{self.patient}-{name}",
            "meta": {"versionId": "1", "lastUpdated": "2026-01-05T04:00:00Z"},
            owner: {"reference": f"Patient/{self.patient}"},
            "type" if kind == "Device" else "code": {"coding": [coding], "text": display},
            **more,
        }

    def condition(self, name: str, code: tuple[str, str, str], **more: object) -> Json:
        status = more.pop("status", "active")
        clinical = {"coding": [{"system": CLINICAL, "code": status}]}
        return self.resource("Condition", name, code, clinicalStatus=clinical, **more)

    def recorded(self, name: str, code: tuple[str, str, str], days: int, **more: object) -> Json:
        when = self.day(days)
        return self.condition(name, code, onsetDateTime=when, recordedDate=when, **more)


def _painful(chart: Chart) -> list[Json]:
    return [chart.recorded("fracture", FRACTURE, -10), chart.recorded("pain", BACK_PAIN, -8)]


def _with_cancer(**dates: int) -> Callable[[Chart], list[Json]]:
    def facts(chart: Chart) -> list[Json]:
        when = {name: chart.day(days) for name, days in dates.items()}
        return [*_painful(chart), chart.condition("cancer", CANCER, **when)]

    return facts


def _pain_that_ended(**dates: int) -> Callable[[Chart], list[Json]]:
    def facts(chart: Chart) -> list[Json]:
        when = {name: chart.day(days) for name, days in dates.items()}
        ended = chart.recorded("pain", BACK_PAIN, -8, status="resolved", **when)
        return [chart.recorded("fracture", COLLAPSE, -10), ended]

    return facts


def _with_pacemaker(chart: Chart) -> list[Json]:
    return [*_painful(chart), chart.resource("Device", "pacemaker", PACEMAKER, status="active")]


POOR: Answer = ("rated", "variant1", "warning")
GOOD: Answer = ("rated", "variant1", None)
AFTER_CANCER: Answer = ("rated", "variant2", "info")
NOT_WITH_AN_IMPLANT: Answer = ("rated", "variant1", "warning")
TREATED: Answer = ("rated", "variant6", None)
ASKS_FOR_PAIN: Answer = ("question", "unresolved", "info")
SITUATIONS = (
    Situation("poor", WITH_CONTRAST, POOR, POOR, _painful),
    Situation("good", WITHOUT_CONTRAST, GOOD, GOOD, _painful),
    Situation("signed-long-ago", WITH_CONTRAST, POOR, POOR, _painful,
              fields={"status": "completed"}),
    Situation("cancer-recorded-before", WITH_CONTRAST, AFTER_CANCER, AFTER_CANCER,
              _with_cancer(onsetDateTime=-200, recordedDate=-190)),
    Situation("cancer-recorded-later", WITH_CONTRAST, POOR, POOR,
              _with_cancer(onsetDateTime=-20, recordedDate=30)),
    Situation("cancer-without-a-recorded-date", WITH_CONTRAST, POOR, AFTER_CANCER,
              _with_cancer(onsetDateTime=-200)),
    Situation("cancer-that-began-later", WITH_CONTRAST, POOR, POOR,
              _with_cancer(onsetDateTime=20)),
    Situation("pain-that-ended-later", AUGMENTATION, TREATED, TREATED,
              _pain_that_ended(abatementDateTime=40), (COLLAPSE, EDEMA)),
    Situation("pain-that-ended-some-time", AUGMENTATION, TREATED, ASKS_FOR_PAIN,
              _pain_that_ended(), (COLLAPSE, EDEMA)),
    Situation("pacemaker-without-a-date", WITHOUT_CONTRAST, GOOD, NOT_WITH_AN_IMPLANT,
              _with_pacemaker),
    Situation("code-of-the-site", OF_THE_SITE, None, None, _painful),
    Situation("without-a-date", WITH_CONTRAST, None, None, _painful,
              fields={"authoredOn": None}),
)  # fmt: skip


def write_export(folder: Path, patients: int, share: float = 0.05, seed: int = 7) -> list[Seeded]:
    """Writes the export; the orders that were seeded. Every patient has an order of some kind."""
    chance = Random(seed)  # noqa: S311  not for secrets
    seeded: list[Seeded] = []
    with Files(folder) as files:
        for line in _places():
            files.write(line)
        for number in range(patients):
            chart = Chart(f"p{number}", _some_time(chance))
            files.write(_patient(chart, chance))
            files.write_text(_filled(chart.patient, chance))
            if chance.random() < share:
                situation = SITUATIONS[len(seeded) % len(SITUATIONS)]
                seeded.append(_seed(chart, situation, files, chance))
            else:
                files.write(_order(chart, "other", CHEST, (), chance))
    (folder.parent / "expected.json").write_text(json.dumps([asdict(s) for s in seeded]))
    return seeded


def _seed(chart: Chart, situation: Situation, files: "Files", chance: Random) -> Seeded:
    made = _order(chart, "order", situation.code, situation.reasons, chance) | situation.fields
    files.write({name: value for name, value in made.items() if value is not None})
    for fact in situation.facts(chart):
        files.write(fact)
    answers = {"strict": situation.strict, "lenient": situation.lenient}
    return Seeded(made["id"], situation.name, {m: a for m, a in answers.items() if a})


def _some_time(chance: Random) -> datetime:
    return FIRST_DAY + timedelta(days=chance.randrange(DAYS), minutes=chance.randrange(600))


def _order(
    chart: Chart,
    name: str,
    code: tuple[str, str, str],
    reasons: tuple[tuple[str, str, str], ...],
    chance: Random,
) -> Json:
    system = [{"coding": [{"system": s, "code": c, "display": d}]} for s, c, d in reasons]
    return chart.resource(
        "ServiceRequest",
        name,
        code,
        status="active",
        intent="order",
        authoredOn=chart.ordered.isoformat(timespec="seconds"),
        requester={"reference": f"Practitioner/dr-{chance.randrange(CLINICIANS)}"},
        encounter={"reference": f"Encounter/{chart.patient}-Encounter-0"},
        reasonCode=system or None,
    )


def _patient(chart: Chart, chance: Random) -> Json:
    born = f"{chance.randrange(1935, 1965)}-{chance.randrange(1, 13):02}-15"
    name = [{"family": f"Family{chart.patient}", "given": ["Given"]}]
    made = {"resourceType": "Patient", "id": chart.patient, "birthDate": born, "name": name}
    return {**made, "gender": chance.choice(("female", "male"))}


def _places() -> Iterator[Json]:
    """The clinics; and one resource of each kind, so that none counts as not supplied."""
    for number in range(CLINICS):
        yield {"resourceType": "Organization", "id": f"clinic-{number}", "name": f"Clinic {number}"}
    nobody = Chart("nobody", FIRST_DAY)
    nuts = ("urn:example:food", "nut", "Nuts")
    yield nobody.resource("AllergyIntolerance", "nuts", nuts, recordedDate="2020-01-01")
    yield nobody.resource("Device", "cane", ("urn:example:device", "cane", "Cane"), status="active")


def _filled(patient: str, chance: Random) -> Iterator[tuple[str, str]]:
    """The rest of a chart, as text: nothing of it counts."""
    for kind, number in FILLERS.items():
        for each in range(number):
            day = f"20{chance.randrange(15, 26)}-{chance.randrange(1, 13):02}-11"
            code = IN_NO_MAP[chance.randrange(len(IN_NO_MAP))]
            clinic = chance.randrange(CLINICS)
            text = TEMPLATES[kind, code[1]].replace("@p", patient).replace("@n", str(each))
            yield kind, text.replace("@d", day).replace("@c", str(clinic))


def _template(kind: str, code: tuple[str, str, str]) -> str:
    dates = {
        "Condition": {"onsetDateTime": "@d", "recordedDate": "@d",
                      "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]}},
        "Procedure": {"status": "completed", "performedDateTime": "@d"},
        "Observation": {"status": "final", "effectiveDateTime": "@d", "issued": "@dT09:30:00Z",
                        "valueQuantity": {"value": 7.2, "unit": "mmol/L"}},
        "Encounter": {"status": "finished", "class": {"code": "AMB"}, "period": {"start": "@d"},
                      "serviceProvider": {"reference": "Organization/clinic-@c"}},
        "Immunization": {"status": "completed", "occurrenceDateTime": "@d"},
    }[kind]  # fmt: skip
    chart = Chart("@p", FIRST_DAY)
    return json.dumps(chart.resource(kind, f"{kind}-@n", code, **dates))


TEMPLATES = {(kind, code[1]): _template(kind, code) for kind in FILLERS for code in IN_NO_MAP}


class Files:
    """The files of an export: for each type one, and another one when that is full."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._open, self._lines = folder, {}, {}

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()

    def write(self, resource: Json) -> None:
        self._write(resource["resourceType"], json.dumps(resource))

    def write_text(self, lines: Iterator[tuple[str, str]]) -> None:
        for kind, text in lines:
            self._write(kind, text)

    def _write(self, kind: str, text: str) -> None:
        written = self._lines.get(kind, 0)
        if written % LINES_OF_A_FILE == 0:
            if kind in self._open:
                self._open[kind].close()
            name = f"{kind}.{written // LINES_OF_A_FILE:03}.ndjson"
            self._open[kind] = (self._folder / name).open("w", encoding="utf-8")
        self._open[kind].write(text + "\n")
        self._lines[kind] = written + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=1_000)
    parser.add_argument("--share", type=float, default=0.05, help="of patients with orders of ours")
    options = parser.parse_args()
    seeded = write_export(options.folder, options.patients, options.share)
    print(f"{options.patients} patients, {len(seeded)} orders of ours in {options.folder}")


if __name__ == "__main__":
    main()
