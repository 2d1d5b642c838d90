"""Fetches what the EHR did not send: in parallel, with one deadline for all fetches of a hook."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from cds_service.fhir.addresses import AllowedServers, FhirServer
from cds_service.fhir.plain import Json

if TYPE_CHECKING:
    from cds_service.fhir.connections import Remote

CALLS_AT_ONCE = 48
HOOKS_AT_ONCE = 8  # fewer than the threads of a worker, so that others always find one


class Fetched(NamedTuple):
    """The pages that came, by key, and counts of how the fetches ended: `fetched`, or why not."""

    answers: dict[str, list[Json]]
    ends: Counter[str]


def nothing(why: str, wanted: Mapping[str, str]) -> Fetched:
    return Fetched({}, Counter({why: len(wanted)}))


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
        if allowed.servers or allowed.loopback:
            import cds_service.fhir.connections  # noqa: F401  workers share it

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

    def _gather(self, remote: "Remote", server: FhirServer, wanted: Mapping[str, str]) -> Fetched:
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

    def _submit(self, remote: "Remote", server: FhirServer, path: str, deadline: float) -> Future:
        future = self._pool.submit(remote.call, server, path, deadline)
        future.add_done_callback(lambda _: self._calls.release())
        return future

    def _remote(self, server: FhirServer) -> "Remote":
        from cds_service.fhir.connections import Remote

        with self._lock:
            if server.origin not in self._remotes:
                self._remotes[server.origin] = Remote(self.allowed, CALLS_AT_ONCE)
            return self._remotes[server.origin]


def _take(fetched: Fetched, key: str, future: Future) -> None:
    error = future.exception()
    if error is None:
        fetched.answers[key] = future.result()
        fetched.ends["fetched"] += 1
    else:
        fetched.ends[getattr(error, "kind", "failed")] += 1
