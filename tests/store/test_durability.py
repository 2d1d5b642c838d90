"""What was answered is kept: through a locked and a lost database, and on a full disk."""

import itertools
import json
import os
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.store import Store, StoreLocation
from tests import REAL_PROCESSES
from tests.store.clients import REQUEST, asked, cards, feedback_on, overridden
from tests.store.disks import fill
from tests.test_access import BASE, ENDPOINT, clients_file, token
from tests.test_gunicorn import PATH, eventually
from tests.test_operations import metric

pytestmark = REAL_PROCESSES

# Well above what an answer takes, and below what waiting for a database would.
NORMAL_SECONDS = 1.0


@pytest.fixture
def service(tmp_path, database_url):
    """The application with tokens and a store, and a way to post to it, in normal time."""
    settings = Settings(
        open=False, store=True, clients=clients_file(tmp_path), data=tmp_path / "data",
        public_url=BASE, database_url=database_url, repeat_hours=1,
    )  # fmt: skip
    made = create_app(settings)
    client = made.test_client()

    def post(path, body):
        bearer = token(aud=BASE + path)
        started = time.perf_counter()
        answer = client.post(path, json=body, headers={"Authorization": f"Bearer {bearer}"})
        assert time.perf_counter() - started < NORMAL_SECONDS
        assert answer.status_code == 200
        return answer.get_json()

    assert ENDPOINT == BASE + PATH
    database = Database(database_url, tmp_path / "data")
    yield made.extensions["store"], post, database
    made.extensions["store"].finish()
    database.close()


def comes_in(database, sent):
    eventually(lambda: cards(database) == sorted(sent))


class TestLockedSqlite:
    @pytest.fixture
    def database_url(self):
        return ""

    def test_answers_go_out_and_are_kept_when_the_lock_is_gone(self, service, tmp_path, capsys):
        store, post, database = service
        before = asked(post)
        comes_in(database, [before])
        lock = sqlite3.connect(tmp_path / "data" / "service.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        sent = [before, *(asked(post) for _ in range(5))]
        overridden(post, sent[0])
        lock.execute("ROLLBACK")
        lock.close()
        comes_in(database, sent)
        eventually(lambda: cards(database, "feedback") == [before])
        assert "store-down" not in capsys.readouterr().err  # used tokens have a file of their own

    def test_so_it_is_when_the_database_is_gone(self, service, tmp_path):
        store, post, database = service
        file = tmp_path / "data" / "service.db"
        sent = [asked(post)]
        comes_in(database, sent)
        database.close()
        store.finish()
        for part in Path(file.parent).glob("service.db*"):
            part.rename(part.with_name(f"away-{part.name}"))
        file.mkdir()
        sent += [asked(post) for _ in range(5)]
        file.rmdir()
        for part in Path(file.parent).glob("away-*"):
            part.rename(part.with_name(part.name.removeprefix("away-")))
        comes_in(database, sent)


class TestLostPostgresql:
    @pytest.fixture
    def database_url(self, postgresql_url):
        return postgresql_url

    def test_connections_that_are_dropped_lose_nothing(self, service, database_url):
        store, post, database = service
        sent = []
        for _ in range(10):
            sent.append(asked(post))
            drop_connections(database_url)
        comes_in(database, sent)

    def test_a_server_that_takes_no_connections_for_a_while(self, service, database_url):
        store, post, database = service
        sent = [asked(post)]
        comes_in(database, sent)
        database.close()
        allow_connections(database_url, False)
        sent += [asked(post) for _ in range(5)]
        overridden(post, sent[0])
        allow_connections(database_url, True)
        comes_in(database, sent)
        eventually(lambda: cards(database, "feedback") == sent[:1])


class TestFullDisk:
    """Hooks are answered all the same, and it is told that what is decided is not kept."""

    @pytest.fixture
    def service(self, tmpfs):
        made = create_app(Settings(store=True, data=tmpfs / "data", metrics_token="let-me-in"))  # noqa: S106
        made.extensions["in_worker"]()
        yield made.test_client()
        made.extensions["store"].finish()

    def ready(self, service):
        return service.get("/ready").get_json()["store"]

    def test_ready_log_and_metric_say_so_until_there_is_room(self, service, tmpfs, capsys):
        def post(path, body):
            answer = service.post(path, json=body)
            assert answer.status_code == 200
            return answer.get_json()

        in_memory = "cds_store_rows_in_memory"
        sent = [asked(post)]
        eventually(lambda: (tmpfs / "data" / "spool" / "reserve").exists())
        assert (self.ready(service), metric(service, in_memory)) == ("up", 0)
        hog = fill(tmpfs)
        while not metric(service, in_memory):
            sent.append(asked(post))
        assert self.ready(service) == "full"
        assert "store-full" in capsys.readouterr().err
        told = [service.post(f"{PATH}/feedback", json=feedback_on(sent[0])) for _ in range(100)]
        # Some may find room on the disk: it comes and goes as the database takes lines over.
        assert 503 in {answer.status_code for answer in told}
        hog.unlink()
        sent.append(asked(post))
        eventually(lambda: self.ready(service) == "up")
        eventually(lambda: metric(service, in_memory) == 0)
        database = Database("", tmpfs / "data")
        comes_in(database, sent)
        database.close()

    def test_without_a_store_that_is_said_too(self):
        assert create_app(Settings()).test_client().get("/ready").get_json()["store"] == "off"


def as_server(database_url, *statements):
    """Runs statements from another database of the same server."""
    server = create_engine(os.environ["TEST_DATABASE_URL"], isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    server.dispose()


def name_of(database_url):
    return database_url.rsplit("/", 1)[1]


def drop_connections(database_url):
    name = name_of(database_url)
    as_server(
        database_url,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608
    )


def allow_connections(database_url, allowed):
    as_server(database_url, f"ALTER DATABASE {name_of(database_url)} ALLOW_CONNECTIONS {allowed}")
    if not allowed:
        drop_connections(database_url)


def test_what_is_decided_is_synced_within_a_second_whatever_the_database_does(
    tmp_path, monkeypatch
):
    synced, nowhere = [], "postgresql+psycopg://nobody@127.0.0.1:1/none"
    monkeypatch.setattr("cds_service.store.spool.os.fdatasync", synced.append)
    app = create_app(Settings(store=True, data=tmp_path, database_url=nowhere))
    for number in (1, 2):
        app.test_client().post(PATH, json=REQUEST)
        answered = time.monotonic()
        eventually(lambda number=number: len(synced) >= number)
        assert time.monotonic() - answered < 1
    app.extensions["store"].finish()


class TestOneSecret:
    def test_all_processes_of_a_folder_have_the_same(self, tmp_path):
        stores = [Store(StoreLocation("", tmp_path), print) for _ in range(2)]
        assert len({store.pseudonym("order", 1) for store in stores}) == 1
        assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600

    def test_another_secret_makes_other_names(self, tmp_path):
        secrets = ["a" * 16, "b" * 16, ""]
        made = [
            Store(StoreLocation("", tmp_path, secret), print).pseudonym("x") for secret in secrets
        ]
        assert len(set(made)) == 3

    def test_other_parts_make_other_names(self, tmp_path):
        store = Store(StoreLocation("", tmp_path), print)
        parts = [("ab", "c"), ("a", "bc"), ("abc",), ("ab", "c", "")]
        assert len({store.pseudonym(*some) for some in parts}) == len(parts)
        assert all(len(store.pseudonym(*some)) == 32 for some in parts)


def test_requests_are_not_what_is_kept(tmp_path):
    """The rows are lines of JSON with the columns of a table and nothing else."""
    settings = Settings(store=True, data=tmp_path)
    client = create_app(settings).test_client()
    client.post(PATH, json=REQUEST)
    folder = tmp_path / "spool"
    lines = itertools.chain.from_iterable(
        f.read_text().splitlines() for f in folder.glob("*.jsonl")
    )
    assert {frozenset(json.loads(text)) for text in lines} <= {
        frozenset({"format", "table", "row"})
    }
