"""Without nginx: sixty slow clients of one kind delay nobody, and are gone after some seconds."""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests

from tests import REAL_PROCESSES
from tests.test_gunicorn import HALF_A_BODY, HALF_A_HEADER, JSON, OPEN, PATH, eventually, start

pytestmark = REAL_PROCESSES
__all__ = ["start"]

MANY = 60
SECONDS = 12  # longer than a silent client is waited for
SLOWEST_SECONDS = 1.0
PAGES = b"GET /about HTTP/1.1\r\nHost: cds\r\n\r\n" * 20_000  # as much as there is room for
KINDS = {
    "silent": b"",
    "half a header": HALF_A_HEADER,
    "half a body": HALF_A_BODY,
    "slow readers of pages": PAGES,
}


def begin(address, number, message):
    """A connection from an address of its own, with a small window, on which this is sent."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.bind((f"127.0.0.{10 + number}", 0))
    made.settimeout(5)
    made.connect(address)
    made.settimeout(0)
    with suppress(OSError):
        made.send(message)
    return made


def is_ended(connection):
    """Whether the service has hung up; what it sends is not taken off."""
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def attackers(address, message):
    """So many at any time: who is ended comes again at once."""
    with ExitStack() as stack:
        held = {number: begin(address, number, message) for number in range(MANY)}
        done = threading.Event()

        def come_again():
            while not done.wait(0.1):
                for number, connection in held.items():
                    if is_ended(connection):
                        connection.close()
                        held[number] = begin(address, number, message)

        thread = threading.Thread(target=come_again)
        thread.start()
        stack.callback(lambda: [connection.close() for connection in held.values()])
        stack.callback(thread.join)
        stack.callback(done.set)
        yield held


@pytest.mark.parametrize("message", KINDS.values(), ids=KINDS)
def test_sixty_of_one_kind_delay_nobody(start, message):
    service = start(**OPEN)
    eventually(lambda: len(service.workers) == 2)
    alone = slowest_post(service, 2)
    with attackers(service.address, message):
        assert slowest_post(service, SECONDS) < SLOWEST_SECONDS + 3 * alone


def slowest_post(service, seconds):
    """How long the slowest one took of those that were posted in this time."""
    until, slowest = time.monotonic() + seconds, 0.0
    while time.monotonic() < until:
        begun = time.monotonic()
        assert service.post(timeout=5) == 200
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.05)
    return slowest


def test_an_answer_that_is_not_taken_off_is_given_up(start):
    """And the thread that wrote it is free again."""
    service = start(**OPEN, WEB_CONCURRENCY="1")
    with begin(service.address, 0, PAGES) as connection:
        until = time.monotonic() + 120
        while not is_given_up(connection):
            assert time.monotonic() < until
            time.sleep(0.5)
    assert "Traceback" not in service.log


def is_given_up(connection):
    """Whether nobody is there to read any more."""
    try:
        connection.send(PAGES[:1])
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def test_what_is_no_request_gets_an_outcome_and_the_log_quotes_nothing(start):
    service = start(**OPEN)
    for message, status in (
        (b"Zebediah\r\n\r\n", 400),
        (b"GET / HTTP/9.9 Zebediah\r\n\r\n", 400),
        (b"GET /Zebediah HTTP/1.1\r\nZebe diah: 1\r\n\r\n", 400),
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    ):
        with socket.create_connection(service.address) as connection:
            connection.settimeout(5)
            connection.sendall(message)
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()  # noqa: B023
        assert answer.startswith(f"HTTP/1.1 {status} ")
        assert '"resourceType":"OperationOutcome"' in answer
        assert "Zebe" not in answer
    assert "Zebe" not in service.log
    assert "Traceback" not in service.log


@pytest.mark.parametrize(
    "chunk", [b"zz\r\nab\r\n", b"-5\r\nab", b"5\r\nabc", b"ffffffffffffffffff\r\n"]
)
def test_a_wrong_chunk_is_no_fault_of_the_service(start, chunk):
    service = start(**OPEN)
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: {JSON['Content-Type']}\r\n"
    with socket.create_connection(service.address) as connection:
        connection.settimeout(15)
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"OperationOutcome" in answer
    assert requests.get(service.base + "/health", timeout=5).ok
