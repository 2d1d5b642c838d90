"""Every name in the mappings is resolved: what is deleted or misspelt stops the start.

The problem that is told names the file and the row in which the name is used.
"""

import json
import shutil
from pathlib import Path

import pytest

from cds_service.decision import criteria
from cds_service.decision.functions import FUNCTIONS
from cds_service.mappings import MappingsError, load
from tests.small_world import ROOT, TOPIC_FOLDER

MAPPINGS = ROOT / "mappings"
TOPIC = TOPIC_FOLDER.relative_to(MAPPINGS)
FACTS = [fact["name"] for fact in json.loads((TOPIC_FOLDER / "facts.json").read_text())["facts"]]
KINDS = ("value-sets", "naming-systems", "code-systems", "concept-maps", "safety-rules")
FILES = [
    f.relative_to(MAPPINGS) for kind in KINDS for f in sorted(MAPPINGS.rglob(f"{kind}/*.json"))
]
NAMED = [
    file.relative_to(MAPPINGS)
    for kind in ("criteria", "definitions")
    for file in sorted(MAPPINGS.rglob(f"{kind}/*.json"))
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Path(shutil.copytree(MAPPINGS, tmp_path_factory.mktemp("names") / "mappings"))


@pytest.fixture
def change(copy):
    """Changes a file of the copy, by a function of its content, until the end of the test."""
    before = {}

    def changed(file, edit):
        text = before.setdefault(copy / file, (copy / file).read_text("utf-8"))
        document = json.loads(text)
        edit(document)
        (copy / file).write_text(json.dumps(document), "utf-8")

    def delete(file):
        before[copy / file] = (copy / file).read_text("utf-8")
        (copy / file).unlink()

    changed.delete = delete
    yield changed
    for file, text in before.items():
        file.write_text(text, "utf-8")


def told(copy):
    with pytest.raises(MappingsError) as caught:
        load(copy)
    return caught.value.problems


def names_of(file):
    """What others call a file of the mappings: a value set, a rule, a code system."""
    document = json.loads((MAPPINGS / file).read_text("utf-8"))
    if document.get("resourceType") == "NamingSystem":
        return [i["value"] for i in document["uniqueId"] if i.get("preferred")]
    if document.get("resourceType") == "CodeSystem":
        return [concept["code"] for concept in document["concept"]]
    if document.get("resourceType") == "ConceptMap":
        targets = [t["code"] for g in document["group"] for e in g["element"] for t in e["target"]]
        return [*targets, "ConceptMap"]
    return [document["url"].rpartition(":")[2] if "url" in document else document["id"]]


def misspell(file):
    """An edit that changes the name by which others call a file."""

    def edit(document):
        kind = document.get("resourceType")
        if kind == "NamingSystem":
            next(i for i in document["uniqueId"] if i.get("preferred"))["value"] += "x"
        elif kind == "CodeSystem":
            for concept in document["concept"]:
                concept["code"] += "x"
        elif kind == "ConceptMap":
            for group in document["group"]:
                group["target"] += "x"
        else:
            key = "url" if "url" in document else "id"
            document[key] += "x"

    return edit


def assert_told(problems, names):
    """A line names the file and the row that use one of the names."""
    used = [line for line in problems if any(name in line for name in names)]
    assert used, problems
    assert ".json: " in used[0] or used[0].startswith("value-sets: "), used[0]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_that_is_deleted_is_missed_where_it_is_used(copy, change, file):
    change.delete(file)
    assert_told(told(copy), names_of(file))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_whose_name_is_misspelt_is_missed_where_it_is_used(copy, change, file):
    change(file, misspell(file))
    assert_told(told(copy), names_of(file))


@pytest.mark.parametrize("file", NAMED, ids=str)
def test_a_definition_that_is_deleted_is_missed(copy, change, file):
    change.delete(file)
    assert_told(told(copy), [file.stem])


@pytest.mark.parametrize("file", NAMED, ids=str)
def test_a_definition_whose_name_is_misspelt_is_missed(copy, change, file):
    change(file, lambda document: document.update(name=f"{document['name']}x"))
    assert_told(told(copy), [file.stem])


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_that_is_deleted_is_missed(copy, change, fact):
    def edit(document):
        document["facts"] = [f for f in document["facts"] if f["name"] != fact]

    change(TOPIC / "facts.json", edit)
    assert_told(told(copy), [fact])


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_whose_name_is_misspelt_is_missed(copy, change, fact):
    def edit(document):
        next(f for f in document["facts"] if f["name"] == fact)["name"] = f"{fact}x"

    change(TOPIC / "facts.json", edit)
    assert_told(told(copy), [fact])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_deleted_is_missed(copy, monkeypatch, name):
    left = {known: function for known, function in FUNCTIONS.items() if known != name}
    monkeypatch.setattr(criteria, "FUNCTIONS", left)
    assert_told(told(copy), [f"{name} is no function"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_whose_name_is_misspelt_is_told(copy, change, name):
    for file in sorted((copy / TOPIC).rglob("*.json")):
        text = file.read_text("utf-8")
        if f'"{name}"' in text:
            change(file.relative_to(copy), lambda document: rename(document, name))
    assert_told(told(copy), [f"{name}x is no function"])


def rename(value, name):
    """Misspells the function wherever it is named."""
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            rename(inner, name)
    if isinstance(value, dict) and value.get("function") == name:
        value["function"] = f"{name}x"


MISSPELT = {
    "a key of a rule": (
        "safety-rules/gadolinium.json",
        lambda d: d.update(avoid_exept=["mri"]),
        "safety-rules/gadolinium.json: avoid_exept: is not known here",
    ),
    "a key of a fact": (
        TOPIC / "facts.json",
        lambda d: d["facts"][0].update(false_wen={}),
        "facts.json: facts[vcf].false_wen: is not known here",
    ),
    "a key of a criterion": (
        "safety-rules/mri-implant.json",
        lambda d: d["when"].update(timming="new"),
        "safety-rules/mri-implant.json: when: timming is no argument of finding",
    ),
    "a value that an argument does not take": (
        TOPIC / "criteria/possible-cord-compression.json",
        lambda d: d["when"]["any"][2]["finding"].update(dated=False),
        "criteria/possible-cord-compression.json: when: dated takes true, not False",
    ),
    "a variant": (
        TOPIC / "safety-rules/edema-without-pain.json",
        lambda d: d["when"]["all"][0].update(variant="variant-55"),
        "safety-rules/edema-without-pain.json: when: variant-55 is no variant",
    ),
    "a procedure that a rule adds": (
        TOPIC / "safety-rules/cord-compression-treatment.json",
        lambda d: d.update(add="surgical-consultationx"),
        "surgical-consultationx: is no procedure",
    ),
    "the rule that another one answers": (
        TOPIC / "safety-rules/cord-compression-with-implant.json",
        lambda d: d.update(instead_of="cord-compression"),
        "instead_of: cord-compression is no rule",
    ),
    "a fact of a question": (
        TOPIC / "facts.json",
        lambda d: d["questions"][0].update(fact="symptomatc"),
        "facts.json: questions: symptomatc is no fact",
    ),
    "a fact that is established later": (
        TOPIC / "facts.json",
        lambda d: d["facts"].insert(0, d["facts"].pop(6)),
        "facts.json: facts[osteoporotic]: malignancy is established later",
    ),
    "a source of findings": (
        TOPIC / "relevance.json",
        lambda d: d["without_reasons"].update(sources=["Conditions"]),
        "relevance.json: without_reasons: Conditions is no source",
    ),
    "a text with a place that nothing fills": (
        TOPIC / "safety-rules/infection.json",
        lambda d: d.update(not_rated="%(ordr)s is not rated."),
        "infection.json: not_rated: %(ordr)s is filled by nothing",
    ),
    "the evidence of a rule": (
        "safety-rules/gadolinium.json",
        lambda d: d.update(text="Weigh it: {evidnce}."),
        "gadolinium.json: text: {evidnce} is filled by nothing",
    ),
    "a rule outside the scope without its words": (
        TOPIC / "safety-rules/infection.json",
        lambda d: d.pop("not_rated"),
        "infection.json: not_rated: a rule outside-scope has a sentence and a state",
    ),
}


@pytest.mark.parametrize(("file", "edit", "line"), MISSPELT.values(), ids=MISSPELT)
def test_what_is_misspelt_is_told_with_file_and_row(copy, change, file, edit, line):
    change(file, edit)
    assert line in "\n".join(told(copy))
