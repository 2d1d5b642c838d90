"""Codes in no map: listed to be filled in, and filled in where an order's words are clear."""

import csv
import io

import pytest

from cds_service import create_app
from cds_service.cli import main
from cds_service.fhir.reading import Resource, text_of
from cds_service.fhir.unmapped import Unmapped, unmapped_conditions
from cds_service.mappings.local import with_local_codes
from cds_service.settings import Settings
from cds_service.store.common import CommonCodes
from tests.small_world import (
    BREAST_CANCER,
    EDEMA_SEEN,
    FRACTURE,
    FRACTURE_T12,
    MRI_LUMBAR_W,
    PAIN,
    SCT,
    condition,
    hook_request,
    order,
    topic,
    topics,
)

SERVICE = "/cds-services/vcf-appropriateness"
LOCAL = "urn:example:hospital:orders"


def draft(code, display, text="", **fields):
    concept = {"coding": [{"system": LOCAL, "code": code, "display": display}], "text": text}
    return {**order(("x", "y"), reasons=(FRACTURE,), **fields), "code": concept}


@pytest.fixture
def listed(tmp_path, monkeypatch, capsys):
    """What a command lists after some hooks, of codes and words that many patients had."""
    monkeypatch.setattr(CommonCodes, "__contains__", lambda *_: True)

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


DX = "urn:example:hospital:dx"
PATIENTS = ("maria", "jane", "rosa")


def problem(code, *words, system=DX, **fields):
    made = condition((system, code), **fields)
    made["code"]["coding"][0]["display"] = words[0] if words else ""
    made["code"]["text"] = " ".join(words[1:])
    return made


def of_patient(patient_id, *problems, drafts=(MRI_LUMBAR_W,)):
    """A hook for a patient with these Conditions."""
    request = hook_request(order(*drafts, reasons=(FRACTURE, PAIN)), conditions=list(problems))
    request["context"]["patientId"] = patient_id
    return request


class TestConditions:
    def rows(self, listed, *requests):
        return list(csv.reader(io.StringIO(listed("unmapped", *requests, about="condition"))))

    def test_what_sounds_serious_comes_first_and_no_words_are_kept(self, listed):
        cold, cancer = problem("D1", "Zebediah has a cold"), problem("D2", "Zebediah: Krebs, Milz")
        broken = problem("D3", "", "Deckplatteneinbruch of Zebediah")
        requests = [of_patient(who, cold) for who in PATIENTS]
        requests += [of_patient("maria", cancer, broken), of_patient("rosa", cancer)]
        rows = self.rows(listed, *requests)
        assert rows == [
            ["code", "display", "system", "finding", "region", "count", "sounds_like"],
            ["D2", "", DX, "", "", "2", "malignancy"],
            ["D3", "", DX, "", "", "1", "fracture"],
            ["D1", "", DX, "", "", "3", ""],
        ]

    def test_a_patient_counts_once_a_day(self, listed):
        request = of_patient("maria", problem("D1"), problem("D1"))
        _, row = self.rows(listed, request, request)
        assert row[5] == "1"

    def test_the_more_serious_of_two_wordings_counts(self, listed):
        said = [problem("D1", w) for w in ("Pain", "Collapse", "Malignant collapse", "Collapse")]
        assert self.rows(listed, of_patient("maria", *said))[1][6] == "malignancy"

    def test_codes_in_a_map_and_our_own_answers_are_not_listed(self, listed):
        known = [condition(c) for c in (FRACTURE, BREAST_CANCER, EDEMA_SEEN, FRACTURE_T12)]
        assert len(self.rows(listed, of_patient("maria", *known))) == 1

    @pytest.mark.parametrize(
        ("system", "code"),
        [(DX, "Zebediah"), (DX, "cancer of Zebediah 2"), (SCT, "Zebediah"), (SCT, "1234567"),
         ("Zebediah", "D1"), ("", "D1")],
    )  # fmt: skip
    def test_what_is_not_surely_a_code_is_not_kept(self, listed, system, code):
        assert len(self.rows(listed, of_patient("maria", problem(code, system=system)))) == 1

    def test_nothing_is_listed_where_no_order_is_ours(self, listed):
        other = of_patient("maria", problem("D2", "cancer"), drafts=((LOCAL, "XR1"),))
        assert len(self.rows(listed, other)) == 1

    def test_what_is_listed_can_be_filled_in_and_loaded(self, listed, tmp_path):
        text = listed("unmapped", of_patient("maria", problem("D2", "cancer")), about="condition")
        folder = tmp_path / "codes"
        folder.mkdir()
        filled = text.replace(f"D2,,{DX},,", f"D2,,{DX},malignancy,")
        (folder / "findings.csv").write_text(filled, "utf-8")
        assert with_local_codes(topics(), folder)[1] == 1


HEARD = {
    "malignancy": ("Malignant neoplasm of breast", "Mammakarzinom", "Prostatakrebs", "Leukämie",
                   "Bronchial-CA", "Cáncer de mama", "Metástasis óseas", "Non-Hodgkin lymphoma",
                   "Multiples Myelom", "Mieloma múltiple", "TUMOR OF SPINE", "Plasmozytom",
                   "pathological fracture in neoplastic disease"),
    "fracture": ("Wedge fracture of L1", "LWK-1-Fraktur", "Sinterungsfraktur", "Wirbelbruch",
                 "Fractura por aplastamiento", "Vertebral collapse", "Acuñamiento vertebral",
                 "T12 compression fx", "Kompressionsfraktur BWK 12"),
    "": ("Essential hypertension", "Diabetes mellitus Typ 2", "Hiperlipidemia", "Cataract", ""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "said"), [(n, s) for n, words in HEARD.items() for s in words])
def test_what_words_sound_like(name, said):
    read = Resource(text_of(problem("D1", said)))
    made = unmapped_conditions([read], topic().terminology, topic().condition_words)
    assert made == (Unmapped("condition", DX, "D1", "", name),)
