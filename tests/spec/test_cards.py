"""Section 5, the fields and the wording of a card."""

import html
import json
import re
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

from cds_service.cards.markdown import as_plain_text, escape
from tests.small_world import (
    ABLATION,
    ANSWER,
    AUGMENTATION_LUMBAR,
    BONE_SCAN,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CPT,
    CT_LUMBAR,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_MYELOGRAPHY_LUMBAR,
    DISCITIS,
    FALL,
    FRACTURE,
    HYPERTENSION,
    ICD,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    PACEMAKER,
    PAIN,
    PET_CT,
    PREGNANCY,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
    ROOT,
    SCT,
    SPECT,
    SPINE_BIOPSY,
    SURGEON,
    URINARY_INFECTION,
    ask,
    card,
    card_in,
    concept,
    condition,
    days_ago,
    device,
    order,
    patient,
    topic,
)

ICD_10 = "http://hl7.org/fhir/sid/icd-10"
GUIDELINE = "ACR Appropriateness Criteria: Management of Vertebral Compression Fractures"


# --- Fields ---------------------------------------------------------------------------------------


def test_the_fields_of_a_card():
    """uuid, summary, detail, source, overrideReasons, selectionBehavior, a link."""
    made = card_in(1, CT_LUMBAR_W)
    assert set(made) == {
        "uuid",
        "summary",
        "detail",
        "indicator",
        "source",
        "overrideReasons",
        "links",
        "suggestions",
        "selectionBehavior",
    }
    assert UUID(made["uuid"])
    assert all(UUID(s["uuid"]) for s in made["suggestions"])
    assert len({s["uuid"] for s in made["suggestions"]}) == len(made["suggestions"])
    assert made["selectionBehavior"] == "at-most-one"


SUMMARIES = {
    "rated": (
        card_in(1, CT_LUMBAR_W),
        "CT lumbar spine with IV contrast: usually not appropriate. Better: MRI without contrast",
    ),
    "may be appropriate": (card_in(1, BONE_SCAN), "Bone scan whole body: may be appropriate."),
    "split panel": (
        card_in(2, MRI_LUMBAR_W),
        "MRI lumbar spine with IV contrast: may be appropriate (disagreement).",
    ),
    "medical management": (
        card_in(5, ABLATION),
        "usually not appropriate. Better: medical management only",
    ),
    "not rated": (card_in(1, SPINE_BIOPSY), "Image-guided biopsy spine: not rated"),
    "infection": (card_in(1, MRI_LUMBAR_WO, DISCITIS), "infection is possible"),
    "contrast": (card_in(1, MRI_LUMBAR), "MRI lumbar spine: state the contrast."),
    "question": (
        card(order(PET_CT, reasons=(FRACTURE, PAIN)), without=("conditions",)),
        "FDG-PET/CT skull base to mid-thigh: any cancer, now or in the past?",
    ),
}


@pytest.mark.parametrize(("made", "says"), SUMMARIES.values(), ids=SUMMARIES.keys())
def test_the_summary_names_the_ordered_study_and_its_rating(made, says):
    """`summary`, naming the ordered study and its rating."""
    assert says in made["summary"]


def test_source():
    """`source` with label, url and `topic`."""
    source = card_in(1, CT_LUMBAR_W)["source"]
    assert source["label"] == f"{GUIDELINE} (revised 2022)"
    assert source["url"].startswith("https://")
    assert source["topic"]["code"] == "variant1"
    assert source["topic"]["system"].startswith("urn:")
    assert source["topic"]["display"] == "Variant 1"


TOPICS = {
    **{f"variant {n}": (card_in(n, CT_LUMBAR_W), f"variant{n}") for n in range(1, 5)},
    "variant 5": (card_in(5, ABLATION), "variant5"),
    "variant 6": (card_in(6, ABLATION), "variant6"),
    "variant 7": (card_in(7, ABLATION), "variant7"),
    "variant 8": (card_in(8, ABLATION), "variant8"),
    "variant 9": (card_in(9, RADIONUCLIDE_THERAPY), "variant9"),
    "several": (
        card(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",)),
        "several",
    ),
    "no variant": (card_in(5, MRI_LUMBAR_WO), "novariant"),
    "infection": (card_in(1, MRI_LUMBAR_WO, DISCITIS), "novariant"),
    "question": (SUMMARIES["question"][0], "unresolved"),
    "contrast not stated": (card_in(1, CT_LUMBAR), "unresolved"),
}


@pytest.mark.parametrize(("made", "topic"), TOPICS.values(), ids=TOPICS.keys())
def test_the_topic_code(made, topic):
    """`variant1` … `variant9`, `several`, `novariant`, `unresolved`: letters and digits only."""
    assert made["source"]["topic"]["code"] == topic
    assert re.fullmatch("[A-Za-z0-9]+", topic)


def test_override_reasons():
    """Words that an ordering clinician uses, of our own code system, each mapped to HL7's."""
    reasons = card_in(1, CT_LUMBAR_W)["overrideReasons"]
    assert {r["system"] for r in reasons} == {"urn:vcf-appropriateness:override-reason"}
    assert {r["code"]: r["display"] for r in reasons} == {
        "specialist-request": "A specialist or the radiologist asked for it",
        "earlier-study-inconclusive": "An earlier study was inconclusive",
        "mri-not-possible": "MRI is not possible or not available",
        "other-disease-suspected": "Another disease is suspected",
        "chart-incomplete": "The chart does not show everything",
        "disagrees-with-guideline": "I disagree with the guideline here",
        "other": "Another reason",
    }
    assert {r.code: r.standard_code for r in topic().override_reasons} == {
        "specialist-request": "cds-suboptimal-context",
        "earlier-study-inconclusive": "cds-not-applicable",
        "mri-not-possible": "not-convenient-feasible",
        "other-disease-suspected": "cds-not-applicable",
        "chart-incomplete": "cds-suboptimal-context",
        "disagrees-with-guideline": "recipient-disagrees-evidence",
        "other": "",
    }


@pytest.mark.parametrize("name", ["variant 3", "several", "no variant", "question"])
def test_the_link(name):
    """A link to the page on which the service shows the whole variant, else the guideline."""
    made, topic = TOPICS[name]
    (link,) = made["links"]
    page = "/variant-3" if topic == "variant3" else ""
    assert link["url"] == f"https://cds.example.org/guidelines/acr-vcf-2022{page}"
    assert (link["type"], bool(link["label"])) == ("absolute", True)


# --- The detail, part by part ---------------------------------------------------------------------


def test_the_parts_of_the_detail_in_their_order():
    """The verdict and its reason, what instead, what it rests on, the citation."""
    made = card(order(BONE_SCAN, reasons=(FRACTURE,)), conditions=[condition(PAIN)], without=())
    detail = made["detail"]
    parts = [
        "**May Be Appropriate** in variant 1 (new fracture with symptoms, no known malignancy).",
        "It helps find the painful level",
        "Instead",
        "- **MRI without contrast** (radiation O 0 mSv)",
        "- Compression fracture",
        "ACR Appropriateness Criteria, revised 2022.",
    ]
    positions = [detail.find(part) for part in parts]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_what_is_critical_comes_before_any_rating():
    detail = card_in(1, CT_LUMBAR_W, CAUDA_EQUINA)["detail"]
    assert detail.startswith("**Possible compression of the spinal cord or cauda equina (")


RARELY_RIGHT = {**dict.fromkeys((1, 2, 3, 4), CT_LUMBAR_W), 9: RADIONUCLIDE_THERAPY}


@pytest.mark.parametrize("variant", range(1, 10))
def test_the_verdict_says_the_reason_of_the_rating(variant):
    """The sentence of rationales.json for this procedure in this variant."""
    reasons = [topic().why(f"variant-{variant}", p) for p in topic().guideline.procedure]
    made = card_in(variant, RARELY_RIGHT.get(variant, ABLATION))
    verdict = made["detail"].split("\n\n")[0]
    assert [r for r in reasons if r and verdict.endswith(r)]


def test_each_suggestion_with_its_reason_and_radiation():
    """One line for each suggestion, with its own reason and its radiation level."""
    detail = card_in(2, PET_CT, conditions=[])["detail"]
    why = topic().why("variant-2", "mri-spine-wo-w")
    assert f"- **MRI without and with contrast** (radiation O 0 mSv): {why}" in detail


def test_the_radiation_of_a_child_is_shown():
    child = card_in(1, PET_CT, patient=patient(12))["detail"]
    assert "(child: radiation O 0 mSv)" in child


def test_each_fact_with_its_evidence():
    """Each fact once, with its best evidence: display without the semantic tag, resource, date."""
    fracture = condition(FRACTURE, onset=days_ago(10))
    fracture["code"]["coding"][0]["display"] = "Collapsed L2 (disorder)"
    detail = card(order(CT_LUMBAR_W, reasons=(PAIN,)), conditions=[fracture])["detail"]
    assert f"Compression fracture: Collapsed L2 (Condition, {days_ago(10)})" in detail
    assert "Symptoms: Backache (reason)" in detail


def test_the_same_thing_said_twice_is_said_once():
    twice = [condition(PAIN, identifier=f"pain-{n}", onset=days_ago(n)) for n in range(4)]
    detail = card_in(1, CT_LUMBAR_W, conditions=twice)["detail"]
    assert detail.count("Backache") == 1
    assert "more" not in detail.split("- Symptoms: ")[1].split("\n")[0]


def test_each_list_of_the_detail_is_one_of_its_own():
    """Two lists with nothing but a blank line between them would be one."""
    page = rendered(card_in(1, CT_LUMBAR_W)["detail"])
    assert page.count("<ul>") == 2


def test_the_facts_that_the_variant_asks_for():
    """Why this variant: each fact of its criteria, and no other."""
    detail = card_in(2, CT_LUMBAR_W)["detail"]
    facts = next(part for part in detail.split("\n\n") if part.startswith("Based on:"))
    assert [re.split(r":| of ", line)[0] for line in facts.split("\n")[1:]] == [
        "- Compression fracture",
        "- Symptoms",
        "- Malignancy",
    ]


def _ratings(detail):
    """The lines of the other ratings of the first variant."""
    after = re.split(r"Also in variant \d:\n", detail)[1:]
    return after[0].split("\n\n")[0].split("\n") if after else []


def test_the_other_ratings_of_the_variant(monkeypatch):
    """One line for each category, in the document's order; what is named above is not repeated."""
    monkeypatch.setattr("cds_service.cards.detail.ROOM", 10_000)
    assert _ratings(card_in(1, CT_LUMBAR_W)["detail"]) == [
        "- *May Be Appropriate*: Whole-body bone scan, Spine SPECT or SPECT/CT",
        "- *Usually Not Appropriate*: CT without and with contrast, MRI with contrast, "
        "MRI without and with contrast, CT myelography, FDG-PET/CT",
    ]


@pytest.mark.parametrize("variant", range(1, 10))
def test_the_whole_basis_is_on_the_card_where_there_is_room(variant, monkeypatch):
    """Every procedure that the variant rates is named."""
    monkeypatch.setattr("cds_service.cards.detail.ROOM", 10_000)
    made = card_in(variant, RARELY_RIGHT.get(variant, ABLATION))
    guideline = topic().guideline
    said = (made["summary"] + made["detail"]).casefold()
    named = [guideline.procedure[p].short for p in guideline.variant(f"variant-{variant}").ratings]
    missing = [name for name in named if name.casefold() not in said]
    ordered = {"CT with contrast", "Percutaneous spine ablation", "Systemic radionuclide therapy"}
    assert set(missing) <= ordered


def test_where_room_is_short_ratings_yield_first_and_then_reasons(monkeypatch):
    """Never a safety line, the verdict with its reason, a suggestion, a fact or the citation."""
    lengths = []
    for room in (10_000, 1_200, 1_050, 900, 0):
        monkeypatch.setattr("cds_service.cards.detail.ROOM", room)
        detail = card_in(1, MRI_LUMBAR_W, devices=[device(PACEMAKER)])["detail"]
        lengths.append((len(detail), len(_ratings(detail)), detail.count("It details height")))
        for kept in ("**Usually Not", "sequences without it", "- **CT without contrast**",
                     "- Symptoms", "MR-conditional", "Not endorsed"):  # fmt: skip
            assert kept in detail
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0][1:] == (3, 1)
    assert lengths[-1][1:] == (0, 0)


def test_several_variants_are_all_named(monkeypatch):
    """Several variants that agree: the card names them all, with the ratings of each."""
    monkeypatch.setattr("cds_service.cards.detail.ROOM", 10_000)
    detail = TOPICS["several"][0]["detail"]
    for number in (1, 2, 3):
        assert f"variant {number} (" in detail
    again = card(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",))["detail"]
    assert re.findall(r"Also in variant (\d):", again) == ["1", "2", "3"]


RESERVATIONS = {
    "presumed osteoporotic": (
        card(order(RADIATION_ONCOLOGIST, reasons=(FRACTURE, PAIN))),
        "Osteoporotic: presumed from age and sex",
    ),
    "rated as": (
        card(order((SCT, "90523008"), reasons=(FRACTURE, PAIN))),
        "is rated as CT spine area of interest with IV contrast (SNOMED CT",
    ),
    "a tracer not stated": (
        card(order((CPT, "78815"), reasons=(FRACTURE, PAIN))),
        "is rated as FDG-PET/CT skull base to mid-thigh (tracer-agnostic)",
    ),
    "not supplied": (
        card(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions", "devices")),
        "Not supplied, or only in part: conditions, devices.",
    ),
    "a reason that was not supplied": (
        card(
            order(
                CT_LUMBAR_W,
                reasons=(FRACTURE, PAIN),
                reasonReference=[{"reference": "Condition/gone"}],
            )
        ),
        "Reasons that were not supplied: Condition/gone.",
    ),
    "a resource that could not be read": (
        card_in(1, CT_LUMBAR_W, conditions=[condition(BREAST_CANCER, onset="soon")]),
        "Could not be read: Condition/c-254837009",
    ),
    "not known": (
        card(order(CT_LUMBAR_W, reasons=(FRACTURE,))),
        "- Symptoms: not known",
    ),
}


@pytest.mark.parametrize(("made", "says"), RESERVATIONS.values(), ids=RESERVATIONS.keys())
def test_what_was_presumed_missing_or_rated_as(made, says):
    """What was presumed, missing or "rated as"."""
    assert says in made["detail"]


def test_nothing_is_reserved_where_all_is_plain():
    detail = card_in(1, CT_LUMBAR_W)["detail"]
    for phrase in ("presumed", "Not supplied", "rated as", "not known", "could not be read"):
        assert phrase not in detail


def test_safety_lines_are_marked_as_ours():
    """Other cautions, marked as this service's own, not the ACR's."""
    made = card_in(1, MRI_LUMBAR_WO, devices=[device(PACEMAKER)])
    assert "Cautions of this service, not of the guideline:" in made["detail"]
    assert "Cautions" not in card_in(1, CT_LUMBAR_W)["detail"]


@pytest.mark.parametrize("made", [row[0] for row in TOPICS.values()], ids=TOPICS.keys())
def test_the_citation(made):
    """The title stands in the source; the detail ends with edition, scope, and who decides."""
    assert made["source"]["label"] == f"{GUIDELINE} (revised 2022)"
    last = made["detail"].split("\n\n")[-1]
    assert last.startswith("ACR Appropriateness Criteria, revised 2022. ")
    for excluded in ("high-energy trauma", "suspected infection", "other diseases"):
        assert excluded in last
    assert "Not endorsed by its authors; you and the radiologist decide." in last


# --- Wording --------------------------------------------------------------------------------------

CATEGORY_WORDS = {
    "may be": (card_in(1, BONE_SCAN), "*May Be Appropriate*"),
    "split panel": (card_in(2, MRI_LUMBAR_W), "*May Be Appropriate (Disagreement)*"),
    "not appropriate": (card_in(1, CT_LUMBAR_W), "*Usually Not Appropriate*"),
    "usually appropriate": (
        card_in(1, MRI_LUMBAR_WO, devices=[device(PACEMAKER)]),
        "*Usually Appropriate*",
    ),
}


@pytest.mark.parametrize(("made", "words"), CATEGORY_WORDS.values(), ids=CATEGORY_WORDS.keys())
def test_the_category_in_the_acrs_words(made, words):
    """The category in the ACR's words."""
    assert words in made["detail"].split("\n")[0]


DISAGREEING = {
    "the ordered study": card_in(2, MRI_LUMBAR_W),
}


@pytest.mark.parametrize("made", DISAGREEING.values(), ids=DISAGREEING.keys())
def test_disagreement_is_explained(made):
    """ "disagreement" explained as a split panel, wherever a card shows the word."""
    assert "(Disagreement)" in made["detail"]
    assert "panel was split" in made["detail"]


def test_disagreement_is_explained_among_the_other_ratings(monkeypatch):
    monkeypatch.setattr("cds_service.cards.detail.ROOM", 10_000)
    ratings = _ratings(card_in(2, BONE_SCAN)["detail"])
    assert "- *May Be Appropriate (Disagreement)* (the panel was split: its" in ratings[1]


def test_disagreement_is_not_explained_where_there_is_none():
    assert "split" not in card_in(1, BONE_SCAN)["detail"]


def test_the_order_of_suggestions_is_the_documents_listing():
    """That the order of suggestions is the document's listing."""
    assert "in the order of the document" in card_in(1, CT_LUMBAR_W)["detail"]
    assert "in the order of the document" not in card_in(5, ABLATION)["detail"]


def test_absence_is_told_as_what_it_is():
    """Say "none among the 12 conditions supplied; if there is a history of cancer, add it"."""
    twelve = [condition(HYPERTENSION, identifier=f"c{n}") for n in range(12)]
    detail = card_in(1, CT_LUMBAR_W, conditions=twelve)["detail"]
    assert (
        "- Malignancy: none among the 12 conditions supplied; if there is a history of cancer, add "
        "it as a reason"
    ) in detail


EVERY_ORDER = (
    MRI_LUMBAR_WO,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO_W,
    MRI_LUMBAR,
    CT_LUMBAR_WO,
    CT_LUMBAR_W,
    CT_LUMBAR,
    CT_MYELOGRAPHY_LUMBAR,
    BONE_SCAN,
    SPECT,
    PET_CT,
    SPINE_BIOPSY,
    AUGMENTATION_LUMBAR,
    ABLATION,
    SURGEON,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
)
EVERY_CHART = (
    {},
    {"devices": [device(PACEMAKER)]},
    {"conditions": [condition(PREGNANCY)], "patient": patient(30)},
    {"patient": patient(12)},
    {"conditions": [condition(CAUDA_EQUINA), condition(URINARY_INFECTION), condition(FALL)]},
    {"conditions": [condition(DISCITIS)]},
    {"without": ("conditions", "procedures")},
)


@pytest.fixture(scope="module")
def every_card():
    """The cards of all orders in all variants, with a chart of each kind."""
    return [
        made
        for variant in range(1, 10)
        for coding in EVERY_ORDER
        for chart in EVERY_CHART
        if (made := card_in(variant, coding, **chart))
    ]


FORBIDDEN = {
    "contraindicated": r"contraindicat",
    "must": r"\bmust\b",
    "denied": r"\b(denied|deny)\b",
    "covered": r"\bcovered\b",
    "ACR endorsement": r"(?<!not )endorse|approved by|on behalf of the ACR",
    "MRI not possible": r"MRI (is )?(not possible|impossible)",
    "an individual score": r"\b(score|rating|rated|appropriate)\W{1,3}\(?[1-9]\b(?! \(New)",
    "no cancer": r"\bno cancer\b",
}


def said_on(made):
    """All text of a card that a person reads, but for the reasons of ratings, which are not about
    the patient.
    """
    labels = [s["label"] for s in made.get("suggestions", [])]
    text = "\n".join([made["summary"], made["detail"], *labels, made["links"][0]["label"]])
    for rationale in topic().rationales.values():
        text = text.replace(rationale.why, "")
    return text


@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_words_that_no_card_uses(every_card, pattern):
    """Must not: an individual score, "contraindicated", "must", "denied", "covered", …"""
    assert len(every_card) > 300
    found = {m[0] for made in every_card for m in re.finditer(pattern, said_on(made), re.I)}
    assert found == set()


def test_may_be_appropriate_is_never_plain_appropriate(every_card):
    """ "may be appropriate" never as plain "appropriate": the word has its adverb."""
    plain = re.compile(r"(?<!usually )(?<!may be )(?<!not )\bappropriate\b", re.I)
    assert not [
        plain.search(said_on(made))[0] for made in every_card if plain.search(said_on(made))
    ]


@pytest.mark.parametrize("word", ["benign", "asymptomatic", "no cancer", "no malignancy known"])
def test_absence_of_codes_is_not_a_finding(word):
    """No "no cancer", "benign", "asymptomatic" from the absence of codes."""
    made = card(order(CT_LUMBAR_W, reasons=(FRACTURE,)))
    facts = "\n".join(ln for ln in made["detail"].split("\n") if ln.startswith("- "))
    assert word not in facts.lower()
    assert word not in made["summary"].lower()


def test_every_summary_is_short(every_card):
    """Under 140 characters."""
    assert max(len(made["summary"]) for made in every_card) < 140


def test_no_summary_breaks_off(every_card):
    """What does not fit is left out as a whole: a summary ends with a sentence or a study."""
    shorts = {p.short for p in topic().guideline.procedures}
    for made in every_card:
        first = made.get("suggestions", [{"label": ""}])[0]["label"].removeprefix("Change to ")
        _, better, study = made["summary"].partition(" Better: ")
        assert (
            study in {*shorts, first, "medical management only"}
            if better
            else (made["summary"][-1] in ".?")
        )


def test_the_short_name_makes_room_for_the_better_choice():
    case = ROOT / "fixtures/order-sign/safety-fever-alone-softens-the-warning/response.json"
    (made,) = json.loads(case.read_text("utf-8"))["cards"]
    assert made["summary"] == (
        "CT without and with contrast: usually not appropriate. "
        "Red flags for infection or cancer. Better: MRI without and with contrast"
    )


def test_every_summary_names_the_study(every_card):
    """Naming the ordered study."""
    procedures = list(topic().guideline.procedure.values())
    opening = {p.order_text.split(" {region}")[0] for p in procedures}
    opening |= {p.short for p in procedures}  # where the region has no room
    for made in every_card:
        assert any(words in made["summary"].split(": ", 1)[0] for words in opening) or any(
            f". {words}" in made["summary"] for words in opening
        )


def test_every_detail_is_short(every_card):
    """None over 1,500 characters, and half of them at most 900."""
    lengths = sorted(len(made["detail"]) for made in every_card)
    assert lengths[-1] <= 1_500
    assert lengths[len(lengths) // 2] <= 900


# --- Text of the client ---------------------------------------------------------------------------

HOSTILE = {
    "iframe": "<iframe srcdoc='<b>x</b>'></iframe>",
    "svg script": "<svg><script>alert(1)</script></svg>",
    "an image": "![x](http://evil.example/x.png)",
    "a link": "[x](javascript:alert(1))",
    "a table cell": "a | b | c",
    "code": "`rm -rf` ```",
    "a new line": "a\n\n# Heading\n- item",
    "emphasis": "**bold** _it_ ~~gone~~",
    "an entity": "&lt;script&gt;",
    "a backslash": "\\| \\` \\[x](y)",
    "a backslash before a star": "\\*x\\*",
    "a carriage return": "a\r\n| x | y |",
    "a line separator": "a\u2028# b",
    "text turned round": "a\u202eb",
    "a bare address": "http://evil.example/",
    "an address without a scheme": "WWW.evil.example",
    "an address of mail": "mailto:x @ evil.example",
    "what is not seen": "a\u061cb\u200bc\ufeffd",
}


def places_for(text):
    """The same text wherever the card shows what the client sent."""
    fracture = condition(FRACTURE, onset=days_ago(10))
    fracture["code"]["coding"][0]["display"] = text
    pacemaker = device(PACEMAKER)
    pacemaker["type"]["coding"][0]["display"] = text
    inexact = order((SCT, "90523008"), reasons=(FRACTURE, PAIN))
    inexact["code"]["text"] = text
    reason = order(CT_LUMBAR_W)
    reason["reasonCode"] = [concept(FRACTURE, display=text), concept(PAIN)]
    gone = [{"reference": f"Condition/{text}"}]
    return {
        "a Condition": card(order(CT_LUMBAR_W, reasons=(PAIN,)), conditions=[fracture]),
        "a reason": card(reason),
        "a Device": card(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), devices=[pacemaker]),
        "the text of the order": card(inexact),
        "a reference": card(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN), reasonReference=gone)),
    }


def rendered(detail):
    """As GitHub-flavoured Markdown, which makes links of bare addresses."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    return parser.enable(["table", "strikethrough", "linkify"]).render(detail)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_text_of_the_client_is_escaped(text):
    """All text that came from the client is escaped: it renders as itself, in one line."""
    for place, made in places_for(text).items():
        page = rendered(made["detail"])
        tags = set(re.findall(r"<(\w+)", page))
        assert tags <= {"p", "strong", "em", "ul", "li"}
        plain = " ".join(html.unescape(re.sub(r"</?[a-z]+>", "", page)).split())
        visible = re.sub("[\u202e\u2028\u061c\u200b\ufeff]", " ", text)
        assert " ".join(visible.split()).split("/")[-1] in plain, place


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_escaped_text_keeps_the_shape_of_the_card(text):
    """No line and no bold word is added by what the client sent."""
    harmless, hostile = places_for("harmless"), places_for(text)
    for place, made in hostile.items():
        lines = [d["detail"].count("\n") for d in (harmless[place], made)]
        assert lines[0] == lines[1], place
        assert made["summary"] == harmless[place]["summary"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_plain_text_shows_the_text_itself(text):
    """For screens that do not render Markdown: without our marks, and without escapes."""
    made = as_plain_text(f"**Bold** and *not*: {escape(text)}")
    visible = re.sub("[\u202e\u2028\u061c\u200b\ufeff]", " ", text)
    assert made == f"Bold and not: {' '.join(visible.split())}"


def test_a_long_text_is_cut():
    """A display of ten thousand characters does not fill the card."""
    for made in places_for("x" * 10_000).values():
        assert len(made["detail"]) < 1_500


# --- An order that cannot be read -----------------------------------------------------------------


def test_an_unreadable_order_says_so():
    """An order of ours with a fault: no rating, no suggestion, and the field is named."""
    answer = ask(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN), authoredOn="yesterday"))
    (made,) = answer.body["cards"]
    assert (made["indicator"], made["source"]["topic"]["code"]) == ("info", "unresolved")
    assert "authoredOn" in made["detail"]
    assert "suggestions" not in made
    assert "systemActions" not in answer.body


def test_what_is_missing_after_two_questions():
    """After two questions: `info`, and what is missing."""
    said = ((ANSWER, "pathologic-no"), (ANSWER, "worsening-no"))
    made = card(
        order(AUGMENTATION_LUMBAR, reasons=(FRACTURE, PAIN, *said)),
        without=("conditions", "procedures"),
    )
    assert made["summary"].endswith("the chart leaves it open.")
    first = made["detail"].split("\n")[0]
    assert "not known" in first
    assert "edema or cleft" in first
    assert "earlier augmentation or surgery" in first


def test_a_local_icd_reason_does_not_speak():
    """A reason in no map is no evidence, and is not shown."""
    detail = card_in(1, CT_LUMBAR_W, (ICD, "I10"))["detail"]
    assert "I10" not in detail


@pytest.mark.parametrize(("others", "more"), [(0, ""), (1, ", and 1 more"), (3, ", and 3 more")])
def test_of_other_evidence_the_number_is_told(others, more):
    """Each fact with its best evidence, and how many other things say so."""
    pains = [condition(PAIN, identifier="pain"), condition(PAIN, identifier="again")]
    for number in range(others):
        pains.append(condition(PAIN, identifier=f"pain-{number}"))
        pains[-1]["code"]["coding"][0]["display"] = f"Pain {number}"
    made = card(order(MRI_LUMBAR_W, reasons=(FRACTURE,)), conditions=pains)
    (line,) = (ln for ln in made["detail"].split("\n") if ln.startswith("- Symptoms"))
    assert line == f"- Symptoms: Backache (Condition){more}"


def test_a_code_of_a_site_among_others_says_so():
    """M80.-8 of the WHO includes ribs: accepted as a vertebra, and the card says so."""
    made = card(order(CT_LUMBAR_W, reasons=(PAIN,)), conditions=[condition((ICD_10, "M80.08"))])
    assert "rated as of this site though the code includes others (Condition" in made["detail"]
    assert "though the code" not in card_in(1, CT_LUMBAR_W)["detail"]
