"""The command from an export to its files, on DuckDB."""

import csv
import gzip
import shutil
import subprocess
import sys

import pytest

from bench.exports import OF_THE_SITE, SITUATIONS, write_export
from cds_service import extras
from cds_service.cli import main
from tests.retrospective.exports import assert_as_seeded, digest, manifest_of, rows_in, run
from tests.small_world import ROOT

COLUMNS = [
    "order", "patient", "month", "week", "clinician", "department", "guideline", "procedure",
    "region", "mode", "relevance", "decision", "variants", "category", "rating", "indicator",
    "topic", "rules", "unknown", "missing", "question", "suggested",
]  # fmt: skip


def table(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class TestFinished:
    def test_every_seeded_order_has_its_answer_in_both_modes(self, finished):
        assert {one.situation for one in finished.seeded} == {s.name for s in SITUATIONS}
        assert_as_seeded(finished.seeded, finished.folder)

    def test_the_columns_are_those_that_are_promised(self, finished):
        for row in finished.rows.values():
            assert list(row) == COLUMNS

    def test_a_row_says_when_where_and_by_whom_but_not_who(self, finished):
        one = next(s for s in finished.seeded if s.situation == "poor")
        row = finished.rows[finished.digest(one.order), "strict"]
        assert row["week"][:6] == f"{row['month'][:4]}-W"
        assert row["department"].startswith("Clinic ")
        assert len(row["clinician"]) == len(row["patient"]) == len(row["order"]) == 32
        assert row["variants"] == ["variant-1"]
        assert row["suggested"][0] == "replace mri-spine-wo"
        assert row["missing"] is row["question"] is row["rules"] is None

    def test_codes_in_no_map_are_listed_most_frequent_first(self, finished):
        rows = table(finished.folder / "unmapped.csv")
        local = next(row for row in rows if row["code"] == OF_THE_SITE[1])
        expected = [s for s in finished.seeded if s.situation == "code-of-the-site"]
        assert (local["about"], local["display"]) == ("order", OF_THE_SITE[2])
        assert int(local["count"]) == len(expected)
        conditions = [row for row in rows if row["about"] == "condition"]
        counts = [int(row["count"]) for row in conditions]
        assert counts == sorted(counts, reverse=True)
        assert not any(row["display"] for row in conditions)

    def test_the_manifest_says_of_what_with_what_and_when(self, finished):
        manifest = manifest_of(finished.folder)
        assert manifest["state"] == "finished"
        assert manifest["rules"]["acr-vcf-2022"]["edition"]
        assert all(len(file["sha256"]) == 64 for file in manifest["input"])
        counts = manifest["counts"]
        undated = [s for s in finished.seeded if s.situation == "without-a-date"]
        assert counts["undated_orders"] == len(undated) > 0
        assert counts["resources"]["Patient"] == 250
        days = {mode: sum(n.values()) for mode, n in manifest["burden"].items()}
        assert days["strict"] == days["lenient"] > 0


def test_files_may_be_gzipped_of_any_name_and_in_any_order(finished, tmp_path):
    for number, file in enumerate(sorted((finished.folder.parent / "export").iterdir())):
        packed = tmp_path / "export" / "part" / f"{number:x}.data"
        packed.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_bytes().splitlines(keepends=True)
        packed.write_bytes(gzip.compress(b"".join(reversed(lines))))
    shutil.copy(finished.folder / "secret", _made(tmp_path / "out"))
    run(tmp_path / "export", "--out", tmp_path / "out")
    assert rows_in(tmp_path / "out") == finished.rows


def _made(folder):
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spoiled")
    seeded = write_export(folder / "export", 60, 0.5)
    with (folder / "export" / "Condition.000.ndjson").open("ab") as file:
        file.write(b'{"resourceType": "Condition", "id": "Zebediah"\n\n')
        file.write(b'{"resourceType": "Condition", "id": "Zebediah"}\n')
        file.write(b'{"resourceType": "Condition", "subject": "Zebediah"}\n')
        file.write(b'{"note": "Zebediah \xff"}\n{"note": "Zebediah"}\n')
    (folder / "export" / "cut-off.gz").write_bytes(gzip.compress(b"{}" * 9_000)[:-20])
    (folder / "export" / "empty").write_bytes(b"")
    (folder / "export" / ".hidden").write_bytes(b"junk")
    run(folder / "export", "--out", folder / "out")
    return folder, seeded


class TestSpoiled:
    """What is wrong in an export is counted and named by file and line, and spoils nothing."""

    def test_the_answers_are_the_same(self, spoiled):
        folder, seeded = spoiled
        assert_as_seeded(seeded, folder / "out")

    def test_each_problem_is_named_and_no_content(self, spoiled):
        folder, _ = spoiled
        text = (folder / "out" / "problems.csv").read_text()
        assert "Zebediah" not in text
        problems = [(row["file"].rsplit("/", 1)[1], row["problem"].split(":")[0])
                    for row in table(folder / "out" / "problems.csv")]  # fmt: skip
        assert problems == [
            ("Condition.000.ndjson", "not JSON"),
            ("Condition.000.ndjson", "Condition without subject that is a Patient"),
            ("Condition.000.ndjson", "not as in FHIR"),
            ("Condition.000.ndjson", "not JSON"),
            ("Condition.000.ndjson", "no resourceType"),
            ("cut-off.gz", "cannot be read on from here"),
        ]
        assert manifest_of(folder / "out")["counts"]["problems"] == len(problems)

    def test_lines_are_counted_from_one_with_the_empty_ones(self, spoiled):
        folder, _ = spoiled
        lines = [int(row["line"]) for row in table(folder / "out" / "problems.csv")[:5]]
        assert [line - lines[0] for line in lines] == [0, 2, 3, 4, 5]


def test_a_type_that_the_export_does_not_hold_is_not_supplied(tmp_path):
    seeded = write_export(tmp_path / "export", 60, 0.5)
    (tmp_path / "export" / "Device.000.ndjson").unlink()
    (tmp_path / "export" / "AllergyIntolerance.000.ndjson").unlink()
    run(tmp_path / "export", "--out", tmp_path / "out")
    one = next(s for s in seeded if s.situation == "poor")
    row = rows_in(tmp_path / "out")[digest(tmp_path / "out", one.order), "lenient"]
    assert row["missing"] == ["devices", "allergies"]


CLIENTS = """
[site]
iss = ["https://ehr.example.org"]
jku = ["https://ehr.example.org/keys"]
codes = "codes"
silent = true
silent_for = ["variant-1"]
"""


def test_with_a_client_its_codes_and_silence_hold(tmp_path):
    seeded = write_export(tmp_path / "export", 60, 0.5)
    (tmp_path / "codes").mkdir()
    row = f"{OF_THE_SITE[1]},{OF_THE_SITE[2]},{OF_THE_SITE[0]},mri-spine-w,lumbar"
    (tmp_path / "codes" / "orders.csv").write_text(f"code,display,system,procedure,region\n{row}\n")
    (tmp_path / "clients.toml").write_text(CLIENTS)
    environment = {"CDS_CLIENTS": str(tmp_path / "clients.toml"), "PATH": ""}
    out = tmp_path / "out"
    run(tmp_path / "export", "--out", out, "--client", "site", env=environment)
    rows = rows_in(out)
    local = [s for s in seeded if s.situation == "code-of-the-site"]
    assert local
    for one in local:
        row = rows[digest(out, one.order), "strict"]
        assert (row["procedure"], row["topic"], row["indicator"]) == (
            "mri-spine-w",
            "variant1",
            None,
        )
    assert {row["indicator"] for row in rows.values()} > {None}
    told = run(tmp_path / "export", "--out", out, "--client", "other", env=environment, expect=1)
    assert "has no client other: site" in told


def test_only_orders_of_the_period_count(finished, tmp_path):
    shutil.copy(finished.folder / "secret", _made(tmp_path / "out"))
    export = finished.folder.parent / "export"
    run(export, "--out", tmp_path / "out", "--from", "2025-04-01", "--to", "2025-04-30")
    expected = {key: row for key, row in finished.rows.items() if row["month"] == "2025-04"}
    assert rows_in(tmp_path / "out") == expected
    assert len(expected) > 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "--out", "out"], "there is no nowhere"),
        ([".", "--out", "out", "--topic", "none"], "there is no topic none"),
        ([".", "--out", "/dev/null/x"], "/dev/null/x: Not a directory"),
        ([".", "--out", "out", "--client", "site"], "--client needs a clients file"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["retrospective", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize(("driver", "extra"), [("duckdb", "retrospective"), ("spark", "spark")])
def test_a_missing_extra_is_named_in_one_line(driver, extra, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert main(["retrospective", ".", "--out", str(tmp_path), "--engine", driver]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"vcf-appropriateness[{extra}]" in line


def test_the_service_without_the_extras_imports_none_of_their_libraries():
    libraries = "{'duckdb', 'pyarrow', 'pyspark'}"
    code = f"import sys, cds_service.cli; print({libraries} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "set()"
