"""`cds-service serve`: gunicorn, with the settings that the service ships with."""

import os
import re
import sys
from typing import NoReturn

from cds_service.commandline import Told
from cds_service.shipped import GUNICORN_SETTINGS

WORKERS = "WEB_CONCURRENCY"


def serve() -> NoReturn:
    """Takes the place of this process. GUNICORN_CMD_ARGS may hold more options of gunicorn.

    Raises Told where the number of workers, which gunicorn reads before it can tell, is none.
    """
    if not re.fullmatch("[1-9][0-9]*", os.environ.get(WORKERS) or "1"):
        raise Told(f"{WORKERS} must be a whole number from 1")
    options = ["--config", str(GUNICORN_SETTINGS), "cds_service:create_app()"]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options])  # noqa: S606  no shell
