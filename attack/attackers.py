"""Clients that hold what they have, each from an address of its own: a process beside the good one.

Its priority is the lowest: attackers do not share a processor with those whom they attack.

python -m attack.attackers KIND NUMBER PORT SECONDS [CERTIFICATE]
"""

import asyncio
import json
import os
import socket
import ssl
import sys
from contextlib import suppress
from itertools import count

from tests.front import HOST, head
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order
from tests.test_gunicorn import PATH

HOOK = json.dumps(hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))).encode()
POST = head(PATH, len(HOOK)) + b"\r\n" + HOOK
PAGE = f"GET /about HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
MANY_ANSWERS = 400
# What each kind sends. Who is silent does not even begin with TLS; readers never read.
KINDS = {
    "silent": b"",
    "half headers": POST[:60],
    "half bodies": POST[: len(POST) // 2],
    "slow readers of pages": PAGE * MANY_ANSWERS,
    "slow readers of cards": POST * MANY_ANSWERS,
}
SMALL_WINDOW = 4096
TOGETHER = 50  # at a time
BEGIN_SECONDS = 10  # in which one after the other begins: strangers do not act in step


async def attack(kind: str, number: int, port: int, seconds: float, certificate: str) -> None:
    until = asyncio.get_running_loop().time() + seconds
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    starting = asyncio.Semaphore(TOGETHER)
    between = BEGIN_SECONDS / number
    everybody = (hold(kind, n, port, until, context, starting, n * between) for n in range(number))
    await asyncio.gather(*everybody)


async def hold(
    kind: str,
    number: int,
    port: int,
    until: float,
    context: ssl.SSLContext | None,
    starting: asyncio.Semaphore,
    after: float,
) -> None:
    """One client; where it is ended it comes again, until the time is over."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(after)
    address = f"127.{66 + number // 60_000}.{number // 250 % 250}.{number % 250 + 1}"
    for _ in count():
        left = until - loop.time()
        if left <= 0:
            return
        with suppress(OSError, ssl.SSLError, TimeoutError):
            async with starting:
                writer = await begin(kind, address, port, context)
            await ended(writer, until, reads="reader" not in kind)
        await asyncio.sleep(0.1)


async def begin(
    kind: str, address: str, port: int, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    made.setblocking(False)
    made.bind((address, 0))
    await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, (HOST, port)), 10)
    talks = {"ssl": context, "server_hostname": HOST} if context and KINDS[kind] else {}
    opened = asyncio.open_connection(sock=made, limit=SMALL_WINDOW, **talks)
    reader, writer = await asyncio.wait_for(opened, 20)
    writer.write(KINDS[kind])
    return reader, writer


async def ended(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], until: float, reads: bool
) -> None:
    """Returns when the server has hung up, or the time is over."""
    reader, writer = streams
    loop = asyncio.get_running_loop()
    try:
        while loop.time() < until and not writer.is_closing():
            if not reads:
                await asyncio.sleep(0.5)
            elif await asyncio.wait_for(reader.read(SMALL_WINDOW), until - loop.time()) == b"":
                return
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    kind, number, port, seconds, *certificate = sys.argv[1:]
    os.nice(19)
    asyncio.run(attack(kind, int(number), int(port), float(seconds), "".join(certificate)))
