"""No patient data in logs, metrics, stores or error texts: planted, and looked for."""

import json
from pathlib import Path

import pytest

from cds_service import create_app
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.settings import Settings
from tests.small_world import FRACTURE, LOINC, ROOT, hook_request, order
from tests.test_access import BASE, clients_file, token

SERVICE = "/cds-services/vcf-appropriateness"
CASES = [read_fixture(folder) for folder in find_fixtures([ROOT / "fixtures"])]
PLANTED = ("Zebediah", "Quackenbush", "MRN-7731", "1944-03-17", "planted-token", "planted-order")


def planted(value, key=""):
    """The request with a name, a number, a birth date and a token wherever they could be."""
    if isinstance(value, dict):
        made = {k: planted(v, k) for k, v in value.items()}
        if made.get("resourceType") == "Patient":
            made |= {
                "name": [{"family": "Quackenbush", "given": ["Zebediah"]}],
                "identifier": [{"value": "MRN-7731"}],
                "birthDate": "1944-03-17",
            }
        if made.get("resourceType") == "ServiceRequest" and "id" in made:
            made["id"] = "planted-order"
            made["note"] = [{"text": "Zebediah Quackenbush, MRN-7731"}]
        return made
    if isinstance(value, list):
        return [planted(item, key) for item in value]
    return "Zebediah Quackenbush" if key in ("display", "text") else value


def coded_as_a_person():
    """Orders and reasons whose code, or whose words alone, are those of a person."""
    person = {"system": "urn:a", "code": "MRN-7731", "display": "MRI spine, Zebediah Quackenbush"}
    for coding in (person, {**person, "code": "MR17"}, {**person, "system": LOINC}):
        made = order(("urn:a", "MR17"), reasons=(FRACTURE, ("urn:a", "MRN-7731")))
        yield json.dumps(hook_request({**made, "code": {"coding": [coding]}}))


def with_server(body):
    token = {"access_token": "planted-token", "scope": "Zebediah"}
    return {**body, "fhirServer": "http://127.0.0.1:1/Quackenbush", "fhirAuthorization": token}


def hostile():
    """Requests that go wrong in as many places as there are."""
    body = with_server(planted(CASES[20].request))
    yield json.dumps(body)[:-20]
    yield json.dumps([body])
    yield json.dumps({**body, "hook": "Zebediah", "hookInstance": "MRN-7731"})
    for field in ("hook", "context", "prefetch", "hookInstance"):
        yield json.dumps({**body, field: ["Zebediah Quackenbush"]})
    for field in ("patientId", "userId", "draftOrders", "selections"):
        context = {**body["context"], field: {"MRN-7731": "Zebediah"}}
        yield json.dumps({**body, "context": context})
    for kind in ("Condition", "Patient", "ServiceRequest", "Zebediah"):
        broken = {
            "resourceType": kind,
            "id": "MRN-7731",
            "birthDate": "1944-03-17x",
            "x": "Zebediah",
        }
        yield json.dumps({**body, "prefetch": {"Quackenbush": broken, "conditions": broken}})


@pytest.fixture
def service(tmp_path):
    file = clients_file(tmp_path)
    settings = Settings(
        open=False,
        clients=file,
        data=tmp_path / "data",
        public_url=BASE,
        metrics_token="m",  # noqa: S106
        store=True,
    )
    app = create_app(settings)
    yield app.test_client()
    app.extensions["store"].finish()


def hostile_feedback():
    """A person wherever feedback has room for one."""
    person = "Zebediah Quackenbush"
    item = {
        "card": "MRN-7731",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T02:13:54Z",
        "overrideReason": {
            "userComment": f"{person}, 1944-03-17",
            "patient": person,
            "reason": {"system": "urn:a", "code": "MRN-7731", "display": person},
        },
        "extension": {"com.example.patient": person},
        "patient": person,
    }
    taken = {**item, "outcome": "accepted", "acceptedSuggestions": [{"id": "planted-order"}]}
    yield json.dumps({"feedback": [item, taken, {**item, "outcome": person}, person]})
    yield json.dumps({"feedback": person})


def post(service, data, path=SERVICE):
    jti = f"planted-token-{hash(data)}"
    headers = {"Authorization": f"Bearer {token(jti=jti, aud=BASE + path)}"}
    return service.post(path, data=data, headers=headers, content_type="application/json")


def assert_none_planted(text, where):
    for secret in PLANTED:
        assert secret not in text, f"{secret} in {where}"


def files_of(folder: Path) -> str:
    return "".join(f.read_bytes().decode("latin-1") for f in folder.rglob("*") if f.is_file())


def test_nothing_planted_comes_out(service, tmp_path, capsys, monkeypatch):
    """Every fixture and a set of hostile requests, then log, metrics, store and error bodies."""
    errors = []
    for case in CASES:
        post(service, json.dumps(with_server(planted(case.request))))
    for data in (*coded_as_a_person(), *coded_as_a_person()):
        post(service, data)
    for data in hostile():
        answer = post(service, data)
        errors += [answer.get_data(as_text=True)] if answer.status_code != 200 else []
    for data in hostile_feedback():
        answer = post(service, data, f"{SERVICE}/feedback")
        errors.append(answer.get_data(as_text=True))
    service.get("/Patient/Zebediah?name=Quackenbush")
    monkeypatch.setattr("cds_service.web.bodies.answer_hook", fails_loudly)
    errors.append(post(service, json.dumps(planted(CASES[20].request))).get_data(as_text=True))
    assert len(errors) > 8
    assert_none_planted("".join(errors), "an error body")
    log = capsys.readouterr().err
    assert log.count('"event":"request"') > len(CASES)
    assert_none_planted(log, "the log")
    metrics = service.get("/metrics", headers={"Authorization": "Bearer m"}).get_data(as_text=True)
    assert "cds_requests_total" in metrics
    assert_none_planted(metrics, "the metrics")
    stored = [files_of(tmp_path / "data")]
    service.application.extensions["store"].finish()
    stored.append(files_of(tmp_path / "data"))
    assert all("usually-not-appropriate" in text for text in stored)
    assert_none_planted("".join(stored), "the store")


def fails_loudly(call, topic, fetch):
    raise RuntimeError(f"Zebediah Quackenbush: {call.context}")
