"""What is made on disk can be read by nobody but the user of the service."""

import os

import pytest

from cds_service import create_app
from cds_service.doctor.store import check_folder
from cds_service.settings import Settings
from cds_service.store.files import make_private
from tests.test_access import BASE, call, clients_file, token


@pytest.fixture(autouse=True)
def generous_umask():
    """It takes nothing away, so that each mode is the service's own."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder):
    return {
        str(path.relative_to(folder.parent)): oct(path.stat().st_mode & 0o777)
        for path in [folder, *folder.rglob("*")]
    }


def assert_private(folder):
    for name, mode in modes(folder).items():
        assert mode == ("0o700" if (folder.parent / name).is_dir() else "0o600"), name


def test_all_that_a_service_makes(tmp_path):
    data = tmp_path / "var" / "data"
    app = create_app(
        Settings(open=False, store=True, clients=clients_file(tmp_path), data=data, public_url=BASE)
    )
    app.extensions["in_worker"]()
    assert call(app.test_client(), token()).status_code == 200
    app.extensions["store"]._spool.put_aside(b"odd\n")
    assert {"data/service.db", "data/tokens", "data/secret", "data/spool"} <= set(modes(data))
    assert len(modes(data)) >= 8
    assert_private(data)
    app.extensions["store"].finish()
    assert_private(data)


def test_doctor_makes_the_folder_no_other_way(tmp_path):
    check_folder(tmp_path / "data")
    assert_private(tmp_path / "data")


class TestOfAnEarlierVersion:
    @pytest.fixture
    def data(self, tmp_path):
        data = tmp_path / "data"
        (data / "spool").mkdir(0o755, parents=True)
        for name in ("service.db", "service.db-wal", "tokens.db", "secret", "spool/x.jsonl"):
            (data / name).touch(0o644)
        data.chmod(0o755)
        return data

    def test_it_is_made_private(self, data):
        make_private(data)
        assert_private(data)

    def test_what_is_not_ours_is_left_alone(self, data):
        (data / "index.html").touch(0o644)
        make_private(data)
        assert modes(data)["data"] == "0o755"
        assert modes(data)["data/index.html"] == "0o644"
        assert modes(data)["data/service.db"] == "0o600"

    def test_a_folder_that_is_not_there_is_not_made(self, tmp_path):
        make_private(tmp_path / "none")
        assert not (tmp_path / "none").exists()
