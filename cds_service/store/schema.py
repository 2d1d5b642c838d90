"""Makes the tables, and brings them from one version to the next, by Alembic.

While a service is updated, two versions use one database. So a migration only adds tables, and
columns that may be NULL. A version of the service that finds tables of a later one uses them as
they are.
"""

from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

HEAD = "0007"
LATEST, EMPTY = "head", "base"
MIGRATIONS = Path(__file__).parent / "migrations"
# A number of ours, on which the hosts that share a PostgreSQL database wait for each other.
ADVISORY_LOCK = 7_265_331_002
# Alembic keeps what it works on in globals of its modules, so threads take turns.
ALEMBIC = Lock()


def version_of(connection: Connection) -> str:
    """The version of the tables; empty where there are none, or none made by Alembic."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def bring_up_to_date(engine: Engine) -> None:
    """Brings the tables to `HEAD`, unless they are there or further."""
    with engine.connect() as connection:
        if version_of(connection) == HEAD:
            return
    migrate(engine, LATEST)


def migrate(engine: Engine, to: str) -> str:
    """Brings the tables up or down to a version, and returns it; those of a version that is not
    known here are left as they are. Raises LookupError for a target that is not known.
    """
    # Imported here, since a start rarely needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    versions = [
        "",
        *(s.revision for s in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))),
    ]
    target = {LATEST: versions[-1], EMPTY: ""}.get(to, to)
    if target not in versions:
        raise LookupError(to)
    with ALEMBIC, engine.begin() as connection:
        _wait_for_others(connection)
        config.attributes["connection"] = connection
        now = version_of(connection)
        if now not in versions:
            return now
        move: Any = (
            command.upgrade if versions.index(target) >= versions.index(now) else command.downgrade
        )
        move(config, target or EMPTY)
    return target


def _wait_for_others(connection: Connection) -> None:
    """One at a time: the others find the work done."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
