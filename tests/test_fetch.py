"""What the EHR did not send is fetched from a real HTTP server, in time, or not at all."""

import importlib.util
import json
import socket
import sys
import threading
import time

import pytest

from cds_service import create_app
from cds_service.fhir import connections
from cds_service.fhir import fetch as fetching
from cds_service.fhir.addresses import AllowedServers, FhirServer
from cds_service.fhir.fetch import Fetcher
from cds_service.settings import Settings
from tests import REAL_PROCESSES
from tests.local_server import serving
from tests.small_world import (
    AUGMENTATION_LUMBAR,
    FRACTURE,
    LOINC,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    TODAY,
    hook_request,
    order,
)

pytestmark = REAL_PROCESSES

SERVICE = "/cds-services/vcf-appropriateness"
SECONDS = 0.4
KEYS = ("patient", "conditions", "procedures", "observations", "devices", "allergies")
WANTED = {"conditions": "Condition?patient=new-fracture", "patient": "Patient/new-fracture"}


def load_ehr():
    spec = importlib.util.spec_from_file_location("ehr", ROOT / "fixtures" / "ehr" / "server.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ehr"] = module
    spec.loader.exec_module(module)
    return module


EHR = load_ehr()


@pytest.fixture
def ehr():
    """The small EHR, and its address in `address`."""
    app = EHR.create_ehr()
    with serving(app) as address:
        app.address = address
        yield app


@pytest.fixture
def client():
    """The service, with nothing known of any server yet."""
    return create_app(Settings(), today=lambda: TODAY).test_client()


@pytest.fixture
def fetcher():
    return Fetcher(AllowedServers(loopback=True), SECONDS)


def request_for(ehr, patient, *orders, without=KEYS, **more):
    body = hook_request(*orders, without=without, **more)
    body["context"]["patientId"] = patient
    body["fhirServer"] = ehr.address
    body["fhirAuthorization"] = {"access_token": "top-secret", "expires_in": 300}
    for entry in body["context"]["draftOrders"]["entry"]:
        entry["resource"]["subject"] = {"reference": f"Patient/{patient}"}
    return body


def ask(client, body):
    answer = client.post(SERVICE, json=body)
    assert answer.status_code == 200
    return answer.get_json()


def rating(answer):
    codes = [
        extension["valueCodeableConcept"]["coding"][0]["code"]
        for action in answer.get("systemActions", [])
        for extension in action["resource"].get("extension", [])
        if extension["url"].endswith("pama-rating")
    ]
    return codes[0] if codes else None


def paths(ehr):
    return [path.split("?")[0].strip("/") for path in ehr.extensions["seen"]]


class TestWhatIsFetched:
    def test_all_that_is_missing_is_fetched_and_rated(self, client, ehr):
        body = request_for(ehr, "new-fracture", order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
        assert rating(ask(client, body)) == "not-appropriate"
        assert len(paths(ehr)) == len(KEYS)

    def test_nothing_sent_and_nothing_missing_are_told_apart(self, client, ehr):
        body = request_for(ehr, "new-fracture", order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
        body["prefetch"] = {"conditions": None}
        ask(client, body)
        assert "Condition" not in paths(ehr)

    def test_what_was_fetched_counts_like_what_was_sent(self, client, ehr):
        body = request_for(ehr, "after-breast-cancer", order(MRI_LUMBAR_W, reasons=(PAIN,)))
        (card,) = ask(client, body)["cards"]
        assert "Malignant neoplasm of breast" in card["detail"]
        assert "Not supplied" not in card["detail"]

    SILENT = {
        "another body part": order((LOINC, "30746-2"), reasons=(FRACTURE,)),
        "a reason that is another matter": order(
            MRI_LUMBAR_WO, reasons=(("http://hl7.org/fhir/sid/icd-10-cm", "I10"),)
        ),
        "a bone scan without a reason": order(("http://www.ama-assn.org/go/cpt", "78306")),
        "a medication": {"resourceType": "MedicationRequest", "id": "m-1"},
    }

    @pytest.mark.parametrize("draft", SILENT.values(), ids=SILENT)
    def test_where_the_order_alone_decides_nothing_is_fetched(self, client, ehr, draft):
        assert ask(client, request_for(ehr, "new-fracture", draft)) == {"cards": []}
        assert paths(ehr) == []

    def test_a_treatment_needs_no_devices_and_no_allergies(self, client, ehr):
        draft = order(AUGMENTATION_LUMBAR, reasons=(FRACTURE, PAIN))
        ask(client, request_for(ehr, "after-vertebroplasty", draft))
        assert set(paths(ehr)) == {"Condition", "Procedure", "Patient/after-vertebroplasty"}

    def test_a_reason_reference_is_read(self, client, ehr):
        draft = order(MRI_LUMBAR_W, reasons=(PAIN,))
        draft["reasonReference"] = [{"reference": "Condition/new-fracture-fracture"}]
        ask(client, request_for(ehr, "new-fracture", draft, without=("conditions",)))
        assert "Condition/new-fracture-fracture" in paths(ehr)

    def test_pages_are_followed(self, client, ehr, monkeypatch):
        monkeypatch.setattr("cds_service.hook.PAGE_SIZE", 1)
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        body = request_for(ehr, "new-fracture", draft, without=("conditions",))
        (card,) = ask(client, body)["cards"]
        assert "none among the 2 conditions" in card["detail"]
        assert paths(ehr).count("Condition") == 2

    def test_identifiers_are_quoted_in_addresses(self, client, ehr):
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        ask(client, request_for(ehr, "x/../Patient?_id=1&a=#", draft))
        assert "/Patient/x%2F..%2FPatient%3F_id%3D1%26a%3D%23" in ehr.extensions["seen"]

    @pytest.mark.parametrize("dots", [".", ".."])
    def test_an_id_of_dots_leads_nowhere(self, client, ehr, dots):
        """As a part of a path it would mean the folder above: all patients, or the base."""
        draft = order(MRI_LUMBAR_W, reasons=(PAIN,))
        draft["reasonReference"] = [{"reference": f"Condition/{dots}"}]
        ask(client, request_for(ehr, dots, draft))
        assert not {path.rpartition("/")[0] for path in paths(ehr)} & {"Patient", "Condition"}
        assert "" not in paths(ehr)
        assert "Patient" not in paths(ehr)


class TestEachKey:
    """Sent, null, empty, renamed, failed, absent with a server, absent without one."""

    FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}

    def body(self, ehr, key, sent):
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        body = request_for(ehr, "new-fracture", draft, without=())
        whole = body["prefetch"].pop(key)
        body["prefetch"]["patient"] = {"resourceType": "Patient", "id": "new-fracture"}
        if key == "patient":
            whole = body["prefetch"].pop(key)
        if sent == "renamed":
            filled = {"resourceType": EHR_TYPE[key], "id": "new-fracture"}
            body["prefetch"]["site-key-7"] = filled
        elif sent != "absent":
            value = {"sent": whole, "null": None, "empty": EMPTY, "failed": self.FAILED}[sent]
            body["prefetch"][key] = value
        return body

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize(
        ("sent", "is_fetched"),
        [
            ("sent", False),
            ("null", False),
            ("empty", False),
            ("renamed", False),
            ("failed", True),
            ("absent", True),
        ],
    )
    def test_with_a_server(self, client, ehr, key, sent, is_fetched):
        ask(client, self.body(ehr, key, sent))
        asked = [path for path in paths(ehr) if path.startswith(EHR_TYPE[key])]
        assert bool(asked) == is_fetched

    @pytest.mark.parametrize("key", KEYS)
    def test_absent_without_a_server_the_card_names_it(self, client, ehr, key):
        body = self.body(ehr, key, "absent")
        del body["fhirServer"]
        del body["fhirAuthorization"]
        (card,) = ask(client, body)["cards"]
        assert f"Not supplied, or only in part: {key}" in card["detail"]


EMPTY = {"resourceType": "Bundle", "type": "searchset", "entry": []}
EHR_TYPE = {
    "patient": "Patient",
    "conditions": "Condition",
    "procedures": "Procedure",
    "observations": "Observation",
    "devices": "Device",
    "allergies": "AllergyIntolerance",
}

ENDS = {
    "unauthorized": "unauthorized",
    "forbidden": "unauthorized",
    "not-found": "not-found",
    "gone": "not-found",
    "busy": "busy",
    "server-error": "server-error",
    "redirect": "redirected",
    "garbage": "garbage",
    "wrong-type": "wrong-type",
    "slow-drip": "timeout",
    "too-large": "too-large",
}


class TestABrokenServer:
    @pytest.mark.parametrize(("fault", "end"), ENDS.items(), ids=ENDS)
    def test_a_fault_is_told_by_its_kind(self, fetcher, ehr, fault, end):
        ehr.config["FAULT"] = fault
        fetched = fetcher.fetch(FhirServer(ehr.address), {"conditions": "Condition?patient=1"})
        assert fetched.answers == {}
        assert fetched.ends == {end: 1}

    @pytest.mark.parametrize("fault", [*ENDS, "other-patient", "endless-pages"])
    def test_the_hook_answers_all_the_same_and_says_what_is_missing(self, client, ehr, fault):
        ehr.config["FAULT"] = fault
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        (card,) = ask(client, request_for(ehr, "new-fracture", draft))["cards"]
        assert "Not supplied, or only in part: patient, conditions" in card["detail"]
        assert card["source"]["topic"]["code"] == "unresolved"

    def test_another_patient_is_not_believed(self, client, ehr):
        ehr.config["FAULT"] = "other-patient"
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        (card,) = ask(client, request_for(ehr, "new-fracture", draft))["cards"]
        assert "another patient" in card["detail"]

    def test_an_endless_chain_of_pages_ends(self, fetcher, ehr):
        ehr.config["FAULT"] = "endless-pages"
        fetched = fetcher.fetch(FhirServer(ehr.address), {"conditions": "Condition?patient=1"})
        assert len(ehr.extensions["seen"]) <= 10
        assert fetched.answers["conditions"][-1]["link"][0]["relation"] == "next"

    def test_a_server_of_five_seconds_costs_the_deadline_and_no_more(self, ehr):
        """The best of three, each by a service that knows nothing of the server yet."""
        ehr.config["LATENCY"] = 5
        body = request_for(ehr, "new-fracture", order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
        taken = []
        for _ in range(3):
            client = create_app(Settings(), today=lambda: TODAY).test_client()
            started = time.monotonic()
            ask(client, body)
            taken.append(time.monotonic() - started)
        assert SECONDS <= min(taken) < SECONDS + 0.1

    def test_after_five_faults_the_server_is_left_alone(self, fetcher, ehr):
        ehr.config["FAULT"] = "server-error"
        for _ in range(4):
            fetcher.fetch(FhirServer(ehr.address), WANTED)
        calls = len(ehr.extensions["seen"])
        assert fetcher.fetch(FhirServer(ehr.address), WANTED).ends == {"left-alone": 2}
        assert len(ehr.extensions["seen"]) == calls

    def test_a_refusal_is_no_fault_of_the_server(self, fetcher, ehr):
        ehr.config["FAULT"] = "forbidden"
        for _ in range(5):
            assert fetcher.fetch(FhirServer(ehr.address), WANTED).ends == {"unauthorized": 2}

    def test_a_server_that_has_recovered_is_asked_again(self, ehr, monkeypatch):
        monkeypatch.setattr(connections, "PAUSE_SECONDS", 0.1)
        fetcher = Fetcher(AllowedServers(loopback=True), SECONDS)
        ehr.config["FAULT"] = "server-error"
        for _ in range(4):
            fetcher.fetch(FhirServer(ehr.address), WANTED)
        ehr.config["FAULT"] = ""
        time.sleep(0.2)
        assert fetcher.fetch(FhirServer(ehr.address), WANTED).ends == {"fetched": 2}

    def test_too_many_requests_is_answered_by_standing_off(self, fetcher, ehr):
        ehr.config["FAULT"] = "busy"
        fetcher.fetch(FhirServer(ehr.address), {"patient": "Patient/new-fracture"})
        ehr.config["FAULT"] = ""
        assert fetcher.fetch(FhirServer(ehr.address), WANTED).ends == {"left-alone": 2}

    def test_a_connection_reset_is_tried_once_more(self, fetcher):
        with resetting(answers_after=1) as (address, accepted):
            fetched = fetcher.fetch(FhirServer(address), {"patient": "Patient/1"})
        assert fetched.ends == {"fetched": 1}
        assert len(accepted) == 2

    def test_two_resets_are_the_end(self, fetcher):
        with resetting(answers_after=9) as (address, accepted):
            fetched = fetcher.fetch(FhirServer(address), {"patient": "Patient/1"})
        assert fetched.ends == {"unreachable": 1}
        assert len(accepted) == 2

    def test_a_server_that_is_not_there(self, fetcher):
        assert fetcher.fetch(FhirServer("http://127.0.0.1:1"), WANTED).ends == {"unreachable": 2}


class resetting:
    """A server that closes the first connections without an answer."""

    def __init__(self, answers_after):
        self.answers_after = answers_after
        self.accepted = []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}", self.accepted

    def __exit__(self, *_):
        self.socket.close()
        self.thread.join(1)

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.recv(4096)
            self.accepted.append(1)
            if len(self.accepted) > self.answers_after:
                body = b'{"resourceType": "Patient", "id": "1"}'
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                connection.sendall(head + body)
            connection.close()


class TestLoad:
    def test_hooks_that_find_no_room_are_answered_without_fetching(self, ehr, fetcher):
        """Fewer hooks wait for a slow server than a worker has threads."""
        ehr.config["LATENCY"] = 1
        ends = []
        ask_one = lambda: ends.append(fetcher.fetch(FhirServer(ehr.address), WANTED).ends)  # noqa: E731
        threads = [threading.Thread(target=ask_one) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ends.count({"no-room": 2}) == 12 - fetching.HOOKS_AT_ONCE

    def test_threads_do_not_pile_up(self, ehr, fetcher):
        ehr.config["LATENCY"] = 1
        for _ in range(6):
            fetcher.fetch(FhirServer(ehr.address), WANTED)
        mine = [t for t in threading.enumerate() if t.name.startswith("fhir")]
        assert len(mine) <= fetching.CALLS_AT_ONCE * 3


REFUSED = [
    "http://fhir.example.org",
    "https://other.example.org",
    "https://fhir.example.org.evil.test",
    "https://fhir.example.org@evil.test",
    "https://evil.test/https://fhir.example.org",
    "https://fhir.example.org/r4?x=1",
    "https://fhir.example.org/r4#x",
    "http://127.0.0.1",
    "http://localhost",
    "http://LOCALHOST:8000",
    "http://[::1]",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://127.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://169.254.169.254",
    "https://169.254.169.254",
    "https://10.0.0.1",
    "https://192.168.1.1",
    "https://[fe80::1]",
    "https://[fd00::1]",
    "ftp://fhir.example.org",
    "file:///etc/passwd",
    "gopher://127.0.0.1",
    "javascript:alert(1)",
    "https://",
    "https://fhir.example.org:99999",
    "https://[bad",
    "",
]


class TestWhereItMayConnect:
    """The caller chooses the server; the operator says which may be called."""

    HOSPITAL = AllowedServers(frozenset({"https://fhir.example.org/r4"}))

    @pytest.mark.parametrize("base", REFUSED)
    def test_refused_without_opening_a_connection(self, base, monkeypatch):
        def never(*_, **__):
            raise AssertionError("a name was resolved or a connection opened")

        monkeypatch.setattr(socket, "getaddrinfo", never)
        monkeypatch.setattr(socket, "create_connection", never)
        fetched = Fetcher(self.HOSPITAL, SECONDS).fetch(FhirServer(base), WANTED)
        assert fetched.ends == {"not-allowed": 2}

    def test_the_named_server_is_permitted(self):
        assert self.HOSPITAL.permits("https://fhir.example.org/r4")
        assert self.HOSPITAL.permits("https://fhir.example.org/r4/")

    LEADS_TO = [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "fe80::1",
        "fd00::1",
        "0.0.0.0",  # noqa: S104
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "::7f00:1",
        "::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2001:0:7f00:1::1",
        "fec0::1",
        "100.64.0.1",
        "224.0.0.1",
        "ff02::1",
    ]

    @pytest.mark.parametrize("address", LEADS_TO)
    def test_a_name_that_leads_elsewhere_is_not_connected_to(self, address, monkeypatch):
        """Also when it led to the right place a moment ago: the check is the connection's own."""
        opened = []
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(
            "cds_service.fhir.connections.create_connection", lambda *a, **k: opened.append(a)
        )
        base = "https://fhir.example.org/r4"
        fetched = Fetcher(self.HOSPITAL, SECONDS).fetch(FhirServer(base), WANTED)
        assert fetched.ends == {"unreachable": 2}
        assert opened == []

    def test_a_private_network_is_a_setting_and_never_includes_link_local(self):
        private = AllowedServers(frozenset(), private=True)
        assert private.permits_address("10.1.2.3")
        assert not private.permits_address("169.254.169.254")
        assert not private.permits_address("127.0.0.1")

    def test_a_next_page_of_another_origin_is_not_followed(self, fetcher, ehr):
        with serving(EHR.create_ehr()) as elsewhere:

            @ehr.before_request
            def lead_away():
                link = {"relation": "next", "url": f"{elsewhere}/Condition"}
                return {"resourceType": "Bundle", "link": [link]}

            wanted = {"conditions": "Condition?patient=1"}
            fetched = fetcher.fetch(FhirServer(ehr.address, "secret"), wanted)
        assert len(fetched.answers["conditions"]) == 1

    def test_a_redirect_is_not_followed(self, fetcher, ehr):
        ehr.config["FAULT"] = "redirect"
        assert fetcher.fetch(FhirServer(ehr.address), WANTED).ends == {"redirected": 2}

    def test_the_token_goes_to_the_server_and_into_no_log(self, client, ehr, capsys):
        seen = []

        @ehr.before_request
        def note():
            from flask import request

            seen.append(request.headers.get("Authorization"))

        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        answer = ask(client, request_for(ehr, "new-fracture", draft))
        assert set(seen) == {"Bearer top-secret"}
        assert "top-secret" not in capsys.readouterr().err + json.dumps(answer)
        assert "top-secret" not in repr(FhirServer(ehr.address, "top-secret"))


class TestTooLittleToGoOn:
    BODY = hook_request(order(MRI_LUMBAR_WO), without=("conditions",))

    def post(self, on_too_little, **changes):
        app = create_app(Settings(on_too_little=on_too_little), today=lambda: TODAY)
        return app.test_client().post(SERVICE, json={**self.BODY, **changes})

    def test_silence_is_the_default_and_is_counted(self, capsys):
        assert self.post(Settings().on_too_little).get_json() == {"cards": []}
        assert "too-little-to-go-on" in capsys.readouterr().err

    def test_a_card_says_that_the_order_was_not_checked(self):
        (card,) = self.post("card").get_json()["cards"]
        assert card["indicator"] == "info"
        assert "not checked" in card["summary"]
        assert "suggestions" not in card

    def test_412_names_the_keys(self):
        answer = self.post("412")
        assert answer.status_code == 412
        assert "conditions" in answer.get_json()["issue"][0]["diagnostics"]

    @pytest.mark.parametrize("on_too_little", ["card", "412"])
    def test_on_order_select_it_stays_silent(self, on_too_little):
        assert self.post(on_too_little, hook="order-select").get_json() == {"cards": []}

    def test_conditions_that_are_fetched_are_something_to_go_on(self, ehr):
        body = request_for(ehr, "new-fracture", order(MRI_LUMBAR_W))
        app = create_app(Settings(on_too_little="412"), today=lambda: TODAY)
        assert rating(ask(app.test_client(), body)) == "not-appropriate"
