"""Codes in no map: listed to be filled in, and filled in where an order's words are clear."""

import csv
import io

import pytest

from cds_service import create_app
from cds_service.cli import main
from cds_service.mappings.local import with_local_codes
from cds_service.settings import Settings
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order, topics

SERVICE = "/cds-services/vcf-appropriateness"
LOCAL = "urn:example:hospital:orders"


def draft(code, display, text="", **fields):
    concept = {"coding": [{"system": LOCAL, "code": code, "display": display}], "text": text}
    return {**order(("x", "y"), reasons=(FRACTURE,), **fields), "code": concept}


@pytest.fixture
def listed(tmp_path, monkeypatch, capsys):
    """What a command lists after some hooks."""

    def run(command, *requests, about="order"):
        app = create_app(Settings(store=True, data=tmp_path))
        for number, request in enumerate(requests):
            body = {**request, "hookInstance": f"hook-{number}"}
            app.test_client().post(SERVICE, json=body)
        app.extensions["store"].finish()
        monkeypatch.setenv("CDS_DATA", str(tmp_path))
        monkeypatch.delenv("DATABASE_URL", raising=False)
        capsys.readouterr()
        assert main([command, "--about", about]) == 0
        return capsys.readouterr().out

    return run


SPINE = hook_request(draft("MR17", "MRI LUMBAR SPINE W/O CONTRAST"))
CHEST = hook_request(draft("XR1", "XR CHEST PA"))


def test_orders_that_may_be_about_the_spine_most_frequent_first(listed):
    other = hook_request(draft("MR18", "MRI THORACIC SPINE"))
    rows = list(csv.reader(io.StringIO(listed("unmapped", other, SPINE, SPINE, CHEST))))
    assert rows == [
        ["code", "display", "system", "procedure", "region", "count"],
        ["MR17", "MRI LUMBAR SPINE W/O CONTRAST", LOCAL, "", "", "2"],
        ["MR18", "MRI THORACIC SPINE", LOCAL, "", "", "1"],
    ]


def test_reasons_have_no_words(listed):
    reason = {"coding": [{"system": "urn:dx", "code": "D1", "display": "Zebediah"}]}
    request = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    request["context"]["draftOrders"]["entry"][0]["resource"]["reasonCode"].append(reason)
    out = listed("unmapped", request, about="reason")
    assert out.splitlines() == ["code,display,system,finding,region,count", "D1,,urn:dx,,,1"]


def test_free_text_of_an_order_is_not_kept(listed):
    typed = hook_request(draft("MR17", "", text="Lumbar spine of Zebediah"))
    assert "Zebediah" not in listed("unmapped", typed)


def test_what_is_suggested_can_be_loaded_once_it_is_confirmed(listed, tmp_path):
    unclear = hook_request(draft("MR18", "MRI SPINE"))
    folder = tmp_path / "codes"
    folder.mkdir()
    (folder / "orders.csv").write_text(listed("suggest", SPINE, unclear), "utf-8")
    sites, number = with_local_codes(topics(), folder)
    assert number == 1
    assert (
        sites["vcf-appropriateness"].terminology.orders[LOCAL, "MR17"].procedure == "mri-spine-wo"
    )
