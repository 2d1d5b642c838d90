"""At the edge: twice the load that can be served, and uploads that stop half way."""

import asyncio
import socket
import statistics
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.charts import Request
from bench.load import Sign

FLOOD_SECONDS = 6
PATIENCE_SECONDS = 2.0  # of a client
CALM, IN_A_ROW, STALLED = 40, 3, 4
PAUSE_SECONDS = 0.1
LONGEST_RECOVERY_SECONDS = 60
LATE = "late"


@dataclass(frozen=True)
class Answered:
    """The status of an answer, or LATE, and how long it took."""

    status: int | str
    seconds: float


class Edge:
    """One service that is pushed with one request, each time with a new token."""

    def __init__(self, url: str, asked: Request, sign: Sign):
        self._url, self._asked, self._sign = url, asked, sign
        parts = urlsplit(url)
        self.address, self._path = (parts.hostname, parts.port), parts.path

    def message(self) -> bytes:
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self._asked.body)}\r\n"
            f"Authorization: Bearer {self._sign(self._url, self._asked.algorithm)}\r\n"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + self._asked.body

    async def ask(self, message: bytes) -> Answered:
        started = time.perf_counter()
        status = LATE
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                status = await self._status(message)
        return Answered(status, time.perf_counter() - started)

    async def _status(self, message: bytes) -> int:
        """Of the whole answer; 0 where the server hung up."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(message)
            answer = await reader.read(-1)
        finally:
            writer.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0

    async def calm(self, times: int = CALM) -> list[float]:
        """Seconds of requests one after the other."""
        return [(await self.ask(self.message())).seconds for _ in range(times)]

    async def flood(self, per_second: float) -> list[Answered]:
        """Requests at this rate, whether or not the ones before are answered."""
        messages = [self.message() for _ in range(int(per_second * FLOOD_SECONDS))]
        started, asked = time.perf_counter(), []
        for number, message in enumerate(messages):
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(self.ask(message)))
        return await asyncio.gather(*asked)

    async def recovery(self, limit: float) -> float:
        """Seconds until some requests in a row are answered as fast as in calm times."""
        started, good = time.perf_counter(), 0
        while good < IN_A_ROW and time.perf_counter() - started < LONGEST_RECOVERY_SECONDS:
            answered = await self.ask(self.message())
            good = good + 1 if answered.status == 200 and answered.seconds <= limit else 0
            await asyncio.sleep(PAUSE_SECONDS)
        return time.perf_counter() - started - IN_A_ROW * PAUSE_SECONDS


async def overload(edge: Edge, per_second: float) -> dict:
    """Shares of the answers at this rate, how long they took, and the time to recover."""
    slowest = max(await edge.calm())
    answered = await edge.flood(per_second)
    recovery = await edge.recovery(2 * slowest)
    shares = Counter(str(a.status) for a in answered)
    return {
        "per_second": per_second,
        "shares": {status: number / len(answered) for status, number in sorted(shares.items())},
        "p99": {status: p99(answered, status) for status in sorted(shares)},
        "recovery": recovery,
    }


def p99(answered: list[Answered], status: str) -> float:
    """Milliseconds."""
    seconds = sorted(a.seconds for a in answered if str(a.status) == status)
    return seconds[int(len(seconds) * 0.99)] * 1000


async def stalled(edge: Edge) -> dict:
    """Milliseconds of others, alone and beside uploads that stop half way."""
    await edge.calm()
    alone = await edge.calm()
    with ExitStack() as stack:
        for _ in range(STALLED):
            upload = stack.enter_context(socket.create_connection(edge.address))
            message = edge.message()
            upload.sendall(message[: len(message) // 2])
        beside = await edge.calm()
    milliseconds = {"alone": statistics.median(alone), "beside": statistics.median(beside)}
    slowest = {"slowest alone": max(alone), "slowest beside": max(beside)}
    return {name: value * 1000 for name, value in {**milliseconds, **slowest}.items()}
