"""Clients that post hooks and feedback without a pause, and remember when each was answered."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import requests

from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order
from tests.store.rows import kept
from tests.test_gunicorn import PATH, PATIENCE_SECONDS, Service

REQUEST = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
CLIENTS = 4


def asked(post):
    """A hook of its own; the id of the card that came."""
    answer = post(PATH, {**REQUEST, "hookInstance": str(uuid4())})
    return answer["cards"][0]["uuid"]


def feedback_on(card):
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T02:13:54Z"}
    return {"feedback": [item]}


def overridden(post, card):
    post(f"{PATH}/feedback", feedback_on(card))


def cards(database, table="decisions"):
    return sorted(row["card"] for row in kept(database, table))


class Clients:
    """While the block runs they post; `decisions` and `feedback` say when a card was answered."""

    def __init__(self, base):
        self.base, self.decisions, self.feedback = base, {}, {}
        self.give_feedback = True
        self._over = threading.Event()
        self._connected = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def __enter__(self):
        self._connected.set()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._connected.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, seconds=PATIENCE_SECONDS, number=20):
        """Whether so many more hooks were answered in that time."""
        enough, until = len(self.decisions) + number, time.monotonic() + seconds
        while len(self.decisions) < enough and time.monotonic() < until:
            time.sleep(0.01)
        return len(self.decisions) >= enough

    @contextmanager
    def hung_up(self):
        """They close their connections, and open new ones after the block."""
        self._connected.clear()
        yield
        self._connected.set()

    def _work(self):
        while not self._over.is_set():
            self._connected.wait()
            with requests.Session() as session:
                while self._connected.is_set() and not self._over.is_set():
                    try:
                        self._one(session)
                    except requests.RequestException:  # its worker was killed, or none is there
                        time.sleep(0.02)

    def _one(self, session):
        def post(path, body):
            answer = session.post(self.base + path, json=body, timeout=20)
            answer.raise_for_status()
            return answer.json()

        card = asked(post)
        self.decisions[card] = time.monotonic()
        if self.give_feedback:
            overridden(post, card)
            self.feedback[card] = time.monotonic()


def running(folder, port, database_url, **more):
    """The service on this port; started anew, as systemd does, while orphans hold the port."""
    settings = {"CDS_AUTH": "open", "CDS_REPEAT_HOURS": "0", "PORT": str(port)}
    settings |= {"DATABASE_URL": database_url} if database_url else {}
    settings |= more
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        service = Service(folder, settings)
        while service.process.poll() is None:
            if len(service.workers) >= 2 and service.is_up():
                return service
            time.sleep(0.02)
    raise AssertionError("the service did not start")


def children_of(process):
    """The workers of a master that are alive."""
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in text.split()]
