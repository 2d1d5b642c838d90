"""The real nginx, with the file that we ship, before the real gunicorn."""

import http.client
import json
import re
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from socket import create_connection, socket

import pytest

from cds_service.settings import Settings
from tests import REAL_PROCESSES
from tests.front import HOST, NGINX, front, head
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, ROOT, hook_request, order
from tests.test_gunicorn import OPEN, PATH, PATIENCE_SECONDS, Service, eventually, free_port, stop

pytestmark = [
    REAL_PROCESSES,
    pytest.mark.skipif(not NGINX, reason="no nginx: apt-get install nginx"),
]

CONF = (ROOT / "deploy/nginx.conf").read_text("utf-8")
HOOK = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
STRANGER = "127.66.0.1"
JSON = {"Content-Type": "application/json"}
SECRET = "Zebediah"  # noqa: S105  what stands in queries, and is to be nowhere


class Client:
    """Asks the front from one address of this machine."""

    def __init__(self, front, address=HOST):
        self.front, self.address = front, address
        self.context = ssl.create_default_context(cafile=front.certificate)

    def connection(self):
        return http.client.HTTPSConnection(
            HOST,
            self.front.port,
            timeout=PATIENCE_SECONDS,
            context=self.context,
            source_address=(self.address, 0),
        )

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, headers=headers)

    def post(self, body, **headers):
        return self.ask("POST", PATH, body, {**JSON, **headers})

    def begin(self, message):
        """A connection on which this is sent, and no more."""
        plain = create_connection((HOST, self.front.port), source_address=(self.address, 0))
        made = self.context.wrap_socket(plain, server_hostname=HOST)
        made.settimeout(PATIENCE_SECONDS)
        made.sendall(message)
        return made


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One that has all its passwords."""
    folder = tmp_path_factory.mktemp("service")
    passwords = {"CDS_METRICS_TOKEN": "m-token", "CDS_DASHBOARD_TOKEN": "d-token"}
    started = Service(folder, {**OPEN, **passwords})
    try:
        eventually(started.is_up)
        yield started
    finally:
        stop(started.process)


@pytest.fixture(scope="module")
def place(tmp_path_factory, service):
    """The front of that service."""
    with front(tmp_path_factory.mktemp("front"), free_port(), service.address[1]) as started:
        yield started


@pytest.fixture
def good(place):
    return Client(place)


@pytest.fixture
def stranger(place):
    return Client(place, STRANGER)


def assert_outcome(answer, status):
    told, headers, body = answer
    assert told == status
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["resourceType"] == "OperationOutcome"


class TestWhatPasses:
    def test_hooks_and_pages(self, good):
        status, _, body = good.post(json.dumps(HOOK).encode())
        assert status == 200
        assert len(json.loads(body)["cards"]) == 1
        for path in ("/", "/about", "/health", "/ready", "/cds-services"):
            assert good.get(path)[0] == 200

    def test_links_are_those_of_the_client(self, good, place):
        _, _, body = good.post(json.dumps(HOOK).encode())
        (link,) = json.loads(body)["cards"][0]["links"]
        assert link["url"].split("/")[2] == f"{HOST}:{place.port}"

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_only_what_is_of_this_time(self, place):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with create_connection((HOST, place.port)) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)

    def test_metrics_and_dashboard_ask_for_what_their_settings_say(self, good):
        assert good.get("/metrics")[0] == 404
        assert good.get("/metrics", Authorization="Bearer m-token")[0] == 200
        assert good.get("/dashboard")[0] == 401
        assert good.get("/dashboard", Authorization="Bearer d-token")[0] == 200

    def test_their_passwords_are_not_guessed_quickly(self, stranger):
        told = [stranger.get("/dashboard", Authorization=f"Bearer {n}")[0] for n in range(30)]
        assert told.count(429) >= 15


class TestBodies:
    def test_the_limit_is_that_of_the_service(self, good):
        assert re.search(r"client_max_body_size (\d+);", CONF)[1] == str(Settings.max_body_bytes)
        assert_outcome(good.post(b"x" * (Settings.max_body_bytes + 1)), 413)

    def test_the_largest_answer_is_taken_off_at_once(self):
        buffers, size = map(int, re.search(r"proxy_buffers (\d+) (\d+)k;", CONF).groups())
        assert buffers * size * 1024 > Settings.max_answer_bytes

    def test_nothing_is_written_to_a_disk(self, good, place):
        """Neither a chart that comes in slowly, nor an answer that nobody reads."""
        text = json.dumps({**HOOK, "extension": {"x": SECRET * 100_000}}).encode()
        begun = head(PATH, len(text)) + b"\r\n" + text[: len(text) // 2]
        with good.begin(begun), good.begin(head(PATH, len(text)) + b"\r\n" + text):
            eventually(lambda: files_of(place.process))
            for file in files_of(place.process):
                assert file.startswith("/dev/shm/")  # noqa: S108
        assert not [f for f in place.folder.rglob("*") if f.is_file() and SECRET in text_of(f)]

    def test_what_goes_to_files_at_all_goes_to_a_tmpfs(self):
        assert "proxy_max_temp_file_size 0;" in CONF
        assert re.findall(r"\w+_temp_path (\S+);", CONF) == ["/dev/shm/nginx-body"]  # noqa: S108


def files_of(process):
    """Where nginx has files of bodies open."""
    found = subprocess.run(  # noqa: S603  our own command
        ["/bin/sh", "-c", f"ls -l /proc/{process}/fd /proc/*/fd 2>/dev/null | grep nginx-body"],
        capture_output=True,
        text=True,
        check=False,
    )
    return re.findall(r"-> (/\S+)", found.stdout)


def text_of(file):
    return file.read_bytes().decode("latin-1")


class TestTime:
    @pytest.mark.parametrize("message", [b"GET / HT", head(PATH, 1_000) + b"\r\n{"])
    def test_who_falls_silent_is_hung_up_on(self, stranger, message):
        with stranger.begin(message) as connection:
            while connection.recv(65_536):
                pass

    def test_half_a_body_never_reaches_the_service(self, stranger, service):
        before = service.log.count("POST")
        with stranger.begin(head(PATH, 1_000) + b"\r\n{") as connection:
            while connection.recv(65_536):
                pass
        assert service.log.count("POST") == before


class TestLimits:
    MANY = 40  # connections; an address may have 32 requests

    def at_once(self, client):
        """How many of many half-sent requests are refused."""
        with ExitStack() as stack:
            message = head(PATH, 1_000) + b"\r\n{"
            begun = [stack.enter_context(client.begin(message)) for _ in range(self.MANY)]
            for connection in begun:
                connection.settimeout(1)
            with ThreadPoolExecutor(self.MANY) as pool:
                return sum(b"429" in said for said in pool.map(first, begun))

    def test_an_address_has_so_many_requests_at_once(self, stranger):
        assert self.at_once(stranger) == self.MANY - 32

    def test_an_ehr_has_more(self, good):
        assert self.at_once(good) == 0

    def test_beyond_a_rate_the_hooks_of_strangers_wait_and_those_of_ehrs_do_not(self, good, place):
        strangers = [Client(place, f"127.66.1.{n % 20 + 1}") for n in range(130)]
        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(lambda client: client.post(b"{}")[0], [good] * 300))
            before = place.log.count('"limit":"DELAYED"')
            statuses += list(pool.map(lambda client: client.post(b"{}")[0], strangers))
        assert set(statuses) == {400}
        assert before == 0
        eventually(lambda: place.log.count('"limit":"DELAYED"') >= 20)

    def test_what_is_refused_says_when_to_come_again(self, stranger):
        with ThreadPoolExecutor(self.MANY) as pool:
            answers = list(pool.map(lambda _: stranger.get("/about"), range(4 * self.MANY)))
        refused = [answer for answer in answers if answer[0] == 429]
        assert refused
        assert_outcome(refused[0], 429)
        assert refused[0][1]["Retry-After"] == "1"


def first(connection):
    """What comes first, if anything does soon."""
    try:
        return connection.recv(100)
    except TimeoutError:
        return b""


class TestLog:
    def test_no_query_and_no_unknown_path_is_in_it(self, good, place):
        """Nor where nginx refuses, or the service does."""
        good.get(f"/about?name={SECRET}")
        good.get(f"/Patient/{SECRET}")
        good.ask("POST", f"{PATH}?name={SECRET}", b"x" * (Settings.max_body_bytes + 1), JSON)
        good.get(f"/about?{SECRET * 1_500}")
        with socket() as plain:
            plain.connect((HOST, place.port))
            plain.sendall(f"GET /?{SECRET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            plain.recv(1_000)
        eventually(lambda: place.log.count('"status":413') >= 1)
        assert '"route":"/about"' in place.log
        assert '"route":"other"' in place.log
        assert SECRET not in place.log

    def test_each_line_is_json(self, good, place):
        good.get("/health")
        lines = (place.folder / "access.log").read_text("utf-8").splitlines()
        assert all(json.loads(line)["event"] == "front" for line in lines)


def test_a_service_that_is_down_is_told(tmp_path):
    with front(tmp_path, free_port(), free_port()) as alone:
        answer = Client(alone).get(f"/about?name={SECRET}")
        assert_outcome(answer, 502)
        assert answer[1]["Retry-After"] == "1"
        assert SECRET not in alone.log
