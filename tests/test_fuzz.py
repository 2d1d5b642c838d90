"""A little of `make fuzz` with every run of the tests: what it promises holds."""

import subprocess
import sys

from tests.small_world import ROOT


def test_two_thousand_odd_requests_break_no_promise():
    command = "-m fuzz.run --requests 2000 --guided 0 --processes 1"
    ended = subprocess.run(  # noqa: S603  our own command
        [sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
