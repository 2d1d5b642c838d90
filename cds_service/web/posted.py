"""The body of a request, read into one buffer where that is possible.

gunicorn and Werkzeug copy a large body five times on its way to a view. An eighth of the cost of a
hook with 1.4 MB was that (`docs/performance.md`).
"""

import socket
from typing import Any

from flask import Request
from gunicorn.http.body import Body, LengthReader

SMALLEST = 32_000  # bytes; less is not worth it


def posted(request: Request) -> bytes | bytearray:
    """The whole body. Raises one of UNREADABLE where it does not come in full."""
    length, limit = request.content_length, request.max_content_length
    if length is None or length > (limit or length):
        return request.stream.read()  # in chunks, or refused
    body, whole = request.environ["wsgi.input"], None
    if length >= SMALLEST and _is_plain(body, request.environ):
        whole = _received(body.reader, request.environ["gunicorn.socket"], length)
    whole = body.read(length) if whole is None else whole
    if len(whole) < length:
        raise ConnectionResetError("the body did not come in full")
    return whole


def _is_plain(body: Any, environ: dict[str, Any]) -> bool:
    """Whether nothing of the body was read, and the rest comes from a socket without TLS."""
    is_gunicorns = type(body) is Body and type(body.reader) is LengthReader
    sent_by = environ.get("gunicorn.socket")
    return is_gunicorns and not body.buf.tell() and type(sent_by) is socket.socket


def _received(reader: LengthReader, sent_by: socket.socket, length: int) -> bytearray | None:
    """The body; None, and nothing is taken, where more is there than the body."""
    there = reader.unreader.take_buffered()
    if len(there) > length or reader.length != length:
        reader.unreader.unread(there)
        return None
    whole = bytearray(length)
    whole[: len(there)] = there
    at, view = len(there), memoryview(whole)
    while at < length:
        received = sent_by.recv_into(view[at:], 0, socket.MSG_WAITALL)
        if not received:
            raise ConnectionResetError("the body did not come in full")
        at += received
    reader.length = 0
    return whole
