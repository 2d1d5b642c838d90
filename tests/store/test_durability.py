"""What was answered is kept: through killed workers, a locked, a full and a lost database."""

import itertools
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from sqlalchemy import create_engine, text

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.store import Store, StoreLocation
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order
from tests.store.rows import kept
from tests.test_access import BASE, ENDPOINT, clients_file, token
from tests.test_gunicorn import PATH, Service, eventually, stop

REQUEST = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
# Well above what an answer takes, and below what waiting for a database would.
NORMAL_SECONDS = 1.0


def asked(post):
    """A hook of its own; the id of the card that came."""
    answer = post(PATH, {**REQUEST, "hookInstance": str(uuid4())})
    return answer["cards"][0]["uuid"]


def overridden(post, card):
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T02:13:54Z"}
    post(f"{PATH}/feedback", {"feedback": [item]})


def cards(database, table="decisions"):
    return sorted(row["card"] for row in kept(database, table))


class TestKilledWorkers:
    """Workers are killed while hooks and feedback come in; the master starts new ones."""

    KILLS = 8

    def test_nothing_is_lost_and_nothing_doubled(self, database_url, tmp_path):
        settings = {"CDS_AUTH": "open", "CDS_REPEAT_HOURS": "0"}
        settings |= {"DATABASE_URL": database_url} if database_url else {}
        service = Service(tmp_path, settings)
        try:
            eventually(service.is_up)
            answered, told = self.under_fire(service)
        finally:
            stop(service.process)
        database = Database(database_url, tmp_path / "data")
        Store(StoreLocation(database_url, tmp_path / "data"), print).finish()
        there, heard = cards(database), cards(database, "feedback")
        assert len(answered) > self.KILLS
        assert len(there) == len(set(there))
        assert answered <= set(there)
        assert told <= set(heard)
        database.close()

    def under_fire(self, service):
        answered, told, over = set(), set(), threading.Event()

        def work():
            session = requests.Session()

            def post(path, body):
                answer = session.post(service.base + path, json=body, timeout=20)
                assert answer.status_code == 200
                return answer.json()

            while not over.is_set():
                try:
                    card = asked(post)
                    answered.add(card)
                    overridden(post, card)
                    told.add(card)
                except requests.RequestException:
                    continue  # its worker was killed

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(self.KILLS):
            time.sleep(0.2)
            eventually(lambda turn=turn: len(service.workers) >= 2 + turn)
            os.kill(service.workers[-1], signal.SIGKILL)
        time.sleep(0.3)
        over.set()
        for thread in threads:
            thread.join()
        return answered, told


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
