"""Whether the data folder and the database can be written."""

import secrets
import tempfile
from contextlib import closing
from pathlib import Path

from cds_service.doctor.lines import Line, ok, problem, warning
from cds_service.settings import Settings
from cds_service.store.database import Database, StoreDown
from cds_service.store.files import make_folder, ours_in
from cds_service.store.tables import used_tokens

DATABASE_URL = "DATABASE_URL (postgresql+psycopg://…), the database"


def check_folder(folder: Path) -> Line:
    try:
        make_folder(folder)
        for path in (folder, *filter(Path.is_dir, ours_in(folder))):
            tempfile.TemporaryFile(dir=path).close()
        return ok("data folder", f"{folder.resolve()} can be written")
    except OSError as error:
        text = f"{folder.resolve()}: {error.strerror}; let the service write there, or set CDS_DATA"
        return problem("data folder", text)


def check_secret(settings: Settings) -> Line:
    """Hosts that share a database need the same secret, which digests are made with."""
    if settings.secret or not settings.database_url:
        whose = "that of CDS_SECRET" if settings.secret else "of this installation, in CDS_DATA"
        return ok("secret", whose)
    text = "of this host only; where hosts share DATABASE_URL, set the same CDS_SECRET on all"
    return warning("secret", text)


def check_database(settings: Settings) -> Line:
    """A random row is written, and rolled back; tables are made all the same."""
    row = {"digest": secrets.token_hex(), "forget_at": 0}
    try:
        database = Database(settings.database_url, settings.data)
        with closing(database), database.begin() as connection:
            connection.execute(used_tokens.insert(), row)
            connection.rollback()
    except StoreDown as error:
        checked = DATABASE_URL if settings.database_url else "the file service.db in CDS_DATA"
        return problem("database", f"{error}; check {checked} and its permissions")
    if settings.database_url:
        return ok("database", "that of DATABASE_URL can be written")
    return ok("database", "SQLite in CDS_DATA, for one host; set DATABASE_URL to share one")
