"""The service in this process, called through WSGI as a server would."""

import io
import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fuzz.calls import Call
from fuzz.promises import Answered, broken

TODAY = date(2026, 11, 21)


class LastLines(io.TextIOBase):
    """A stream that keeps only what was written last: the log, silenced."""

    def __init__(self) -> None:
        self.texts: deque[str] = deque(maxlen=20)

    def write(self, text: str) -> int:
        self.texts.append(text)
        return len(text)

    def fault(self) -> str:
        """Kind and place of the fault that was logged last."""
        for text in reversed(self.texts):
            if '"at"' in text:
                line = json.loads(text)
                return f"{line['kind']} at {line['at'][-1]}"
        return "that was not logged"


@dataclass(frozen=True)
class Result:
    """The status of a call (0 where an exception escaped), what is wrong with the answer, and
    whether it carried cards.
    """

    status: int
    problems: tuple[str, ...]
    cards: bool = False


class Target:
    """The service in open mode, which fetches nothing. Takes over standard error."""

    def __init__(self) -> None:
        self.log = sys.stderr = LastLines()
        from cds_service import create_app
        from cds_service.settings import Settings

        self.app: Callable = create_app(Settings(fetch_milliseconds=0), today=lambda: TODAY)

    def call(self, call: Call) -> Result:
        """Never raises."""
        self.log.texts.clear()
        try:
            answer = answered(self.app, call)
        except Exception as error:
            return Result(0, (f"{type(error).__name__} escaped",))
        problems = broken(call, answer)
        if answer.status == 500:
            problems = [f"500 {self.log.fault()}"]
        return Result(answer.status, tuple(problems), b'"indicator"' in answer.body)


def answered(app: Callable, call: Call) -> Answered:
    """The answer of a WSGI application. Raises what it raises."""
    got: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        got["status"] = int(status.split()[0])
        got["headers"] = {name.lower(): value for name, value in headers}

    pieces = app(_environ(call), start_response)
    try:
        body = b"".join(pieces)
    finally:
        getattr(pieces, "close", lambda: None)()
    return Answered(got["status"], got["headers"], body)


def _environ(call: Call) -> dict[str, Any]:
    headers = {"Host": "127.0.0.1:8000", **call.headers}
    if "Transfer-Encoding" not in headers and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(call.body))
    names = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in headers}
    names |= {"Content-Type": "CONTENT_TYPE", "Content-Length": "CONTENT_LENGTH"}
    return {
        "REQUEST_METHOD": call.method, "SCRIPT_NAME": "", "PATH_INFO": call.path,
        "QUERY_STRING": call.query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "wsgi.input_terminated": True, **{names[name]: value for name, value in headers.items()},
    }  # fmt: skip
