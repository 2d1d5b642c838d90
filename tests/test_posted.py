"""Large bodies, read into one buffer, from real connections that send them in every way."""

import json
import socket
import time

import pytest
from flask import Request
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from cds_service.web.posted import posted
from tests.front import head
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order
from tests.test_gunicorn import OPEN, PATH, start

__all__ = ["start"]
SMALL = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
LARGE = json.dumps({**SMALL, "extension": {"x": "y" * 300_000}}).encode()
MESSAGE = head(PATH, len(LARGE)) + b"\r\n" + LARGE
LESS = json.dumps(SMALL).encode()
SECOND = head(PATH, len(LESS)) + b"\r\n" + LESS


@pytest.fixture
def service(start):
    return start(**OPEN, WEB_CONCURRENCY="1")


@pytest.fixture
def connection(service):
    with socket.create_connection(service.address, 15) as made:
        yield made


def answers(connection, number):
    """The status and the cards of so many answers."""
    read, found = connection.makefile("rb"), []
    for _ in range(number):
        status = int(read.readline().split()[1])
        headers = dict(line.split(b": ", 1) for line in iter(read.readline, b"\r\n"))
        body = json.loads(read.read(int(headers[b"Content-Length"])))
        found.append((status, len(body.get("cards", []))))
    return found


@pytest.mark.parametrize("size", [1, 7, 1_000, 65_536, 299_999])
def test_in_pieces(connection, size):
    """The first piece often ends in the headers."""
    connection.sendall(MESSAGE[:size])
    time.sleep(0.05)
    connection.sendall(MESSAGE[size:-1])
    time.sleep(0.05)
    connection.sendall(MESSAGE[-1:])
    assert answers(connection, 1) == [(200, 1)]


@pytest.mark.parametrize("messages", [(MESSAGE, SECOND), (MESSAGE, MESSAGE), (SECOND, MESSAGE)])
def test_with_another_request_behind_it(connection, messages):
    connection.sendall(b"".join(messages))
    assert answers(connection, 2) == [(200, 1)] * 2


def test_one_after_the_other(connection):
    for _ in range(3):
        connection.sendall(MESSAGE)
        assert answers(connection, 1) == [(200, 1)]


def test_a_part_only(connection, service):
    """The client gives up writing: it is told so, and the log has no fault of ours."""
    connection.sendall(MESSAGE[:-1])
    connection.shutdown(socket.SHUT_WR)
    assert answers(connection, 1) == [(400, 0)]
    assert connection.recv(1) == b""
    assert '"error"' not in service.log


def test_more_than_is_read(connection):
    connection.sendall(head(PATH, 10_000_001) + b"\r\n" + b"x" * 100_000)
    assert answers(connection, 1) == [(413, 0)]


def test_in_chunks(connection):
    chunks = head(PATH, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"\r\n"
    for at in range(0, len(LARGE), 50_000):
        piece = LARGE[at : at + 50_000]
        chunks += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    connection.sendall(chunks + b"0\r\n\r\n")
    assert answers(connection, 1) == [(200, 1)]


def test_what_was_read_ahead_beyond_the_body_stays():
    """By gunicorn 27 that is never more than its header took in; another version may read more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = SocketUnreader(theirs)
        reader.unread(LARGE + b"GET")
        body = Body(LengthReader(reader, len(LARGE)))
        environ = {"CONTENT_LENGTH": str(len(LARGE)), "wsgi.input": body, "gunicorn.socket": theirs}
        assert posted(Request(environ)) == LARGE
        assert reader.take_buffered() == b"GET"
