"""A finished run that several tests look at."""

import pytest

from tests.retrospective.exports import made


@pytest.fixture(scope="package")
def finished(tmp_path_factory):
    return made(tmp_path_factory.mktemp("retrospective"))
