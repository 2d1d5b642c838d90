"""How codes are written, and by which edition they are read: decision-rules, sections 1 and 2."""

import pytest

from cds_service.cards.dialect import ResponseStyle
from cds_service.decision.icd import ICD_10, ICD_10_AM, ICD_10_CM, ICD_10_GM
from cds_service.hook import answer_hook
from cds_service.language import language
from tests.small_world import (
    CERVICAL_FRACTURE,
    CPT,
    CT_LUMBAR_W,
    LOINC,
    LUMBAR_FRACTURE,
    ROOT,
    SCT,
    ask_in,
    card_of,
    concept,
    condition,
    decide_in,
    fact,
    hook_call,
    hook_request,
    order,
    procedure,
    resources_sent,
    spoken,
    suggested,
    topic,
)

DIMDI = "http://fhir.de/CodeSystem/dimdi/icd-10-gm"
RADLEX = "http://www.radlex.org"

# --- Names of systems -----------------------------------------------------------------------------

SYSTEMS = {
    ICD_10_GM: ICD_10_GM,
    DIMDI: ICD_10_GM,
    "http://hl7.org/fhir/sid/icd-10-de": ICD_10_GM,
    "https://fhir.de/codesystem/BfArM/ICD-10-GM/": ICD_10_GM,
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm|2026": ICD_10_GM,
    ICD_10: ICD_10,
    "urn:oid:2.16.840.1.113883.6.3": ICD_10,
    "2.16.840.1.113883.6.3": ICD_10,
    "http://hl7.org/fhir/sid/icd-10-nl": ICD_10,
    ICD_10_AM: ICD_10_AM,
    "urn:oid:2.16.840.1.113883.6.135": ICD_10_AM,
    ICD_10_CM: ICD_10_CM,
    "http://hl7.org/fhir/sid/icd-10-us": ICD_10_CM,
    "http://snomed.info/sct/900000000000207008": SCT,
    "http://snomed.info/sct/900000000000207008/version/20260701": SCT,
    "http://snomed.info/sct/11000274103/version/20251115": SCT,
    "http://snomed.info/sct|http://snomed.info/sct/731000124108": SCT,
    "http://playbook.radlex.org/playbook/SearchRadlexAction": RADLEX,
    "https://playbook.radlex.org/playbook/searchradlexaction": RADLEX,
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": CPT,
    "urn:oid:2.16.840.1.113883.6.285": CPT,
    "http://hl7.org/fhir/sid/icd-9-cm": None,
    "http://hl7.org/fhir/sid/icd-11": None,
    "http://snomed.info/sctx": None,
}


@pytest.mark.parametrize(("name", "system"), SYSTEMS.items())
def test_a_system_is_known_by_its_other_names(name, system):
    key = topic().terminology.normalise(name, "M54.5")
    assert (key and key[0]) == system


# --- Forms of ICD codes ---------------------------------------------------------------------------

FORMS = [
    (ICD_10_CM, "m4856xa", "M48.56XA"),
    (ICD_10_CM, " M48.56XA ", "M48.56XA"),
    (ICD_10_CM, "C50.-", "C50"),
    (ICD_10_CM, "M48.5-", "M48.5"),
    (ICD_10_GM, "m80.08", "M80.08"),
    (ICD_10_GM, "M8008", "M80.08"),
    (ICD_10_GM, "C50.-", "C50"),
    (ICD_10_GM, "C79.5†", "C79.5"),
    (ICD_10_GM, "C79.5+", "C79.5"),
    (ICD_10_GM, "M49.54*", "M49.54"),
    (ICD_10_GM, "G82.60!", "G82.60"),
    (ICD_10_GM, "M54.5 #", "M54.5"),
    (ICD_10_GM, "C50.9 G", "C50.9"),
    (ICD_10_GM, "C50.9GL", "C50.9"),
    (ICD_10_GM, "M49.54* G", "M49.54"),
    (ICD_10_AM, "s2206", "S22.06"),
    (ICD_10, "T08", "T08"),
    (ICD_10, "m490", "M49.0"),
]


@pytest.mark.parametrize(("system", "written", "code"), FORMS)
def test_an_icd_code_is_read_in_each_of_its_forms(system, written, code):
    assert topic().terminology.normalise(system, written) == (system, code)


@pytest.mark.parametrize("certainty", ["V", "Z", "A"])
def test_a_german_code_that_is_not_certain_is_not_read_as_one_that_is(certainty):
    """Suspected, state after, ruled out: these belong into a field of their own."""
    terminology = topic().terminology
    assert terminology.meaning(terminology.normalise(ICD_10_GM, f"M48.56 {certainty}")) is None


@pytest.mark.parametrize("code", ["M48.56XA", "S32.010A", "C50911"])
def test_a_code_that_only_icd_10_cm_can_hold_is_one_of_it_under_the_name_of_the_who(code):
    terminology = topic().terminology
    assert terminology.normalise(ICD_10, code) == terminology.normalise(ICD_10_CM, code)


def test_the_same_code_is_read_by_its_own_edition():
    terminology = topic().terminology
    places = {s: terminology.meaning((s, "S22.06")).place.code for s in (ICD_10_CM, ICD_10_GM)}
    assert places == {ICD_10_CM: "T7-T8", ICD_10_GM: "T11-T12"}


# What the lists of tests/test_code_lists.py do not hold. ICD-10-GM: the BfArM list of 2023,
# as in the R package ICD10gm (github.com/edonnachie/ICD10gm, data/icd_meta_codes.rda). Levels of
# ICD-10-AM: the same as in ICD-10-GM (its list on PyPI leaves them out). Site digits of the WHO's
# edition: chapter XIII, as printed in ICD-10-AM.
VCF, OLD_BONES = "vertebral-compression-fracture", "osteoporosis"
BY_AGE, TRAUMA = "vertebral-fracture-type-not-stated", "traumatic-vertebral-fracture"
AMONG = "site-among-others"
OSTEOPOROTIC, NEOPLASTIC = "osteoporotic-vertebral-fracture", "neoplastic-vertebral-fracture"
OPEN, ANY_BONE = "may-be-vertebral-fracture", "fracture-bone-not-stated"
MAY_BE_CANCER, CORD, DEFICIT = "may-be-malignancy", "cord-compression", "neurologic-deficit"
PARAPLEGIA, IMPLANT = "paraplegia-or-tetraplegia", "mri-implant"
READ = [
    (ICD_10_GM, "M80.08", {VCF, OLD_BONES, OSTEOPOROTIC, AMONG}, None),
    (ICD_10_GM, "M80.58", {VCF, OLD_BONES, OSTEOPOROTIC, AMONG}, None),
    (ICD_10_GM, "M80.05", {OLD_BONES}, None),
    (ICD_10_GM, "M80.09", {OLD_BONES, OPEN, ANY_BONE}, None),
    (ICD_10_GM, "M80.0", {OLD_BONES, OPEN, ANY_BONE}, None),
    (ICD_10_GM, "M82.08", {OLD_BONES, "malignancy", "myeloma"}, None),
    (ICD_10_GM, "M48.5", {VCF}, None),
    (ICD_10_GM, "M48.50", {VCF}, None),
    (ICD_10_GM, "M48.54", {VCF}, "thoracic"),
    (ICD_10_GM, "M48.57", {VCF}, "lumbosacral"),
    (ICD_10_GM, "M48.58", set(), None),
    (ICD_10_GM, "M49.56", {VCF, MAY_BE_CANCER}, "lumbar"),
    (ICD_10_GM, "M49.58", {MAY_BE_CANCER}, None),
    (ICD_10_GM, "M84.48", {VCF, AMONG}, None),
    (ICD_10_GM, "M84.45", set(), None),
    (ICD_10_GM, "M90.78", {VCF, NEOPLASTIC, MAY_BE_CANCER, AMONG}, None),
    (ICD_10_GM, "M90.7", {VCF, NEOPLASTIC, MAY_BE_CANCER, AMONG}, None),
    (ICD_10_GM, "M90.75", {MAY_BE_CANCER}, None),
    (ICD_10_GM, "S22.0", {BY_AGE, TRAUMA}, "thoracic"),
    (ICD_10_GM, "S22.00", {BY_AGE, TRAUMA}, "thoracic"),
    (ICD_10_GM, "S22.01", {BY_AGE, TRAUMA}, "T1-T2"),
    (ICD_10_GM, "S22.02", {BY_AGE, TRAUMA}, "T3-T4"),
    (ICD_10_GM, "S22.03", {BY_AGE, TRAUMA}, "T5-T6"),
    (ICD_10_GM, "S22.04", {BY_AGE, TRAUMA}, "T7-T8"),
    (ICD_10_GM, "S22.05", {BY_AGE, TRAUMA}, "T9-T10"),
    (ICD_10_GM, "S22.06", {BY_AGE, TRAUMA}, "T11-T12"),
    (ICD_10_GM, "S22.1", {BY_AGE, TRAUMA}, "thoracic"),
    (ICD_10_GM, "S32.01", {BY_AGE, TRAUMA}, "L1"),
    (ICD_10_GM, "S32.05", {BY_AGE, TRAUMA}, "L5"),
    (ICD_10_GM, "S32.1", set(), None),
    (ICD_10_GM, "S32.82", {OPEN}, None),
    (ICD_10_GM, "T08.0", {BY_AGE, TRAUMA}, None),
    (ICD_10_GM, "T08.1", set(), None),
    (ICD_10_GM, "C50.9", {"malignancy"}, None),
    (ICD_10_GM, "C44.5", {"malignancy-look-alikes"}, None),
    (ICD_10_GM, "D48.9", {"neoplasm-behaviour-not-stated"}, None),
    (ICD_10_GM, "C79.5", {"malignancy", "bone-metastasis"}, None),
    (ICD_10_GM, "C90.00", {"malignancy", "myeloma"}, None),
    (ICD_10_GM, "Z85.8", {"malignancy"}, None),
    (ICD_10_GM, "M54.5", {"spine-pain"}, "lumbar"),
    (ICD_10_GM, "M54.84", {"spine-pain"}, "thoracic"),
    (ICD_10_GM, "M54.16", {"radiculopathy"}, "lumbar"),
    (ICD_10_GM, "M47.12", {DEFICIT}, "cervical"),
    (ICD_10_GM, "G82.02", {DEFICIT, PARAPLEGIA}, None),
    (ICD_10_GM, "G82.43", {CORD, PARAPLEGIA}, "cervical"),
    (ICD_10_GM, "G82.62", set(), None),
    (ICD_10_GM, "G83.41", {CORD}, None),
    (ICD_10_GM, "G95.81", {DEFICIT}, None),
    (ICD_10_GM, "S34.30", {CORD}, None),
    (ICD_10_GM, "R33", set(), None),
    (ICD_10_GM, "R15", set(), None),
    (ICD_10_GM, "I13.10", {"severe-kidney-disease"}, None),
    (ICD_10_GM, "N18.89", set(), None),
    (ICD_10_GM, "Z45.01", {IMPLANT}, None),
    (ICD_10_GM, "D90", {"immunosuppression"}, None),
    (ICD_10_GM, "O09.4", {"pregnancy"}, None),
    (ICD_10_GM, "O15.2", set(), None),
    (ICD_10_GM, "O80", set(), None),
    (ICD_10_GM, "Z34", {"pregnancy"}, None),
    (ICD_10, "S22.01", set(), None),
    (ICD_10, "S22.00", {BY_AGE, TRAUMA}, "thoracic"),
    (ICD_10, "T08.1", set(), None),
    (ICD_10, "M80.08", {VCF, OLD_BONES, OSTEOPOROTIC, AMONG}, None),
    (ICD_10, "M48.56", {VCF}, "lumbar"),
    (ICD_10, "M90.78", {VCF, NEOPLASTIC, MAY_BE_CANCER, AMONG}, None),
    (ICD_10, "M54.86", {"spine-pain"}, "lumbar"),
    (ICD_10, "M46.26", {"spinal-infection"}, None),
    (ICD_10_AM, "S22.06", {BY_AGE, TRAUMA}, "T11-T12"),
    (ICD_10_AM, "S32.03", {BY_AGE, TRAUMA}, "L3"),
    (ICD_10_CM, "S22.06", {BY_AGE, TRAUMA}, "T7-T8"),
    (ICD_10_CM, "S22.060", {VCF, "traumatic-wedge-fracture", TRAUMA}, "T7-T8"),
    (ICD_10_CM, "S22.061A", set(), None),
    (ICD_10_CM, "S22.060B", set(), None),
    (ICD_10_CM, "S22.0", {BY_AGE, TRAUMA}, "thoracic"),
    (ICD_10_CM, "M48.56", {VCF}, "lumbar"),
    (ICD_10_CM, "M48.5", {VCF}, None),
    (ICD_10_CM, "M48.58XA", set(), None),
]


@pytest.mark.parametrize(("system", "code", "sets", "place"), READ)
def test_a_code_is_read_by_its_edition(system, code, sets, place):
    meaning = topic().terminology.meaning((system, code))
    assert (meaning.sets if meaning else frozenset()) == sets
    assert (meaning.place.code if meaning and meaning.place else None) == place


def test_each_placed_icd_code_is_in_a_value_set():
    """A place alone would make a code known that says nothing."""
    terminology = topic().terminology
    placed = [k for k, m in terminology.meanings.items() if m.place and k[0] in SYSTEMS]
    assert len(placed) > 250
    assert all(terminology.meaning(key).sets for key in placed)


# --- Modifiers of CPT codes -----------------------------------------------------------------------

WITH_MODIFIER = ["72149-26", "72149 26", "72149TC", "72149-26-59", "7214926", "72149, 26, lt"]
BROKEN_OFF = ["72149-53", "72149 73", "7214974", "72149-26-53"]


@pytest.mark.parametrize("written", WITH_MODIFIER)
def test_a_modifier_is_no_part_of_the_code(written):
    assert topic().terminology.normalise(CPT, written) == (CPT, "72149")


@pytest.mark.parametrize("written", BROKEN_OFF)
def test_a_study_that_is_broken_off_is_not_ours(written):
    terminology = topic().terminology
    assert terminology.normalise(CPT, written) not in terminology.orders


def test_an_order_with_a_modifier_is_rated_sent_back_as_it_came_and_replaced_without():
    answer = ask_in(1, (CPT, "72149-26"))
    assert "usually not appropriate" in card_of(answer)["summary"]
    sent = [c for r in resources_sent(answer) for c in r["code"]["coding"] if c["system"] == CPT]
    assert [c["code"] for c in sent] == ["72148", "72131", "72149-26"]


def test_an_order_that_is_broken_off_gets_no_card():
    answer = ask_in(1, (CPT, "72149-53"))
    assert answer.body["cards"] == []
    assert answer.decisions == []


# --- SNOMED CT ------------------------------------------------------------------------------------

# Codes of public lists that were in no set; the lists are named in mappings/README.md.
PREGNANT, INFECTED, PAIN = "pregnancy", "spinal-infection", "spine-pain"
ROOT_PAIN = "radiculopathy"
FOUND = {
    VCF: "314668006 281932007 281922000 307137009 281933002 281923005 203442007 203443002",
    BY_AGE: "274155001 269061001 207986006",
    CORD: "208026008 208054001 208056004 202736000",
    DEFICIT: "202729001 202730006 202731005",
    INFECTED: "203217000 203218005 203219002 721273004 315681000119104 202698007 61974008 14405000",
    OLD_BONES: "203453001 203444008 203445009 203446005 203447001 203448006 473120007",
    ANY_BONE: "203453001 203444008 203445009 203446005 203447001 203448006",
    PAIN: "202794004 161894002 247366003 279035001",
    ROOT_PAIN: "311804006 62195001",
    IMPLANT: "232967006 1231779006 447365002 704708004",
    PREGNANT: "16356006 79586000 609496007",
    "bacteremia-or-sepsis": "5758002 91302008",
    "neoplasm-behaviour-not-stated": "126906006 126926005 126713003 126880001",
    MAY_BE_CANCER: "203449003",
    "myeloma": "95210003 415110002 426336007",
    "malignancy": "363346000 188281006 363450006 94600009 167934009",
}


@pytest.mark.parametrize(("set_name", "codes"), FOUND.items())
def test_the_codes_of_public_lists_are_understood(set_name, codes):
    terminology = topic().terminology
    for code in codes.split():
        assert set_name in terminology.meaning((SCT, code)).sets, code


@pytest.mark.parametrize("code", FOUND["neoplasm-behaviour-not-stated"].split())
def test_a_neoplasm_of_unstated_behaviour_is_no_look_alike_and_no_malignancy(code):
    meaning = topic().terminology.meaning((SCT, code))
    assert meaning.sets == {"neoplasm-behaviour-not-stated"}
    assert not meaning.says_nothing


def test_the_malignancies_of_public_lists_are_shipped():
    """454 of the first edition, and the 755 that two independent lists hold."""
    listed = [k for k, m in topic().terminology.meanings.items() if "malignancy" in m.sets]
    assert len([system for system, _ in listed if system == SCT]) >= 454 + 755


# --- CPT of procedures ----------------------------------------------------------------------------

DONE = {
    "spine-surgery": "22548 22551 22558 22612 22614 22634 22840 22846 63001 63030 63047 63048",
    IMPLANT: "33206 33207 33208 33249 63650 63655 63685 69930 33975 33976 33979",
}


@pytest.mark.parametrize(("set_name", "codes"), DONE.items())
def test_a_procedure_in_cpt_is_understood(set_name, codes):
    terminology = topic().terminology
    for code in codes.split():
        assert set_name in terminology.meaning((CPT, code)).sets, code


def test_a_fusion_in_cpt_is_a_prior_intervention_where_the_fracture_is():
    """22612 was seen in a chart."""
    fusion = procedure((CPT, "22612-62"))
    assert fact("prior_spine_intervention", LUMBAR_FRACTURE, procedures=[fusion]) is True
    assert fact("prior_spine_intervention", CERVICAL_FRACTURE, procedures=[fusion]) is False


def test_a_pacemaker_in_cpt_keeps_mri_out_of_the_suggestions():
    decision = decide_in(1, CT_LUMBAR_W, procedures=[procedure((CPT, "33208"))])
    assert suggested(decision) == ["replace:ct-spine-wo"]


# --- Order codes ----------------------------------------------------------------------------------

MRI_UNSTATED, CT_UNSTATED = "mri-spine-unspecified", "ct-spine-unspecified"
ORDERED = [
    (SCT, "241646009", MRI_UNSTATED, "cervical", True),
    (SCT, "241648005", MRI_UNSTATED, "lumbar", True),
    (SCT, "241580002", CT_UNSTATED, "lumbar", True),
    (SCT, "303697006", CT_UNSTATED, "lumbar", False),
    (RADLEX, "RPID809", "mri-spine-wo", "cervical", True),
    (RADLEX, "RPID141", "ct-spine-w", "lumbar", True),
    (RADLEX, "RPID5083", "bone-scan-whole-body", None, True),
    (RADLEX, "RPID5249", "spect-spine", None, False),
    (RADLEX, "RPID6017", "fdg-pet-ct-skull-base-mid-thigh", None, False),
    (RADLEX, "RPID6126", "vertebral-augmentation", "thoracic", True),
    (RADLEX, "RPID6104", "percutaneous-ablation-spine", None, False),
    (RADLEX, "RPID6491", "image-guided-biopsy-spine", None, False),
    (LOINC, "36059-4", MRI_UNSTATED, "sacral", True),
    (LOINC, "36520-5", "ct-spine-wo", "sacral", True),
    (LOINC, "42265-9", "image-guided-biopsy-spine", None, False),
    # Whether they mean the document's procedure is not stated.
    (CPT, "78315", "bone-scan-whole-body", None, False),
    (CPT, "79101", "systemic-radionuclide-therapy", None, False),
    (SCT, "399315003", "systemic-radionuclide-therapy", None, False),
]
# Other tracers, several parts of the body, single areas, injections and the marrow.
NOT_ORDERED = [
    (RADLEX, "RPID6014"),
    (RADLEX, "RPID6015"),
    *((LOINC, code) for code in ("81551-4", "82690-9", "39902-2", "87090-7", "80512-7")),
]


@pytest.mark.parametrize(("system", "code", "procedure_id", "place", "exact"), ORDERED)
def test_an_order_code_asks_for_a_procedure(system, code, procedure_id, place, exact):
    meaning = topic().terminology.orders[system, code]
    assert (meaning.procedure, meaning.exact) == (procedure_id, exact)
    assert [p.code for p in meaning.places] == ([place] if place else [])


@pytest.mark.parametrize("key", NOT_ORDERED)
def test_what_is_another_study_is_not_ours(key):
    assert key not in topic().terminology.orders


def test_an_mri_of_the_sacrum_is_of_the_wrong_region_for_a_lumbar_fracture():
    decision = decide_in(1, (LOINC, "36521-3"), LUMBAR_FRACTURE)
    assert "wrong-region" in spoken(decision)
    assert suggested(decision)[0] == "replace:mri-spine-wo"


# --- A chart in one system only -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "spoken_in", "summary"),
    [
        (ICD_10_GM, "de", "möglicherweise angemessen (Uneinigkeit). Besser: MRT ohne und mit"),
        (DIMDI, "de", "möglicherweise angemessen (Uneinigkeit). Besser: MRT ohne und mit"),
        (ICD_10, "es", "puede ser apropiado (desacuerdo). Mejor: RM sin y con contraste"),
    ],
)
def test_a_patient_in_icd_10_only_gets_the_card_of_variant_2(system, spoken_in, summary):
    """M80.08, C50.9 and M54.5: an osteoporotic fracture, breast cancer and back pain."""
    draft = order((CPT, "72149"), reasons=((system, "M80.08"), (system, "M54.5")))
    body = hook_request(draft, conditions=[condition((system, "C50.9"))])
    style = ResponseStyle(language=language(spoken_in, ROOT / "mappings"))
    answer = answer_hook(hook_call(body, style=style), topic())
    (decision,) = answer.decisions
    assert [v.number for v in decision.outcomes.variants] == [2]
    made = card_of(answer)
    assert made["source"]["topic"]["code"] == "variant2"
    assert summary in made["summary"]


# --- Codes that do not state the bone -------------------------------------------------------------

SPINE_SITE, FEMUR = (SCT, "122496007"), (SCT, "71341001")
BONE_NOT_STATED = [
    (ICD_10, "M80.0"),
    (ICD_10_GM, "M84.49"),
    (ICD_10_CM, "M80.00XA"),
    (SCT, "203453001"),
]


@pytest.mark.parametrize("code", BONE_NOT_STATED)
def test_a_fracture_of_an_unstated_bone_counts_with_a_site_of_the_spine_only(code):
    assert fact("vcf", conditions=[condition(code, bodySite=[concept(SPINE_SITE)])]) is True
    assert fact("vcf", conditions=[condition(code, bodySite=[concept(FEMUR)])]) is not True


@pytest.mark.parametrize("code", [(ICD_10, "A18.0"), (ICD_10_GM, "A17.8"), (ICD_10_CM, "A18.0")])
@pytest.mark.parametrize(("site", "speaks"), [(SPINE_SITE, True), (FEMUR, False)])
def test_tuberculosis_of_an_unstated_bone_counts_with_a_site_of_the_spine(code, site, speaks):
    infected = condition(code, bodySite=[concept(site)])
    decision = decide_in(1, CT_LUMBAR_W, conditions=[infected])
    assert ("infection" in spoken(decision)) is speaks
