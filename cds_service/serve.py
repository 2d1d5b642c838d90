"""`cds-service serve`: gunicorn, with the settings that the service ships with."""

import os
import sys
from typing import NoReturn

from cds_service.shipped import GUNICORN_SETTINGS


def serve() -> NoReturn:
    """Takes the place of this process. GUNICORN_CMD_ARGS may hold more options of gunicorn."""
    options = ["--config", str(GUNICORN_SETTINGS), "cds_service:create_app()"]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options])  # noqa: S606  no shell
