"""The shipped mappings are sound, and a broken folder is refused with file and row."""

import json
import re
import shutil
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service import create_app
from cds_service.cli import main
from cds_service.mappings import MappingsError, load
from cds_service.mappings.forms import NON_ADHERENCE, is_override_reason
from cds_service.settings import Settings
from tests.small_world import CPT, ICD, LOINC, ROOT, SCT, topic

MAPPINGS = ROOT / "mappings"
FHIR_FILES = [
    file
    for folder in ("code-systems", "concept-maps", "naming-systems", "value-sets")
    for file in sorted((MAPPINGS / folder).glob("*.json"))
]


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped mappings to break."""
    return Path(shutil.copytree(MAPPINGS, tmp_path / "mappings"))


def change(file: Path, edit) -> None:
    document = json.loads(file.read_text("utf-8"))
    edit(document)
    file.write_text(json.dumps(document), "utf-8")


def problems(folder: Path) -> str:
    with pytest.raises(MappingsError) as caught:
        load(folder)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("file", FHIR_FILES, ids=lambda f: f.name)
def test_a_fhir_file_is_valid(file):
    document = json.loads(file.read_text("utf-8"))
    get_fhir_model_class(document["resourceType"]).model_validate(document)


def test_the_shipped_folder_has_no_problem(capsys):
    assert main(["lint"]) == 0
    assert "no problem found" in capsys.readouterr().out


def test_all_71_ratings_of_nine_variants_are_there():
    variants = topic().guideline.variants
    assert [v.number for v in variants] == list(range(1, 10))
    assert sum(len(v.ratings) for v in variants) == 71


def test_every_file_is_described_in_the_readme():
    text = (MAPPINGS / "README.md").read_text("utf-8")
    for file in MAPPINGS.rglob("*.json"):
        name = file.relative_to(MAPPINGS).as_posix()
        name = re.sub(r"^topics/[^/]+/", "topics/*/", name)
        assert f"`{name}`" in text or f"`{name.rpartition('/')[0]}/*.json`" in text


def orders(document, system):
    return next(g["element"] for g in document["group"] if g["source"] == system)


BROKEN = {
    "a code in two concepts": (
        "concept-maps/orders.json",
        lambda d: orders(d, CPT).append(
            {**orders(d, CPT)[0], "target": orders(d, CPT)[-1]["target"]}
        ),
        "group[1].element[44]: 72141 maps to more than one procedure",
    ),
    "a region that does not exist": (
        "concept-maps/orders.json",
        lambda d: orders(d, CPT)[0]["target"][0]["product"][0].update(value="tail"),
        "group[1].element[0]: tail is no region",
    ),
    "a procedure that does not exist": (
        "concept-maps/orders.json",
        lambda d: orders(d, CPT)[0]["target"][0].update(code="mri-knee"),
        "group[1].element[0]: mri-knee is no procedure of a topic",
    ),
    "a wrong check digit of LOINC": (
        "concept-maps/orders.json",
        lambda d: orders(d, LOINC)[0].update(code="30667-1"),
        "group[0].element[0]: 30667-1 is no LOINC code",
    ),
    "a wrong check digit of SNOMED CT": (
        "value-sets/asymptomatic.json",
        lambda d: d["compose"]["include"][0]["concept"][0].update(code="84387001"),
        "compose.include[0].concept[0]: 84387001 is no SNOMED CT code",
    ),
    "a code listed twice": (
        "value-sets/asymptomatic.json",
        lambda d: d["compose"]["include"].append(d["compose"]["include"][0]),
        "compose.include[1].concept[0]: 84387000 is listed twice",
    ),
    "a look-alike among the malignancies": (
        "value-sets/malignancy-look-alikes.json",
        lambda d: d["compose"]["include"][0]["concept"].append(
            {"code": "254837009", "display": "Malignant neoplasm of breast"}
        ),
        "254837009 is a look-alike and a malignancy",
    ),
    "a filter that is not understood": (
        "value-sets/malignancy.json",
        lambda d: d["compose"]["include"][-1]["filter"][0].update(op="descendent-of"),
        "filter: only regex rules",
    ),
    "no valid FHIR": (
        "value-sets/fever.json",
        lambda d: d.update(status=["active"]),
        "value-sets/fever.json: status",
    ),
    "another kind of resource": (
        "value-sets/fever.json",
        lambda d: d.update(resourceType="ConceptMap"),
        "value-sets/fever.json: resourceType: is not ValueSet",
    ),
    "two preferred names of a code system": (
        "naming-systems/loinc.json",
        lambda d: d["uniqueId"][1].update(preferred=True),
        "naming-systems/loinc.json: uniqueId: exactly one",
    ),
    "a criterion dropped, so that two variants overlap": (
        "topics/acr-vcf-2022/guideline.json",
        lambda d: d["variants"][0]["criteria"].pop("prior_vcf"),
        "variant-1 and variant-3: both apply where",
    ),
    "a criterion that is no fact": (
        "topics/acr-vcf-2022/guideline.json",
        lambda d: d["variants"][0]["criteria"].update(lucky=True),
        "variants[variant-1].criteria: lucky is no fact",
    ),
    "a rating of no procedure": (
        "topics/acr-vcf-2022/guideline.json",
        lambda d: d["variants"][0]["ratings"].update({"x-ray": "usually-appropriate"}),
        "variants[variant-1].ratings: x-ray is no procedure",
    ),
    "a category that does not exist": (
        "topics/acr-vcf-2022/guideline.json",
        lambda d: d["variants"][0]["ratings"].update({"mri-spine-wo": "superb"}),
        "variants[variant-1].ratings: superb is no category",
    ),
    "a missing field of the guideline": (
        "topics/acr-vcf-2022/guideline.json",
        lambda d: d["variants"][3].pop("beware"),
        "guideline.json: variants[variant-4]: Object missing required field `beware`",
    ),
    "a rule of an unknown kind": (
        "safety-rules/gadolinium.json",
        lambda d: d.update(kind="shout"),
        "safety-rules/gadolinium.json: kind",
    ),
    "a rule with an unknown value set": (
        "safety-rules/mri-implant.json",
        lambda d: d["when"].update(finding="magnets"),
        "safety-rules/mri-implant.json: when: magnets is no value set",
    ),
    "a rule with an unknown timing": (
        "safety-rules/mri-implant.json",
        lambda d: d["when"].update(timing="soon"),
        "safety-rules/mri-implant.json: when: soon is no timing",
    ),
    "a rule with an unknown criterion": (
        "topics/acr-vcf-2022/safety-rules/infection.json",
        lambda d: d.update(when={"hunch": True}),
        "infection.json: when: {'hunch': True} is no criterion",
    ),
    "a rule for no procedure": (
        "safety-rules/mri-implant.json",
        lambda d: d["orders"].append("ultrasound"),
        "safety-rules/mri-implant.json: ultrasound: is no procedure",
    ),
}


@pytest.mark.parametrize(("file", "edit", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_its_row(folder, file, edit, told):
    change(folder / file, edit)
    assert told in problems(folder)


def test_a_file_that_is_not_json_is_named(folder):
    (folder / "value-sets" / "fever.json").write_text("{", "utf-8")
    assert "value-sets/fever.json: not JSON" in problems(folder)


def test_a_procedure_that_nothing_orders_is_named(folder):
    change(folder / "concept-maps" / "orders.json", drop_bone_scan)
    assert "procedures[bone-scan-whole-body]: no order code maps" in problems(folder)


def drop_bone_scan(document):
    for group in document["group"]:
        group["element"] = [
            e for e in group["element"] if e["target"][0]["code"] != "bone-scan-whole-body"
        ]


def test_an_empty_folder_is_a_problem(tmp_path):
    assert "topics: no topic found" in problems(tmp_path)


def test_lint_prints_every_problem_and_fails(folder, capsys):
    (folder / "value-sets" / "fever.json").write_text("{", "utf-8")
    change(folder / "safety-rules" / "gadolinium.json", lambda d: d.pop("text"))
    assert main(["lint", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "fever.json" in out
    assert "gadolinium.json" in out


def test_a_broken_folder_stops_the_start(folder):
    (folder / "value-sets" / "fever.json").write_text("{", "utf-8")
    with pytest.raises(MappingsError):
        create_app(Settings(mappings=folder))


NAMES = [
    (SCT, "84387000", (SCT, "84387000")),
    ("urn:oid:2.16.840.1.113883.6.96", "84387000", (SCT, "84387000")),
    ("2.16.840.1.113883.6.96", "84387000", (SCT, "84387000")),
    ("https://snomed.info/sct/", "84387000", (SCT, "84387000")),
    ("HTTP://SNOMED.INFO/SCT", " 84387000 ", (SCT, "84387000")),
    (ICD, "m4856xa", (ICD, "M48.56XA")),
    ("http://hl7.org/fhir/sid/icd-10", "M48.5", ("http://hl7.org/fhir/sid/icd-10", "M48.5")),
    ("urn:oid:2.16.840.1.113883.6.90", "I10", (ICD, "I10")),
    ("urn:oid:2.16.840.1.113883.6.12", "72148", (CPT, "72148")),
    ("urn:oid:2.16.840.1.113883.6.1", "30679-5", (LOINC, "30679-5")),
    ("urn:oid:1.2.840.114350.1.13.0.1.7.2.696580", "123", None),
    ("", "84387000", None),
]


@pytest.mark.parametrize(("system", "code", "key"), NAMES)
def test_a_code_system_is_known_by_all_its_names(system, code, key):
    assert topic().terminology.normalise(system, code) == key


MALIGNANT = ["C50.911", "C4A.0", "C7A.00", "C90.00", "C79.51", "M84.58XA", "Z85.3", "C00"]
NOT_MALIGNANT = ["C44.91", "C44", "Z85.828", "D05.10", "D47.2", "Z80.3", "Z12.31", "D49.2"]


@pytest.mark.parametrize("code", MALIGNANT)
def test_an_icd_10_cm_malignancy(code):
    meaning = topic().terminology.meaning((ICD, code))
    assert "malignancy" in meaning.sets


@pytest.mark.parametrize("code", NOT_MALIGNANT)
def test_an_icd_10_cm_code_that_is_no_malignancy(code):
    meaning = topic().terminology.meaning((ICD, code))
    assert meaning is None or "malignancy" not in meaning.sets


def test_the_override_reasons_of_cards_are_the_ones_that_are_kept():
    """Of an override reason only codes that cards offer are kept; their list stands twice."""
    reasons = topic().override_reasons
    assert len(reasons) == 7
    for reason in reasons:
        assert is_override_reason(reason.system, reason.code)
        assert not reason.standard_code or is_override_reason(NON_ADHERENCE, reason.standard_code)
