"""`make demo` and `make sandbox`: real processes, and what people find who try them."""

import random

import pytest
import requests
from rich.console import Console
from sqlalchemy import select

from cds_service.store.database import Database
from cds_service.store.tables import decisions, feedback, unmapped_codes
from fixtures import demo, processes, sandbox
from tests import REAL_PROCESSES
from tests.small_world import CPT, FRACTURE, hook_request, order

pytestmark = REAL_PROCESSES


def test_the_demo_makes_eight_weeks_of_history(tmp_path, monkeypatch):
    """Whatever orders it draws; with feedback, and with codes in no map."""
    monkeypatch.setattr(demo, "ORDERS", 250)
    told = demo.make_history(Console(quiet=True), tmp_path)
    assert told["hooks"] == 250
    assert told["cards"] > 50
    database = Database("", tmp_path)
    with database.begin() as connection:
        days = set(connection.scalars(select(decisions.c.day)))
        assert len(days) > 20
        assert max(days) - min(days) < 8 * 7
        assert connection.scalars(select(feedback.c.card)).all()
        assert "urn:example:orders" in connection.scalars(select(unmapped_codes.c.system)).all()
    database.close()


def test_a_hook_of_the_demo_is_one_of_its_own():
    case = hook_request(order((CPT, "72149"), reasons=(FRACTURE,)))
    made = [demo.order_of_its_own(case, n, "http://ehr", random.Random(n)) for n in range(50)]  # noqa: S311
    patients = {request["context"]["patientId"] for request in made}
    assert patients <= {*demo.FETCHED, *(f"demo-{n}" for n in range(50))}
    assert len({request["hookInstance"] for request in made}) == 50


def test_a_port_that_is_taken_is_told(tmp_path):
    with processes.ehr(processes.free_port(), tmp_path) as ehr:
        port = int(ehr.rpartition(":")[2])
        with (
            pytest.raises(processes.NotUp, match="the port is taken"),
            processes.service(port, tmp_path),
        ):
            pass


@pytest.mark.parametrize("patient", sandbox.PATIENTS)
def test_each_patient_of_the_sandbox_leads_to_buttons(patient, tmp_path):
    """72149 for a compression fracture: a change of the order, or the two answers to a question."""
    draft = order((CPT, "72149"), reasons=(FRACTURE,))
    draft["subject"] = {"reference": f"Patient/{patient}"}
    request = hook_request(draft)
    request["context"]["patientId"] = patient
    settings = {"CDS_DIALECT": "sandbox", "CDS_FETCH_MILLISECONDS": "5000"}
    with (
        processes.ehr(processes.free_port(), tmp_path) as ehr,
        processes.service(processes.free_port(), tmp_path, **settings) as base,
    ):
        request |= {"prefetch": {}, "fhirServer": ehr}
        answer = requests.post(base + demo.SERVICE, json=request, timeout=30)
    (card,) = answer.json()["cards"]
    labels = [suggestion["label"] for suggestion in card["suggestions"]]
    assert len(labels) == 2
    asked = patient == "cancer-in-words"
    assert all(label.startswith("Change to ") for label in labels) is not asked
    assert sandbox.address("http://a", "http://b", patient).endswith(f"&patientId={patient}")
