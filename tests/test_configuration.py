"""Configuration of any kind ends in a line that names the file, at the start and on SIGHUP."""

import json
import os
import random
import shutil
import signal
import subprocess

import pytest

from cds_service import create_app
from cds_service.cli import main
from cds_service.configuration import BYTES, DEEPEST, ConfigurationError
from cds_service.mappings import load
from cds_service.secret_files import SecretFileError, read_secret_files
from cds_service.settings import settings_from
from tests.small_world import ROOT
from tests.test_access import BASE, ISSUER, jwks
from tests.test_gunicorn import (
    OPEN,
    PATIENCE_SECONDS,
    command,
    environment,
    eventually,
    free_port,
    start,
)

__all__ = ["start"]
SECONDS = 20  # a FIFO would be waited for without end


def fifo(file):
    os.mkfifo(file)


def device(file):
    file.symlink_to("/dev/zero")


def folder(file):
    file.mkdir()


def nowhere(file):
    file.symlink_to("nowhere")


def written(content):
    def write(file):
        file.write_bytes(content)

    return write


def huge(file):
    """A hole: it takes no room on the disk."""
    with file.open("wb") as opened:
        opened.truncate(max(BYTES.values()) + 1)


# A name, how the file is made, and what is said of it.
BAD = {
    "a FIFO": (fifo, "is no regular file"),
    "a device": (device, "is no regular file"),
    "a folder": (folder, "is no regular file"),
    "a link to nothing": (nowhere, "cannot be read"),
    "huge": (huge, "has more than"),
    "Latin-1": (written(b"# a\n\xe9\n"), "line 2: is not UTF-8"),
    "UTF-16": (written("[a]\n".encode("utf-16")), "line 1: is not UTF-8"),
    "bytes": (written(bytes(range(256))), "line 2: is not UTF-8"),
}
DEEP = 5_000
JSON = {
    "empty": (written(b""), "line 1"),
    "half written": (written(b'{"resourceType":\n "Value'), "line 2"),
    "nested": (written(b'{"a":' * DEEP + b"1" + b"}" * DEEP), "nested too deeply"),
    "nested, though it can be read": (
        written(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)),
        "nested too deeply",
    ),
    "another thing": (written(b"[1, 2]"), ""),
    "a number that is too long": (written(b'{"a": ' + b"9" * 5_000 + b"}"), "digits"),
}
TOML = {
    "half written": (written(f'[ehr]\niss = ["{ISSUER}'.encode()), "at end of document"),
    "nested": (written(b"[ehr]\na = " + b"[" * DEEP + b"]" * DEEP), "nested too deeply"),
    "a key twice": (written(b"[ehr]\n[ehr]\n"), "line 2"),
    "no table": (written(b"ehr = 1\n"), "line 1: ehr"),
    "a number that is too long": (written(b"a = " + b"9" * 5_000), "digits"),
    "another type": (written(b"[ehr]\niss = [[[]]]\n"), "line 2: ehr.iss"),
    "a path that is none": (
        written(f'[ehr]\niss=["{ISSUER}"]\njwks="\\u0000"'.encode()),
        "line 3: ehr.jwks",
    ),
}
CSV = {
    "empty": (written(b""), "the columns must be"),
    "half written": (written(b"code,display,sys"), "the columns must be"),
    "a cell without end": (
        written(b'code,display,system,procedure,region\n"' + b"a" * 200_000),
        "line 2",
    ),
}
LIST = {
    "empty": CSV["empty"],
    "a cell without end": (written(b'procedure,region,key\n"' + b"a" * 200_000), "line 2"),
}
KEYS = {
    "no key": (written(b'{"keys": []}'), "holds no key"),
    "odd keys": (written(b'{"keys": [null, [], {"kid": {}}]}'), "holds no key"),
    "an odd key": (written(b'{"keys": [{"kid": "a", "kty": "RSA", "n": 1, "e": []}]}'), "key a"),
}
PO = {"no catalogue": (written(b"a b\n"), "")}


def client(tmp_path, **keys):
    """The settings of a service with one client, whose table has these keys."""
    table = {"jwks": "keys.json", **keys}
    lines = [f'{key} = "{value}"' for key, value in table.items()]
    (tmp_path / "clients.toml").write_text(f'[ehr]\niss = ["{ISSUER}"]\n' + "\n".join(lines))
    if not (tmp_path / "keys.json").exists():
        (tmp_path / "keys.json").write_text(json.dumps(jwks()))
    return {"CDS_CLIENTS": str(tmp_path / "clients.toml"), "CDS_PUBLIC_URL": BASE}


def own_mappings(tmp_path, file):
    """A copy of the mappings, where this file is to be made anew."""
    copy = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", copy)
    (copy / file).unlink(missing_ok=True)
    (copy / file).parent.mkdir(exist_ok=True)
    return copy / file, {**OPEN, "CDS_MAPPINGS": str(copy)}


def clients_file(tmp_path):
    return tmp_path / "clients.toml", {
        "CDS_CLIENTS": str(tmp_path / "clients.toml"),
        "CDS_PUBLIC_URL": BASE,
    }


def key_set(tmp_path):
    return tmp_path / "keys.json", client(tmp_path)


def codes(name):
    def placed(tmp_path):
        (tmp_path / "codes").mkdir()
        return tmp_path / "codes" / name, client(tmp_path, codes="codes")

    return placed


def preference_list(tmp_path):
    return tmp_path / "list.csv", client(tmp_path, preference_list="list.csv")


def mapping(file):
    return lambda tmp_path: own_mappings(tmp_path, file)


TOPIC = "topics/acr-vcf-2022"
PLACES = {
    "the clients file": (clients_file, TOML),
    "a key set": (key_set, JSON | KEYS),
    "local codes": (codes("orders.csv"), CSV),
    "local codes as a ConceptMap": (codes("orders.json"), JSON),
    "a preference list": (preference_list, LIST),
    "a value set": (mapping("value-sets/fever.json"), JSON),
    "an expansion": (mapping("expansions/fever.json"), JSON),
    "a guideline": (mapping(f"{TOPIC}/guideline.json"), JSON),
    "facts": (mapping(f"{TOPIC}/facts.json"), JSON),
    "translations": (mapping(f"{TOPIC}/translations/de.po"), PO),
}
CASES = {
    f"{place}: {name}": (placed, make, told)
    for place, (placed, more) in PLACES.items()
    for name, (make, told) in (BAD | more).items()
    if (place, name) != ("translations", "a link to nothing")  # as if there were none
}


@pytest.fixture(autouse=True)
def time_limit():
    """Nothing waits; a test that does is ended."""
    signal.alarm(3 * SECONDS)
    yield
    signal.alarm(0)


def lines_of(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize(("placed", "make", "told"), CASES.values(), ids=CASES)
def test_a_bad_file_stops_the_start_and_is_named(tmp_path, placed, make, told):
    file, settings = placed(tmp_path)
    if file.exists():
        file.unlink()
    make(file)
    with pytest.raises(ConfigurationError) as error:
        create_app(settings_from(settings))
    first, *others = lines_of(str(error.value))
    assert file.name in first
    assert told in first
    assert not others or "mappings" in str(file)  # all problems of a mappings folder are told
    assert len(first) < 1_000


@pytest.mark.parametrize(
    "place", [p for p in PLACES if "mappings" not in PLACES[p][0].__qualname__][:5]
)
@pytest.mark.parametrize(("make", "told"), BAD.values(), ids=BAD)
def test_a_file_that_becomes_bad_leaves_a_new_worker_as_it_was(tmp_path, capsys, place, make, told):
    """On SIGHUP each new worker takes the files anew."""
    file, settings = PLACES[place][0](tmp_path)
    good = {"list.csv": "procedure,region,key\n"}.get(file.name, "")
    if place == "the clients file":
        client(tmp_path)
    elif file.name == "orders.csv":
        file.write_text(GOOD_CODES)
    elif file.name == "orders.json":
        (file.parent / "others.csv").write_text(GOOD_CODES)
    elif good:
        file.write_text(good)
    app = create_app(settings_from({**settings, "CDS_STORE": "off", "CDS_DATA": str(tmp_path)}))
    file.unlink(missing_ok=True)
    make(file)
    app.extensions["in_worker"]()
    log = capsys.readouterr().err
    assert log.count("clients-file-not-taken") == 1
    assert file.name in log
    assert "Traceback" not in log
    assert app.test_client().get("/health").status_code == 200


GOOD_CODES = (
    "code,display,system,procedure,region\nMR17,MRI,urn:example:orders,mri-spine-wo,lumbar\n"
)


@pytest.mark.parametrize(("make", "told"), BAD.values(), ids=BAD)
def test_a_secret_in_a_bad_file(tmp_path, make, told):
    file = tmp_path / "secret"
    make(file)
    with pytest.raises(SecretFileError) as error:
        read_secret_files({"CDS_SECRET_FILE": str(file)})
    assert str(error.value).startswith(f"CDS_SECRET_FILE: {file} ")
    assert told in str(error.value)


@pytest.mark.parametrize(("make", "told"), BAD.values(), ids=BAD)
def test_lint_and_doctor_name_it_too(tmp_path, capsys, monkeypatch, make, told):
    file, settings = own_mappings(tmp_path, "value-sets/fever.json")
    make(file)
    assert main(["lint", settings["CDS_MAPPINGS"]]) == 1
    assert "value-sets/fever.json" in capsys.readouterr().out
    for name, value in {**settings, "CDS_DATA": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    assert "value-sets/fever.json" in capsys.readouterr().out


SETTINGS = {
    "a word that is none": {"CDS_AUTH": "maybe"},
    "a number that is none": {"CDS_KEEP_DAYS": "many"},
    "a number that is too long": {"CDS_KEEP_DAYS": "9" * 5_000},
    "a number below zero": {"CDS_REPEAT_HOURS": "-1"},
    "bytes": {"CDS_PUBLIC_URL": os.fsdecode(b"https://\xff")},
    "a control character": {"CDS_SECRET": "0123456789abcdef\x1b"},
    "an address without a scheme": {"CDS_PUBLIC_URL": "cds.example"},
    "a short secret": {"CDS_SECRET": "short"},
    "a rate store that there is not": {"CDS_RATE_STORE": "nowhere://x"},
    "origins that are a wrong expression": {"CDS_CORS_ORIGINS": "https://*("},
    "mappings that are no folder": {"CDS_MAPPINGS": "/dev/null"},
    "mappings with a long name": {"CDS_MAPPINGS": "/" + "a" * 5_000},
    "codes with a long name": {"CDS_CODES": "/" + "a" * 5_000},
    "a preference list that is a device": {"CDS_PREFERENCE_LIST": "/dev/zero"},
}


def places_in(value, path=()):
    """The path of each value, of a list only those of the first ones."""
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value[:4]) if isinstance(value, list) else inner
    for key, one in inner:
        yield (*path, key)
        yield from places_in(one, (*path, key))


def test_whatever_a_mapping_lacks_is_told(tmp_path):
    """A value is taken out, or is another thing: it loads, or it is told in lines."""
    chance = random.Random(20)  # noqa: S311
    copy = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", copy)
    files = sorted(copy.rglob("*.json"))
    told = 0
    for _ in range(40):
        file = chance.choice(files)
        text = file.read_text("utf-8")
        document = json.loads(text)
        *path, last = chance.choice(list(places_in(document)))
        part = document
        for key in path:
            part = part[key]
        part[last] = chance.choice([None, 1, "x", [], {}, [None], {"a": 1}, [[]]])
        if chance.random() < 0.5:
            del part[last]
        file.write_text(json.dumps(document), "utf-8")
        try:
            load(copy)
        except ConfigurationError as error:
            told += ".json" in str(error)
        file.write_text(text, "utf-8")
    assert told > 20


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_wrong_setting_is_named(settings):
    with pytest.raises(ConfigurationError) as error:
        create_app(settings_from({**OPEN, "CDS_STORE": "off", **settings}))
    (line,) = lines_of(str(error.value))
    (name,) = settings
    assert line.startswith(settings[name] if name == "CDS_MAPPINGS" else name)


def ended(tmp_path, settings, *start_with):
    """How a start ended, and what it said."""
    port = ("--bind", f"127.0.0.1:{free_port()}")
    done = subprocess.run(  # noqa: S603  our own command
        start_with or command(*port),
        cwd=ROOT,
        env=environment(tmp_path, settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return done.returncode, done.stderr


class TestGunicorn:
    WRONG = {
        "clients that are nested deeply": (clients_file, TOML["nested"][0]),
        "clients that are a FIFO": (clients_file, fifo),
        "mappings that are half written": (mapping("value-sets/fever.json"), JSON["empty"][0]),
        "a key set that is a device": (key_set, device),
    }

    @pytest.mark.parametrize(("placed", "make"), WRONG.values(), ids=WRONG)
    def test_a_wrong_file_is_one_line(self, tmp_path, placed, make):
        file, settings = placed(tmp_path)
        file.unlink(missing_ok=True)
        make(file)
        status, said = ended(tmp_path, settings)
        assert status != 0
        assert len([line for line in said.splitlines() if file.name in line]) == 1
        assert "Traceback" not in said

    @pytest.mark.parametrize("wrong", ["0", "-1", "many", "1e3", "100000", " "])
    @pytest.mark.parametrize("name", ["WEB_CONCURRENCY", "PORT"])
    def test_numbers_of_the_server(self, tmp_path, name, wrong):
        status, said = ended(
            tmp_path,
            {**OPEN, name: wrong},
            str(ROOT / ".venv/bin/python"),
            "-m",
            "cds_service",
            "serve",
        )
        assert status != 0
        (line,) = [line for line in lines_of(said) if name in line]
        assert "must be a whole number" in line
        assert "Traceback" not in said

    def test_on_sighup_the_running_service_goes_on(self, start, tmp_path):
        settings = client(tmp_path)
        service = start(**settings)
        (tmp_path / "clients.toml").unlink()
        fifo(tmp_path / "clients.toml")
        service.reload()
        assert service.is_up()
        # More where a worker of before began after the file was changed.
        eventually(lambda: service.log.count("clients-file-not-taken") >= 2)
        (tmp_path / "clients.toml").unlink()
        TOML["nested"][0](tmp_path / "clients.toml")
        service.reload()
        assert service.is_up()
        assert "Traceback" not in service.log
