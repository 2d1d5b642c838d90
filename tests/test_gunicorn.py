"""The service under a real gunicorn: what signals, silent clients and lost workers do to others."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
import requests
from gunicorn.workers.gthread import ThreadWorker

from cds_service.worker import BUSY, Worker
from tests import REAL_PROCESSES
from tests.local_server import serving
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, ROOT, hook_request, order
from tests.test_access import BASE, ISSUER, clients_file, token
from tests.test_fetch import EHR, KEYS, rating, request_for

pytestmark = REAL_PROCESSES

PATH = "/cds-services/vcf-appropriateness"
BODY = json.dumps(hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))).encode()
JSON = {"Content-Type": "application/json"}
HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n"
).encode()
HALF_A_HEADER = HEAD[:60]
HALF_A_BODY = HEAD + b"\r\n" + BODY[: len(BODY) // 2]
LAST_REQUEST = HEAD + b"Connection: close\r\n\r\n" + BODY
OPEN = {"CDS_AUTH": "open"}
MANY = 30  # fewer than one worker has threads, since one may take in all of them
AT_ONCE_SECONDS = 1.5  # milliseconds as a rule
PATIENCE_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition):
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def command(*options):
    return [sys.executable, "-m", "gunicorn", "cds_service:create_app()", *options]


def environment(folder, settings):
    """Nothing of this process: only the settings, and a home of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    own = {"HOME": str(home), "TMPDIR": str(folder), "CDS_DATA": str(folder / "data")}
    return {"PATH": os.environ["PATH"], **own, **settings}


class Service:
    """gunicorn as it runs in production, with what it writes to standard error."""

    def __init__(self, folder, settings):
        port = settings.get("PORT") or free_port()
        options = () if "PORT" in settings else ("--bind", f"127.0.0.1:{port}")
        self.address, self.base = ("127.0.0.1", int(port)), f"http://127.0.0.1:{port}"
        self.environment = environment(folder, settings)
        self._log = folder / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own command
                command(*options), cwd=ROOT, env=self.environment, stderr=log
            )

    @property
    def log(self):
        return self._log.read_text("utf-8")

    @property
    def workers(self):
        """The ids of all workers so far, in the order of their start."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log)]

    @property
    def gone(self):
        """How many workers have ended as they should."""
        return self.log.count("Worker exiting")

    def reload(self):
        """New workers take over; returns when the old ones are gone."""
        started, gone = len(self.workers), self.gone
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(self.workers) >= started + 2 and self.gone >= gone + 2)

    def post(self, bearer=None, session=requests, timeout=PATIENCE_SECONDS):
        headers = {**JSON, "Authorization": f"Bearer {bearer}"} if bearer else JSON
        return session.post(
            self.base + PATH, data=BODY, headers=headers, timeout=timeout
        ).status_code

    def is_up(self):
        assert self.process.poll() is None, self.log
        try:
            return requests.get(self.base + "/health", timeout=PATIENCE_SECONDS).ok
        except requests.ConnectionError:
            return False


@pytest.fixture
def start(tmp_path):
    """Starts the service with these settings; it is stopped after the test."""
    with ExitStack() as stack:

        def begin(**settings):
            service = Service(tmp_path, settings)
            stack.callback(stop, service.process)
            eventually(service.is_up)
            return service

        yield begin


def stop(process):
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def clients_that_send(service, *messages):
    """One connection for each message, on which nothing more is sent; nor is it closed."""
    with ExitStack() as stack:
        connections = []
        for message in messages:
            connection = stack.enter_context(socket.create_connection(service.address))
            connection.settimeout(PATIENCE_SECONDS)
            connection.sendall(message)
            connections.append(connection)
        yield connections


def all_that_comes(connection):
    """What the service sends until it hangs up."""
    received = b""
    while more := connection.recv(65536):
        received += more
    return received


@contextmanager
def under_load(service, session=lambda: requests):
    """Four threads post one hook after the other; gives how each post ended."""
    ends, done = [], threading.Event()

    def post_on():
        through = session()
        while not done.is_set():
            try:
                ends.append(service.post(session=through))
            except requests.RequestException as error:
                ends.append(repr(error))

    def twenty_more():
        enough = ends.count(200) + 20
        eventually(lambda: ends.count(200) >= enough)

    with ThreadPoolExecutor(4) as pool:
        posting = [pool.submit(post_on) for _ in range(4)]
        try:
            twenty_more()
            yield ends
            twenty_more()
        finally:
            done.set()
    for thread in posting:
        thread.result()


def failures(ends):
    return [end for end in ends if end != 200]


def sockets_of(worker):
    return sum(_is_socket(file) for file in Path(f"/proc/{worker}/fd").iterdir())


def _is_socket(file):
    """Not one that was closed in between."""
    with suppress(FileNotFoundError):
        return os.readlink(file).startswith("socket:")
    return False


@contextmanager
def asleep(worker):
    """A worker that answers nobody while the block runs, so that another one has to."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


class TestSilentClients:
    def test_half_sent_requests_block_nobody_and_are_ended(self, start):
        """Others are answered at once while they wait, when they are ended, and after that."""
        service = start(**OPEN)
        halves = [HALF_A_BODY, HALF_A_HEADER] * (MANY // 2)
        with clients_that_send(service, *halves) as connections, ThreadPoolExecutor(MANY) as pool:
            ended = [pool.submit(all_that_comes, connection) for connection in connections]
            while not all(end.done() for end in ended):
                assert service.post(timeout=AT_ONCE_SECONDS) == 200
                time.sleep(0.05)
            assert service.post(timeout=AT_ONCE_SECONDS) == 200
        assert {end.result()[:12] for end in ended} == {b"HTTP/1.1 400", b""}

    def test_a_client_that_trickles_is_ended_at_the_deadline(self, start):
        """Each byte comes before the silence would count, and the request still has its end."""
        service = start(**OPEN)
        with clients_that_send(service, HALF_A_BODY) as (connection,):
            connection.settimeout(0.5)
            started = time.monotonic()
            while time.monotonic() - started < PATIENCE_SECONDS:
                with suppress(TimeoutError):
                    connection.sendall(b" ")
                    connection.recv(1)  # comes, or the end does, when the service has had enough
                    break
            assert 5 < time.monotonic() - started < PATIENCE_SECONDS

    def test_clients_that_do_not_hang_up_block_nobody(self, start):
        """Even the only worker goes on at once after an answer with Connection: close."""
        service = start(**OPEN, WEB_CONCURRENCY="1")
        with clients_that_send(service, *[LAST_REQUEST] * 4) as connections:
            answers = [all_that_comes(connection) for connection in connections]
            assert service.post(timeout=AT_ONCE_SECONDS) == 200
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


class TestConnections:
    def test_the_worker_with_fewer_takes_the_next(self, start):
        service = start(**OPEN)
        eventually(lambda: len(service.workers) == 2)
        busy, idle = service.workers
        with ExitStack() as stack:
            with asleep(idle):
                stack.enter_context(clients_that_send(service, *[HALF_A_BODY] * 10))
                eventually(lambda: sockets_of(busy) >= 10)
            before = sockets_of(idle)
            for _ in range(10):
                stack.enter_context(clients_that_send(service, HALF_A_BODY))
                time.sleep(0.02)
            eventually(lambda: sockets_of(idle) - before > 5)  # most of the ten

    def test_threads_take_quick_turns_only_while_the_worker_is_busy(self, monkeypatch):
        """A refusal waits for the hook at work, a turn each time."""
        worker = object.__new__(Worker)
        monkeypatch.setattr(ThreadWorker, "accept", lambda worker, listener: None)
        usual, worker.nr_conns = sys.getswitchinterval(), 0
        worker.since = dict.fromkeys(range(BUSY))
        worker.accept(None)
        while_busy = sys.getswitchinterval()
        worker.since = {}
        worker.accept(None)
        assert while_busy < usual / 10
        assert sys.getswitchinterval() == usual

    @pytest.mark.parametrize(("at_work", "answered"), [(0, 3), (BUSY, 1)])
    def test_a_thread_stays_with_its_client_unless_others_wait(
        self, monkeypatch, at_work, answered
    ):
        """A client sends three requests, each after the answer to the one before."""
        ours, its = socket.socketpair()
        worker, seen = object.__new__(Worker), []
        worker.alive, worker.since = True, dict.fromkeys(range(at_work))

        def answer(worker, conn):
            seen.append(conn.sock.recv(1))
            its.sendall(b"n" if len(seen) < 3 else b"")
            return True

        monkeypatch.setattr(ThreadWorker, "handle", answer)
        with ours, its:
            its.sendall(b"f")
            assert worker.handle(Mock(sock=ours, initialized=True)) is True
        assert len(seen) == answered

    def test_a_stopping_worker_takes_no_more_of_a_kept_connection(self, start):
        """It is told so, and hung up on, within the grace that it has."""
        service = start(**OPEN, WEB_CONCURRENCY="1")
        with ThreadPoolExecutor(1) as pool, requests.Session() as session:
            service.post(session=session)
            service.process.terminate()
            stopped = pool.submit(service.process.wait, PATIENCE_SECONDS)
            with suppress(requests.ConnectionError):
                while not stopped.done():
                    service.post(session=session)
            assert stopped.result() == 0


class TestReload:
    @pytest.mark.parametrize(
        "session", [lambda: requests, requests.Session], ids=["new connections", "kept connections"]
    )
    def test_under_load_no_request_fails(self, start, session):
        """SIGHUP twice, while four clients post without a pause."""
        service = start(**OPEN)
        with under_load(service, session) as ends:
            service.reload()
            service.reload()
        assert failures(ends) == []

    def test_the_clients_file_is_taken_anew(self, start, tmp_path):
        """Nobody is known at first; after SIGHUP the new client is."""
        file = tmp_path / "clients.toml"
        file.write_text("")
        service = start(CDS_CLIENTS=str(file), CDS_PUBLIC_URL=BASE)
        assert service.post(token()) == 401
        clients_file(tmp_path)
        assert service.post(token()) == 401
        service.reload()
        assert service.post(token()) == 200

    def test_a_clients_file_that_became_wrong_is_not_taken(self, start, tmp_path):
        """The clients of the start go on, and the log says what is wrong."""
        file = clients_file(tmp_path)
        service = start(CDS_CLIENTS=str(file), CDS_PUBLIC_URL=BASE)
        file.write_text("[hospital\n")
        service.reload()
        assert service.post(token()) == 200
        assert "clients-file-not-taken" in service.log


class TestStop:
    def test_requests_under_way_are_finished(self, start):
        """SIGTERM while two hooks wait for a FHIR server; exit status 0."""
        service = start(**OPEN, CDS_FETCH_MILLISECONDS="5000")
        ehr = EHR.create_ehr(latency=0.4)
        with serving(ehr) as ehr.address, ThreadPoolExecutor(2) as pool:
            body = request_for(ehr, "new-fracture", order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))

            def post():
                return requests.post(service.base + PATH, json=body, timeout=PATIENCE_SECONDS)

            waiting = [pool.submit(post) for _ in range(2)]
            eventually(lambda: len(ehr.extensions["seen"]) == 2 * len(KEYS))
            service.process.terminate()
            assert not any(each.done() for each in waiting)
            answers = [each.result() for each in waiting]
            assert [rating(answer.json()) for answer in answers] == ["not-appropriate"] * 2
            assert service.process.wait(PATIENCE_SECONDS) == 0


class TestLostWorker:
    def test_it_costs_no_more_than_its_requests_under_way(self, start):
        """kill -9 of the only worker: one failure at most for each of the four clients."""
        service = start(**OPEN, WEB_CONCURRENCY="1")
        with under_load(service) as ends:
            os.kill(service.workers[0], signal.SIGKILL)
            eventually(lambda: len(service.workers) == 2)
        assert len(failures(ends)) <= 4


class TestSettings:
    def test_port_and_number_of_workers(self, start):
        """PORT and WEB_CONCURRENCY are honoured."""
        service = start(**OPEN, PORT=str(free_port()), WEB_CONCURRENCY="3")
        eventually(lambda: len(service.workers) == 3)
        assert f"Listening at: http://0.0.0.0:{service.address[1]}" in service.log

    @pytest.mark.parametrize(
        ("settings", "scheme"), [({}, "http"), ({"FORWARDED_ALLOW_IPS": "127.0.0.1"}, "https")]
    )
    def test_forwarded_headers_count_only_from_addresses_that_are_named(
        self, start, settings, scheme
    ):
        """Seen in the link of the card, which is made from the address of the request."""
        service = start(**OPEN, **settings)
        headers = {**JSON, "X-Forwarded-Proto": "https"}
        answer = requests.post(service.base + PATH, data=BODY, headers=headers, timeout=20)
        (link,) = answer.json()["cards"][0]["links"]
        assert link["url"].startswith(f"{scheme}://127.0.0.1")

    def test_every_line_of_the_log_is_json(self, start):
        service = start(**OPEN)
        service.post()
        service.reload()
        lines = [json.loads(line) for line in service.log.splitlines()]
        assert {line["event"] for line in lines} >= {"server", "request"}
        assert any(line.get("said", "").startswith("Booting worker") for line in lines)

    def test_folders_of_metrics_of_one_that_was_killed_are_removed(self, start, tmp_path):
        """Those of a service that runs, and of others, are left alone."""
        running, killed = (f"cds-metrics-{pid}-x" for pid in (os.getpid(), 999_999_999))
        for name in (running, killed, "cds-metrics-of-others"):
            (tmp_path / name).mkdir()
        start(**OPEN, TMPDIR=str(tmp_path))
        left = {path.name for path in tmp_path.glob("cds-metrics-*")}
        assert killed not in left
        assert {running, "cds-metrics-of-others"} <= left
        assert len(left) == 3

    def test_no_control_socket_is_made(self, start, tmp_path):
        """The home folder stays empty; after a reload it would be there, were it made."""
        start(**OPEN).reload()
        assert list((tmp_path / "home").rglob("*")) == []

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"CDS_AUTH": "open", "CDS_MAPPINGS": "empty"}, "topics: no topic found"),
            ({"CDS_CLIENTS": "wrong.toml"}, "wrong.toml: "),
            ({"CDS_CLIENTS": "none.toml"}, "none.toml: "),
            ({"CDS_AUTH": "maybe"}, "CDS_AUTH"),
        ],
        ids=["empty mappings", "wrong clients", "no clients file", "wrong setting"],
    )
    def test_a_wrong_one_stops_the_start(self, tmp_path, settings, told):
        """At once, with an exit status and a message that say so."""
        (tmp_path / "empty").mkdir()
        (tmp_path / "wrong.toml").write_text("[a\n")
        files = ("CDS_MAPPINGS", "CDS_CLIENTS")
        settings = {k: str(tmp_path / v) if k in files else v for k, v in settings.items()}
        ended = subprocess.run(  # noqa: S603  our own command
            command("--bind", f"127.0.0.1:{free_port()}"),
            cwd=ROOT,
            env=environment(tmp_path, settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert ended.returncode != 0
        assert told in ended.stderr


class TestKeyServer:
    def test_one_that_hangs_costs_other_clients_nothing(self, start, tmp_path):
        """70 tokens of a client whose key server takes connections and says nothing."""
        with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
            text = (
                f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'
                '[clinic]\niss = ["https://clinic.test"]\n'
                f'jku = ["https://127.0.0.1:{silent.getsockname()[1]}/"]\n'
            )
            service = start(CDS_CLIENTS=str(clients_file(tmp_path, text)), CDS_PUBLIC_URL=BASE)
            with ThreadPoolExecutor(70) as pool:
                clinic = [token(iss="https://clinic.test") for _ in range(70)]
                waiting = [pool.submit(service.post, bearer) for bearer in clinic]
                for _ in range(20):
                    assert service.post(token(), timeout=AT_ONCE_SECONDS) == 200
                    time.sleep(0.1)
                assert {end.result() for end in waiting} == {401}


class TestUsedTokens:
    @pytest.fixture
    def service(self, start, tmp_path):
        service = start(CDS_CLIENTS=str(clients_file(tmp_path)), CDS_PUBLIC_URL=BASE)
        eventually(lambda: len(service.workers) == 2)
        return service

    def test_another_worker_refuses_it_too(self, service):
        """While either worker sleeps the other one has to answer."""
        first, second = service.workers
        bearer = token()
        with asleep(second):
            assert service.post(bearer) == 200
        with asleep(first):
            assert service.post(bearer) == 401
            assert service.post(token()) == 200

    def test_of_many_posts_at_once_one_passes(self, service):
        bearer = token()
        with ThreadPoolExecutor(16) as pool:
            statuses = Counter(pool.map(service.post, [bearer] * 16))
        assert statuses == {200: 1, 401: 15}
