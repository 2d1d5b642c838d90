"""gunicorn: threads, so that a slow upload blocks nobody; loaded once, then forked."""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the heartbeat files of the workers, no data

# The workers leave their counters here for /metrics; set before anything is imported. SIGHUP reads
# this file again, and then the folder is there.
OURS = "cds-metrics-"
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    for left in Path(tempfile.gettempdir()).glob(f"{OURS}[0-9]*-*"):  # by one that was killed
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    made = tempfile.mkdtemp(prefix=f"{OURS}{os.getpid()}-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = made
METRICS = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
# What is loaded stays: to look for garbage in it would take a fifth of the start.
gc.disable()

from cds_service import serve  # noqa: E402
from cds_service.configuration import ConfigurationError  # noqa: E402

try:
    bind, workers = serve.address(), serve.workers()
except ConfigurationError as error:
    sys.exit(str(error))
threads = 64  # a half-sent request, or an answer that is not taken off, holds one for a while
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "")  # gunicorn trusts this machine
preload_app = True
control_socket_disable = True
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
worker_class = "cds_service.worker.Worker"
logger_class = "cds_service.server_log.ServerLog"


def when_ready(server):
    """What was loaded stays shared between the workers: the collector leaves it alone. Tables are
    made by a child, which alone imports what that needs, so that no worker keeps it in memory.
    """
    gc.freeze()
    gc.enable()
    make_tables = server.app.wsgi().extensions["make_tables"]
    if make_tables:
        in_child(make_tables)


def in_child(work):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        work()
    finally:
        os._exit(0)


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
