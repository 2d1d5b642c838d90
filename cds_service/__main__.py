"""`python -m cds_service`."""

import signal
import sys

from cds_service.cli import main

# A reader that has seen enough (`… | head`) ends the command, without a complaint.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
sys.exit(main())
