"""Section 5, the fields and the wording of a card."""

import html
import re
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

from cds_service.cards.markdown import escape, table
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
    OSTEOPOROTIC_FRACTURE,
    PACEMAKER,
    PAIN,
    PET_CT,
    PREGNANCY,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
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
    """HL7's non-adherence reasons, each with its display."""
    reasons = card_in(1, CT_LUMBAR_W)["overrideReasons"]
    assert {r["system"] for r in reasons} == {
        "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
    }
    assert [r["code"] for r in reasons] == [
        "cds-not-applicable",
        "cds-suboptimal-context",
        "recipient-disagrees-evidence",
        "recipient-concerns-outcomes",
        "does-not-align-preferences",
        "not-convenient-feasible",
    ]
    assert all(r["display"] for r in reasons)


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
    """Why, facts, ratings, what was presumed or missing, safety lines, the citation."""
    reasons = (OSTEOPOROTIC_FRACTURE, PAIN)
    made = card(
        order((SCT, "90523008"), reasons=reasons),
        without=("allergies",),
        conditions=[condition(FALL)],
    )
    detail = made["detail"]
    parts = [
        "is rated *Usually Not Appropriate* in variant 1",
        "- Compression fracture: ",
        "| Procedure | Variant 1 | Radiation (adult) |",
        "is rated as CT spine area of interest with IV contrast",
        "Not supplied, or only in part: allergies",
        "Safety notes of this service, not of the ACR:",
        "American College of Radiology.",
    ]
    positions = [detail.find(part) for part in parts]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_the_detail_opens_with_one_sentence():
    """Why this variant, in one sentence which names study, category, variant and title."""
    first = card_in(1, CT_LUMBAR_W)["detail"].split("\n\n")[0]
    assert first == (
        "**CT lumbar spine with IV contrast** is rated *Usually Not Appropriate* in variant 1 (New "
        "symptomatic vertebral compression fracture (VCF) identified on radiographs. No known "
        f"malignancy. Next imaging study) of the {GUIDELINE}, revised 2022."
    )


def test_each_fact_with_its_evidence():
    """Each fact with its evidence: resource, display, date."""
    fracture = condition(FRACTURE, onset=days_ago(10))
    fracture["code"]["coding"][0]["display"] = "Collapsed L2"
    detail = card(order(CT_LUMBAR_W, reasons=(PAIN,)), conditions=[fracture])["detail"]
    assert f"Collapsed L2 (Condition, {days_ago(10)})" in detail
    assert "Backache (finding) (reason of the order)" in detail


def test_the_facts_that_the_variant_asks_for():
    """Why this variant: each fact of its criteria, and no other."""
    facts = card_in(2, CT_LUMBAR_W)["detail"].split("\n\n")[1]
    assert [line.split(":")[0] for line in facts.split("\n")] == [
        "- Compression fracture",
        "- Symptoms",
        "- Malignancy",
    ]


def test_the_ratings_of_the_variant():
    """The variant's ratings, in the document's order, with the radiation level."""
    rows = _rows(card_in(2, CT_LUMBAR_W))
    guideline = topic().guideline
    expected = [
        [guideline.procedure[p].label, guideline.category[c].label]
        for p, c in guideline.variant("variant-2").ratings.items()
    ]
    assert rows[0] == ["Procedure", "Variant 2", "Radiation (adult)"]
    assert [row[:2] for row in rows[2:]] == expected


def test_several_variants_are_all_named():
    """Several variants that agree: the card names them all."""
    made = TOPICS["several"][0]
    assert "variant 1 (" in made["detail"]
    assert "variant 2 (" in made["detail"]
    assert "variant 3 (" in made["detail"]
    assert _rows(made)[0] == [
        "Procedure",
        "Variant 1",
        "Variant 2",
        "Variant 3",
        "Radiation (adult)",
    ]


def test_what_a_variant_does_not_list_is_not_rated_there():
    """A procedure that a variant does not list is "not rated" there."""
    rows = {row[0]: row[1:-1] for row in _rows(TOPICS["several"][0])}
    biopsy = rows["Image-guided biopsy spine area of interest"]
    assert biopsy == ["not rated", "May Be Appropriate", "not rated"]


def _rows(made):
    lines = [ln for ln in made["detail"].split("\n") if ln.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


RESERVATIONS = {
    "presumed osteoporotic": (
        card(order(RADIATION_ONCOLOGIST, reasons=(FRACTURE, PAIN))),
        "Presumed osteoporotic from age and sex",
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
    for phrase in ("Presumed", "Not supplied", "rated as", "not known", "could not be read"):
        assert phrase not in detail


def test_safety_lines_are_marked_as_ours():
    """The safety lines (marked as this service's own, not the ACR's)."""
    made = card_in(1, MRI_LUMBAR_WO, devices=[device(PACEMAKER)])
    assert "Safety notes of this service, not of the ACR:" in made["detail"]
    assert "Safety notes" not in card_in(1, CT_LUMBAR_W)["detail"]


@pytest.mark.parametrize("made", [row[0] for row in TOPICS.values()], ids=TOPICS.keys())
def test_the_citation(made):
    """Every card ends with the citation, the scope, and who decides."""
    last = made["detail"].split("\n\n")[-1]
    assert GUIDELINE in last
    assert "revised 2022" in last
    for excluded in ("high-energy trauma", "suspected infection", "other diseases"):
        assert excluded in last
    assert "The referring physician and the radiologist decide" in last


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
    "another study in the table": card_in(2, BONE_SCAN),
}


@pytest.mark.parametrize("made", DISAGREEING.values(), ids=DISAGREEING.keys())
def test_disagreement_is_explained(made):
    """ "disagreement" explained as a split panel, wherever a card shows the word."""
    assert "(Disagreement)" in made["detail"]
    assert "panel was split" in made["detail"]


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
    "ACR endorsement": r"endorse|approved by|on behalf of the ACR",
    "MRI not possible": r"MRI (is )?(not possible|impossible)",
    "an individual score": r"\b(score|rating|rated|appropriate)\W{1,3}\(?[1-9]\b(?! \(New)",
    "no cancer": r"\bno cancer\b",
}


def said_on(made):
    """All text of a card that a person reads."""
    labels = [s["label"] for s in made.get("suggestions", [])]
    return "\n".join([made["summary"], made["detail"], *labels, made["links"][0]["label"]])


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


def test_every_summary_names_the_study(every_card):
    """Naming the ordered study: it opens each summary and, in bold, each detail."""
    for made in every_card:
        study = re.match(r"\*\*(.+?)\*\*", made["detail"])[1]
        assert f"{study}: " in made["summary"]


def test_every_table_is_whole(every_card):
    """GitHub-flavoured Markdown: every table has as many cells in each row."""
    for made in every_card:
        assert len({len(row) for row in _rows(made)}) <= 1


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
    return (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(detail)
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_text_of_the_client_is_escaped(text):
    """All text that came from the client is escaped: it renders as itself, in one line."""
    for place, made in places_for(text).items():
        page = rendered(made["detail"])
        tags = set(re.findall(r"<(\w+)", page))
        assert tags <= {
            "p",
            "strong",
            "em",
            "ul",
            "li",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        }
        assert page.count("<table>") == 1, place
        plain = " ".join(html.unescape(re.sub(r"</?[a-z]+>", "", page)).split())
        visible = text.replace("\u202e", " ").replace("\u2028", " ")
        assert " ".join(visible.split()).split("/")[-1] in plain, place


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_escaped_text_keeps_the_shape_of_the_card(text):
    """No line, no cell and no bold word is added by what the client sent."""
    harmless, hostile = places_for("harmless"), places_for(text)
    for place, made in hostile.items():
        lines = [d["detail"].count("\n") for d in (harmless[place], made)]
        assert lines[0] == lines[1], place
        assert made["summary"] == harmless[place]["summary"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_escaped_text_stays_in_its_cell(text):
    """In a table too: `|` in the text of a client opens no cell."""
    page = rendered(table(["a", "b"], [[escape(text), "last"]]))
    assert re.findall(r"<td>([^<]*)</td>", page)[1:] == ["last"]


def test_a_long_text_is_cut():
    """A display of ten thousand characters does not fill the card."""
    for made in places_for("x" * 10_000).values():
        assert len(made["detail"]) < 4_000


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


@pytest.mark.parametrize(("pieces", "more"), [(3, ""), (4, "and 1 more"), (6, "and 3 more")])
def test_evidence_is_cut_after_three_pieces_and_says_so(pieces, more):
    """Each fact with its evidence; a long list says how much longer it is."""
    pains = [condition(PAIN, onset=days_ago(n), identifier=f"pain-{n}") for n in range(pieces)]
    made = card(order(MRI_LUMBAR_W, reasons=(FRACTURE,)), conditions=pains)
    (line,) = (ln for ln in made["detail"].split("\n") if ln.startswith("- Symptoms"))
    assert line.count("Backache") == 3
    assert line.partition("; and ")[2] == more.removeprefix("and ")
