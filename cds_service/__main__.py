"""`cds-service`, or `python -m cds_service`."""

import signal
import sys

from cds_service.cli import main


def run() -> int:
    """The exit status."""
    # A reader that has seen enough (`… | head`) ends the command, without a complaint.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return main()


if __name__ == "__main__":
    sys.exit(run())
