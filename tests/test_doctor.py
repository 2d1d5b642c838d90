"""`python -m cds_service doctor`: each check where it is fine, and where it is not."""

import json
import re
import socket
import tempfile
import time
from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from flask import Flask
from rich.console import Console

from cds_service.access.clients import Client
from cds_service.access.jwk import keys_in
from cds_service.access.keys import Keys
from cds_service.access.tokens import ALGORITHMS, TEXTS, TokenRefused, Verifier
from cds_service.cli import main
from cds_service.doctor.clients import check_clients, check_fhir_servers, check_keys
from cds_service.doctor.configuration import (
    check_hierarchies,
    check_mappings,
    check_mode,
    check_public_url,
)
from cds_service.doctor.lines import OK, PROBLEM, SKIPPED, WARNING, ok, problem, show, warning
from cds_service.doctor.store import check_database, check_folder, check_secret
from cds_service.doctor.token import as_called, explain, explain_file
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.tokens import TokenFiles
from tests import test_access as access
from tests.local_server import serving
from tests.small_world import ROOT
from tests.test_access import BASE, ENDPOINT, ISSUER, JKU, PATH, clients_file, jwks, token

KEYS = keys_in(jwks())
SAFE = {"open": False, "public_url": BASE}


class TestMode:
    def test_tokens_are_required(self):
        assert check_mode(Settings(open=False)).state == OK

    def test_open_is_a_warning(self):
        assert check_mode(Settings(open=True)).state == WARNING


PUBLIC_URLS = {
    "https": (BASE, False, OK),
    "none": ("", False, PROBLEM),
    "none in open mode": ("", True, OK),
    "http": ("http://cds.example.org", False, PROBLEM),
    "http in open mode": ("http://cds.example.org", True, PROBLEM),
    "http on this machine": ("http://127.0.0.1:8000", False, OK),
    "no host": ("https:", False, PROBLEM),
    "no address": ("https://[x", False, PROBLEM),
}


@pytest.mark.parametrize(("url", "is_open", "state"), PUBLIC_URLS.values(), ids=PUBLIC_URLS)
def test_the_public_address(url, is_open, state):
    assert check_public_url(Settings(open=is_open, public_url=url)).state == state


class TestMappings:
    def test_those_shipped_are_fine_before_the_review(self):
        lines = list(check_mappings(Settings(), date(2000, 1, 1)))
        assert [(line.about, line.state) for line in lines] == [
            ("mappings", OK),
            ("guideline review", OK),
        ]

    def test_a_review_that_is_due_is_a_warning(self):
        assert [line.state for line in check_mappings(Settings(), date(2999, 1, 1))] == [
            OK,
            WARNING,
        ]

    def test_a_site_that_knows_the_shipped_codes_only_is_warned(self, tmp_path):
        line = check_hierarchies(Settings())
        assert (line.state, "run expand" in line.text) == (WARNING, True)
        assert check_hierarchies(Settings(tx="https://tx.example.org")).state == OK
        (tmp_path / "expansions").mkdir()
        (tmp_path / "expansions" / "malignancy.json").write_text("{}")
        assert check_hierarchies(Settings(mappings=tmp_path)).state == OK

    def test_each_problem_is_a_line(self, tmp_path):
        (tmp_path / "topics" / "empty").mkdir(parents=True)
        lines = list(check_mappings(Settings(mappings=tmp_path), date(2000, 1, 1)))
        assert len(lines) > 1
        assert {line.state for line in lines} == {PROBLEM}


def clients_lines(tmp_path, text=None, **changes):
    file = tmp_path / "clients.toml"
    if text is not None:
        clients_file(tmp_path, text)
    return list(check_clients(Settings(**{**SAFE, "clients": file, **changes})))


class TestClientsFile:
    def test_a_good_one_with_its_clients(self, tmp_path):
        text = f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'
        lines = clients_lines(tmp_path, text)
        assert [line.state for line in lines] == [OK, OK, OK]
        assert "hospital" in lines[0].text
        assert "3 usable" in lines[1].text

    def test_a_wrong_one_is_told_with_its_line(self, tmp_path):
        (line,) = clients_lines(tmp_path, "[a]\n")
        assert line.state == PROBLEM
        assert "line 1: a.iss" in line.text

    def test_one_that_is_not_there(self, tmp_path):
        (line,) = clients_lines(tmp_path)
        assert line.state == PROBLEM
        assert "No such file" in line.text

    def test_one_without_a_client(self, tmp_path):
        (line,) = clients_lines(tmp_path, "# nobody yet\n")
        assert line.state == PROBLEM

    def test_none_is_a_problem_outside_open_mode_only(self, tmp_path):
        assert [line.state for line in clients_lines(tmp_path, clients=None)] == [PROBLEM]
        assert clients_lines(tmp_path, clients=None, open=True) == []

    def test_in_open_mode_the_files_of_its_settings_are_checked(self, tmp_path):
        def told(**settings):
            return clients_lines(tmp_path, clients=None, open=True, **settings)

        assert [line.state for line in told(codes=ROOT / "fixtures/local-codes")] == [OK]
        (line,) = told(codes=tmp_path / "none")
        assert (line.state, line.about) == (PROBLEM, "open: codes")
        (line,) = told(preference_list=tmp_path / "none.csv")
        assert line.state == PROBLEM
        assert "CDS_PREFERENCE_LIST: " in line.text


@pytest.fixture(scope="module")
def key_server():
    app = Flask("keys")
    app.add_url_rule("/good", "good", lambda: jwks())
    app.add_url_rule("/empty", "empty", lambda: {"keys": []})
    app.add_url_rule("/strange", "strange", lambda: [1])
    app.add_url_rule("/page", "page", lambda: "<p>Sign in</p>")
    app.add_url_rule("/moved", "moved", lambda: ("", 302, {"Location": "/good"}))
    with serving(app) as address:
        yield address


def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def client_of(**changes):
    return Client(**{"name": "hospital", "iss": frozenset({ISSUER}), **changes})


class TestKeys:
    @pytest.mark.parametrize(
        ("path", "state", "told"),
        [
            ("/good", WARNING, "3 usable"),
            ("/empty", WARNING, "no key with a kid"),
            ("/strange", WARNING, "a list of keys"),
            ("/page", PROBLEM, "JSONDecodeError"),
            ("/moved", PROBLEM, "status 302"),
            ("/none", PROBLEM, "status 404"),
        ],
    )
    def test_what_a_jku_answers(self, key_server, path, state, told):
        (line,) = check_keys(client_of(jku=frozenset({key_server + path})))
        assert line.state == state
        assert told in line.text

    def test_a_jku_that_does_not_answer(self):
        address = f"http://127.0.0.1:{closed_port()}/jwks.json"
        (line,) = check_keys(client_of(jku=frozenset({address})))
        assert line.state == PROBLEM
        assert "ConnectionError" in line.text

    def test_a_jku_that_stops_in_the_middle(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.keys.FETCH_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"http://127.0.0.1:{server.getsockname()[1]}/"
            (line,) = check_keys(client_of(jku=frozenset({address})))
        assert line.state == PROBLEM

    def test_keys_in_the_file(self):
        assert [line.state for line in check_keys(client_of(jwks=KEYS))] == [OK]


def fhir(server, **changes):
    (line,) = check_fhir_servers(client_of(fhir_servers=frozenset({server}), **changes))
    return line


def resolving_to(monkeypatch, *addresses):
    found = [(None, None, None, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


class TestFhirServers:
    def test_a_public_one(self, monkeypatch):
        resolving_to(monkeypatch, "93.184.215.14")
        assert fhir("https://fhir.example.org/r4").state == OK

    def test_plain_http(self):
        assert fhir("http://fhir.example.org/r4").state == PROBLEM

    def test_a_name_without_an_address(self, monkeypatch):
        def fail(*_, **__):
            raise socket.gaierror

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        line = fhir("https://fhir.example.org/r4")
        assert line.state == PROBLEM
        assert "no address" in line.text

    def test_a_name_that_cannot_be_one(self):
        assert fhir(f"https://{'x' * 70}.example.org/r4").state == PROBLEM

    def test_a_private_one_must_be_meant(self, monkeypatch):
        resolving_to(monkeypatch, "10.0.0.8")
        line = fhir("https://fhir.intern/r4")
        assert line.state == PROBLEM
        assert "fhir_private" in line.text
        assert fhir("https://fhir.intern/r4", fhir_private=True).state == OK

    @pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
    def test_one_that_is_never_permitted(self, monkeypatch, address):
        resolving_to(monkeypatch, "93.184.215.14", address)
        line = fhir("https://fhir.example.org/r4", fhir_private=True)
        assert line.state == PROBLEM
        assert "fhir_private" not in line.text

    @pytest.mark.parametrize(
        "changes", [{}, {"fhir_servers": frozenset({"https://x"}), "fetch_milliseconds": 0}]
    )
    def test_none_is_fine(self, changes):
        assert [line.state for line in check_fhir_servers(client_of(**changes))] == [OK]


class TestStore:
    def test_a_folder_that_can_be_written(self, tmp_path):
        assert check_folder(tmp_path / "new").state == OK
        assert list((tmp_path / "new").iterdir()) == []

    def test_a_folder_that_cannot(self, tmp_path):
        (tmp_path / "file").touch()
        assert check_folder(tmp_path / "file").state == PROBLEM

    def test_folders_in_it_that_are_ours_are_tried_and_no_others(self, tmp_path, monkeypatch):
        for name in ("spool", "tokens", "lost+found"):
            (tmp_path / name).mkdir()
        tried, made = [], tempfile.TemporaryFile
        monkeypatch.setattr(
            tempfile, "TemporaryFile", lambda dir: tried.append(dir.name) or made(dir=dir)
        )
        assert check_folder(tmp_path).state == OK
        assert sorted(tried) == sorted([tmp_path.name, "spool", "tokens"])

    @pytest.mark.parametrize(
        ("url", "secret", "state"),
        [("", "", OK), ("postgresql://x/y", "", WARNING), ("postgresql://x/y", "s" * 16, OK)],
    )
    def test_hosts_that_share_a_database_share_a_secret(self, url, secret, state):
        assert check_secret(Settings(database_url=url, secret=secret)).state == state

    def test_a_database_that_can_be_written(self, tmp_path):
        assert check_database(Settings(data=tmp_path)).state == OK

    def test_nothing_is_left_in_it(self, tmp_path):
        check_database(Settings(data=tmp_path))
        with Database("", tmp_path).begin() as connection:
            assert not connection.exec_driver_sql("SELECT * FROM used_tokens").all()

    def test_a_file_that_is_no_database(self, tmp_path):
        (tmp_path / "service.db").write_text("not a database, and longer than its header is")
        line = check_database(Settings(data=tmp_path))
        assert line.state == PROBLEM
        assert "service.db" in line.text

    def test_a_database_that_can_only_be_read(self, tmp_path):
        check_database(Settings(data=tmp_path))
        url = f"sqlite:///file:{tmp_path / 'service.db'}?mode=ro&uri=true"
        line = check_database(Settings(data=tmp_path, database_url=url))
        assert line.state == PROBLEM
        assert "readonly" in line.text

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql+psycopg://user:hidden@127.0.0.1:{port}/cds",
            "postgresql://user:hidden@127.0.0.1:{port}/cds",
            "postgres://user:hidden@127.0.0.1/cds",
            "postgresql+psycopg://user:hidden@127.0.0.1:hidden/cds",
            "hidden",
        ],
    )
    def test_an_address_that_is_wrong_is_told_without_the_password(self, tmp_path, url):
        url = url.format(port=closed_port())
        line = check_database(Settings(data=tmp_path, database_url=url))
        assert line.state == PROBLEM
        assert "hidden" not in line.text
        assert "DATABASE_URL" in line.text


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "data", **SAFE)


HOSPITAL = client_of(jwks=KEYS)


def explained(settings, text, endpoint=ENDPOINT, clients=(HOSPITAL,)):
    return {line.about: line for line in explain(text or "", endpoint, settings, clients)}


def states(lines, state):
    return [about for about, line in lines.items() if line.state == state]


def verifier(settings, used, clients=(HOSPITAL,)):
    return Verifier(clients, Keys(), used.remember, time.time, settings.token_seconds)


# Which line tells of a check of the service.
LINES = {
    "malformed": "form",
    "algorithm": "algorithm",
    "type": "type",
    "critical": "critical headers",
    "issuer": "issuer",
    "claims": "claims",
    "audience": "audience",
    "expired": "expiry",
    "not-yet-valid": "start",
    "lifetime": "lifetime",
    "signature": "signature",
    "key-use": "key",
    "missing": "form",
}


class TestToken:
    @pytest.mark.parametrize("make", access.GOOD.values(), ids=access.GOOD)
    def test_a_good_one_passes_every_check(self, settings, make):
        lines = explained(settings, make())
        assert set(states(lines, OK)) == set(lines)
        assert len(lines) == 13

    @pytest.mark.parametrize(("make", "check"), access.BAD.values(), ids=access.BAD)
    def test_a_bad_one_has_a_problem_where_the_service_refuses(self, settings, make, check):
        problems = states(explained(settings, make()), PROBLEM)
        told = ("key", "key id") if check == "key" else (LINES[check],)
        assert set(told) & set(problems)

    @pytest.mark.parametrize("make", [m for m, _ in access.BAD.values()], ids=access.BAD)
    def test_neither_signature_nor_token_is_shown(self, settings, make):
        text = make() or ""
        shown = " ".join(line.text for line in explain(text, ENDPOINT, settings, (HOSPITAL,)))
        assert len(text) < 20 or text not in shown
        parts = text.split(".")
        assert len(parts) != 3 or len(parts[2]) < 20 or parts[2] not in shown

    def test_several_problems_are_all_told(self, settings):
        past = {"iat": access.now_plus(-5000), "exp": access.now_plus(-3000)}
        lines = explained(settings, token(aud=BASE, iss="https://other.test", **past))
        assert states(lines, PROBLEM) == ["issuer", "audience", "expiry", "lifetime"]
        assert states(lines, SKIPPED) == ["key", "used before"]

    def test_what_is_needed_to_put_it_right_is_told(self, settings):
        lines = explained(settings, token(aud=BASE, iss=ISSUER + "/", exp=access.now_plus(4000)))
        assert f'has iss ["{ISSUER}"] and any sub' in lines["issuer"].text
        assert f'"{BASE}", {ENDPOINT} was called' in lines["audience"].text
        assert re.search(r"valid for 4\d\d\d seconds: at most 900", lines["lifetime"].text)
        assert re.search(r"exp is 4\d\d\d|3999 seconds from now", lines["expiry"].text)

    def test_missing_claims_are_named(self, settings):
        lines = explained(settings, token(exp=None, jti=None))
        assert "exp, jti must be there" in lines["claims"].text
        assert states(lines, SKIPPED) == ["times", "used before"]

    def test_milliseconds_are_recognised(self, settings):
        now = int(time.time() * 1000)
        assert "milliseconds" in explained(settings, token(iat=now, exp=now))["start"].text

    @pytest.mark.parametrize("number", [10**400, float("inf"), float("nan"), -(10**400)])
    def test_strange_numbers_end_nothing(self, settings, number):
        assert "used before" in explained(settings, token(iat=number, exp=number))

    def test_a_subject_that_is_no_text(self, settings):
        line = explained(settings, access.forged(access.ES384, access.claims(sub=7)))["signature"]
        assert line.state == PROBLEM
        assert "sub" in line.text

    def test_control_characters_do_not_reach_the_terminal(self, settings):
        assert "\x1b" not in explained(settings, token(iss="\x1b[2J"))["issuer"].text


class TestClientOfAToken:
    def test_a_subject_chooses(self, settings):
        clients = tuple(client_of(name=n, sub=n, jwks=KEYS) for n in "ab")
        assert "fits b" in explained(settings, token(sub="b"), clients=clients)["issuer"].text
        line = explained(settings, token(sub="c"), clients=clients)["issuer"]
        assert line.state == PROBLEM
        assert "a has iss" in line.text

    def test_two_that_fit_are_a_warning(self, settings):
        clients = (HOSPITAL, client_of(name="clinic", sub="s", jwks=KEYS))
        line = explained(settings, token(sub="s"), clients=clients)["issuer"]
        assert line.state == WARNING
        assert "hospital, clinic" in line.text


class TestKeyOfAToken:
    def test_the_kids_there_are_told(self, settings):
        lines = explained(settings, token(header={"kid": "key-2"}))
        assert '"rsa-1"' in lines["key"].text

    def test_a_jku_that_is_not_the_clients_is_told_and_not_asked(self, settings, monkeypatch):
        asked = []
        monkeypatch.setattr(
            "cds_service.access.download.download", lambda url: asked.append(url) or jwks()
        )
        header = {"kid": "key-2", "jku": "https://evil.test/jwks.json"}
        client = client_of(jku=frozenset({JKU}))
        lines = explained(settings, token(header=header), clients=(client,))
        assert "evil.test/jwks.json\" is not one of the client's" in lines["key"].text
        assert asked == [JKU]

    def test_keys_at_an_address(self, settings, key_server):
        client = client_of(jku=frozenset({f"{key_server}/good"}))
        assert not states(explained(settings, token(), clients=(client,)), PROBLEM)

    def test_keys_that_cannot_be_had(self, settings, key_server):
        client = client_of(jku=frozenset({f"{key_server}/none"}))
        line = explained(settings, token(), clients=(client,))["key"]
        assert line.state == PROBLEM
        assert f"{key_server}/none" in line.text


class TestAddressOfACall:
    @pytest.mark.parametrize(
        ("endpoint", "public_url", "called"),
        [
            (ENDPOINT, BASE, ENDPOINT),
            (ENDPOINT, "", ENDPOINT),
            (f"{ENDPOINT}?x=1", BASE, ENDPOINT),
            (f"http://127.0.0.1:8000{PATH}", BASE, ENDPOINT),
            (f"{BASE}.evil.test{PATH}", BASE, ENDPOINT),
            (f"http://127.0.0.1:8000{PATH}", f"{BASE}/cds", f"{BASE}/cds{PATH}"),
        ],
    )
    def test_it_is_that_of_the_service(self, endpoint, public_url, called):
        assert as_called(endpoint, public_url) == called

    def test_another_than_the_public_one_is_a_warning(self, settings):
        lines = explained(settings, token(), f"http://127.0.0.1:8000{PATH}")
        assert states(lines, WARNING) == ["address"]
        assert not states(lines, PROBLEM)


class TestUsedBefore:
    def test_explaining_does_not_use_it_up(self, settings):
        text = token()
        for _ in range(2):
            assert explained(settings, text)["used before"].state == OK
        used = TokenFiles(settings.data / "tokens")
        assert verifier(settings, used).verify(text, ENDPOINT) == HOSPITAL

    def test_one_that_was_used(self, settings):
        text, used = token(), TokenFiles(settings.data / "tokens")
        verifier(settings, used).verify(text, ENDPOINT)
        lines = explained(settings, text)
        assert states(lines, PROBLEM) == ["used before"]
        with pytest.raises(TokenRefused, match=TEXTS["replayed"]):
            verifier(settings, used).verify(text, ENDPOINT)

    def test_a_database_that_does_not_answer(self, settings):
        settings.data.write_text("in the way")
        assert explained(settings, token())["used before"].state == WARNING
        settings = replace(settings, refuse_unchecked=True)
        assert explained(settings, token())["used before"].state == PROBLEM


def file_lines(tmp_path, text, **changes):
    file = tmp_path / "token"
    if text is not None:
        file.write_text(text)
    found = {**SAFE, "clients": clients_file(tmp_path), "data": tmp_path / "data", **changes}
    return {line.about: line for line in explain_file(file, ENDPOINT, Settings(**found))}


class TestTokenFile:
    def test_the_word_bearer_and_an_end_of_line_do_no_harm(self, tmp_path):
        assert not states(file_lines(tmp_path, f"Bearer {token()}\n"), PROBLEM)

    def test_one_that_is_not_there(self, tmp_path):
        assert states(file_lines(tmp_path, None), PROBLEM) == ["token file"]

    def test_without_clients(self, tmp_path):
        lines = file_lines(tmp_path, token(), clients=None)
        assert states(lines, PROBLEM) == ["clients file", "issuer"]

    def test_in_open_mode_no_token_is_looked_at(self, tmp_path):
        assert states(file_lines(tmp_path, token(), open=True), WARNING) == ["mode"]


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """A sound configuration."""
    text = f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in {
        "CDS_AUTH": "required",
        "CDS_CLIENTS": clients_file(tmp_path, text),
        "CDS_PUBLIC_URL": BASE,
        "CDS_DATA": tmp_path / "data",
    }.items():
        monkeypatch.setenv(name, str(value))
    return monkeypatch


class TestCommand:
    def test_a_sound_configuration(self, environment, capsys):
        assert main(["doctor"]) == 0
        out = capsys.readouterr().out
        for about in ("settings", "mode", "public address", "mappings", "clients file", "database"):
            assert re.search(rf"^ok +{about} ", out, re.MULTILINE)

    def test_warnings_are_allowed(self, environment, capsys):
        environment.setenv("CDS_AUTH", "open")
        assert main(["doctor"]) == 0
        assert re.search(r"^warning +mode ", capsys.readouterr().out, re.MULTILINE)

    def test_a_problem(self, environment, capsys):
        environment.delenv("CDS_CLIENTS")
        assert main(["doctor"]) == 1
        assert re.search(r"^problem +clients file .*CDS_CLIENTS", capsys.readouterr().out, re.M)

    def test_settings_that_cannot_be_read(self, environment, capsys):
        environment.setenv("CDS_TOKEN_SECONDS", "soon")
        environment.setenv("CDS_LANGUAGE", "tlh")
        assert main(["doctor"]) == 1
        out = capsys.readouterr().out
        assert "CDS_TOKEN_SECONDS must be a whole number from 1" in out
        assert "CDS_LANGUAGE must be one of en, de, es" in out

    def test_a_misspelt_setting_is_a_warning(self, environment, capsys):
        environment.setenv("CDS_DIALEKT", "epic")
        assert main(["doctor"]) == 0
        assert re.search(r"^warning +settings +CDS_DIALEKT ", capsys.readouterr().out, re.M)

    def test_a_token(self, environment, tmp_path, capsys):
        file = tmp_path / "token"
        file.write_text(token())
        arguments = ["doctor", "--token", str(file), "--endpoint", ENDPOINT]
        assert main(arguments) == 0
        file.write_text(token(aud=BASE))
        assert main(arguments) == 1
        assert re.search(r"^problem +audience ", capsys.readouterr().out, re.M)

    @pytest.mark.parametrize("option", ["--token", "--endpoint"])
    def test_token_and_endpoint_go_together(self, option, capsys):
        with pytest.raises(SystemExit):
            main(["doctor", option, "x"])
        assert "go together" in capsys.readouterr().err


def shown(*lines, terminal):
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=60, color_system=None)
    return show(lines, console), out.getvalue()


LONG = "a sentence of many words " * 8


class TestReport:
    def test_in_a_file_each_check_is_one_line(self):
        status, text = shown(ok("a", LONG), warning("long name", "[b]"), terminal=False)
        assert status == 0
        assert text.splitlines() == [
            f"ok       a          {LONG}",
            "warning  long name  [b]",
            "problems: 0, warnings: 1",
        ]

    def test_on_a_terminal_it_is_a_table_that_fits(self):
        status, text = shown(ok("a", LONG), problem("b", "[b]\x1b[2J"), terminal=True)
        assert status == 1
        assert max(map(len, text.splitlines())) <= 60
        assert "[b] [2J" in text

    def test_the_accepted_algorithms_are_named(self, settings):
        line = explained(settings, token("s" * 32, "HS256"))["algorithm"]
        assert all(name in line.text for name in ALGORITHMS)
        assert json.dumps("HS256") in line.text
