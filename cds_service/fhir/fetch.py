"""Fetches what the EHR did not send: in parallel, with one deadline for all fetches of a hook."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import NamedTuple

import requests
from circuitbreaker import CircuitBreaker

from cds_service.fhir.addresses import AllowedServers, CheckedAdapter
from cds_service.fhir.client import SERVER_FAULTS, FetchError, FhirServer, read, search
from cds_service.fhir.plain import Json

CALLS_AT_ONCE = 48
HOOKS_AT_ONCE = 8  # fewer than the threads of a worker, so that others always find one
FAULTS_BEFORE_A_PAUSE = 5
PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 300

Read = Callable[[requests.Session, FhirServer, str, float], list[Json]]


class Fetched(NamedTuple):
    """The pages that came, by key, and counts of how the fetches ended: `fetched`, or why not."""

    answers: dict[str, list[Json]]
    ends: Counter[str]


def nothing(why: str, wanted: Mapping[str, str]) -> Fetched:
    return Fetched({}, Counter({why: len(wanted)}))


class Remote:
    """The state of one FHIR server in this process: its connections, its circuit breaker, and how
    long its `Retry-After` asks for a pause.
    """

    def __init__(self, allowed: AllowedServers):
        self.session = requests.Session()
        self.session.trust_env = False
        adapter = CheckedAdapter(allowed, CALLS_AT_ONCE)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self.breaker = CircuitBreaker(
            FAULTS_BEFORE_A_PAUSE, PAUSE_SECONDS, expected_exception=_is_fault
        )
        self.paused_until = 0.0

    @property
    def is_left_alone(self) -> bool:
        return self.breaker.opened or monotonic() < self.paused_until

    def call(self, how: Read, server: FhirServer, path: str, deadline: float) -> list[Json]:
        """The pages of one fetch. Raises FetchError. A `Retry-After` is honoured."""
        try:
            with self.breaker:
                return how(self.session, server, path, deadline)
        except FetchError as error:
            pause = min(error.retry_after, LONGEST_PAUSE_SECONDS)
            self.paused_until = max(self.paused_until, monotonic() + pause if pause else 0.0)
            raise


class Fetcher:
    """Fetches for the hooks of one client in a process. `seconds` is the time that all fetches of a
    hook have together.
    """

    def __init__(self, allowed: AllowedServers, seconds: float):
        self.allowed = allowed
        self.seconds = seconds
        self._remotes: dict[str, Remote] = {}
        self._lock = Lock()
        self._hooks = BoundedSemaphore(HOOKS_AT_ONCE)
        self._calls = BoundedSemaphore(CALLS_AT_ONCE)
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="fhir")

    def fetch(self, server: FhirServer, wanted: Mapping[str, str]) -> Fetched:
        """Fetches `wanted` (paths by key, most decisive first), and returns what comes in time.

        Never raises: what fails is not in the answers, and counted among the ends.
        """
        if not self.allowed.permits(server.base):
            return nothing("not-allowed", wanted)
        remote = self._remote(server)
        if remote.is_left_alone:
            return nothing("left-alone", wanted)
        if not self._hooks.acquire(blocking=False):
            return nothing("no-room", wanted)
        try:
            return self._gather(remote, server, wanted)
        finally:
            self._hooks.release()

    def _gather(self, remote: Remote, server: FhirServer, wanted: Mapping[str, str]) -> Fetched:
        deadline = monotonic() + self.seconds
        fetched = Fetched({}, Counter())
        under_way: dict[Future, str] = {}
        for key, path in wanted.items():
            if self._calls.acquire(blocking=False):
                under_way[self._submit(remote, server, path, deadline)] = key
            else:
                fetched.ends["no-room"] += 1
        done, late = wait(under_way, timeout=self.seconds)
        fetched.ends.update({"timeout": len(late)} if late else {})
        for future in done:
            _take(fetched, under_way[future], future)
        return fetched

    def _submit(self, remote: Remote, server: FhirServer, path: str, deadline: float) -> Future:
        how = search if "?" in path else read
        future = self._pool.submit(remote.call, how, server, path, deadline)
        future.add_done_callback(lambda _: self._calls.release())
        return future

    def _remote(self, server: FhirServer) -> Remote:
        with self._lock:
            if server.origin not in self._remotes:
                self._remotes[server.origin] = Remote(self.allowed)
            return self._remotes[server.origin]


def _take(fetched: Fetched, key: str, future: Future) -> None:
    error = future.exception()
    if error is None:
        fetched.answers[key] = future.result()
        fetched.ends["fetched"] += 1
    else:
        fetched.ends[error.kind if isinstance(error, FetchError) else "failed"] += 1


def _is_fault(kind: type[BaseException], error: BaseException) -> bool:
    return not isinstance(error, FetchError) or error.kind in SERVER_FAULTS
