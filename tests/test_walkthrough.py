"""A made-up EHR is connected as docs/ehr.md says, by nothing but the commands that stand there."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests import REAL_PROCESSES
from tests.small_world import ROOT
from tests.test_gunicorn import free_port

pytestmark = REAL_PROCESSES

TEXT = (ROOT / "docs" / "ehr.md").read_text("utf-8")
PART = TEXT.partition("## A made-up EHR, step by step\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^### \d+\. ([^\n]*)|```sh\n(.*?)```", PART, re.DOTALL | re.MULTILINE)
BETWEEN = "\n=== "
# What is started in the background ends with the script, however that ends.
AT_THE_END = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n"
PAUSE, PAUSE_ON_A_BUSY_MACHINE = "sleep 3", "sleep 15"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the blocks of each step wrote, by its heading."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed: the steps were not tried")
    folder = tmp_path_factory.mktemp("newcomer")
    port = free_port()
    script = "".join(f"echo '{BETWEEN}{head}'\n" if head else block for head, block in BLOCKS)
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    script = AT_THE_END + script.replace(PAUSE, PAUSE_ON_A_BUSY_MACHINE)
    given = {"PATH": f"{with_command(folder)}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    given |= {"HOME": str(folder), "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}
    work = folder / "work"
    work.mkdir()
    done = subprocess.run(  # noqa: S603  our own document
        ["bash", "-euc", script],  # noqa: S607
        cwd=work, env=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    steps = (step.partition("\n") for step in done.stdout.split(BETWEEN)[1:])
    return {head: text for head, _, text in steps}


def with_command(folder):
    """A folder with `cds-service`, as an installation has it."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "cds-service"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cds_service "$@"\n')
    command.chmod(0o755)
    return command.parent


TOLD = {
    "Say what its own codes mean": ["2 codes of the site"],
    "Set up the service, and have it checked": ["problems: 0", "hospital"],
    "Start it, and order something": ['"local_codes":2', '{"cards":[]}'],
    "See what would have been said": [
        r"Variant 1 +1 +1 +1 +0", "answer +silence", "the client is silent",
        "usually not appropriate", "read as +MRI spine area of interest with IV contrast",
    ],
    "Find out why a token is refused": ["The token was used before", "problem +used before"],
    "Show the cards": ['"indicator":"warning"', '"code":"MRLSPWO"', '"isRecommended":true'],
}  # fmt: skip


@pytest.mark.parametrize("step", TOLD)
def test_each_step_says_what_the_page_says_that_it_does(step, said):
    for expected in TOLD[step]:
        assert re.search(expected.replace("{", r"\{").replace("[]", r"\[\]"), said[step])
