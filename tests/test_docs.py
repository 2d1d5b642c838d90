"""The README is kept true: its commands, settings, paths and answer."""

import json
import re
import subprocess
import sys

import pytest

from cds_service.cli import main
from cds_service.config import HELP
from cds_service.services import SERVICE_ID
from tests.small_world import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"`?make ([a-z]+)", README)) - {"are"}
    assert targets >= {"run", "test", "check", "replay"}
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_make_target_is_in_the_readme():
    for target in re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE):
        assert target == "clean" or f"make {target}" in README


def test_every_setting_is_in_the_readme_and_the_other_way_round():
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert told == {*HELP, "PORT", "WEB_CONCURRENCY"}
    for name, text in HELP.items():
        assert text in README, name


def test_settings_of_gunicorn_are_read_where_the_readme_says():
    text = (ROOT / "gunicorn.conf.py").read_text("utf-8")
    assert '"PORT"' in text
    assert '"WEB_CONCURRENCY"' in text


def test_the_answer_in_the_readme_is_that_of_the_fixture():
    (shown,) = (json.loads(b) for b in re.findall(r"```json\n(.*?)```", README, re.DOTALL))
    path = re.search(r"-d @(\S+)/request\.json", README).group(1)
    recorded = json.loads((ROOT / path / "response.json").read_text("utf-8"))
    assert_within(shown, recorded)
    assert f"/cds-services/{SERVICE_ID}" in README


def assert_within(part, whole):
    """What the README shows is there, in the same order."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert_within(value, whole[key])
    elif isinstance(part, list):
        assert len(part) == len(whole)
        for a, b in zip(part, whole, strict=True):
            assert_within(a, b)
    else:
        assert part == whole


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:cds_service|mappings|tests|fixtures)/[\w./-]*)`", README)))
)
def test_every_path_of_the_readme_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_every_link_of_the_readme_leads_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"-m cds_service (\w+)", README))))
def test_every_command_of_the_readme_explains_itself(command):
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(--(?:url|junit|record))\b", README))))
def test_every_option_of_replay_exists(option, capsys):
    with pytest.raises(SystemExit):
        main(["replay", "--help"])
    assert option in capsys.readouterr().out


def test_the_module_runs():
    run = [sys.executable, "-m", "cds_service", "lint"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0
    assert "no problem found" in done.stdout


SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w./]+\.(?:py|txt))`", SECURITY))))
def test_every_file_that_keeps_or_proves_a_promise_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_library_is_pinned_with_its_hash(file):
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    lines = [ln for ln in text.splitlines() if ln.strip() and not ln.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.\-]+==\S+ .*--hash=sha256:", line), line
