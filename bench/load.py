"""A client: so many requests over some connections, each with a hookInstance and a token."""

import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from itertools import count
from urllib.parse import urlsplit

from bench.callers import token
from bench.charts import Request

CONNECTIONS = 8
TIMEOUT_SECONDS = 30
NUMBERS = count()  # of all requests of a run


def load(url: str, asked: Request, connections: int = CONNECTIONS) -> tuple[list[float], int]:
    """The milliseconds that each request took, and how many were not answered with 200.

    Raises OSError or HTTPException where the server hangs up.
    """
    parts = urlsplit(url)
    heads = iter([(head(url, asked), next(NUMBERS)) for _ in range(asked.times)])
    milliseconds, failed = [], []

    def ask_until_done(_: int) -> None:
        with socket.create_connection((parts.hostname, parts.port), TIMEOUT_SECONDS) as connection:
            for first, number in heads:  # shared by the threads
                message = first + asked.message(number)
                started = time.perf_counter()
                connection.sendall(message)
                answer = HTTPResponse(connection, method="POST")
                answer.begin()
                answer.read()
                milliseconds.append((time.perf_counter() - started) * 1000)
                failed.extend([answer.status] if answer.status != 200 else [])

    with ThreadPoolExecutor(connections) as threads:
        list(threads.map(ask_until_done, range(connections)))
    return milliseconds, len(failed)


def head(url: str, asked: Request) -> bytes:
    """The lines before the body."""
    parts = urlsplit(url)
    return (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token(url, asked.algorithm)}\r\n"
        f"Content-Length: {len(asked.body)}\r\n\r\n"
    ).encode()


def p99(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=100)[98]
