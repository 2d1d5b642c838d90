"""A FHIR terminology server with a small invented hierarchy of real codes.

It evaluates the definition that is posted; `faults` make it misbehave.
"""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request

SCT = "http://snomed.info/sct"
VERSION = f"{SCT}/731000124108/version/20260901"
MALIGNANCY = "363346000"
MELANOMA_OF_BREAST = "188050009"
BASAL_CELL_OF_NOSE = "402500004"
SQUAMOUS_CLEAR_CELL = "254652000"
IN_SITU_OF_CERVIX = "447760009"
LOOK_ALIKE = "92546004"  # carcinoma in situ of bladder, here below malignancy itself
CHORDOMA = "447730004"
SARCOMA = "448377009"
SPINE_METASTASIS = "94602001"
SACRUM_METASTASIS = "94527001"
ABSTRACT = "415112005"
HYPERTENSION = "38341003"
FRACTURE, COMPRESSION, COLLAPSE = "50448004", "42942008", "84138006"
PATHOLOGICAL_FRACTURE, NEOPLASTIC_FRACTURE = "274146004", "866087009"
WEDGE_OF_T, BURST_OF_T, OF_SACRUM = "207940009", "207939007", "207975009"
OSTEOPOROTIC_COLLAPSE, OF_CERVICAL_SPINE, OF_LUMBAR_SPINE = "240198002", "125606003", "125608002"
WITH_CORD_INJURY, CLOSED_FRACTURE = "1734006", "42157000"
OSTEOPOROSIS, SENILE_OSTEOPOROSIS, TRANSIENT_OF_HIP = "64859006", "18040001", "240159007"
PREGNANCY, TWINS, MISCARRIAGE = "77386006", "65147003", "17369002"
INFECTION, INFECTION_OF_LUMBAR_SPINE, CORD_COMPRESSION = "721273004", "203219002", "71286001"
PARENT = {
    FRACTURE: "",
    COMPRESSION: FRACTURE,
    COLLAPSE: FRACTURE,
    PATHOLOGICAL_FRACTURE: FRACTURE,
    NEOPLASTIC_FRACTURE: PATHOLOGICAL_FRACTURE,
    WEDGE_OF_T: COMPRESSION,
    BURST_OF_T: COMPRESSION,
    "207974008": COMPRESSION,
    OF_SACRUM: "207974008",
    OSTEOPOROTIC_COLLAPSE: COLLAPSE,
    OF_CERVICAL_SPINE: FRACTURE,
    OF_LUMBAR_SPINE: FRACTURE,
    WITH_CORD_INJURY: FRACTURE,
    CLOSED_FRACTURE: FRACTURE,
    OSTEOPOROSIS: "",
    SENILE_OSTEOPOROSIS: OSTEOPOROSIS,
    TRANSIENT_OF_HIP: OSTEOPOROSIS,
    PREGNANCY: "",
    TWINS: PREGNANCY,
    MISCARRIAGE: PREGNANCY,
    INFECTION: "",
    INFECTION_OF_LUMBAR_SPINE: INFECTION,
    CORD_COMPRESSION: "",
    MALIGNANCY: "",
    "372130007": MALIGNANCY,
    "372244006": MALIGNANCY,
    MELANOMA_OF_BREAST: "372244006",
    "254701007": "372130007",
    BASAL_CELL_OF_NOSE: "254701007",
    "254651007": "372130007",
    SQUAMOUS_CLEAR_CELL: "254651007",
    "109355002": MALIGNANCY,
    IN_SITU_OF_CERVIX: "109355002",
    LOOK_ALIKE: MALIGNANCY,
    "94222008": MALIGNANCY,
    SPINE_METASTASIS: "94222008",
    SACRUM_METASTASIS: SPINE_METASTASIS,
    "109989006": MALIGNANCY,
    ABSTRACT: MALIGNANCY,
    CHORDOMA: MALIGNANCY,
    SARCOMA: MALIGNANCY,
    HYPERTENSION: "",
}

Json = dict[str, Any]


@dataclass
class Stub:
    """What the server knows, how it behaves, and what it was asked: path, body and headers."""

    parents: dict[str, str] = field(default_factory=lambda: dict(PARENT))
    version: str | None = VERSION
    named: str = "version"
    faults: set[str] = field(default_factory=set)
    seen: list[tuple[str, Json, Any]] = field(default_factory=list)
    address: str = ""

    def is_a(self, code: str, root: str) -> bool:
        while code:
            if code == root:
                return True
            code = self.parents.get(code, "")
        return False

    def members(self, compose: Json) -> list[str]:
        def covers(part: Json, code: str) -> bool:
            assert part["system"] == SCT
            if "concept" in part:
                return code in {c["code"] for c in part["concept"]}
            assert all((f["property"], f["op"]) == ("concept", "is-a") for f in part["filter"])
            return all(self.is_a(code, f["value"]) for f in part["filter"])

        def among(parts: list[Json], code: str) -> bool:
            return any(covers(part, code) for part in parts)

        included = [c for c in self.parents if among(compose["include"], c)]
        return [c for c in included if not among(compose.get("exclude", []), c)]


def create_stub(stub: Stub) -> Flask:
    app = Flask("terminology")

    def asked() -> Json:
        body = request.get_json()
        assert body["resourceType"] == "Parameters"
        stub.seen.append((request.path, body, dict(request.headers)))
        return {p["name"]: p.get("resource") or _value(p) for p in body["parameter"]}

    @app.before_request
    def fail() -> Response | None:
        if "down" in stub.faults:
            return Response("<html>bad gateway</html>", status=502)
        if "redirect" in stub.faults:
            return Response(status=302, headers={"Location": "https://elsewhere.example.org/"})
        return None

    @app.post("/fhir/ValueSet/$expand")
    def expand() -> Any:
        said = asked()
        if "refuse" in stub.faults:
            return outcome("too-costly", "the expansion has too many codes", 422)
        return jsonify(page(stub, said))

    @app.post("/fhir/CodeSystem/$subsumes")
    def subsumes() -> Any:
        said = asked()
        if said["codeB"] not in stub.parents:
            return outcome("not-found", "no such code", 404)
        found = stub.is_a(said["codeB"], said["codeA"])
        same = said["codeB"] == said["codeA"]
        code = ("equivalent" if same else "subsumes") if found else "not-subsumed"
        return jsonify(
            {"resourceType": "Parameters", "parameter": [{"name": "outcome", "valueCode": code}]}
        )

    return app


def page(stub: Stub, said: Json) -> Json:
    members = stub.members(said["valueSet"]["compose"])
    whole = stub.faults & {"does not page", "nested"}  # a tree is never paged
    offset = 0 if whole or "ignores offset" in stub.faults else said["offset"]
    count = len(members) if whole else said["count"]
    shown = members[offset : offset + count]
    made: Json = {"timestamp": "2026-11-21T08:00:00Z", "identifier": "urn:uuid:of-the-stub"}
    made["contains"] = [concept(code) for code in shown]
    if "nested" in stub.faults:
        first, *others = made["contains"]
        made["contains"] = [{**first, "contains": others}] if others else made["contains"]
    if not made["contains"]:
        del made["contains"]
    if "no total" not in stub.faults:
        made["total"] = len(members) + ("wrong total" in stub.faults)
    version = stub.version
    if "new version" in stub.faults and said["offset"]:
        version = "another"
    if version:
        system = "http://loinc.org" if "other system" in stub.faults else SCT
        made["parameter"] = [{"name": stub.named, "valueUri": f"{system}|{version}"}]
    if "incomplete" in stub.faults:
        url = "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"
        made["extension"] = [{"url": url, "valueBoolean": True}]
    return {**said["valueSet"], "expansion": made}


def concept(code: str) -> Json:
    made = {"system": SCT, "code": code, "display": f"Words of {code}"}
    return {**made, "abstract": True} if code == ABSTRACT else made


def outcome(code: str, text: str, status: int) -> tuple[Response, int]:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return jsonify({"resourceType": "OperationOutcome", "issue": [issue]}), status


def _value(parameter: Json) -> Any:
    return next(value for name, value in parameter.items() if name.startswith("value"))
