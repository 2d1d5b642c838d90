"""The answer to what gunicorn cannot read: an OperationOutcome, as for any other failure."""

import socket
from contextlib import suppress
from http import HTTPStatus

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from msgspec.json import encode

from cds_service.web.log import log

STATUS = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}
# What the reading of a body raises under gunicorn: a wrong chunk, or a client that has gone.
UNREADABLE = (OSError, ParseException)


def answer_unreadable(connection: socket.socket, error: Exception) -> None:
    """Sends it, if that can be done at once. The log says what kind of error it is, and nothing of
    what was sent.
    """
    ours = not isinstance(error, UNREADABLE)
    status = STATUS.get(type(error), HTTPStatus.BAD_REQUEST)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if ours else status
    log("unreadable", kind=type(error).__name__, status=status)
    text = "This is no request that can be read."
    issue = {"severity": "error", "code": "structure", "diagnostics": text}
    body = encode({"resourceType": "OperationOutcome", "issue": [issue]})
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with suppress(OSError):
        connection.setblocking(False)
        connection.send(head.encode() + body)
