"""`python -m cds_service`."""

import signal
import sys

from cds_service.cli import main

# A closed pipe (`… | head`) ends the command without a traceback.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
sys.exit(main())
