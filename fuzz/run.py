"""`make fuzz`: odd requests at the service, in this process, drawn by hypothesis; then some that
are made of `/openapi.json`, whose answers are compared with it.

It makes smaller what breaks a promise, and shows the call. The same seed draws the same calls.
"""

import argparse
import sys
from collections import Counter
from contextlib import redirect_stderr
from datetime import date
from functools import cache
from io import BytesIO, StringIO
from multiprocessing import cpu_count, get_context
from time import process_time

from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.progress import track

from cds_service import create_app
from cds_service.settings import Settings
from fuzz.calls import Call, calls
from fuzz.promises import Answer, broken_promise

TODAY = date(2026, 11, 21)
PART = 1_000  # hypothesis remembers what it drew
LEAST_WITH_CARDS = 0.1
SHARE = 500  # so many requests for one of each kind by schemathesis, which is slow


def run(requests: int, chosen_seed: int, processes: int = 1) -> Counter[str]:
    """What was answered how often. Raises AssertionError with the smallest call that shows what
    is wrong.
    """
    starts = range(0, requests, PART)
    parts = [(f"{chosen_seed}-{start}", min(PART, requests - start)) for start in starts]
    with get_context("spawn").Pool(processes) as pool:
        found = track(pool.imap(run_part, parts), f"{requests} requests", len(parts))
        seen = sum(found, Counter())
    assert seen["with cards"] > LEAST_WITH_CARDS * requests, f"too few answers with cards: {seen}"
    return seen


def run_part(part: tuple[str, int]) -> Counter[str]:
    """The same with one seed, and so many requests."""
    seen: Counter[str] = Counter()

    @seed(part[0])
    @settings(
        max_examples=part[1], deadline=None, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(calls())
    def promises_are_kept(call: Call) -> None:
        answer = answered(service(), call)
        problem = broken_promise(call, answer)
        assert not problem, f"{problem}\n{answer.log[-2_000:]}"
        seen[f"{call.kind} {answer.status}"] += 1
        seen["with cards"] += b'"indicator"' in answer.body

    promises_are_kept()
    return seen


@cache
def service() -> Flask:
    return create_app(Settings(fetch_milliseconds=0), today=lambda: TODAY)


def answered(app: Flask, call: Call) -> Answer:
    """The answer of a WSGI application, and what was logged. Raises what it raises."""
    got: list = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        got.extend([int(status.split()[0]), {k.lower(): value for k, value in headers}])

    started = process_time()
    with redirect_stderr(StringIO()) as log:
        pieces = app(environment(call), start_response)
        body = b"".join(pieces)
        getattr(pieces, "close", bool)()
    return Answer(*got, body, process_time() - started, log.getvalue())


def environment(call: Call) -> dict:
    """The call as WSGI has it."""
    headers = {"Host": "127.0.0.1:8000", "Content-Length": str(len(call.body)), **call.headers}
    if "Transfer-Encoding" in call.headers and "Content-Length" not in call.headers:
        del headers["Content-Length"]
    names = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in headers}
    names |= {"Content-Type": "CONTENT_TYPE", "Content-Length": "CONTENT_LENGTH"}
    return {
        "REQUEST_METHOD": call.method, "SCRIPT_NAME": "", "PATH_INFO": call.path,
        "QUERY_STRING": call.query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": BytesIO(call.body), "wsgi.errors": StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "wsgi.input_terminated": True, **{names[name]: value for name, value in headers.items()},
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many; default 100000")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    options = parser.parse_args()
    for what, number in sorted(run(options.requests, options.seed, cpu_count()).items()):
        print(f"{number:8} {what}")
    from fuzz import openapi  # the processes that draw have no use for it

    for what, number in openapi.run(service(), options.requests // SHARE, options.seed).items():
        print(f"{number:8} by /openapi.json: {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
