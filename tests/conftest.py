"""What several tests need: a database of their own, of each kind that the service runs on."""

import os
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from tests.local_server import serving
from tests.terminology_stub import Stub, create_stub

POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")
NO_POSTGRESQL = "no PostgreSQL: TEST_DATABASE_URL is not set"


@pytest.fixture
def postgresql_url():
    """The address of a new, empty PostgreSQL database."""
    if not POSTGRESQL:
        pytest.skip(NO_POSTGRESQL)
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    name = f"vcf_{uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """Empty, which is SQLite in the data folder; then that of a PostgreSQL database."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture
def stub():
    """A terminology server that is running; its `address` is the base of its FHIR API."""
    made = Stub()
    with serving(create_stub(made)) as address:
        made.address = f"{address}/fhir"
        yield made
