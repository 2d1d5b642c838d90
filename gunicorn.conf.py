"""gunicorn: threads, so that a slow upload blocks nobody; loaded once, then forked."""

import gc
import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  the heartbeat files of the workers, no data

bind = f"0.0.0.0:{os.environ['PORT']}" if "PORT" in os.environ else "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
preload_app = True
control_socket_disable = True
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None


def when_ready(server):
    """What was loaded stays shared between the workers: the collector leaves it alone."""
    gc.freeze()


def post_worker_init(worker):
    """A new worker, also after SIGHUP, takes the clients file as it is now."""
    worker.wsgi.extensions["callers"].after_fork()
