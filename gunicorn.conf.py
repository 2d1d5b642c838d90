"""gunicorn: threads, so that a slow upload blocks nobody; loaded once, then forked."""

import ctypes
import gc
import os
import shutil
import socket
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from sys import getswitchinterval, setswitchinterval
from time import monotonic, sleep

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import ThreadWorker

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the heartbeat files of the workers, no data

# The workers leave their counters here for /metrics; set before anything is imported. SIGHUP reads
# this file again, and then the folder is there.
OURS = "cds-metrics-"
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=OURS)
METRICS = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
# What is loaded stays: to look for garbage in it would take a fifth of the start.
gc.disable()

from cds_service import serve  # noqa: E402
from cds_service.configuration import ConfigurationError  # noqa: E402

try:
    bind, workers = serve.address(), serve.workers()
except ConfigurationError as error:
    sys.exit(str(error))
threads = 32  # a half-sent request holds one until it is ended
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "")  # gunicorn trusts this machine
preload_app = True
control_socket_disable = True
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None


class Worker(ThreadWorker):
    """Threads; a client that falls silent, trickles, or does not hang up holds one for a while.
    Connections are shared out evenly: clients keep them, and each stays with its worker.

    gunicorn itself waits without end for the rest of a request, and up to two seconds for a client
    to hang up, that in the loop which takes in all other requests.
    """

    SILENCE = struct.pack("ll", 5, 0)  # seconds, microseconds
    DEADLINE_SECONDS = 10
    HESITATION_SECONDS, LONGEST_HESITATION_SECONDS = 0.0002, 0.002
    BUSY = 16
    TURN_SECONDS, BUSY_TURN_SECONDS = getswitchinterval(), 0.00005

    def init_process(self):
        self.since = {}
        super().init_process()

    def accept(self, listener):
        """All workers are told of a new connection, and the first takes it: the more a worker has,
        the longer it leaves it to the others.

        When busy it does not hesitate, and threads take quick turns: to refuse has to be quick, and
        would wait for the hook at work many times, for a whole turn each.
        """
        busy = len(self.since) >= self.BUSY
        setswitchinterval(self.BUSY_TURN_SECONDS if busy else self.TURN_SECONDS)
        if not busy:
            sleep(min(self.nr_conns * self.HESITATION_SECONDS, self.LONGEST_HESITATION_SECONDS))
        super().accept(listener)

    def handle(self, conn):
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self.SILENCE)
        self.since[conn] = monotonic()
        try:
            kept = super().handle(conn)
        finally:
            self.since.pop(conn, None)
        if kept is False:
            with suppress(OSError):
                close_graceful(conn.sock.dup())
                conn.sock.shutdown(socket.SHUT_RD)
        return kept

    def notify(self):
        """Called about every second: nothing more is read of a request past its deadline."""
        super().notify()
        late = monotonic() - self.DEADLINE_SECONDS
        for conn, since in list(self.since.items()):
            if since < late:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)


worker_class = Worker


# glibc gives threads heaps of their own, each of which keeps the largest body that it has seen. And
# it gives the pages of a large body back to the system, to have to ask for them at the next one.
ARENAS, TRIM_THRESHOLD, MMAP_THRESHOLD = -8, -1, -3
ONE_HEAP, KEPT_BYTES = 1, 16_000_000
with suppress(OSError, AttributeError):
    allot = ctypes.CDLL(None).mallopt
    allot(ARENAS, ONE_HEAP)
    allot(TRIM_THRESHOLD, KEPT_BYTES)
    allot(MMAP_THRESHOLD, KEPT_BYTES)


def when_ready(server):
    """What was loaded stays shared between the workers: the collector leaves it alone."""
    gc.freeze()
    gc.enable()


def post_worker_init(worker):
    """A new worker, also after SIGHUP, takes the clients file as it is now."""
    worker.wsgi.extensions["in_worker"]()


def worker_exit(server, worker):
    """What was kept on disk last goes into the database, if it can."""
    worker.wsgi.extensions["store"].finish()


def child_exit(server, worker):
    """The counters of a worker outlive it; what it alone can say does not."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server):
    """An operator's own folder stays."""
    if METRICS.name.startswith(OURS):
        shutil.rmtree(METRICS, ignore_errors=True)
