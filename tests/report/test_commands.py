"""The commands report, feedback, purge and migrate, as one types them."""

import csv
import io
import json
import os

import pytest
from fhir.resources.R4B.measurereport import MeasureReport

from cds_service.cli import main
from cds_service.report.feedback import FIELDS
from cds_service.report.formats import csv_of
from cds_service.store.database import Database
from cds_service.store.loader import line
from cds_service.store.retention import purge
from cds_service.store.schema import HEAD
from cds_service.store.spool import Spool
from tests.report.test_figures import ROWS, TODAY
from tests.store.rows import AT, DAY, decision_row, feedback_row, kept, loaded

ON_THAT_DAY = ("--since", TODAY.isoformat(), "--until", TODAY.isoformat())


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with the rows of the figures, which the commands find by their settings."""
    monkeypatch.setenv("CDS_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = Database("", tmp_path)
    loaded(database, tmp_path, *ROWS)
    yield database
    database.close()


@pytest.fixture
def said(capsys):
    def run(*arguments):
        assert main([*arguments]) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.usefixtures("store")
class TestReport:
    def test_as_a_table(self, said):
        out = said("report", *ON_THAT_DAY, "--by", "variant")
        assert "Variant 1" in out
        assert "83.3" in out
        assert "R17" in out

    def test_as_csv(self, said):
        rows = list(
            csv.DictReader(
                io.StringIO(said("report", *ON_THAT_DAY, "--by", "client", "--format", "csv"))
            )
        )
        assert [(r["part"], r["orders"], r["shown"]) for r in rows] == [
            ("clinic", "2", "1"),
            ("hospital", "10", "9"),
            ("in all", "12", "10"),
        ]
        assert rows[0]["suggestions"] == "answer malignancy “No”=1"

    def test_as_json(self, said):
        made = json.loads(said("report", *ON_THAT_DAY, "--by", "rule", "--format", "json"))
        assert made["total"]["orders"] == 12
        assert made["by_rule"]["mri-implant"]["repeat"] == 1
        assert made["total"]["missing_data"] == {"devices": 2, "procedures": 1}

    @pytest.mark.parametrize("by", [(), ("--by", "variant"), ("--by", "week")])
    def test_as_fhir(self, said, by):
        made = json.loads(said("report", *ON_THAT_DAY, *by, "--format", "fhir"))
        MeasureReport.model_validate(made)
        assert (made["status"], made["type"]) == ("complete", "summary")
        group = made["group"][0]
        counts = {p["code"]["coding"][0]["code"]: p["count"] for p in group["population"]}
        assert (counts["orders"], counts["shown"], counts["changed"]) == (12, 10, 2)
        assert group["measureScore"]["value"] == 83.3

    def test_a_report_of_nothing_is_valid_too(self, said):
        made = said("report", "--since", "2020-01-01", "--until", "2020-01-02", "--format", "fhir")
        MeasureReport.model_validate(json.loads(made))
        assert "0.0" in said("report", "--since", "2020-01-01", "--until", "2020-01-02")

    def test_a_date_that_is_none(self, capsys):
        with pytest.raises(SystemExit):
            main(["report", "--since", "yesterday"])
        assert "yesterday is no date like" in capsys.readouterr().err


def test_what_a_stopped_service_left_in_the_spool_is_counted(store, said, tmp_path):
    if not os.fork():
        Spool(tmp_path / "spool").append([line("decisions", decision_row(card="late"))])
        os._exit(0)
    os.wait()
    made = json.loads(said("report", *ON_THAT_DAY, "--format", "json"))
    assert made["total"]["orders"] == 13


@pytest.mark.usefixtures("store")
class TestFeedback:
    """The fields of 45 CFR 170.315(b)(11)(ii)(C)."""

    def rows(self, said):
        return json.loads(said("feedback", *ON_THAT_DAY, "--format", "json"))

    def test_each_feedback_has_all_fields(self, said):
        rows = self.rows(said)
        assert len(rows) == 9
        assert all(tuple(row) == FIELDS for row in rows)
        assert all(row[name] for row in rows for name in FIELDS if name != "user_feedback")

    def test_what_it_says(self, said):
        by_card = {(row["card"], row["action_taken"]): row for row in self.rows(said)}
        taken = by_card["card-a", "accepted: replace mri-spine-wo"]
        assert (
            taken["intervention"] == "vcf-appropriateness 1 (revised 2022): Variant 1, mri-spine-w"
        )
        assert taken["location"] == "hospital"
        assert taken["date"].endswith("+00:00")
        assert by_card["card-c", "overridden"]["user_feedback"] == "R17"
        assert "not known" in by_card["card-unknown", "overridden"]["intervention"]

    def test_as_csv(self, said):
        rows = list(csv.DictReader(io.StringIO(said("feedback", *ON_THAT_DAY))))
        assert rows == self.rows(said)


def test_no_cell_is_a_formula(store, said, tmp_path):
    bad = feedback_row(card="card-d", reason_code="=HYPERLINK(1)")
    loaded(store, tmp_path, ("feedback", bad))
    for command in (("report", "--format", "csv"), ("feedback",)):
        rows = csv.reader(io.StringIO(said(*command, *ON_THAT_DAY)))
        assert not [cell for row in rows for cell in row if cell.startswith("=")]


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠a"]
)
def test_a_cell_that_a_spreadsheet_would_compute_is_text(cell):
    assert csv_of(["a"], [[cell]]).splitlines()[1].strip('"').startswith("'")


class TestPurge:
    def test_what_is_older_than_the_setting_goes(self, database_url, tmp_path):
        database = Database(database_url, tmp_path)
        days = {"old": DAY - 101, "young": DAY - 100}
        for name, day in days.items():
            row = {"client": "c", "consult": name, "about": "order", "system": "", "code": "X"}
            loaded(
                database,
                tmp_path,
                ("decisions", decision_row(card=name, day=day)),
                ("feedback", feedback_row(card=name, day=day)),
                ("unmapped_codes", {**row, "day": day}),
            )
        deleted = purge(database, keep_days=100, now=AT)
        of_codes = {"unmapped_codes": 1, "seen_codes": 0, "common_codes": 0}
        assert deleted == {"decisions": 1, "feedback": 1, **of_codes, "used_tokens": 0}
        assert [row["card"] for row in kept(database, "decisions")] == ["young"]
        database.close()

    def test_the_command_says_how_much(self, store, said, monkeypatch):
        monkeypatch.setenv("CDS_KEEP_DAYS", "1")
        monkeypatch.setattr("cds_service.store.retention.time.time", lambda: AT + 10 * 86_400)
        assert f"decisions: {sum(name == 'decisions' for name, _ in ROWS)} rows" in said("purge")
        assert kept(store, "feedback") == []


@pytest.mark.usefixtures("store")
class TestMigrate:
    def test_down_and_up(self, said):
        assert "at version none" in said("migrate", "base")
        assert f"at version {HEAD}" in said("migrate")
        assert "at version 0001" in said("migrate", "0001")

    def test_a_version_that_is_not_there(self, capsys):
        assert main(["migrate", "0815"]) == 1
        assert "no version 0815" in capsys.readouterr().err


def test_a_store_that_cannot_be_reached_is_told_plainly(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CDS_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody:hidden@127.0.0.1:1/none")
    assert main(["report"]) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "hidden" not in told
