"""`cds-service`, or `python -m cds_service`."""

import os
import signal
import sys

from cds_service.cli import main
from cds_service.secret_files import SecretFileError, read_secret_files


def run() -> int | str:
    """The exit status, or why the command cannot be run."""
    # A reader that has seen enough (`… | head`) ends the command, without a complaint.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        read_secret_files(os.environ)
    except SecretFileError as error:
        return str(error)
    return main()


if __name__ == "__main__":
    sys.exit(run())
