"""`python -m cds_service replay`, as CI and a hospital use it."""

import json
import shutil
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from werkzeug.serving import make_server

from cds_service import create_app
from cds_service.cli import main
from cds_service.settings import Settings
from tests.small_world import ROOT

FIXTURES = ROOT / "fixtures"
CASE = "order-sign/variant-1-contrast-mri-for-a-new-painful-fracture"


@pytest.fixture
def case(tmp_path):
    """A hospital's own folder with one case."""
    return Path(shutil.copytree(FIXTURES / CASE, tmp_path / CASE))


@pytest.fixture
def url():
    """A running service on another port of this machine."""
    server = make_server("127.0.0.1", 0, create_app(Settings()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def spoil(case):
    file = case / "response.json"
    file.write_text(file.read_text("utf-8").replace("usually not", "often not"), "utf-8")


def test_an_answer_as_expected_is_status_0(case, capsys):
    assert main(["replay", str(case)]) == 0
    assert "1 as expected, 0 different" in capsys.readouterr().out


def test_a_difference_is_shown_and_is_status_1(case, capsys):
    spoil(case)
    assert main(["replay", str(case)]) == 1
    out = capsys.readouterr().out
    assert "often not appropriate" in out
    assert "usually not appropriate" in out


def test_another_status_is_a_difference(case, capsys):
    notes = case / "case.json"
    notes.write_text(json.dumps({**json.loads(notes.read_text("utf-8")), "status": 400}), "utf-8")
    assert main(["replay", str(case)]) == 1
    assert "status 200 instead of 400" in capsys.readouterr().out


BREAK = {
    "no note of the day": lambda case: (case / "case.json").unlink(),
    "a day that is none": lambda case: (case / "case.json").write_text(
        '{"about": "", "today": "x"}'
    ),
    "a request that is not JSON": lambda case: (case / "request.json").write_text("{"),
    "nothing recorded yet": lambda case: (case / "response.json").unlink(),
    "no case at all": lambda case: shutil.rmtree(case),
}


@pytest.mark.parametrize("spoiling", BREAK.values(), ids=BREAK)
def test_a_broken_fixture_is_status_2(case, spoiling, capsys):
    spoiling(case)
    assert main(["replay", str(case.parent)]) == 2
    assert str(case.parent) in capsys.readouterr().out.replace("\n", "")


def test_recording_makes_the_answer_the_expected_one(case):
    spoil(case)
    assert main(["replay", "--record", str(case)]) == 0
    recorded = (case / "response.json").read_text("utf-8")
    assert recorded == (FIXTURES / CASE / "response.json").read_text("utf-8")


def test_junit_has_a_failure_for_each_difference(case, tmp_path):
    spoil(case)
    report = tmp_path / "report.xml"
    main(["replay", str(case), "--junit", str(report)])
    suite = ElementTree.parse(report).getroot()  # noqa: S314  our own file
    assert suite.get("tests") == "1"
    assert suite.get("failures") == "1"
    assert "often not" in suite.find("testcase/failure").text


def test_all_fixtures_hold_against_a_running_service(url, capsys):
    """The day that counts as today travels with the orders."""
    assert main(["replay", "--url", url]) == 0


def test_a_service_that_is_not_there_is_status_2(case, capsys):
    assert main(["replay", str(case), "--url", "http://127.0.0.1:1"]) == 2
