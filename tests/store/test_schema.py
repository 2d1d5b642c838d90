"""Migrations run up and down on both databases, and two versions can share one store."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, insert, inspect, text

from cds_service.store.database import Database
from cds_service.store.loader import SpoolLoader, line
from cds_service.store.rows import NO_CODE
from cds_service.store.schema import EMPTY, HEAD, LATEST, MIGRATIONS, migrate, version_of
from cds_service.store.spool import Spool
from cds_service.store.tables import metadata
from tests.small_world import LOINC, ROOT, SCT
from tests.store.rows import DAY, decision_row, feedback_row, kept, loaded

# As a version before Alembic made it.
BEFORE_ALEMBIC = """CREATE TABLE used_tokens (
    digest VARCHAR(64) NOT NULL PRIMARY KEY, forget_at FLOAT NOT NULL)"""


@pytest.fixture
def database(database_url, tmp_path):
    made = Database(database_url, tmp_path)
    yield made
    made.close()


def tables(engine):
    return set(inspect(engine).get_table_names())


def version(engine):
    with engine.connect() as connection:
        return version_of(connection)


def scripts():
    return list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def test_the_latest_version_is_the_one_that_the_service_knows():
    assert scripts()[0].revision == HEAD


def test_what_the_migrations_make_is_what_the_service_uses(database):
    with database.prepare().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_down_to_nothing_and_up_again_step_by_step(database):
    engine = database.prepare()
    steps = [*(s.revision for s in scripts()), EMPTY]
    for step in [*steps, *reversed(steps)]:
        migrate(engine, step)
        assert version(engine) == ("" if step == EMPTY else step)
    migrate(engine, EMPTY)
    assert tables(engine) == {"alembic_version"}
    migrate(engine, LATEST)
    assert tables(engine) == {*metadata.tables, "alembic_version"}


def test_a_version_that_is_not_there(database):
    with pytest.raises(LookupError, match="0815"):
        migrate(database.prepare(), "0815")


def test_a_store_of_before_the_migrations_keeps_its_tokens(database_url, tmp_path):
    old = Database(database_url, tmp_path)
    engine = old.prepare()
    migrate(engine, EMPTY)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text(BEFORE_ALEMBIC))
        connection.execute(text("INSERT INTO used_tokens VALUES ('d', 1.0)"))
    old.close()
    new = Database(database_url, tmp_path)
    with new.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM used_tokens")) == 1
    new.close()


BEGIN = """
import sys, pathlib
from cds_service.store.database import Database, StoreDown
for attempt in range(20):  # SQLite tells those who come too early; they come again
    try:
        Database(sys.argv[1], pathlib.Path(sys.argv[2])).prepare()
        break
    except StoreDown as error:
        print(error)
else:
    sys.exit(1)
"""


def test_many_that_start_at_once_make_one_store(database_url, tmp_path):
    command = [sys.executable, "-c", BEGIN, database_url, str(tmp_path)]
    starting = [subprocess.Popen(command, cwd=ROOT) for _ in range(5)]  # noqa: S603
    assert [process.wait(60) for process in starting] == [0] * 5
    after = Database(database_url, tmp_path)
    assert version(after.prepare()) == HEAD
    assert tables(after.prepare()) == {*metadata.tables, "alembic_version"}
    after.close()


def test_the_version_before_writes_beside_this_one(database, tmp_path):
    """It names the columns that it knows, and no more."""
    row = decision_row(card="of before")
    del row["guideline"]
    with database.begin() as connection:
        connection.execute(insert(Table("decisions", MetaData(), autoload_with=connection)), row)
    loaded(database, tmp_path, ("decisions", decision_row(card="of now")))
    found = {row["card"]: row["guideline"] for row in kept(database, "decisions")}
    assert found == {"of before": None, "of now": "acr-vcf-2022"}


class TestWhatMayNameAPerson:
    """It is taken out of what earlier versions kept: of the tables, and of lines that wait."""

    CODE = {"client": "c", "about": "order", "day": DAY, "sounds_like": ""}
    CODES = (
        {**CODE, "consult": "1", "system": LOINC, "code": "30746-2", "display": "for Zebediah"},
        {**CODE, "consult": "2", "system": "urn:a", "code": "Zebediah", "display": "MRI"},
        {**CODE, "consult": "3", "system": SCT, "code": "Zebediah", "display": None},
    )
    OURS = "does-not-align-preferences"
    REASONS = (
        feedback_row(card="1", reason_code=OURS, reason_display="Zebediah does not want it"),
        feedback_row(
            card="2", reason_system=LOINC, reason_code="30746-2", reason_display="Zebediah"
        ),
        feedback_row(card="3", reason_system="urn:a", reason_code="Zebediah"),
        feedback_row(card="4", reason_display="Zebediah"),
        feedback_row(card="5"),
    )
    GIVEN = {"1": ("", OURS), "2": (LOINC, "30746-2"), "3": ("", "other"), "4": ("", "other"),
             "5": ("", "")}  # fmt: skip

    def assert_clean(self, database, folder):
        codes = {
            (r["system"], r["code"], r["display"] or "") for r in kept(database, "unmapped_codes")
        }
        assert codes - {(*NO_CODE, "")} == {(LOINC, "30746-2", "")}
        rows = kept(database, "feedback")
        assert {r["card"]: (r["reason_system"], r["reason_code"]) for r in rows} == self.GIVEN
        assert {r["reason_display"] for r in rows} == {""}
        database.close()
        on_disk = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
        assert b"Zebediah" not in b"".join(on_disk)

    def test_of_the_tables(self, database, tmp_path):
        migrate(database.prepare(), "0006")
        with database.engine().begin() as connection:
            connection.execute(insert(metadata.tables["unmapped_codes"]), self.CODES)
            connection.execute(insert(metadata.tables["feedback"]), self.REASONS)
        migrate(database.engine(), LATEST)
        self.assert_clean(database, tmp_path)

    def test_of_lines_that_wait(self, database, tmp_path):
        rows = [*(("unmapped_codes", row) for row in self.CODES)]
        rows += [("feedback", row) for row in self.REASONS]
        spool = Spool(tmp_path / "spool")
        spool.append([line(*row).replace(b'"format":6', b'"format":5') for row in rows])
        SpoolLoader(database, spool, lambda *_: None).load()
        self.assert_clean(database, tmp_path)


class TestRollingUpdate:
    """The next version has been here: its store has a table and a column more."""

    @pytest.fixture
    def newer(self, database):
        with database.begin() as connection:
            connection.execute(text("ALTER TABLE decisions ADD COLUMN mood VARCHAR(20)"))
            connection.execute(text("CREATE TABLE moods (id INTEGER)"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        return database

    def test_this_version_starts_and_leaves_it_as_it_is(self, newer, database_url, tmp_path):
        ours = Database(database_url, tmp_path)
        assert version(ours.prepare()) == "0999"
        assert "moods" in tables(ours.prepare())
        ours.close()

    def test_this_version_writes_and_reads_beside_it(self, newer, tmp_path):
        loaded(newer, tmp_path, ("decisions", decision_row(card="ours")))
        with newer.begin() as connection:
            connection.execute(text("UPDATE decisions SET mood = 'good'"))
        loaded(newer, tmp_path, ("decisions", decision_row(card="ours again")))
        assert {row["card"] for row in kept(newer, "decisions")} == {"ours", "ours again"}

    def test_a_migration_only_adds(self):
        """Else the version that is still running would fail on it."""
        for script in scripts():
            up = script.module.upgrade.__code__
            names = {
                *up.co_names,
                *(n for c in up.co_consts if hasattr(c, "co_names") for n in c.co_names),
            }
            assert not names & {"drop_table", "drop_column", "alter_column", "rename_table"}
