"""One evaluation of an order: the row, the log line and the keys are views of it."""

import json
from dataclasses import fields, replace

import pytest

from cds_service import create_app
from cds_service.evaluation import Evaluation
from cds_service.hook import answer_hook
from cds_service.settings import Settings
from cds_service.store.overridden import Overridden
from cds_service.store.rows import HookRequest, advice_key, order_key, rows_of
from cds_service.store.secret import pseudonym
from cds_service.store.tables import decisions
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PACEMAKER,
    PAIN,
    PATIENT,
    device,
    hook_call,
    hook_request,
    order,
    topic,
)

REQUEST = HookRequest("hospital", "north", "order-sign", "h-1", PATIENT, 1.0, 2.0, "")


def digest(*parts):
    return pseudonym(b"secret", *parts)


def evaluation(code=MRI_LUMBAR_W, **chart):
    request = hook_request(order(code, reasons=(FRACTURE, PAIN)), **chart)
    (made,) = answer_hook(hook_call(request), topic()).evaluations
    return made


def row_of(made, request=REQUEST):
    ((table, row),) = rows_of(request, [made], [], digest, frozenset())
    assert table == "decisions"
    return row


def test_every_column_comes_from_the_evaluation_or_from_the_request():
    row = row_of(evaluation())
    assert set(row) == {column.name for column in decisions.columns}
    assert row["guideline"] == "acr-vcf-2022"


def test_a_field_that_is_no_column_is_one_that_is_not_stored_as_it_is():
    others = {field.name for field in fields(Evaluation)} - set(decisions.columns.keys())
    assert others == {"order_id", "unmapped", "is_safety_card"}


def test_the_row_names_neither_patient_nor_order():
    text = json.dumps(row_of(evaluation()))
    assert PATIENT not in text
    assert evaluation().order_id not in text


def test_log_line_and_row_say_the_same(tmp_path, capsys):
    client = create_app(Settings(store=True, data=tmp_path)).test_client()
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    client.post("/cds-services/vcf-appropriateness", json=body)
    (logged,) = json.loads(capsys.readouterr().err.splitlines()[-1])["orders"]
    (file,) = (tmp_path / "spool").glob("*.jsonl")
    row = json.loads(file.read_text())["row"]
    assert logged.pop("card") == row["indicator"]
    assert {name: row[name] for name in logged} == logged


CHANGES = {
    "another guideline": {"guideline": "another"},
    "another order": {"order_id": "order-2"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_another_guideline_and_another_order_have_other_keys(changes):
    one = evaluation()
    other = replace(one, **changes)
    for key in (order_key, advice_key):
        assert key(one, "hospital", PATIENT, digest) == key(one, "hospital", PATIENT, digest)
        assert key(one, "hospital", PATIENT, digest) != key(other, "hospital", PATIENT, digest)


class TestOverridden:
    def overridden(self, made, patient_id=PATIENT, since=0.0):
        key = row_of(made)["advice_key"]
        return Overridden({key: 10.0}, since, "hospital", patient_id, digest)

    def test_the_same_advice_is_covered(self):
        assert evaluation() in self.overridden(evaluation())

    def test_neither_that_for_another_patient_nor_that_of_long_ago(self):
        assert evaluation() not in self.overridden(evaluation(), patient_id="another")
        assert evaluation() not in self.overridden(evaluation(), since=11.0)

    def test_never_that_of_a_safety_rule(self):
        made = evaluation(MRI_LUMBAR_WO, devices=[device(PACEMAKER)])
        assert made.is_safety_card
        assert made not in self.overridden(made)

    def test_never_that_on_an_order_without_an_id(self):
        nameless = replace(evaluation(), order_id="")
        assert row_of(nameless)["advice_key"] is None
        assert nameless not in self.overridden(evaluation())
