"""Of a code or words that may be a person's nothing is kept until five patients had the same."""

import json
import time
from uuid import uuid4

import pytest

from cds_service import create_app
from cds_service.fhir.unmapped import Unmapped
from cds_service.settings import Settings
from cds_service.store.common import ENOUGH_PATIENTS, FORGET_DAYS
from cds_service.store.database import Database
from cds_service.store.rows import HookRequest, rows_of
from tests.small_world import (
    FRACTURE,
    LOINC,
    MRI_LUMBAR_W,
    PAIN,
    SCT,
    condition,
    hook_request,
    order,
)
from tests.store.rows import kept

SERVICE = "/cds-services/vcf-appropriateness"
LOCAL = "urn:example:hospital:orders"
WORDS = "MRI SPINE for Zebediah"
DAY_SECONDS = 86_400


class Service:
    """The application with a store, and what is in that store."""

    def __init__(self, folder, database_url):
        self.folder = folder
        settings = Settings(store=True, data=folder, database_url=database_url)
        self.app = create_app(settings)
        self.store = self.app.extensions["store"]
        self.client = self.app.test_client()
        self.database = Database(database_url, folder)

    def ask(self, request, *patients):
        """The request for each of the patients; then what came is loaded and counted."""
        for patient in patients:
            body = {**request, "hookInstance": str(uuid4())}
            body["context"] = {**request["context"], "patientId": patient}
            assert self.client.post(SERVICE, json=body).status_code == 200
        self.load()

    def load(self):
        while list((self.folder / "spool").glob("*.jsonl")):  # the loader's thread has some
            self.store._loader.load()
        self.store._common._refreshed = float("-inf")
        self.store._common.refresh()

    def codes(self):
        return {(r["code"], r["display"]) for r in kept(self.database, "unmapped_codes")}

    def on_disk(self):
        return b"".join(f.read_bytes() for f in self.folder.rglob("*") if f.is_file()).decode(
            "latin-1"
        )

    def close(self):
        self.store.finish()
        self.database.close()


@pytest.fixture
def service(tmp_path, database_url):
    made = Service(tmp_path, database_url)
    yield made
    made.close()


def drafted(code, words, system=LOCAL):
    concept = {"coding": [{"system": system, "code": code, "display": words}]}
    return hook_request({**order(("x", "y"), reasons=(FRACTURE,)), "code": concept})


def patients(number, first=0):
    return [f"patient-{n}" for n in range(first, first + number)]


def test_nothing_of_it_is_kept_of_four_patients_however_often(service):
    for _ in range(3):
        service.ask(drafted("MRSPINE", WORDS), *patients(ENOUGH_PATIENTS - 1))
    assert service.codes() == set()
    assert "Zebediah" not in service.on_disk()
    assert "MRSPINE" not in service.on_disk()
    assert "patient-0" not in service.on_disk()


def test_after_five_patients_it_is_and_their_digests_are_gone(service):
    service.ask(drafted("MRSPINE", WORDS), *patients(ENOUGH_PATIENTS))
    assert kept(service.database, "seen_codes") == []
    service.ask(drafted("MRSPINE", WORDS), "patient-9")
    assert service.codes() == {("MRSPINE", WORDS)}
    assert kept(service.database, "seen_codes") == []


def test_words_that_differ_are_not_kept_with_their_code(service):
    for number, patient in enumerate(patients(ENOUGH_PATIENTS + 1)):
        service.ask(drafted("MRSPINE", f"MRI SPINE for Zebediah {number}"), patient)
    assert service.codes() == {("MRSPINE", "")}
    assert "Zebediah" not in service.on_disk()


def test_a_code_in_the_form_of_a_known_system_is_kept_at_once_and_its_words_are_not(service):
    service.ask(drafted("30746-2", WORDS, LOINC), "patient-1")
    assert service.codes() == {("30746-2", "")}


@pytest.mark.parametrize("code", ["Zebediah", "Zebediah-1"])
def test_what_has_not_the_form_of_a_known_system_waits_as_others_do(service, code):
    service.ask(drafted(code, "MRI SPINE", SCT), "patient-1")
    assert service.codes() == set()


def test_reasons_and_conditions_wait_too(service):
    asked = hook_request(
        order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN, ("urn:dx", "MRN7731"))),
        conditions=[condition(("urn:dx", "MRN7732"))],
    )
    service.ask(asked, *patients(ENOUGH_PATIENTS - 1))
    assert service.codes() == set()
    assert "MRN773" not in service.on_disk()
    service.ask(asked, "patient-8")
    service.ask(asked, "patient-9")
    assert service.codes() == {("MRN7731", ""), ("MRN7732", "")}


def digests(service, client, patient, code="MRSPINE"):
    """Of an order code, and of the patient who has it."""
    request = HookRequest(client, "", "order-sign", "h", patient, 0.0, 1.0, "")
    unmapped = [Unmapped("order", LOCAL, code)]
    ((table, row),) = rows_of(request, [], unmapped, service.store.pseudonym, frozenset())
    assert table == "seen_codes"
    return row["code_key"], row["source_key"]


def test_each_client_counts_its_own_patients(service):
    """One person may be known to two clients."""
    ours, other = digests(service, "hospital", "p-1"), digests(service, "clinic", "p-1")
    assert ours[0] != other[0]
    assert digests(service, "hospital", "p-2")[0] == ours[0]


def test_the_digest_of_a_patient_is_another_for_each_code(service):
    ours, other = (digests(service, "hospital", "p-1", code) for code in ("MR1", "MR2"))
    assert ours[1] != other[1]
    assert digests(service, "hospital", "p-1", "MR1") == ours


def test_digests_are_forgotten_after_thirty_days(service, monkeypatch):
    service.ask(drafted("MRSPINE", WORDS), *patients(ENOUGH_PATIENTS - 1))
    later = time.time() + (FORGET_DAYS + 1) * DAY_SECONDS
    monkeypatch.setattr("cds_service.store.common.time.time", lambda: later)
    service.load()
    assert kept(service.database, "seen_codes") == []
    service.ask(drafted("MRSPINE", WORDS), "patient-8")
    service.ask(drafted("MRSPINE", WORDS), "patient-9")
    assert service.codes() == set()


def test_the_spool_holds_no_more_than_the_database(service):
    service.store._loading.stop()
    service.store._spool.sync = lambda: None
    service.client.post(SERVICE, json=drafted("MRSPINE", WORDS))
    assert "Zebediah" not in service.on_disk()
    assert json.dumps("patient-1") not in service.on_disk()


def test_the_codes_of_a_chart_are_added_once_for_a_patient_and_day(service):
    """They come again with each hook of an ordering session; those of another patient are new."""
    written = []
    append = service.store._spool.append
    service.store._spool.append = lambda lines: written.append(lines) or append(lines)
    in_no_map = [condition((SCT, "13645005")), condition((SCT, "22325002"))]
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=in_no_map)
    service.ask(body, "maria", "maria", "maria", "paul")
    assert [sum(b"unmapped_codes" in line for line in lines) for lines in written] == [2, 0, 0, 2]
    assert len(kept(service.database, "unmapped_codes")) == 4
