"""What is imported at the start is what this installation uses, before the workers fork."""

import os
import subprocess
import sys

import pytest

from tests.small_world import ROOT

REQUIRED = {"CDS_PUBLIC_URL": "https://cds.example.org"}
SEEN = ("requests", "rich", "alembic", "limits", "opentelemetry")
START = (
    "import sys, os\n"
    "from cds_service import create_app\n"
    "app = create_app()\n"
    "{then}\n"
    f"print(*[name for name in {SEEN} if name in sys.modules])"
)
IN_A_WORKER = """
child = os.fork()
if not child:
    app.extensions["make_tables"]()
    os._exit(0)
os.waitpid(child, 0)
app.extensions["in_worker"]()
"""


def imported(folder, settings, clients="", then=""):
    """Which of SEEN are imported by a start with these settings."""
    file = folder / "clients.toml"
    file.write_text(clients)
    own = {"CDS_DATA": str(folder / "data"), "CDS_CLIENTS": str(file)}
    run = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-c", START.format(then=then)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **own, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


def client(more):
    return f'[hospital]\niss = ["https://ehr.example.org"]\n{more}\n'


JKU = 'jku = ["https://ehr.example.org/keys"]'
SERVERS = 'fhir_servers = ["https://ehr.example.org/fhir"]'


@pytest.mark.parametrize(
    ("clients", "found"),
    [
        ("", []),
        (client(JKU), ["requests"]),
        (client(f"{JKU}\n{SERVERS}"), ["requests"]),
    ],
    ids=["nobody", "keys at an address", "a FHIR server"],
)
def test_of_an_installation_with_clients(tmp_path, clients, found):
    assert imported(tmp_path, REQUIRED, clients) == found


def test_where_servers_of_this_machine_may_be_asked(tmp_path):
    assert imported(tmp_path, {"CDS_AUTH": "open"}) == ["requests"]


def test_where_nothing_is_fetched(tmp_path):
    settings = {"CDS_AUTH": "open", "CDS_FETCH_MILLISECONDS": "0", "CDS_STORE": "off"}
    assert imported(tmp_path, settings) == []


def test_a_worker_does_not_import_what_makes_the_tables(tmp_path):
    """A child of the master made them."""
    assert imported(tmp_path, REQUIRED, then=IN_A_WORKER) == []
    assert (tmp_path / "data" / "service.db").stat().st_size
