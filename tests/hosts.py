"""Hosts of the service: processes with folders of their own, of any version, on one database."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import requests

from tests.front import HOST, Front, children_of
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, ROOT, hook_request, order
from tests.store.clients import feedback_on
from tests.test_access import clients_file, token
from tests.test_gunicorn import PATH, environment, eventually, free_port, stop

CLIENTS = 6
PATIENCE_SECONDS = 40  # more than nginx waits for a host
ANSWERED, USED_BEFORE = 200, 401
BODY = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))


class ServiceHost:
    """One host. `start` takes the checkout to start from."""

    def __init__(self, folder: Path, settings: dict[str, str]):
        folder.mkdir()
        self.port, self.folder = free_port(), folder
        file = clients_file(folder)
        own = {"CDS_CLIENTS": str(file), "PORT": str(self.port), "WEB_CONCURRENCY": "1"}
        self._environment = environment(folder, {**settings, **own})

    def start(self, checkout: Path = ROOT) -> None:
        command = [sys.executable, "-m", "gunicorn", "cds_service:create_app()"]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                command, cwd=checkout, env=self._environment, stderr=log
            )
        eventually(self._is_ready)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log
        try:
            return requests.get(f"http://{HOST}:{self.port}/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        stop(self._process)

    def signal(self, number: signal.Signals) -> None:
        """To the master first, so that it starts no other worker, and to the workers."""
        master = self._process.pid
        workers = children_of(master)
        for process in (master, *workers):
            os.kill(process, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")


@dataclass
class Ward:
    """Clinicians who order all the time, through the front, each call with a token of its own.

    `failed` are the ends of calls that were not answered as they should be; `told` are the cards on
    which feedback was taken, each sent twice; `tokens` those that passed, and `passed_again` is how
    many of them did so once more.
    """

    front: Front
    failed: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    passed_again: int = 0

    def __post_init__(self) -> None:
        self._base = f"https://{HOST}:{self.front.port}"
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def __enter__(self) -> "Ward":
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, number: int = 4 * CLIENTS) -> None:
        """Returns when so many more orders were answered and spoken of."""
        enough, until = len(self.told) + number, time.monotonic() + PATIENCE_SECONDS
        while len(self.told) < enough:
            assert time.monotonic() < until, f"no answers: {self.failed[-5:]}"
            time.sleep(0.02)

    def _work(self) -> None:
        while not self._over.is_set():
            self._order()

    def _order(self) -> None:
        bearer = self._token(PATH)
        answer = self._post(PATH, {**BODY, "hookInstance": str(uuid4())}, bearer)
        if answer is None:
            return
        self.passed_again += self._passes(bearer)
        card = answer["cards"][0]["uuid"]
        self.cards.append(card)
        path = f"{PATH}/feedback"
        sent = [self._post(path, feedback_on(card), self._token(path)) for _ in range(2)]
        if any(sent):
            self.told.append(card)

    def _passes(self, bearer: str) -> bool:
        """Whether a token that was used is taken again, by whichever host."""
        try:
            return self._send(PATH, BODY, bearer).status_code == ANSWERED
        except requests.RequestException as error:
            self.failed.append(repr(error))
            return False

    def _token(self, path: str) -> str:
        return token(aud=self._base + path)

    def _post(self, path: str, body: dict, bearer: str) -> dict | None:
        try:
            answer = self._send(path, body, bearer)
        except requests.RequestException as error:
            self.failed.append(repr(error))
            return None
        if answer.status_code != ANSWERED:
            self.failed.append(f"{answer.status_code} {answer.text[:200]}")
            return None
        return answer.json()

    def _send(self, path: str, body: dict, bearer: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {bearer}"}
        return requests.post(
            self._base + path, json=body, headers=headers, timeout=PATIENCE_SECONDS,
            verify=str(self.front.certificate),
        )  # fmt: skip


def failures_during(ward: Ward, act: Callable[[], None]) -> list[str]:
    """What failed while this was done, and shortly after."""
    before = len(ward.failed)
    act()
    ward.wait_for_more()
    return ward.failed[before:]
