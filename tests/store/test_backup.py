"""Backup and restore, step by step as docs/operating.md has them, while the service runs."""

import os
import re
import shutil
import subprocess

import pytest
import requests

from cds_service.store.database import Database
from tests import REAL_PROCESSES
from tests.small_world import ROOT
from tests.store.clients import asked, cards, overridden, running
from tests.test_gunicorn import eventually, free_port, stop

pytestmark = REAL_PROCESSES

TEXT = (ROOT / "docs" / "operating.md").read_text("utf-8")
PART = TEXT.partition("## Backup and restore\n")[2].partition("\n## ")[0]
STEPS = re.findall(r"```sh\n(.*?)```", PART, re.DOTALL)
TOOLS = {"sqlite": ("sqlite3",), "postgresql": ("pg_dump", "pg_restore")}


@pytest.fixture(params=TOOLS)
def kind(request):
    for tool in TOOLS[request.param]:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: this was not tried")
    return request.param


@pytest.fixture
def url(kind, request):
    return request.getfixturevalue("postgresql_url") if kind == "postgresql" else ""


@pytest.fixture
def step(kind, url, tmp_path):
    """Runs backup (0) or restore (1) in the folder of CDS_DATA."""

    def run(number):
        text = STEPS[number + 2 * list(TOOLS).index(kind)]
        address = url.replace("+psycopg", "")
        given = {"PATH": os.environ["PATH"], "DATABASE": address}
        shell = ["bash", "-euc", text]
        subprocess.run(shell, cwd=tmp_path / "data", env=given, check=True)  # noqa: S603

    return run


def given(base):
    """A card was answered, and dismissed; its id."""

    def post(path, body):
        answer = requests.post(base + path, json=body, timeout=20)
        answer.raise_for_status()
        return answer.json()

    card = asked(post)
    overridden(post, card)
    return card


def kept_cards(url, folder):
    database = Database(url, folder)
    try:
        return cards(database), cards(database, "feedback")
    finally:
        database.close()


def test_what_was_backed_up_is_there_again(kind, url, step, tmp_path):
    data, port = tmp_path / "data", free_port()
    service = running(tmp_path, port, url)
    try:
        before = given(service.base)
        eventually(lambda: kept_cards(url, data) == ([before], [before]))
        secret = (data / "secret").read_bytes()
        step(0)
        later = given(service.base)
        eventually(lambda: later in kept_cards(url, data)[1])
    finally:
        stop(service.process)
    if kind == "sqlite":
        (data / "service.db").write_bytes(b"broken")
        (data / "secret").unlink()
    step(1)
    assert kept_cards(url, data) == ([before], [before])
    assert (data / "secret").read_bytes() == secret
    service = running(tmp_path, port, url)
    try:
        after = given(service.base)
        both = sorted([before, after])
        eventually(lambda: kept_cards(url, data) == (both, both))
    finally:
        stop(service.process)


def test_nobody_else_can_read_a_backup(kind, url, step, tmp_path):
    service = running(tmp_path, free_port(), url)
    try:
        card = given(service.base)
        eventually(lambda: kept_cards(url, tmp_path / "data")[0] == [card])
        step(0)
    finally:
        stop(service.process)
    made = [f for f in (tmp_path / "data").rglob("*") if f.match("backup/*") or f.suffix == ".dump"]
    assert made
    assert all(file.stat().st_mode & 0o077 == 0 for file in made)
