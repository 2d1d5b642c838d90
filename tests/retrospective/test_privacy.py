"""No patient in what is written or told, private files, and no network."""

import json
import shutil
import stat
import subprocess
import sys

import duckdb
import pytest

from bench.exports import FIRST_DAY, LOCAL, Chart, write_export
from tests.retrospective.exports import digest, rows_in, run
from tests.small_world import ROOT
from tests.test_privacy import assert_none_planted, planted


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A run on an export in which people are planted wherever they could be, and broken lines."""
    folder = tmp_path_factory.mktemp("planted")
    write_export(folder / "export", 60, 0.5)
    for file in (folder / "export").iterdir():
        lines = [json.dumps(with_names(json.loads(line))) for line in file.read_text().splitlines()]
        file.write_text("\n".join([*lines, '{"id": "MRN-7731", "Quackenbush']), "utf-8")
    return folder / "out", run(folder / "export", "--out", folder / "out")


def with_names(resource):
    """Names, numbers and birth dates planted; and ids that are those of people."""
    made = planted(resource)
    text = json.dumps(made).replace("Practitioner/dr-", "Practitioner/Zebediah-")
    text = text.replace('"planted-order"', json.dumps(f"planted-order-{resource.get('id')}"))
    return json.loads(text.replace("Patient/p", "Patient/MRN-7731-").replace('"p', '"MRN-7731-'))


def test_nothing_planted_comes_out(told):
    folder, output = told
    assert_none_planted(output, "what is printed")
    for file in folder.iterdir():
        assert_none_planted(file.read_bytes().decode("latin-1"), file.name)
    rows = rows_in(folder)
    assert len(rows) > 20
    assert_none_planted(json.dumps(list(rows.values())), "orders.parquet")
    assert (folder / "problems.csv").read_text().count("not JSON") > 5


def test_everything_is_private(told):
    folder, _ = told
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_each_folder_has_a_salt_of_its_own(finished, tmp_path):
    export = finished.folder.parent / "export"
    run(export, "--out", tmp_path / "other")
    other = rows_in(tmp_path / "other")
    assert len(other) == len(finished.rows)
    assert not other.keys() & finished.rows.keys()
    patients = [{row["patient"] for row in rows.values()} for rows in (other, finished.rows)]
    clinicians = [{row["clinician"] for row in rows.values()} for rows in (other, finished.rows)]
    assert not patients[0] & patients[1]
    assert not clinicians[0] & clinicians[1]


DENIED = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError(f"network: {event} {arguments}")

sys.addaudithook(watch)
"""


def test_no_process_asks_the_network(finished, tmp_path):
    """Python is watched in every process; and where it can be, all is done without a network."""
    (tmp_path / "sitecustomize.py").write_text(DENIED)
    export = finished.folder.parent / "export"
    run(export, "--out", tmp_path / "out", env={"PYTHONPATH": str(tmp_path), "PATH": ""})
    assert len(rows_in(tmp_path / "out")) == len(finished.rows)
    unshare = shutil.which("unshare")
    command = [unshare or "unshare", "--net", sys.executable, "-c", "pass"]
    if not unshare or subprocess.run(command, check=False).returncode:  # noqa: S603
        pytest.skip("no unshare: the libraries were not run without a network")
    arguments = [
        "-m",
        "cds_service",
        "retrospective",
        str(export),
        "--out",
        str(tmp_path / "alone"),
    ]
    subprocess.run([*command[:3], *arguments], cwd=ROOT, check=True)  # noqa: S603
    assert len(rows_in(tmp_path / "alone")) == len(finished.rows)


def test_the_parquet_file_holds_no_day(finished):
    found = duckdb.sql(f"SELECT * FROM '{finished.folder / 'orders.parquet'}'")  # noqa: S608
    assert "day" not in found.columns
    ordered = {one.order for one in finished.seeded}
    assert not ordered & {row["order"] for row in finished.rows.values()}
    assert digest(finished.folder, next(iter(ordered)))


def test_codes_and_words_that_may_name_someone_wait_for_enough_patients(tmp_path):
    """The rule of the service's own list, `ENOUGH_PATIENTS` of cds_service/store/common.py."""
    for name, patients in (("MRLSJONES", 4), ("MRLSPCOMMON", 6)):
        chart = [Chart(f"{name}-{n}", FIRST_DAY) for n in range(patients)]
        with (tmp_path / "orders.ndjson").open("a") as out:
            for number, each in enumerate(chart):
                words = "MRI LUMBAR SPINE" if number else "MRI LUMBAR SPINE of Quackenbush"
                order = each.resource("ServiceRequest", "o", (LOCAL, name, words))
                out.write(json.dumps({**order, "authoredOn": "2025-03-04"}) + "\n")
    run(tmp_path / "orders.ndjson", "--out", tmp_path / "out")
    text = (tmp_path / "out" / "unmapped.csv").read_text()
    assert text.splitlines()[1:] == [f"order,MRLSPCOMMON,MRI LUMBAR SPINE,{LOCAL},,6"]
