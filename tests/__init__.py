"""Tests; those of real processes may be tried again before they count as failed."""

import pytest

# Of processes, sockets and clocks on a busy machine of two cores: what fails three times is broken.
REAL_PROCESSES = pytest.mark.flaky(reruns=2, reruns_delay=1)
