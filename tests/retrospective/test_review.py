"""The sample for chart review, which order is which, and what reviewers said."""

import csv
import stat

import pytest

from cds_service.cli import DONE, PROBLEMS, main
from cds_service.retrospective.folder import Folder, RunError
from cds_service.retrospective.reviewed import RIGHT, WRONG, Stratum, estimate, reviewed, weighted
from cds_service.retrospective.sample import choose

NUMBER = 8


@pytest.fixture(scope="module")
def reviewable(finished):
    """The finished run with a sample and the ids."""
    export, out = finished.folder.parent / "export", finished.folder
    options = ["--with-ids", "--sample", str(NUMBER)]
    assert main(["retrospective", str(export), "--out", str(out), *options]) == DONE
    yield finished
    (out / "ids.csv").unlink()
    (out / "sample.html").unlink()


def strata_of(run):
    return {
        order: (row["topic"], bool(row["indicator"]))
        for (order, mode), row in run.rows.items()
        if mode == "lenient"
    }


class TestSample:
    def test_every_kind_of_answer_is_in_it(self, reviewable):
        strata = strata_of(reviewable)
        chosen = choose(Folder(reviewable.folder), NUMBER)
        assert len(set(chosen)) == NUMBER
        assert {strata[digest] for digest in chosen} == set(strata.values())

    def test_it_shows_each_answer_with_its_facts_and_whom_it_is_about(self, reviewable):
        text = (reviewable.folder / "sample.html").read_text("utf-8")
        chosen = choose(Folder(reviewable.folder), NUMBER)
        assert text.count("<article>") == NUMBER
        orders = {reviewable.digest(one.order): one.order for one in reviewable.seeded}
        for digest in chosen:
            assert digest in text
            assert f"ServiceRequest/{orders[digest]}" in text
        assert "Patient/p" in text
        assert "Compression fracture of vertebral column" in text

    def test_the_ids_are_those_of_the_orders(self, reviewable):
        with (reviewable.folder / "ids.csv").open() as lines:
            header, *rows = csv.reader(lines)
        assert header == ["order", "reference"]
        expected = {reviewable.digest(s.order): s.order for s in reviewable.seeded if s.expected}
        assert dict(rows) == {d: f"ServiceRequest/{order}" for d, order in expected.items()}

    def test_both_are_private(self, reviewable):
        for name in ("ids.csv", "sample.html"):
            assert stat.S_IMODE((reviewable.folder / name).stat().st_mode) == 0o600

    def test_without_being_asked_for_ids_none_is_written(self, finished, tmp_path, capsys):
        options = ["retrospective", str(tmp_path), "--out", str(tmp_path), "--sample", "5"]
        assert main(options) == PROBLEMS
        assert "needs --with-ids" in capsys.readouterr().err


# Of the tables that the method's textbooks print.
@pytest.mark.parametrize(
    ("right", "number", "low", "high"),
    [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (81, 263, 0.255, 0.366)],
)
def test_the_interval_of_wilson(right, number, low, high):
    found = estimate(right / number, number, number)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.0006)


def stratum(size, right, wrong, shows_card=True):
    return Stratum(("g", "t", shows_card), size, [RIGHT] * right + [WRONG] * wrong)


def test_strata_are_weighted_by_their_size():
    found = weighted([stratum(900, 9, 1), stratum(100, 1, 9)], RIGHT)
    assert found.share == pytest.approx(0.9 * 0.9 + 0.1 * 0.1)
    assert found.number == 20
    assert found.low < found.share < found.high


def test_strata_that_agree_are_as_sure_as_their_reviews_are_many():
    found = weighted([stratum(500, 10, 0), stratum(500, 10, 0)], RIGHT)
    assert found == estimate(1.0, 20, 20)


def test_one_stratum_weighs_as_if_there_were_no_strata():
    found = weighted([stratum(500, 8, 2)], RIGHT)
    assert (found.low, found.high) == pytest.approx((0.490, 0.943), abs=0.0006)


class TestReviewed:
    def test_reviews_are_counted_in_their_strata(self, finished, tmp_path):
        strata = strata_of(finished)
        cards = [order for order, (_, shows) in strata.items() if shows][:6]
        silent = [order for order, (_, shows) in strata.items() if not shows][:4]
        rows = [*((o, WRONG) for o in cards[:2]), *((o, RIGHT) for o in cards[2:] + silent)]
        found = reviewed(written(tmp_path, rows), Folder(finished.folder))
        assert sum(len(s.reviews) for s in found.strata) == len(rows)
        assert found.accuracy.number == 10
        assert found.false_positives.number == 6
        assert 0 < found.false_positives.share < 1

    def test_they_are_in_the_report(self, finished, tmp_path):
        file = written(tmp_path, [(order, RIGHT) for order in strata_of(finished)])
        export, out = finished.folder.parent / "export", finished.folder
        options = ["--out", str(out), "--reviewed", str(file)]
        assert main(["retrospective", str(export), *options]) == DONE
        text = (out / "report.html").read_text("utf-8")
        assert "How often it is right" in text
        assert "100 % (" in text

    @pytest.mark.parametrize(
        ("rows", "told"),
        [
            ([("nobody", RIGHT)], "line 2: no order of this run"),
            ([("nobody", "good")], "line 2: the review must be right or wrong"),
        ],
    )
    def test_what_is_wrong_in_the_file_is_named_by_its_line(self, finished, tmp_path, rows, told):
        with pytest.raises(RunError, match=told):
            reviewed(written(tmp_path, rows), Folder(finished.folder))

    def test_an_order_counts_once(self, finished, tmp_path):
        order = next(iter(strata_of(finished)))
        with pytest.raises(RunError, match="line 3: .* there twice"):
            reviewed(written(tmp_path, [(order, RIGHT)] * 2), Folder(finished.folder))

    def test_other_columns_are_refused(self, finished, tmp_path, capsys):
        (tmp_path / "reviews.csv").write_text("id,verdict\n")
        with pytest.raises(RunError, match="the columns must be order, review"):
            reviewed(tmp_path / "reviews.csv", Folder(finished.folder))
        assert main(["retrospective", "x", "--out", str(tmp_path / "o")]) == PROBLEMS


def written(folder, rows):
    file = folder / "reviews.csv"
    file.write_text("\n".join(["order,review", *(",".join(row) for row in rows)]) + "\n")
    return file
