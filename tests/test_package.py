"""The wheel, installed where there is no checkout, and what it says it needs."""

import ast
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import venv
from contextlib import contextmanager
from importlib.metadata import packages_distributions

import pytest
import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cds_service.about import VERSION
from cds_service.extras import LIBRARIES, MissingExtra, check_extras
from cds_service.secret_files import read_secret_files
from tests.small_world import ROOT
from tests.test_docs import README, assert_within
from tests.test_gunicorn import free_port

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq"]
CURL = re.search(r"POST http://127\.0\.0\.1:8000(\S+) .*?-d @(\S+)", README, re.DOTALL)
START_SECONDS = 60


def ran(*command, cwd, **environment):
    """A command that ended, with no more environment than a shell has."""
    given = {"PATH": os.environ["PATH"], "HOME": str(cwd), **environment}
    return subprocess.run(  # noqa: S603  our own commands
        list(map(str, command)), cwd=cwd, env=given, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The console command of a wheel, in an environment of its own with the pinned libraries of a
    default installation.
    """
    folder = tmp_path_factory.mktemp("installed")
    if subprocess.run([*PIP, "index", "versions", "pip"], check=False).returncode:  # noqa: S603
        pytest.skip("PyPI cannot be reached: the wheel was not installed")
    wheel = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run(wheel, check=True)  # noqa: S603
    venv.create(folder / "venv", with_pip=False)
    pins = re.findall(r"^[\w.-]+==[\w.]+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    (folder / "pins").write_text("\n".join(pins))
    python = folder / "venv" / "bin" / "python"
    install = [*PIP, "--python", python, "install", "--no-compile", "-c", folder / "pins"]
    subprocess.run([*install, *folder.glob("*.whl")], check=True)  # noqa: S603
    return folder / "venv" / "bin" / "cds-service"


@contextmanager
def serving(command, folder, **settings):
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}"}
    process = subprocess.Popen(  # noqa: S603  our own command
        [command, "serve"], cwd=folder, env={**environment, **settings}
    )
    base, until = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < until and process.poll() is None:
            try:
                requests.get(f"{base}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
class TestInstalled:
    def test_it_answers_the_curl_of_the_readme(self, installed, tmp_path):
        path, body = CURL.groups()
        (shown,) = (json.loads(b) for b in re.findall(r"```json\n(.*?)```", README, re.DOTALL))
        with serving(installed, tmp_path, CDS_AUTH="open") as base:
            answer = requests.post(
                base + path, json=json.loads((ROOT / body).read_text()), timeout=30
            )
            page = requests.get(f"{base}/about", headers={"Accept-Language": "de"}, timeout=30)
            tried = requests.get(f"{base}/try", timeout=30)
            style = requests.get(f"{base}/static/style.css", timeout=30)
        assert_within(shown, answer.json())
        assert 'lang="de"' in page.text
        assert shown["cards"][0]["summary"] in tried.text
        assert style.status_code == 200

    def test_it_has_mappings_and_fixtures(self, installed, tmp_path):
        done = ran(installed, "replay", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ran(installed, "lint", cwd=tmp_path).returncode == 0

    def test_it_has_no_library_that_only_some_need(self, installed, tmp_path):
        python = installed.with_name("python")
        for library in LIBRARIES.values():
            assert ran(python, "-c", f"import {library}", cwd=tmp_path).returncode == 1, library

    def test_a_missing_extra_ends_the_start_in_one_line(self, installed, tmp_path):
        database = "postgresql+psycopg://127.0.0.1/none"
        done = ran(installed, "serve", cwd=tmp_path, CDS_AUTH="open", DATABASE_URL=database)
        assert done.returncode == 1
        (line,) = filter(None, done.stderr.splitlines())
        assert "DATABASE_URL" in line
        assert "vcf-appropriateness[postgres]" in line

    def test_it_says_its_version(self, installed, tmp_path):
        assert ran(installed, "--version", cwd=tmp_path).stdout.strip() == VERSION


@pytest.mark.parametrize(
    ("extra", "settings", "environment"),
    [
        ("postgres", {"database_url": "postgresql+psycopg://db"}, {}),
        ("redis", {"rate_store": "redis://cache"}, {}),
        ("otel", {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://traces"}),
    ],
)
def test_each_setting_names_the_extra_that_it_needs(extra, settings, environment, monkeypatch):
    from cds_service.settings import Settings

    check_extras(Settings(**settings), environment)
    monkeypatch.setattr("cds_service.extras.find_spec", lambda _: None)
    check_extras(Settings(), {})
    with pytest.raises(MissingExtra, match=rf"vcf-appropriateness\[{extra}\]"):
        check_extras(Settings(**settings), environment)


def test_a_secret_may_lie_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("a secret of 20 letters\n")
    environment = {"CDS_SECRET_FILE": str(file), "CDS_DATA": "data"}
    read_secret_files(environment)
    assert environment == {"CDS_SECRET": "a secret of 20 letters", "CDS_DATA": "data"}


def test_a_secret_file_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, why in (
        ("none", "cannot be read: No such file or directory"),
        ("bytes", "line 1: is not UTF-8"),
    ):
        file = tmp_path / name
        command = (sys.executable, "-m", "cds_service", "--version")
        done = ran(*command, cwd=ROOT, DATABASE_URL_FILE=str(file))
        assert done.returncode == 1
        assert done.stderr == f"DATABASE_URL_FILE: {file} {why}\n"


def test_what_is_imported_is_what_is_needed():
    """Each library is imported somewhere, and each import is of a library that is named."""
    named = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    needed = {canonicalize_name(Requirement(text).name) for text in named}
    modules = [*(ROOT / "cds_service").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    names = {name for module in modules for name in imports_of(module)}
    of = {
        name: set(map(canonicalize_name, distributions))
        for name, distributions in packages_distributions().items()
        if name in names - {"cds_service"}
    }
    by_address = {"pandas", "psycopg"}  # PySpark and SQLAlchemy import them
    # Of libraries that are named: fhir.resources, Flask, PySpark, requests.
    parts = {"jinja2", "markupsafe", "py4j", "pyarrow", "pydantic", "urllib3", "werkzeug"}
    by_name = set(map(canonicalize_name, names))  # PySpark, where it is not installed
    assert needed - by_address <= by_name.union(*of.values())
    assert [name for name, offered in of.items() if not offered & (needed | parts)] == []


def imports_of(module):
    """The top-level names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
