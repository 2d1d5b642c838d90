"""A site's own codes: read from its folder, checked row by row, and understood like ours."""

import json

import pytest

from cds_service import create_app
from cds_service.access.clients import ClientsError
from cds_service.cli import main
from cds_service.hook import answer_hook
from cds_service.mappings.local import MappingsError, with_local_codes
from cds_service.settings import Settings
from tests.small_world import (
    CPT,
    FRACTURE,
    ICD,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    SERVICE,
    TODAY,
    concept,
    condition,
    days_ago,
    hook_call,
    hook_request,
    observation,
    order,
    resource,
    topic,
    topics,
)
from tests.test_access import BASE, ISSUER, call, clients_file, token

SITE = ROOT / "fixtures" / "local-codes"
ORDERS, FINDINGS = "urn:example:hospital:orders", "urn:example:hospital:findings"
CONTRAST_MRI = (ORDERS, "MRLSPW")
ASKED = ("http://loinc.org", "1-8")  # some question, of which the value says it
EDEMA, NO_PAIN, WORSE = (FINDINGS, "RAD-EDEMA"), (FINDINGS, "NRS-0"), (FINDINGS, "PT-WORSE")
ORDER_COLUMNS = "code,display,system,procedure,region"
FINDING_COLUMNS = "code,display,system,finding,region"


@pytest.fixture(scope="module")
def site():
    """Ours, and the codes of a hospital."""
    return with_local_codes(topics(), SITE)[0][SERVICE]


def answered(site, *drafts, **chart):
    return answer_hook(hook_call(hook_request(*drafts, **chart)), site)


def fact(site, name, *reasons, **chart):
    (decision,) = answered(
        site, order(MRI_LUMBAR_WO, reasons=(FRACTURE, *reasons)), **chart
    ).decisions
    return decision.facts[name].value


class TestOrders:
    def test_a_local_code_is_rated_like_any_other(self, site):
        draft = order(CONTRAST_MRI, reasons=(FRACTURE, PAIN))
        assert answered(topic(), draft).decisions == []
        (decision,) = answered(site, draft).decisions
        assert (decision.category, decision.topic) == ("usually-not-appropriate", "variant1")
        assert decision.case.order.place.code == "lumbar"

    def test_what_is_suggested_carries_the_local_code_first(self, site):
        (card,) = answered(site, order(CONTRAST_MRI, reasons=(FRACTURE, PAIN))).body["cards"]
        codings = card["suggestions"][0]["actions"][0]["resource"]["code"]["coding"]
        assert (codings[0]["system"], codings[0]["code"]) == (ORDERS, "MRLSPWO")
        assert CPT in [coding["system"] for coding in codings]

    def test_others_are_not_sent_local_codes_first(self, site):
        draft = order((CPT, "72149"), reasons=(FRACTURE, PAIN))
        (card,) = answered(site, draft).body["cards"]
        codings = card["suggestions"][0]["actions"][0]["resource"]["code"]["coding"]
        assert codings[0]["system"] == CPT


class TestFindings:
    @pytest.mark.parametrize(
        ("name", "code", "value"),
        [
            ("edema_or_cleft", EDEMA, True),
            ("symptomatic", NO_PAIN, False),
            ("worsening", WORSE, True),
        ],
    )
    def test_from_a_condition_an_observation_and_a_report(self, site, name, code, value):
        seen = observation(ASKED, days_ago(3), valueCodeableConcept=concept(code))
        assert fact(site, name, conditions=[condition(code)]) is value
        assert fact(site, name, observations=[observation(code, days_ago(3))]) is value
        assert fact(site, name, observations=[seen]) is value
        assert fact(site, name, observations=[report(code, 3)]) is value
        assert fact(site, name, code) is value

    def test_a_report_counts_for_90_days(self, site):
        assert fact(site, "edema_or_cleft", observations=[report(EDEMA, 90)]) is True
        assert fact(site, "edema_or_cleft", observations=[report(EDEMA, 91)]) is None

    @pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
    def test_one_that_was_withdrawn_does_not_count(self, site, status):
        withdrawn = report(EDEMA, 3, status=status)
        assert fact(site, "edema_or_cleft", observations=[withdrawn]) is None

    def test_another_patients_does_not_count(self, site):
        other = {**report(EDEMA, 3), "subject": {"reference": "Patient/somebody-else"}}
        assert fact(site, "edema_or_cleft", observations=[other]) is None

    def test_a_report_says_nothing_else_of_the_patient(self, site):
        cancer = report(("http://snomed.info/sct", "254837009"), 3)
        assert fact(site, "malignancy", observations=[cancer]) is False

    def test_without_the_map_nothing_is_known(self):
        assert fact(topic(), "edema_or_cleft", observations=[report(EDEMA, 3)]) is None


def report(code, days, **fields):
    made = resource("DiagnosticReport", "r-1", status="final", code={"text": "MRI"})
    conclusion = [{"coding": [{"system": code[0], "code": code[1]}]}]
    return {**made, "conclusionCode": conclusion, "effectiveDateTime": days_ago(days), **fields}


def folder(tmp_path, text, name="orders.csv"):
    made = tmp_path / "codes"
    made.mkdir(exist_ok=True)
    (made / name).write_text(text, "utf-8")
    return made


def orders(*rows):
    return "\n".join([ORDER_COLUMNS, *rows, ""])


WRONG = {
    "other columns": ("a,b\n", "line 1: the columns must be"),
    "no code": (orders(",x,urn:x,mri-spine-wo,"), "line 2: code and system"),
    "no system": (orders("A,x,,mri-spine-wo,"), "line 2: code and system"),
    "a procedure that is none": (orders("A,x,urn:x,mri-knee,"), "line 2: mri-knee is no procedure"),
    "a region that is none": (orders("A,x,urn:x,mri-spine-wo,knee"), "line 2: knee is no region"),
    "a finding that is none": (
        f"{FINDING_COLUMNS}\nA,x,urn:x,joy,\n",
        "line 2: joy is no finding",
    ),
    "one code twice": (
        orders("A,x,urn:x,mri-spine-wo,", "A,x,urn:x,mri-spine-w,"),
        "line 3: A is mapped twice",
    ),
    "one finding twice for a code": (
        f"{FINDING_COLUMNS}\nA,x,urn:x,worsening,\nA,x,urn:x/,worsening,lumbar\n",
        "line 3: A is mapped twice",
    ),
    "one code in two regions": (
        f"{FINDING_COLUMNS}\nA,x,urn:x,worsening,lumbar\nA,x,urn:x,osteoporosis,thoracic\n",
        "line 3: A has two regions, lumbar and thoracic",
    ),
    "a code with two blanks": (orders("A  B,x,urn:x,mri-spine-wo,"), "line 2: A  B can never"),
    "one of our codes, under another name of its system": (
        orders("72148-26,x,urn:oid:2.16.840.1.113883.6.12,mri-spine-w,lumbar"),
        "line 2: 72148-26 of",
    ),
    "one of our codes, without its dot": (
        f"{FINDING_COLUMNS}\nM4856XA,x,http://hl7.org/fhir/sid/icd-10-cm/,osteoporosis,\n",
        "line 2: M4856XA of",
    ),
    "one of our codes": (orders(f"72148,x,{CPT},mri-spine-w,lumbar"), "line 2: 72148 of"),
    "nothing": (orders(), "no code found"),
}


NEVER_MATCH = {
    "ICD-10-CM": ("http://hl7.org/fhir/sid/icd-10-cm", "VERTFX"),
    "ICD-10-GM": ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M4"),
    "SNOMED CT, a wrong check digit": ("http://snomed.info/sct", "64859007"),
    "SNOMED CT, no number": ("http://snomed.info/sct", "OSTEO"),
    "LOINC": ("http://loinc.org", "24968-1"),
    "CPT": (CPT, "MRLSP"),
}
# Rows as sites write them, and the same as charts do.
WRITTEN = {
    "without a dot": (("http://hl7.org/fhir/sid/icd-10-cm", "I10"), (ICD, "I10")),
    "headers and capitals": ((f"{ICD}/", "z7982"), (ICD, "Z79.82")),
    "an OID of a known system": (("2.16.840.1.113883.6.90", "Z7982"), (ICD, "Z79.82")),
    "an OID as a URN": (("urn:oid:2.16.840.1.113883.6.90", "Z79.82"), (ICD, "z7982")),
    "a slash in the row": (("http://example.org/dx/", "A"), ("http://example.org/dx", "A")),
    "a slash in the chart": (("http://example.org/dx", "A"), ("https://Example.org/dx/", "A")),
    "an OID of the site": (("1.2.276.0.76.5", "A"), ("urn:oid:1.2.276.0.76.5", "A")),
    "the site's OID as a URN": (("urn:oid:1.2.276.0.76.5", "A"), ("1.2.276.0.76.5", "A")),
    "blanks around the code": (("urn:x", " A "), ("urn:x", "A")),
}


class TestCodesAsTheyAreWritten:
    @pytest.mark.parametrize(("row", "chart"), WRITTEN.values(), ids=WRITTEN)
    def test_a_row_is_read_as_a_chart_is(self, tmp_path, row, chart):
        system, code = row
        text = f"{FINDING_COLUMNS}\n{code},x,{system},worsening,\n"
        made = with_local_codes(topics(), folder(tmp_path, text))[0][SERVICE]
        assert fact(made, "worsening", conditions=[condition(chart)]) is True

    @pytest.mark.parametrize(("system", "code"), NEVER_MATCH.values(), ids=NEVER_MATCH)
    def test_a_row_that_can_never_match_is_told(self, tmp_path, system, code):
        text = f"{FINDING_COLUMNS}\n{code},x,{system},worsening,\n"
        with pytest.raises(MappingsError, match=r"orders\.csv: line 2: .* can never match"):
            with_local_codes(topics(), folder(tmp_path, text))

    def test_two_names_of_a_system_are_one(self, tmp_path):
        rows = ("A,x,http://example.org/o/,mri-spine-wo,", "A,x,http://example.org/o,mri-spine-w,")
        with pytest.raises(MappingsError, match="line 3: A is mapped twice"):
            with_local_codes(topics(), folder(tmp_path, orders(*rows)))

    def test_an_order_code_is_sent_under_an_address(self, tmp_path):
        text = orders("MRW,x,1.2.276.0.76.5,mri-spine-w,lumbar")
        made = with_local_codes(topics(), folder(tmp_path, text))[0][SERVICE]
        codes = made.terminology.order_codes["mri-spine-w", "lumbar"]
        assert [c.code for c in codes if c.system == "urn:oid:1.2.276.0.76.5"] == ["MRW"]


class TestSeveralFindings:
    """An osteoporotic compression fracture is two of ours."""

    FINDINGS = ("vertebral-compression-fracture", "osteoporotic-vertebral-fracture")

    def site(self, tmp_path, findings):
        rows = "".join(f"VCF,x,urn:x,{finding},{region}\n" for finding, region in findings)
        return with_local_codes(topics(), folder(tmp_path, f"{FINDING_COLUMNS}\n{rows}"))

    def test_one_code_may_mean_several(self, tmp_path):
        sites, number = self.site(tmp_path, zip(self.FINDINGS, ("", "lumbar"), strict=True))
        meaning = sites[SERVICE].terminology.meanings["urn:x", "VCF"]
        assert number == 1
        assert meaning.sets == {*self.FINDINGS}
        assert meaning.place.code == "lumbar"

    def test_each_of_them_counts(self, tmp_path):
        sites, _ = self.site(tmp_path, [(finding, "lumbar") for finding in self.FINDINGS])
        draft = order(MRI_LUMBAR_WO, reasons=(("urn:x", "VCF"), PAIN))
        (decision,) = answered(sites[SERVICE], draft).decisions
        assert decision.relevance == "relevant"
        assert decision.facts["osteoporotic"].value is True


class TestTheFolder:
    @pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
    def test_each_problem_is_told_with_file_and_row(self, tmp_path, text, told):
        with pytest.raises(MappingsError, match=told):
            with_local_codes(topics(), folder(tmp_path, text))

    def test_no_code_is_an_order_and_a_finding(self, tmp_path):
        folder(tmp_path, f"{FINDING_COLUMNS}\nA,x,urn:x,worsening,\n", "findings.csv")
        with pytest.raises(MappingsError, match=r"orders\.csv: line 2: A is mapped twice"):
            with_local_codes(topics(), folder(tmp_path, orders("A,x,urn:x,mri-spine-wo,")))

    def test_all_problems_are_told_at_once(self, tmp_path):
        text = f"{ORDER_COLUMNS}\nA,x,urn:x,mri-knee,\nB,x,urn:x,mri-spine-wo,knee\n"
        with pytest.raises(MappingsError) as caught:
            with_local_codes(topics(), folder(tmp_path, text))
        assert len(caught.value.problems) == 2

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(MappingsError, match="no such folder"):
            with_local_codes(topics(), tmp_path / "none")

    def test_a_concept_map_says_the_same(self, tmp_path, site):
        regions = [{"property": "urn:vcf-appropriateness:region", "value": "lumbar"}]
        mapped = {"code": "mri-spine-w", "equivalence": "equivalent", "product": regions}
        painless = {"code": "asymptomatic", "equivalence": "equivalent"}
        groups = [
            {
                "source": ORDERS,
                "target": "urn:vcf-appropriateness:procedure",
                "element": [{"code": "MRLSPW", "display": "MRI", "target": [mapped]}],
            },
            {
                "source": FINDINGS,
                "target": "urn:vcf-appropriateness:value-set",
                "element": [{"code": "NRS-0", "target": [painless]}],
            },
        ]  # fmt: skip
        document = {"resourceType": "ConceptMap", "status": "active", "group": groups}
        site_maps = folder(tmp_path, json.dumps(document), "map.json")
        known, number = with_local_codes(topics(), site_maps)
        made = known[SERVICE]
        assert number == 2
        assert made.terminology.orders[CONTRAST_MRI] == site.terminology.orders[CONTRAST_MRI]
        assert made.terminology.meanings[NO_PAIN] == site.terminology.meanings[NO_PAIN]

    def test_a_file_that_is_no_concept_map(self, tmp_path):
        elsewhere = [{"target": "urn:x", "element": [{"code": "A"}]}]
        other = {"resourceType": "ConceptMap", "status": "active", "group": elsewhere}
        for text in ("{", '{"resourceType": "Patient"}', json.dumps(other)):
            with pytest.raises(MappingsError, match=r"map\.json"):
                with_local_codes(topics(), folder(tmp_path, text, "map.json"))

    def test_lint_checks_it(self, tmp_path, capsys):
        assert main(["lint", "--codes", str(SITE)]) == 0
        assert "7 codes of the site" in capsys.readouterr().out
        wrong = folder(tmp_path, WRONG["a region that is none"][0])
        assert main(["lint", "--codes", str(wrong)]) == 1
        assert "orders.csv: line 2" in capsys.readouterr().out

    def test_three_thousand_rows(self, tmp_path):
        rows = "".join(f"L{n},MRI {n},urn:x,mri-spine-wo,lumbar\n" for n in range(3000))
        _, number = with_local_codes(topics(), folder(tmp_path, f"{ORDER_COLUMNS}\n{rows}"))
        assert number == 3000


class TestPerClient:
    TABLE = f'[a]\niss = ["{ISSUER}"]\njwks = "keys.json"\ncodes = "codes"\n'

    def service(self, tmp_path, text=f"{ORDER_COLUMNS}\nMRW,MRI,urn:x,mri-spine-w,lumbar\n"):
        folder(tmp_path, text)
        file = clients_file(tmp_path, self.TABLE)
        return create_app(Settings(open=False, clients=file, data=tmp_path / "d", public_url=BASE))

    def test_the_codes_of_a_client_count_for_it(self, tmp_path):
        client = self.service(tmp_path).test_client()
        assert client.get("/ready").get_json()["local_codes"] == 1
        assert call(client, token()).status_code == 200

    def test_a_wrong_folder_stops_the_start(self, tmp_path):
        with pytest.raises(ClientsError, match=r"a\.codes: .*mri-knee"):
            self.service(tmp_path, f"{ORDER_COLUMNS}\nA,x,urn:x,mri-knee,\n")

    def test_a_new_worker_takes_the_folder_as_it_is_then(self, tmp_path, capsys):
        app = self.service(tmp_path)
        rows = "MRW,MRI,urn:x,mri-spine-w,lumbar\nMRWO,MRI,urn:x,mri-spine-wo,lumbar\n"
        folder(tmp_path, f"{ORDER_COLUMNS}\n{rows}")
        app.extensions["in_worker"]()
        assert app.test_client().get("/ready").get_json()["local_codes"] == 2
        folder(tmp_path, "broken")
        app.extensions["in_worker"]()
        assert "clients-file-not-taken" in capsys.readouterr().err
        assert app.test_client().get("/ready").get_json()["local_codes"] == 2

    def test_in_open_mode_a_setting_names_the_folder(self):
        client = create_app(Settings(codes=SITE)).test_client()
        body = hook_request(order(CONTRAST_MRI, reasons=(FRACTURE, PAIN)))
        answer = client.post("/cds-services/vcf-appropriateness", json=body).get_json()
        assert len(answer["cards"]) == 1

    def test_in_open_mode_too_a_new_worker_takes_the_folder_as_it_is_then(self, tmp_path):
        rows = "MRW,MRI,urn:x,mri-spine-w,lumbar\n"
        codes = folder(tmp_path, f"{ORDER_COLUMNS}\n{rows}")
        app = create_app(Settings(codes=codes))
        folder(tmp_path, f"{ORDER_COLUMNS}\n{rows}MRWO,MRI,urn:x,mri-spine-wo,lumbar\n")
        app.extensions["in_worker"]()
        assert app.test_client().get("/ready").get_json()["local_codes"] == 2

    def test_in_open_mode_a_wrong_folder_stops_the_start_and_the_setting_is_named(self, tmp_path):
        with pytest.raises(ClientsError, match=r"CDS_CODES: .*no such folder"):
            create_app(Settings(codes=tmp_path / "none"))


def test_the_day_of_these_tests_is_that_of_the_small_world():
    assert TODAY.isoformat() == days_ago(0)
