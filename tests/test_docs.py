"""The documents are kept true: their commands, settings, paths and answer."""

import json
import re
import subprocess
import sys

import pytest

from cds_service.access.clients import Client, read_clients
from cds_service.cli import main
from cds_service.declared import meanings
from cds_service.settings import Settings
from tests.small_world import ROOT, SERVICE

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
DOCUMENTS = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/pages.md")
]


def test_every_make_target_of_the_documents_exists():
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert targets >= {"run", "test", "check", "replay"}
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_every_make_target_is_in_the_readme():
    for target in re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE):
        assert target == "clean" or f"make {target}" in README


OF_GUNICORN = ("FORWARDED_ALLOW_IPS", "PORT", "WEB_CONCURRENCY")


def table_under(heading):
    """The rows of the README's table with this heading, by their first column."""
    rows = README.split(f"| {heading} | meaning |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    return dict(re.fullmatch(r"\| `(\w+)` \| (.*) \|", row).groups() for row in rows)


def test_the_table_of_settings_is_made_of_their_declarations():
    told = table_under("setting")
    assert {name: told.pop(name) for name in OF_GUNICORN}
    assert told == meanings(Settings)


def test_the_table_of_client_keys_is_made_of_their_declarations():
    assert table_under("key") == meanings(Client)


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", README, re.DOTALL))
def test_every_clients_file_of_the_readme_can_be_read(text, tmp_path):
    (tmp_path / "keys.csv").write_text("procedure,region,key\n")
    (tmp_path / "clients.toml").write_text(text)
    assert read_clients(tmp_path / "clients.toml", frozenset({"variant-8", "gadolinium"}))


def test_settings_of_gunicorn_are_read_where_the_readme_says():
    read = (ROOT / "gunicorn.conf.py", ROOT / "cds_service/serve.py")
    text = "".join(file.read_text("utf-8") for file in read)
    for name in OF_GUNICORN:
        assert f'"{name}"' in text


def test_the_answer_in_the_readme_is_that_of_the_fixture():
    (shown,) = (json.loads(b) for b in re.findall(r"```json\n(.*?)```", README, re.DOTALL))
    path = re.search(r"-d @(\S+)/request\.json", README).group(1)
    recorded = json.loads((ROOT / path / "response.json").read_text("utf-8"))
    assert_within(shown, recorded)
    assert f"/cds-services/{SERVICE}" in README


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


PATH = re.compile(r"`((?:cds_service|mappings|tests|fixtures)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)]+)\)")
COMMAND = re.compile(r"-m cds_service (\w+)")


def found_in_documents(expression):
    """Each finding of the expression with the document that holds it."""
    found = {
        (doc, each) for doc in DOCUMENTS for each in expression.findall(doc.read_text("utf-8"))
    }
    return [pytest.param(*one, id=f"{one[0].name}-{one[1]}") for one in sorted(found)]


@pytest.mark.parametrize(("document", "path"), found_in_documents(PATH))
def test_every_path_of_the_documents_exists(document, path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("document", "link"), found_in_documents(LINK))
def test_every_link_of_the_documents_leads_somewhere(document, link):
    assert (document.parent / link).exists()


@pytest.mark.parametrize(("document", "command"), found_in_documents(COMMAND))
def test_every_command_of_the_documents_explains_itself(document, command):
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
