"""What operators rely on: limits, headers, the log, metrics and traces."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.web.log import log
from tests import REAL_PROCESSES
from tests.small_world import (
    CT_LUMBAR_W,
    FRACTURE,
    LOINC,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    condition,
    hook_request,
    order,
)
from tests.test_access import BASE, ISSUER, call, clients_file, token

pytestmark = REAL_PROCESSES

SERVICE = "/cds-services/vcf-appropriateness"
BODY = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("devices",))


@pytest.fixture
def client():
    return create_app(Settings(metrics_token="let-me-in")).test_client()  # noqa: S106


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/", "/about", "/guidelines/acr-vcf-2022", "/cds-services", "/x"]
    )
    def test_every_answer_tells_the_browser_what_it_may_do(self, client, path):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in headers

    def test_no_answer_of_the_service_is_kept_by_a_cache(self, client):
        assert client.post(SERVICE, json=BODY).headers["Cache-Control"] == "no-store"

    def test_other_origins_may_call_only_if_they_are_named(self):
        named = create_app(Settings(cors_origins=("https://ehr.example.org",))).test_client()
        for origin, allowed in (("https://ehr.example.org", True), ("https://evil.test", False)):
            headers = named.get("/cds-services", headers={"Origin": origin}).headers
            assert (headers.get("Access-Control-Allow-Origin") == origin) == allowed

    def test_without_origins_nobody_may(self):
        strict = create_app(Settings(cors_origins=())).test_client()
        headers = strict.get("/cds-services", headers={"Origin": "https://evil.test"}).headers
        assert "Access-Control-Allow-Origin" not in headers


class TestLimits:
    def test_more_resources_than_are_read_are_refused(self):
        client = create_app(Settings(max_resources=2, store=False)).test_client()
        body = hook_request(order(MRI_LUMBAR_W), conditions=[condition(PAIN)] * 2)
        answer = client.post(SERVICE, json=body)
        assert answer.status_code == 413
        assert "more than 2 resources" in answer.get_json()["issue"][0]["diagnostics"]

    def test_a_client_has_so_many_requests_a_minute(self, tmp_path):
        text = f'[a]\niss = ["{ISSUER}"]\njwks = "keys.json"\nrequests_per_minute = 2\n'
        file = clients_file(tmp_path, text)
        settings = Settings(open=False, clients=file, data=tmp_path / "d", public_url=BASE)
        client = create_app(settings).test_client()
        assert [call(client, token()).status_code for _ in range(3)] == [200, 200, 429]
        answer = call(client, token())
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.get_json()["resourceType"] == "OperationOutcome"


class TestLog:
    def test_one_line_per_request_with_what_happened(self, client, capsys):
        client.post(SERVICE, json=BODY)
        (line,) = capsys.readouterr().err.splitlines()
        entry = json.loads(line)
        assert entry["event"] == "request"
        assert entry["route"] == "/cds-services/<service_id>"
        assert entry["client"] == "open"
        assert entry["hook"] == "order-sign"
        assert entry["missing"] == ["devices"]
        assert entry["bytes_in"] > 500
        assert entry["bytes_out"] > 500
        assert set(entry["milliseconds"]) == {"all", "read", "answer", "keep", "write"}
        (outcome,) = entry["orders"]
        assert outcome["topic"] == "variant1"
        assert outcome["card"] == "warning"

    @pytest.mark.parametrize("method", ["ZEBEDIAH", "\u202e", "\x9b"])
    def test_a_method_that_there_is_not_is_not_repeated(self, client, capsys, method):
        client.open("/", method=method)
        written = capsys.readouterr().err
        assert json.loads(written)["method"] == "other"

    def test_a_line_is_ascii(self, capsys):
        log("test", said="\u202eabc\x9b")
        written = capsys.readouterr().err
        assert written.isascii()
        assert json.loads(written)["said"] == "\u202eabc\x9b"

    def test_a_path_that_is_not_known_is_not_repeated(self, client, capsys):
        client.get("/Patient/maria-muster")
        line = capsys.readouterr().err
        assert '"route":"unknown"' in line
        assert "maria" not in line


def metric(client, name):
    page = client.get("/metrics", headers={"Authorization": "Bearer let-me-in"}).get_data(True)
    return sum(float(ln.rsplit(" ", 1)[1]) for ln in page.splitlines() if ln.startswith(name))


class TestMetrics:
    @pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}])
    def test_they_are_not_there_without_the_token(self, client, given):
        assert client.get("/metrics", headers=given).status_code == 404

    def test_they_are_not_there_where_no_token_is_set(self):
        plain = create_app(Settings()).test_client()
        assert plain.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    COUNTED = {
        'cds_requests_total{route="/cds-services/<service_id>",status="200"}': BODY,
        'cds_cards_total{indicator="warning",topic="variant1"}': BODY,
        'cds_ratings_total{rating="not-appropriate"}': BODY,
        'cds_orders_total{relevance="relevant",subject="rated"}': BODY,
        'cds_missing_data_total{kind="devices"}': BODY,
        'cds_unresolved_facts_total{fact="malignancy"}': hook_request(
            order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",)
        ),
        'cds_orders_passed_over_total{why="not-ours"}': hook_request(order((LOINC, "30746-2"))),
        'cds_orders_passed_over_total{why="conflicting-codes"}': hook_request(
            order(CT_LUMBAR_W, MRI_LUMBAR_WO)
        ),
        'cds_conflicting_codes_total{system="http://www.ama-assn.org/go/cpt"}': hook_request(
            order(CT_LUMBAR_W, MRI_LUMBAR)
        ),
        'cds_unmapped_codes_total{system="http://loinc.org"}': hook_request(
            order((LOINC, "30746-2"))
        ),
        'cds_unmapped_codes_total{system="other"}': hook_request(order(("urn:local", "MR17"))),
    }

    @pytest.mark.parametrize(("name", "body"), COUNTED.items(), ids=COUNTED)
    def test_what_happens_is_counted(self, client, name, body):
        before = metric(client, name)
        client.post(SERVICE, json=body)
        assert metric(client, name) == before + 1

    def test_refusals_are_counted_by_check(self, client, tmp_path):
        before = metric(client, 'cds_refusals_total{check="missing"}')
        file = clients_file(tmp_path)
        settings = Settings(open=False, clients=file, data=tmp_path / "d", public_url=BASE)
        call(create_app(settings).test_client(), None)
        assert metric(client, 'cds_refusals_total{check="missing"}') == before + 1


class TestTracing:
    def test_without_an_endpoint_nothing_is_imported(self):
        code = (
            "import sys, io; sys.stderr = io.StringIO()\n"
            "from cds_service import create_app; from cds_service.settings import Settings\n"
            f"create_app(Settings()).test_client().post({SERVICE!r}, json={BODY!r})\n"
            "print([m for m in sys.modules if m.startswith('opentelemetry')])"
        )
        run = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "[]"

    def test_with_an_endpoint_spans_are_sent_and_hold_nothing_of_the_patient(self):
        received = []

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                """Quiet."""

        server = HTTPServer(("127.0.0.1", 0), Collector)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        code = (
            "from cds_service import create_app; from cds_service.settings import Settings\n"
            f"create_app(Settings()).test_client().post({SERVICE!r}, json={BODY!r})\n"
        )
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "PATH": "",
        }
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, env=environment, check=True
        )
        server.shutdown()
        server.server_close()
        sent = b"".join(received)
        assert b"hook" in sent
        assert b"variant1" in sent
        for secret in (b"maria", b"order-1", b"42942008", b"72149"):
            assert secret not in sent
