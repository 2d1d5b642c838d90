"""`expand` against a real HTTP terminology server, and what the service makes of the expansions."""

import json
import shutil
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.hook import answer_hook
from cds_service.mappings import MappingsError, load
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    ROOT,
    SCT,
    SERVICE,
    condition,
    hook_call,
    hook_request,
    order,
)
from tests.terminology_stub import (
    ABSTRACT,
    BASAL_CELL_OF_NOSE,
    BURST_OF_T,
    CHORDOMA,
    CLOSED_FRACTURE,
    COLLAPSE,
    IN_SITU_OF_CERVIX,
    INFECTION_OF_LUMBAR_SPINE,
    LOOK_ALIKE,
    MALIGNANCY,
    MELANOMA_OF_BREAST,
    MISCARRIAGE,
    NEOPLASTIC_FRACTURE,
    OF_CERVICAL_SPINE,
    OF_LUMBAR_SPINE,
    OF_SACRUM,
    OSTEOPOROTIC_COLLAPSE,
    SACRUM_METASTASIS,
    SARCOMA,
    SENILE_OSTEOPOROSIS,
    SPINE_METASTASIS,
    SQUAMOUS_CLEAR_CELL,
    TRANSIENT_OF_HIP,
    TWINS,
    VERSION,
    WEDGE_OF_T,
    WITH_CORD_INJURY,
)

VCF, BY_AGE = "vertebral-compression-fracture", "vertebral-fracture-type-not-stated"
CANCER = {"bone-metastasis", "malignancy", "myeloma", "vertebral-metastasis"}
FRACTURES = {
    VCF,
    BY_AGE,
    "neoplastic-vertebral-fracture",
    "osteoporotic-vertebral-fracture",
    "traumatic-vertebral-fracture",
    "traumatic-wedge-fracture",
}
DEFINED = CANCER | FRACTURES
DEFINED |= {"cord-compression", "osteoporosis", "pregnancy", "spinal-infection"}
MEMBERS = [
    (VCF, COLLAPSE),
    (VCF, WEDGE_OF_T),
    (VCF, NEOPLASTIC_FRACTURE),
    (VCF, OSTEOPOROTIC_COLLAPSE),
    (BY_AGE, OF_LUMBAR_SPINE),
    (BY_AGE, CLOSED_FRACTURE),
    ("neoplastic-vertebral-fracture", NEOPLASTIC_FRACTURE),
    ("malignancy", NEOPLASTIC_FRACTURE),
    ("osteoporotic-vertebral-fracture", OSTEOPOROTIC_COLLAPSE),
    ("traumatic-wedge-fracture", WEDGE_OF_T),
    ("traumatic-vertebral-fracture", CLOSED_FRACTURE),
    ("osteoporosis", SENILE_OSTEOPOROSIS),
    ("pregnancy", TWINS),
    ("spinal-infection", INFECTION_OF_LUMBAR_SPINE),
    ("cord-compression", WITH_CORD_INJURY),
]
NO_MEMBERS = [
    (VCF, BURST_OF_T),
    (VCF, OF_SACRUM),
    (VCF, WITH_CORD_INJURY),
    (VCF, OF_LUMBAR_SPINE),
    (BY_AGE, COLLAPSE),
    (BY_AGE, BURST_OF_T),
    (BY_AGE, OF_CERVICAL_SPINE),
    (BY_AGE, WITH_CORD_INJURY),
    ("osteoporosis", TRANSIENT_OF_HIP),
    ("pregnancy", MISCARRIAGE),
]


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped mappings, without expansions of whoever runs the tests."""
    ignored = shutil.ignore_patterns("expansions")
    return Path(shutil.copytree(ROOT / "mappings", tmp_path / "mappings", ignore=ignored))


@pytest.fixture
def expand(stub, folder):
    """Runs the command for the malignancies."""

    def run(*more):
        arguments = ["expand", "--tx", stub.address, "--folder", str(folder)]
        return main([*arguments, *(more or ("--set", "malignancy"))])

    return run


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr("cds_service.expansion.pages.PAGE", 4)


def expansion(folder, name="malignancy"):
    return json.loads((folder / "expansions" / f"{name}.json").read_text("utf-8"))["expansion"]


def codes(folder, name="malignancy"):
    return {concept["code"] for concept in expansion(folder, name)["contains"]}


def told(folder):
    with pytest.raises(MappingsError) as caught:
        load(folder)
    return str(caught.value)


class TestExpansion:
    def test_the_first_one_is_written_with_its_provenance(self, expand, stub, folder, capsys):
        assert expand() == 0
        made = expansion(folder)
        assert made["timestamp"] == "2026-11-21T08:00:00Z"
        assert made["identifier"] == "urn:uuid:of-the-stub"
        assert made["total"] == len(made["contains"])
        assert made["parameter"] == [
            {"name": "version", "valueUri": f"{SCT}|{VERSION}"},
            {"name": "server", "valueUri": stub.address},
        ]
        out = capsys.readouterr().out
        assert VERSION in out
        assert f"{made['total']} added" in out
        assert f"{MELANOMA_OF_BREAST} Words of {MELANOMA_OF_BREAST}" in out

    def test_each_set_that_a_hierarchy_defines_is_expanded(self, expand, folder):
        assert expand("--force") == 0
        made = {file.stem for file in (folder / "expansions").iterdir()}
        assert made == DEFINED
        assert SPINE_METASTASIS in codes(folder, "bone-metastasis")
        assert codes(folder, "vertebral-metastasis") == {SPINE_METASTASIS}
        assert {code for name in CANCER for code in codes(folder, name)} == codes(folder)
        load(folder)

    @pytest.mark.parametrize(("name", "code"), MEMBERS)
    def test_what_a_hierarchy_defines_is_in(self, expand, folder, name, code):
        expand("--set", name, "--force")
        assert code in codes(folder, name)

    @pytest.mark.parametrize(("name", "code"), NO_MEMBERS)
    def test_what_is_excepted_is_out(self, expand, folder, name, code):
        expand("--set", name, "--force")
        assert code not in codes(folder, name)

    def test_melanoma_is_in(self, expand, folder):
        expand()
        assert codes(folder) >= {MALIGNANCY, MELANOMA_OF_BREAST, CHORDOMA, SACRUM_METASTASIS}

    @pytest.mark.parametrize(
        "code",
        [BASAL_CELL_OF_NOSE, SQUAMOUS_CLEAR_CELL, IN_SITU_OF_CERVIX, LOOK_ALIKE, "372130007"],
    )
    def test_what_only_looks_like_one_is_out(self, expand, folder, code):
        expand()
        assert code not in codes(folder)

    def test_an_abstract_code_is_out(self, expand, folder):
        expand()
        assert ABSTRACT not in codes(folder)

    def test_the_definition_alone_is_asked_without_what_only_we_know(self, expand, stub):
        expand()
        compose = stub.seen[0][1]["parameter"][0]["resource"]["compose"]
        roots = [part["filter"][0]["value"] for part in compose["include"]]
        assert roots == [MALIGNANCY, NEOPLASTIC_FRACTURE]
        assert all("valueSet" not in part for part in compose["exclude"])

    def test_the_token_goes_along(self, expand, stub, monkeypatch):
        monkeypatch.setenv("CDS_TX_TOKEN", "top-secret")
        expand()
        assert stub.seen[0][2]["Authorization"] == "Bearer top-secret"

    def test_a_code_listed_by_hand_and_not_found_is_told_and_kept(self, expand, folder, capsys):
        before = (folder / "value-sets" / "malignancy.json").read_text("utf-8")
        expand()
        assert "listed by hand and not among them" in capsys.readouterr().out
        assert (folder / "value-sets" / "malignancy.json").read_text("utf-8") == before

    def test_an_unknown_set_is_named(self, expand, capsys):
        assert expand("--set", "fever") == 1
        assert "fever: no hierarchy defines it" in capsys.readouterr().err


@pytest.mark.usefixtures("small_pages")
class TestPages:
    @pytest.mark.parametrize("faults", [set(), {"no total"}, {"does not page"}, {"nested"}])
    def test_all_codes_come(self, expand, stub, folder, faults):
        stub.faults = faults
        assert expand() == 0
        assert len(codes(folder)) == 10

    def test_they_come_page_by_page(self, expand, stub):
        expand()
        offsets = [body["parameter"][1]["valueInteger"] for _, body, _ in stub.seen]
        assert offsets == [0, 4, 8]

    def test_a_short_list_without_a_total_from_a_server_that_does_not_page(
        self, expand, stub, folder, monkeypatch
    ):
        monkeypatch.setattr("cds_service.expansion.pages.PAGE", 100)
        stub.faults = {"no total", "ignores offset"}
        assert expand() == 0
        assert len(codes(folder)) == 10

    def test_the_version_may_be_called_otherwise(self, expand, stub, folder):
        stub.named = "used-codesystem"
        assert expand() == 0
        assert expansion(folder)["parameter"][0]["name"] == "used-codesystem"

    BROKEN = {
        "ignores offset": "the same codes came on two pages",
        "wrong total": "12 codes were announced, and 11 came",
        "new version": "the version changed between two pages",
        "other system": "the server does not say which version of SNOMED CT it used",
        "incomplete": "the expansion is incomplete",
        "refuse": "status 422, the expansion has too many codes",
        "down": "status 502, no JSON",
        "redirect": "redirects to https://elsewhere.example.org/",
    }

    @pytest.mark.parametrize(("fault", "text"), BROKEN.items(), ids=BROKEN)
    def test_a_faulty_expansion_is_not_written(self, expand, stub, folder, capsys, fault, text):
        stub.faults = {fault}
        assert expand() == 1
        err = capsys.readouterr().err
        assert err.startswith("malignancy: not written: ")
        assert text in err
        assert not (folder / "expansions").exists()

    def test_a_page_again_without_a_total_is_a_fault(self, expand, stub, capsys):
        stub.faults = {"no total", "ignores offset"}
        assert expand() == 1
        assert "the same codes came on two pages" in capsys.readouterr().err

    @pytest.mark.parametrize("version", [None, ""])
    def test_without_a_version_nothing_is_written(self, expand, stub, folder, capsys, version):
        stub.version = version
        assert expand() == 1
        assert "does not say which version" in capsys.readouterr().err
        assert not (folder / "expansions").exists()

    def test_a_server_that_is_not_there(self, folder, capsys):
        run = ["expand", "--tx", "http://127.0.0.1:9/fhir", "--folder", str(folder)]
        assert main(run) == 1
        err = capsys.readouterr().err
        assert err.count("not written: http://127.0.0.1:9/fhir/ValueSet/$expand") == len(DEFINED)

    def test_a_server_that_finds_nothing(self, expand, stub, capsys):
        stub.parents = {}
        assert expand("--set", "malignancy", "--force") == 1
        assert "no code came" in capsys.readouterr().err


class TestAgain:
    def test_what_came_and_what_went_is_told(self, expand, stub, folder, capsys):
        del stub.parents[CHORDOMA]
        expand()
        stub.parents[CHORDOMA] = MALIGNANCY
        capsys.readouterr()
        expand()
        out = capsys.readouterr().out
        assert f"1 added\n    {CHORDOMA} " in out
        assert "0 removed" in out

    def test_a_shrink_is_refused_without_force(self, expand, stub, folder, capsys):
        expand()
        before = codes(folder)
        del stub.parents[CHORDOMA], stub.parents[SARCOMA]
        capsys.readouterr()
        assert expand() == 1
        captured = capsys.readouterr()
        assert f"2 removed\n    {CHORDOMA} " in captured.out
        assert "2 of 10 codes are lost; --force" in captured.err
        assert codes(folder) == before
        assert expand("--set", "malignancy", "--force") == 0
        assert codes(folder) == before - {CHORDOMA, SARCOMA}

    def test_as_many_new_codes_do_not_make_up_for_lost_ones(self, expand, stub):
        expand()
        for code in (CHORDOMA, SARCOMA):
            del stub.parents[code]
        stub.parents.update({"253001006": MALIGNANCY, "93655004": MALIGNANCY})
        assert expand() == 1

    def test_a_small_shrink_is_not_refused(self, expand, stub, folder):
        more = ["253001006", "93655004", "188032002", "94274006", "1237526007"]
        stub.parents.update(dict.fromkeys(more, MALIGNANCY))
        expand()
        del stub.parents[CHORDOMA]
        assert expand() == 0
        assert CHORDOMA not in codes(folder)

    def test_an_expansion_that_cannot_be_read_is_named(self, expand, folder, capsys):
        (folder / "expansions").mkdir()
        (folder / "expansions" / "malignancy.json").write_text("{}", "utf-8")
        assert expand() == 1
        assert "the expansion that is there cannot be read" in capsys.readouterr().err

    def test_one_with_which_the_folder_would_not_load_is_not_written(
        self, expand, stub, folder, capsys
    ):
        expand()
        before = codes(folder)
        stub.parents["447730005"] = MALIGNANCY
        assert expand() == 1
        assert "447730005 is no SNOMED CT code" in capsys.readouterr().err
        assert codes(folder) == before
        assert [file.name for file in (folder / "expansions").iterdir()] == ["malignancy.json"]


class TestTheFolder:
    """What an expansion must be for the service to start."""

    def change(self, folder, edit):
        file = folder / "expansions" / "malignancy.json"
        document = json.loads(file.read_text("utf-8"))
        edit(document)
        file.write_text(json.dumps(document), "utf-8")

    BROKEN = {
        "no set of ours": (
            lambda d: d.update(url="urn:another"),
            "expansions/malignancy.json: url: urn:another is no value set of value-sets/",
        ),
        "no url": (lambda d: d.pop("url"), "Object missing required field `url`"),
        "a wrong check digit": (
            lambda d: d["expansion"]["contains"][0].update(code="447730005"),
            "expansions/malignancy.json: expansion.contains[0]: 447730005 is no SNOMED CT code",
        ),
        "a look-alike": (
            lambda d: d["expansion"]["contains"][0].update(code=LOOK_ALIKE),
            f"expansions/malignancy.json: {SCT}: {LOOK_ALIKE} is a look-alike and a malignancy",
        ),
        "no code": (
            lambda d: d["expansion"].pop("contains"),
            "expansions/malignancy.json: expansion.contains: no code found",
        ),
        "a code without its system": (
            lambda d: d["expansion"]["contains"][0].pop("system"),
            "expansions/malignancy.json: expansion.contains[0]: must have a system",
        ),
        "no valid FHIR": (
            lambda d: d["expansion"].update(total="many"),
            "expansions/malignancy.json: expansion.total",
        ),
    }

    @pytest.mark.parametrize(("edit", "text"), BROKEN.values(), ids=BROKEN)
    def test_a_broken_expansion_is_named(self, expand, folder, edit, text):
        expand()
        self.change(folder, edit)
        assert text in told(folder)

    def test_lint_names_it(self, expand, folder, capsys):
        expand()
        (folder / "expansions" / "malignancy.json").write_text("{", "utf-8")
        assert main(["lint", str(folder)]) == 1
        assert "expansions/malignancy.json: not JSON" in capsys.readouterr().out

    def test_an_unknown_set_to_exclude_is_named(self, folder):
        file = folder / "value-sets" / "malignancy.json"
        file.write_text(file.read_text("utf-8").replace(":malignancy-look-alikes", ":nobody"))
        assert "value-sets/malignancy.json: compose.exclude: urn:vcf" in told(folder)

    def test_a_root_with_a_wrong_check_digit_is_named(self, folder):
        file = folder / "value-sets" / "vertebral-metastasis.json"
        file.write_text(file.read_text("utf-8").replace('"94527001"', '"94527002"'), "utf-8")
        assert "value-sets/vertebral-metastasis.json: filter: 94527002" in told(folder)

    def test_an_expansion_changes_the_version(self, expand, folder):
        before = load(folder)[SERVICE].version
        expand()
        assert load(folder)[SERVICE].version != before


def malignancy(topics, code):
    """What the fact is for a patient who has this on the problem list."""
    body = hook_request(
        order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=[condition((SCT, code))]
    )
    (decision,) = answer_hook(hook_call(body), topics[SERVICE]).decisions
    return decision.facts["malignancy"].value


def test_an_expanded_code_is_a_malignancy_of_the_patient(expand, folder):
    assert malignancy(load(folder), CHORDOMA) is False
    expand()
    assert malignancy(load(folder), CHORDOMA) is True
    assert malignancy(load(folder), BASAL_CELL_OF_NOSE) is False
