"""The documents are kept true: their commands, settings, paths and answer."""

import json
import re
import runpy
import shlex
import subprocess
import sys
from importlib.util import find_spec
from textwrap import dedent

import pytest

from cds_service.about import RELEASED, VERSION
from cds_service.access.clients import Client, read_clients
from cds_service.cli import _parser as command_line
from cds_service.cli import main
from cds_service.declared import meanings
from cds_service.settings import Settings
from tests.small_world import ROOT, SERVICE

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text("utf-8")
OTHERS = ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md", "deploy/README.md")
DOCUMENTS = [*(ROOT / name for name in OTHERS), *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {document: document.read_text("utf-8") for document in DOCUMENTS}


def test_every_make_target_of_the_documents_exists():
    text = "".join(TEXTS.values())
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert targets >= {"run", "test", "check", "replay"}
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_the_newest_section_of_the_changelog_is_this_version():
    """Under it, too, what is to come is written until it is released."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (\S+)(?: \((\S+)\))?$", text, re.MULTILINE)
    assert newest.groups() in ((VERSION, RELEASED), ("Unreleased", None))


def test_every_make_target_is_in_the_readme():
    for target in re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE):
        assert target == "clean" or f"make {target}" in README


OF_GUNICORN = ("FORWARDED_ALLOW_IPS", "PORT", "WEB_CONCURRENCY")


def table_under(heading):
    """The rows of the table with this heading, by their first column."""
    rows = (
        CONFIGURATION.split(f"| {heading} | meaning |\n|---|---|\n")[1]
        .split("\n\n")[0]
        .splitlines()
    )
    return dict(re.fullmatch(r"\| `(\w+)` \| (.*) \|", row).groups() for row in rows)


def test_the_table_of_settings_is_made_of_their_declarations():
    told = table_under("setting")
    assert {name: told.pop(name) for name in OF_GUNICORN}
    assert told == meanings(Settings)


def test_the_table_of_client_keys_is_made_of_their_declarations():
    assert table_under("key") == meanings(Client)


TABLES = re.findall(r"```toml\n(.*?)```", "".join(TEXTS.values()), re.DOTALL)


@pytest.mark.parametrize("text", list(map(dedent, TABLES)))
def test_every_clients_file_of_the_documents_can_be_read(text, tmp_path):
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
COMMAND = re.compile(r"(?:-m cds_service|cds-service) (\w+)")


def found_in_documents(expression):
    """Each finding of the expression with the document that holds it."""
    found = {(doc, each) for doc in DOCUMENTS for each in expression.findall(TEXTS[doc])}
    return [pytest.param(*one, id=f"{one[0].name}-{one[1]}") for one in sorted(found)]


@pytest.mark.parametrize(("document", "path"), found_in_documents(PATH))
def test_every_path_of_the_documents_exists(document, path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("document", "link"), found_in_documents(LINK))
def test_every_link_of_the_documents_leads_somewhere(document, link):
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    assert target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE) if anchor else []
    assert not anchor or anchor in map(anchor_of, headings)


def anchor_of(heading):
    """As GitHub and the builder of the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(("document", "command"), found_in_documents(COMMAND))
def test_every_command_of_the_documents_explains_itself(document, command):
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0


BLOCK = re.compile(r"^ *```sh\n(.*?)```", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\S+python -m cds_service|cds-service) (.*)$", re.MULTILINE)


def lines_of_commands():
    """What follows `cds-service` in the examples of shells, up to what is the shell's."""
    for document, text in TEXTS.items():
        for block in BLOCK.findall(text):
            for line in LINE.findall(block.replace("\\\n", "")):
                words = re.split(r" (?:2?>|&|\|)", line)[0]
                yield pytest.param(words, id=f"{document.name}: {words}")


@pytest.mark.parametrize("words", list(lines_of_commands()))
def test_every_example_is_one_that_the_command_understands(words):
    assert command_line().parse_args(shlex.split(words)).run


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150


def test_the_picture_is_of_the_card_that_comes():
    """Where the card has changed, `.venv/bin/python docs/card.py` draws it anew."""
    draw = runpy.run_path(str(ROOT / "docs/card.py"))
    (card,) = json.loads(draw["ANSWER"].read_text("utf-8"))["cards"]
    assert (ROOT / "docs/card.svg").read_text("utf-8") == draw["drawn"](card)


SNIPPETS = re.findall(r"```yaml\n(.*?)```", TEXTS[ROOT / "docs/replay.md"], re.DOTALL)


@pytest.mark.parametrize(
    ("text", "schema"), list(zip(SNIPPETS, ("github-workflows", "gitlab-ci"), strict=True))
)
def test_the_snippets_for_ci_are_as_their_schemas_say(text, schema, tmp_path):
    """The one for Jenkins was not tried: nothing here reads it."""
    (tmp_path / "ci.yml").write_text(text)
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    subprocess.run([*check, tmp_path / "ci.yml"], check=True)  # noqa: S603  our own command


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site; what its builder warns of is an error."""
    if not find_spec("sphinx"):
        pytest.skip("the site was not built: `make docs` installs what it needs")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-c", "docs", "-W", "--keep-going", "-q"]
    places = ["-d", folder / "doctrees", ".", folder / "html"]
    done = subprocess.run([*build, *places], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_document_is_on_the_site(site):
    for document in DOCUMENTS:
        assert (site / document.relative_to(ROOT)).with_suffix(".html").exists()


def test_the_site_asks_nothing_of_other_hosts(site):
    """Links may lead elsewhere; scripts, styles, fonts and pictures are its own."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"""\bsrc=["'](?:https?:)?//""", text)
        for link in re.findall(r"<link [^>]*>", text):
            assert not re.search(r"""href=["'](?:https?:)?//""", link)
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", style.read_text("utf-8"))


def test_the_module_runs():
    run = [sys.executable, "-m", "cds_service", "lint"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0
    assert "no problem found" in done.stdout


SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
PROMISES = re.findall(r"^\| (.+?) \| (.+) \| (.+) \|$", SECURITY.split("## What is lost")[0], re.M)[
    2:
]


@pytest.mark.parametrize(("promise", "kept", "proof"), PROMISES)
def test_each_promise_names_the_test_that_proves_it(promise, kept, proof):
    assert "`tests/" in proof


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w./]+\.(?:py|txt))`", SECURITY))))
def test_every_file_that_keeps_or_proves_a_promise_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "file", [f"requirements{kind}.txt" for kind in ("", "-dev", "-docs", "-spark")]
)
def test_every_library_is_pinned_with_its_hash(file):
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    lines = [ln for ln in text.splitlines() if ln.strip() and not ln.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.\-]+==\S+ .*--hash=sha256:", line), line
