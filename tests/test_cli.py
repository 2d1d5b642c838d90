"""The command line: its help, what it says of wrong input, `explain` and `token`."""

import json
import re
import shlex
import subprocess
from collections import Counter

import pytest

from cds_service import create_app
from cds_service.access.trial import PRIVATE, PUBLIC
from cds_service.cli import _parser, main
from cds_service.doctor.lines import OK, PROBLEM
from cds_service.doctor.terminology import check_terminology_server
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.mappings.hierarchies import hierarchies_of
from cds_service.settings import SHIPPED_MAPPINGS, Settings
from tests.local_server import serving
from tests.small_world import (
    BREAST_CANCER,
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    hook_request,
    order,
)
from tests.terminology_stub import Stub, create_stub
from tests.test_access import BASE, PATH, clients_file

FIXTURES = ROOT / "fixtures"
ORDER_SIGN = FIXTURES / "order-sign"
SILENT_CASE = ORDER_SIGN / "silence-for-a-chest-order"
CARD_CASE = ORDER_SIGN / "variant-1-contrast-mri-for-a-new-painful-fracture"
COMMANDS = next(action for action in _parser()._subparsers._group_actions if action.choices).choices
ADDRESS = f"{BASE}{PATH}"
ISSUER = "https://ehr.trial.example.org/fhir"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Only what a test sets."""
    for name in ("CDS_AUTH", "CDS_CLIENTS", "CDS_PUBLIC_URL", "DATABASE_URL", "CDS_CODES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CDS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("name", COMMANDS)
class TestHelp:
    def test_it_fits_80_columns_and_has_examples(self, name, capsys):
        with pytest.raises(SystemExit) as done:
            main([name, "--help"])
        out = capsys.readouterr().out
        assert done.value.code == 0
        assert max(map(len, out.splitlines())) <= 80
        assert f"\nexamples:\n  cds-service {name}" in out

    def test_each_option_is_explained(self, name):
        assert all(action.help for action in COMMANDS[name]._actions)

    def test_each_example_is_understood(self, name):
        text = COMMANDS[name].epilog.partition("\n")[2].replace("\\\n", "")
        for line in text.splitlines():
            words = shlex.split(line.partition(" > ")[0].partition("#")[0])
            assert _parser().parse_args(words[1:]).run


def test_tables_fit_80_columns(tmp_path, capsys):
    assert main(["report", "--by", "variant"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


WRONG = {
    "a setting": ({"CDS_KEEP_DAYS": "x"}, ["report"], "CDS_KEEP_DAYS must be"),
    "the number of workers": ({"WEB_CONCURRENCY": "x"}, ["serve"], "WEB_CONCURRENCY must be"),
    "the database": ({"DATABASE_URL": "x"}, ["report"], "no address of a database"),
    "a database that is down": (
        {"DATABASE_URL": "postgresql+psycopg://127.0.0.1:1/x"}, ["migrate"], "connect",
    ),
    "the data folder": ({"CDS_DATA": "/proc/none"}, ["report"], "CDS_DATA: /proc/none: "),
    "a version": ({}, ["migrate", "x"], "no version x"),
    "the mappings": ({}, ["lint", "none"], "none: no such folder"),
    "the codes": ({}, ["lint", "--codes", "none"], "none: no such folder"),
    "the clients file": ({"CDS_CLIENTS": "none"}, ["explain", "README.md"], "none: cannot be read"),
    "a file": ({}, ["explain", "none.json"], "none.json: No such file"),
    "no JSON": ({}, ["explain", "README.md"], "README.md: The body is not JSON"),
    "a request": (
        {}, ["explain", str(ORDER_SIGN / "error-patient-id-is-missing/request.json")],
        "context.patientId: Missing",
    ),
    "a client": (
        {}, ["explain", "x", "--client", "x"], "--client: name one of none",
    ),
    "a service": ({}, ["explain", "x", "--service", "x"], "--service: x is none of"),
    "an address": ({}, ["token", "x", "--issuer", "x", "--keys", "x"], "x is no address"),
    "a key": (
        {}, ["token", BASE, "--issuer", "x", "--keys", "README.md"], "README.md: File exists",
    ),
    "a server": ({}, ["expand", "--tx", "x"], "--tx: x is no address"),
    "a value set": ({}, ["expand", "--tx", BASE, "--set", "x"], "x: no hierarchy defines it"),
    "a report": ({}, ["replay", str(CARD_CASE), "--junit", "/none/x"], "--junit: /none/x: "),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "words", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_line(settings, words, told, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(words) == 1
    said = capsys.readouterr()
    # What lint finds is what it is asked for; with codes a line of the mappings comes first.
    line = said.out.splitlines()[-1] if words[0] == "lint" else said.err.removesuffix("\n")
    assert "\n" not in line
    assert told in line


def explained(capsys, *words):
    assert main(["explain", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["orders"]


class TestExplain:
    def test_a_card(self, capsys):
        (told,) = explained(capsys, CARD_CASE / "request.json")
        recorded = json.loads((CARD_CASE / "response.json").read_text("utf-8"))
        assert told["answer"] == "card"
        assert told["card"] == recorded["cards"][0]["summary"]
        facts = {fact["fact"]: fact for fact in told["facts"]}
        assert facts["vcf"]["value"] is True
        assert facts["vcf"]["evidence"][1]["date"] == "2026-11-11"
        assert facts["malignancy"]["how"] == "absent"
        states = Counter(variant["state"] for variant in told["variants"])
        assert states["applies"] == 1

    def test_silence_says_why(self, capsys):
        for told in explained(capsys, SILENT_CASE / "request.json"):
            assert told["answer"] == "silence"
            assert "None of its codes" in told["why"]

    def test_a_good_order_needs_no_card(self, capsys, tmp_path):
        (told,) = explained(capsys, written(tmp_path, order(MRI_LUMBAR_WO, reasons=WELL)))
        assert (told["answer"], told["rating"]) == ("silence", "appropriate")
        assert "needs no card" in told["why"]

    def test_what_was_not_selected_is_said(self, capsys, tmp_path):
        orders = order(MRI_LUMBAR_W, reasons=WELL), order(MRI_LUMBAR_W, id="other")
        request = hook_request(*orders, hook="order-select", selections=["ServiceRequest/other"])
        file = tmp_path / "request.json"
        file.write_text(json.dumps(request))
        first, second = explained(capsys, file)
        assert "selections" in first["why"]
        assert "procedure" in second

    def test_a_silent_client_keeps_the_card_back(self, capsys, tmp_path, monkeypatch):
        text = f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\nsilent = true\n'
        monkeypatch.setenv("CDS_CLIENTS", str(clients_file(tmp_path, text)))
        (told,) = explained(capsys, CARD_CASE / "request.json", "--client", "hospital")
        assert told["answer"] == "silence"
        assert "the client is silent" in told["why"]
        assert "usually not appropriate" in told["card"]

    def test_the_codes_of_a_client_count(self, capsys, tmp_path, monkeypatch):
        text = (
            f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'
            f'codes = "{FIXTURES / "local-codes"}"\n'
        )
        monkeypatch.setenv("CDS_CLIENTS", str(clients_file(tmp_path, text)))
        local = ("urn:example:hospital:orders", "MRLSPW")
        (told,) = explained(capsys, written(tmp_path, order(local, reasons=WELL)))
        assert told["procedure"] == "MRI spine area of interest with IV contrast"

    def test_the_terminal_shows_every_part(self, capsys, tmp_path):
        pain_and_cancer = order(MRI_LUMBAR_W, reasons=(*WELL, BREAST_CANCER))
        assert main(["explain", str(written(tmp_path, pain_and_cancer))]) == 0
        out = capsys.readouterr().out
        for part in ("answer", "because", "read as", "card", "facts", "variants", "buttons"):
            assert f"\n  {part} " in out
        assert max(map(len, out.splitlines())) <= 80

    @pytest.mark.parametrize("folder", find_fixtures([FIXTURES]), ids=lambda f: f.name)
    def test_each_fixture_is_explained_as_it_is_answered(self, folder, capsys, monkeypatch):
        fixture = read_fixture(folder)
        if fixture.status != 200:
            pytest.skip("it is an error")
        monkeypatch.setenv("CDS_CODES", "")
        told = explained(capsys, folder / "request.json")
        cards = json.loads(fixture.expected)["cards"]
        shown = [each["card"] for each in told if each["answer"] == "card"]
        assert shown == [card["summary"] for card in cards]
        assert all(each["why"] for each in told)


WELL = (FRACTURE, PAIN)


def written(folder, *orders):
    file = folder / "request.json"
    file.write_text(json.dumps(hook_request(*orders)))
    return file


@pytest.fixture
def token_of(capsys, tmp_path):
    def made(*more):
        words = ["token", ADDRESS, "--issuer", ISSUER, "--keys", str(tmp_path / "ehr"), *more]
        assert main(words) == 0
        return capsys.readouterr().out.strip()

    return made


def asked(folder, text, bearer):
    settings = Settings(
        open=False, public_url=BASE, clients=clients_file(folder, text), data=folder / "data"
    )
    client = create_app(settings).test_client()
    headers = {"Authorization": f"Bearer {bearer}"}
    return client.post(PATH, json=hook_request(order(MRI_LUMBAR_W)), headers=headers)


TOLD_OF_IT = f'[trial]\niss = ["{ISSUER}"]\njwks = "ehr/{PUBLIC}"\n'


class TestToken:
    def test_it_passes_where_the_service_was_told_the_key(self, token_of, tmp_path):
        assert asked(tmp_path, TOLD_OF_IT, token_of()).status_code == 200
        assert asked(tmp_path, TOLD_OF_IT, token_of()).status_code == 200

    @pytest.mark.parametrize(
        "text",
        [
            f'[trial]\niss = ["{ISSUER}"]\njwks = "keys.json"\n',
            f'[trial]\niss = ["https://other.example.org"]\njwks = "ehr/{PUBLIC}"\n',
        ],
        ids=["another key", "another issuer"],
    )
    def test_it_passes_nowhere_else(self, text, token_of, tmp_path):
        assert asked(tmp_path, text, token_of()).status_code == 401

    def test_longer_than_allowed_is_refused(self, token_of, tmp_path):
        answer = asked(tmp_path, TOLD_OF_IT, token_of("--seconds", "3600"))
        assert "longer" in answer.get_json()["issue"][0]["diagnostics"]

    def test_a_client_with_a_subject_wants_it(self, token_of, tmp_path):
        text = TOLD_OF_IT + 'sub = "x"\n'
        assert asked(tmp_path, text, token_of()).status_code == 401
        assert asked(tmp_path, text, token_of("--subject", "x")).status_code == 200

    def test_the_key_stays_and_is_private(self, token_of, tmp_path):
        token_of()
        file = tmp_path / "ehr" / PRIVATE
        before = file.read_bytes()
        token_of()
        assert file.read_bytes() == before
        assert file.stat().st_mode & 0o777 == 0o600
        assert '"d"' not in (tmp_path / "ehr" / PUBLIC).read_text()


class TestDoctorAndTheTerminologyServer:
    ROOTS = {root: "" for h in hierarchies_of(SHIPPED_MAPPINGS) for root in h.roots}

    def line(self, stub):
        with serving(create_stub(stub)) as address:
            (line,) = check_terminology_server(Settings(tx=f"{address}/fhir"))
        return line

    def test_none_is_no_line(self):
        assert list(check_terminology_server(Settings())) == []

    def test_one_that_answers(self):
        assert self.line(Stub(parents=self.ROOTS)).state == OK

    @pytest.mark.parametrize("stub", [Stub(faults={"down"}), Stub(parents={})])
    def test_one_that_does_not(self, stub):
        line = self.line(stub)
        assert line.state == PROBLEM
        assert "CDS_TX" in line.text


def test_doctor_and_run_have_the_same_environment():
    """`make doctor` looks at the settings that `make run` starts with."""
    for given, expected in (({}, "open"), ({"CDS_AUTH": "required"}, "required")):
        for target in ("run", "doctor"):
            show = f"show:\n\t@:\n{target}: ; @echo $$CDS_AUTH"
            made = subprocess.run(  # noqa: S603  our own command
                ["make", "-sf", "-", "-o", ".venv/run", target],  # noqa: S607
                cwd=ROOT, input=environment_rule() + show, env={"PATH": "/usr/bin:/bin", **given},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert made.stdout.strip() == expected


def environment_rule():
    """The line of the Makefile that sets the environment of both."""
    text = (ROOT / "Makefile").read_text("utf-8")
    return re.search(r"^run doctor: export .*\n", text, re.MULTILINE)[0]
