"""Words that withhold a conclusion: decision-rules, section 2, "A problem that we cannot read"."""

import json
import re
import warnings
from functools import cache

import pytest

from cds_service.decision.words import plain_words
from tests.small_world import (
    FRACTURE,
    HYPERTENSION,
    MRI_LUMBAR_W,
    PAIN,
    ROOT,
    SCT,
    ask,
    card_of,
    concept,
    condition,
    decide,
    fact,
    order,
    spoken,
    suggested,
    topic,
)
from tests.spec.malignancies_in_words import GERMAN, SPANISH

with warnings.catch_warnings():
    # It reads its list in a way that Python is about to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    import simple_icd_10_cm

TERMINOLOGY = topic().terminology
WORDED = "worded-like-malignancy"
LOCAL = "urn:local"

# --- What is heard, and what is not ---------------------------------------------------------------

HEARD = [
    # Each stem of the rule.
    "Prostate cancer",
    "Invasive ductal carcinoma of breast",
    "Mammakarzinom links",
    "Brustkrebs",
    "Bone metastases",
    "Malignes Lymphom",
    "Linfoma folicular",
    "Chronic lymphocytic leukemia",
    "Acute leukaemia",
    "Akute lymphatische Leukämie",
    "Leucemia aguda",
    "Ewing's sarcoma",
    "Osteosarkom",
    "Malignant melanoma",
    "Multiple myeloma",
    "Mieloma múltiple",
    "Tumor maligno de mama",
    "Bösartige Neubildung der Lunge",
    "Hodgkin's disease",
    "Burkitt tumour",
    "Neuroblastoma",
    "Solitary plasmocytoma",
    "Extramedullary plasmacytoma",
    "Plasmozytom",
    "Optic glioma",
    "Chordoma of sacrum",
    "Mycosis fungoides",
    "Seminoma of testis",
    # What else is heard, case, accents, umlauts, hyphens.
    "PROSTATE CANCER",
    "cáncer de próstata",
    "Cancer de prostata",
    "BÖSARTIGE NEUBILDUNG",
    "Boesartige Neubildung der Mamma",
    "non-small cell lung cancer",
    "Prostata-Karzinom",
    "linfoma no Hodgkin",
    "Mal neoplasm of breast",
    "Malig neop of scapula",
    "Mamma-Ca links",
    "Ca de mama",
    "NSCLC stage IV",
    # A suspicion, and an exception that is none.
    "rule out cancer",
    "Verdacht auf Bronchialkarzinom",
    "Ausschluss Karzinom",
    "sospecha de cáncer",
    "low-risk prostate cancer",
    "vertebral fracture secondary to cancer",
    "History of breast cancer",
    "Zustand nach Mammakarzinom",
    "antecedente personal de cáncer",
    # An exception silences only the stem that it stands beside.
    "Family history of diabetes, breast cancer",
    "Family history of diabetes; breast cancer",
    "Family history of diabetes and breast cancer",
    "Family history of diabetes\nBreast cancer",
    "Familienanamnese Diabetes und Brustkrebs",
    "Risk of falls, prostate cancer",
    "Benign hypertension / breast cancer",
    "Benign cyst - renal carcinoma",
    "Carcinoma in situ of cervix, melanoma of skin",
    "No evidence of infection with known myeloma",
    "Family history of cancer, lymphoma",
    "Screening for anemia in cancer",
    "Tumor, benign or malignant",
    "Carcinoma in situ, invasive carcinoma",
    "DCIS carcinoma in situ to invasive carcinoma",
    "Risk of fracture from metastases",
    "Fraktur ausgeschlossen bei Mammakarzinom",
    "PE ruled out - breast cancer",
    "Malignant hypertension, breast cancer",
    # More than three words before.
    "Benign prostatic hyperplasia prostate cancer",
    # What is not excluded, and what says that there was a cancer.
    "Cancer not excluded",
    "Cancer not ruled out",
    "Cancer cannot be excluded",
    "Not excluded: breast cancer",
    "Karzinom nicht ausgeschlossen",
    "Cáncer no descartado",
    "Breast cancer, no evidence of disease",
    "No evidence of recurrent cancer",
    "Fear of cancer recurrence",
    "No evidence of progression of lymphoma",
    "Kein Hinweis auf Rezidiv eines Karzinoms",
    "Breast cancer metastasis ruled out",
    "Mammakarzinom Metastasen ausgeschlossen",
    "Margins negative for carcinoma",
]
NOT_HEARD = [
    "Family history of breast cancer",
    "Family history: Ovarian carcinoma",
    "Family history of malignant melanoma",
    "FAMILY HISTORY OF CANCER",
    "Risk of cancer",
    "Increased risk of breast cancer",
    "Fear of cancer",
    "Screening for malignant neoplasm of colon",
    "Screening for lung cancer",
    "Benign lymphoma-like lesion",
    "Carcinoma in situ of cervix",
    "Carcinoma of cervix in situ",
    "In situ carcinoma",
    "In-situ melanoma",
    "Cancer ruled out",
    "Cancer was ruled out",
    "Ruled out cancer",
    "Ruled out: cancer",
    "Carcinoma excluded",
    "Excluded lung carcinoma",
    "No evidence of cancer",
    "No evidence of metastatic breast disease",
    "No evidence of primary lung cancer",
    "Familienanamnese: Brustkrebs",
    "Risiko für Brustkrebs",
    "Risiko fuer Brustkrebs",
    "Angst vor Krebs",
    "Karzinom ausgeschlossen",
    "Kein Hinweis auf Karzinom",
    "Kein Anhalt für Malignität",
    "Gutartiges Lymphom",
    "Vorsorgeuntersuchung auf Darmkrebs",
    "Krebsvorsorge",
    "Darmkrebsvorsorge",
    "Krebsangst",
    "Carcinoma in situ der Mamma",
    "Antecedentes familiares de cáncer",
    "Historia familiar de leucemia",
    "Riesgo de cáncer de mama",
    "Miedo al cáncer",
    "Cribado de cáncer de mama",
    "Cáncer descartado",
    "Descartado cáncer",
    "Sin evidencia de metástasis",
    "Carcinoma in situ de mama",
    # They only look alike.
    "Myelomalacia",
    "Lumbar myelomeningocele",
    "Mielomeningocele",
    "Malignant hypertension",
    "Malignant essential hypertension",
    "Maligne Hypertonie",
    "Malignant hyperthermia due to anesthesia",
    "Hipertermia maligna",
    "Leukorrhea",
    "Oral leukoplakia",
    "Leukocytosis",
    "Neuroleptic malignant syndrome",
    # Nothing of the kind.
    "",
    "Osteoporosis",
    "Vertebral fracture",
    "Prostate enlargement",
    "Vitamin D and Ca deficiency",
    "Myelopathy",
]


@pytest.mark.parametrize("words", HEARD)
def test_it_sounds_like_a_malignancy(words):
    assert TERMINOLOGY.hears(words) == {WORDED}


@pytest.mark.parametrize("words", NOT_HEARD)
def test_it_does_not_sound_like_a_malignancy(words):
    assert TERMINOLOGY.hears(words) == frozenset()


# Words that keep an exception from the stem behind it, in the three languages.
APART = """and or with but to due from by after of in und oder mit aber bei nach durch von
y e o u con pero por tras de del en not cannot nicht no vs versus
invasive invasives invasiver invasivo infiltrating metastasis metastases metastase metastasen"""


@pytest.mark.parametrize("word", APART.split())
def test_an_exception_does_not_reach_over_a_word_that_sets_apart(word):
    assert TERMINOLOGY.words[0].hears(f"benign {word} kaposi")


# What says that there was a cancer, or that it is not excluded: no exception counts beside it.
NEVER_SILENCED = """recurrence, residual, relapse, remission, Rezidiv, recidiva, remisión,
not excluded,
not ruled out, cannot be excluded, could not be excluded, could not be ruled out, not benign,
nicht ausgeschlossen, nicht gutartig, no descartado, no se ha descartado, no ha sido descartada,
no benigna"""


@pytest.mark.parametrize("words", [w.strip() for w in NEVER_SILENCED.split(",")])
def test_no_exception_counts_beside_words_that_tell_of_a_cancer(words):
    assert TERMINOLOGY.hears(f"benign lymphoma: {words}") == {WORDED}
    assert TERMINOLOGY.hears(f"benign lymphoma: {words.split()[-1][:2]}") == frozenset()


EXCEPTIONS = """family history of, family history, risk of, fear of, screening for, benign, in situ,
ruled out, excluded, no evidence of, Familienanamnese, familiäre Belastung, Risiko für, Risiko fuer,
Angst vor, ausgeschlossen, kein Hinweis auf, kein Anhalt für, kein Anhalt fuer, gutartig, gutartige,
gutartiger, gutartiges, benigne, benigner, benignes, Vorsorgeuntersuchung auf,
antecedentes familiares de, historia familiar de, riesgo de, miedo a, miedo al, cribado de,
cribado del, benigno, benigna, descartado, descartada, sin evidencia de"""


@pytest.mark.parametrize("exception", [w.strip() for w in EXCEPTIONS.split(",")])
def test_an_exception_silences_the_stem_behind_it_and_none_further(exception):
    assert TERMINOLOGY.hears(f"{exception} one two melanoma") == frozenset()
    assert TERMINOLOGY.hears(f"{exception} one two three melanoma") == {WORDED}
    assert TERMINOLOGY.hears(f"{exception} one, melanoma") == {WORDED}


def test_these_are_all_exceptions():
    """An exception is added only where it cannot hide a cancer: here, with its test."""
    listed = {plain_words(w.strip()) for w in EXCEPTIONS.split(",")}
    assert {plain_words(w) for w in TERMINOLOGY.words[0].silenced_before} == listed


# --- The words of codes ---------------------------------------------------------------------------


@cache
def displays(value_set):
    """The displays of the codes that a shipped value set lists."""
    document = json.loads((ROOT / "mappings" / "value-sets" / f"{value_set}.json").read_text())
    listed = [c for part in document["compose"]["include"] for c in part.get("concept", ())]
    return tuple(sorted({concept["display"] for concept in listed}))


@cache
def titles():
    """The titles of C00-C96 in ICD-10-CM, without C44: PyPI package simple-icd-10-cm."""
    codes = simple_icd_10_cm.get_all_codes(with_dots=True)
    ours = [c for c in codes if c[0] == "C" and c[1].isdigit() and "-" not in c and c[:3] != "C44"]
    return tuple(sorted({simple_icd_10_cm.get_description(c) for c in ours}))


def test_the_words_of_every_shipped_malignancy_are_heard():
    """Among them the 755 of two independent public lists. None is left out."""
    assert len(displays("malignancy")) > 1200
    assert [d for d in displays("malignancy") if not TERMINOLOGY.hears(d)] == []


def test_the_title_of_every_malignancy_of_icd_10_cm_is_heard():
    assert len(titles()) > 1300
    assert [d for d in titles() if not TERMINOLOGY.hears(d)] == []


@pytest.mark.parametrize("words", GERMAN + SPANISH)
def test_a_malignancy_in_german_or_spanish_is_heard(words):
    assert TERMINOLOGY.hears(words) == {WORDED}


# Look-alikes that trip, but for those of the skin other than melanoma (SKIN): hereditary risks,
# uncertain behaviour, suspected, other diseases of a similar name. It costs nothing: their codes
# are known, and an entry is read by its code.
SKIN = r"(?i)skin|basal cell carcinoma|squamous cell carcinoma"
TRIP = """\
Adenolymphoma (disorder)
Anemia in neoplastic disease (disorder)
Borderline malignant melanoma (disorder)
Breast cancer screening declined (situation)
Cancer-related fatigue
Carcinoid heart disease (disorder)
Carcinoid syndrome (disorder)
Carcinoid tumor (disorder)
Carcinoid tumor - morphology (morphologic abnormality)
Carcinoma of cervix stage 0 (disorder)
Cervicovaginal cytology: High grade squamous intraepithelial lesion or carcinoma (finding)
Cutaneous B-cell pseudolymphoma caused by Borrelia (disorder)
Eaton Lambert syndrome without underlying malignancy (disorder)
Familial papillary thyroid carcinoma with renal papillary neoplasia syndrome (disorder)
Follicular non-Hodgkin's lymphoma in situ (disorder)
Gastric adenocarcinoma and proximal polyposis of stomach (disorder)
Gastrointestinal stromal tumor (disorder)
Global developmental delay, lung cysts, overgrowth, Wilms tumor syndrome (disorder)
Hereditary breast and ovarian cancer syndrome (disorder)
Hereditary nonpolyposis colon cancer (disorder)
Hereditary site-specific ovarian cancer syndrome (disorder)
Human T-cell Lymphoma Virus Type -1 associated uveitis (disorder)
Hypereosinophilic syndrome/chronic eosinophilic leukemia (morphologic abnormality)
Increased cancer antigen 125 (finding)
Infantile malignant osteopetrosis (disorder)
Kaposi's varicelliform eruption caused by vaccinia virus (disorder)
Langerhans cell histiocytosis (disorder)
Lymphomatoid granulomatosis (disorder)
Lymphomatoid granulomatosis of lung (disorder)
Lymphomatoid papulosis (disorder)
Lymphomatoid papulosis type A (CD-30 positive type) (disorder)
Lymphomatoid papulosis type B - mycosis fungoides-like (disorder)
Lymphomatoid papulosis type C (anaplastic large-cell lymphoma-like) (disorder)
Malignant glaucoma (disorder)
Malignant migrating partial seizures of infancy (disorder)
Malignant neoplasm of gastrointestinal tract suspected (situation)
Malignant tertian fever
Melanoma and neural system tumor syndrome (disorder)
Myelodysplastic syndrome (disorder)
Myelodysplastic syndrome: Refractory anemia, without ringed sideroblasts, \
without excess blasts (disorder)
Neoplastic disease (disorder)
No evidence of recurrence of cancer (situation)
Osteosarcoma, limb anomalies, erythroid macrocytosis syndrome (disorder)
Paraganglioma and gastric stromal sarcoma syndrome (disorder)
Pseudolymphoma of lung in Sjögren's disease
Referral by lung cancer nurse specialist
hereditary nonpolyposis colon cancer
""".splitlines()


def test_the_look_alikes_that_trip_are_these():
    heard = [d for d in displays("malignancy-look-alikes") if TERMINOLOGY.hears(d)]
    assert [d for d in heard if not re.search(SKIN, d)] == sorted(TRIP)


def test_a_look_alike_that_trips_is_read_by_its_code():
    hereditary = condition((SCT, "718220008"))
    hereditary["code"]["text"] = "Hereditary breast and ovarian cancer syndrome"
    assert TERMINOLOGY.hears(hereditary["code"]["text"])
    assert fact("malignancy", FRACTURE, PAIN, conditions=[hereditary]) is False


# --- What comes of it -----------------------------------------------------------------------------


def rated_by(entry):
    """The variants by which a contrast MRI for a new fracture is rated; none where it is not."""
    decision = decide(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=[entry])
    return [v.id for v in decision.outcomes.variants] if decision.rating else []


@cache
def coded_malignancies():
    meanings = TERMINOLOGY.meanings.items()
    return [key for key, meaning in meanings if "malignancy" in meaning.sets and key[0] == SCT]


def test_a_coded_malignancy_is_rated_by_variant_2_only():
    """Among them the 755 of two independent public lists."""
    assert len(coded_malignancies()) > 1200
    assert [k for k in coded_malignancies() if rated_by(condition(k)) != ["variant-2"]] == []


def test_a_malignancy_in_words_only_is_rated_by_no_variant():
    """Of the shipped malignancies and of ICD-10-CM, under a code that is in no map."""
    entries = [
        {**condition((LOCAL, "X1")), "code": concept((LOCAL, "X1"), display=words)}
        for words in displays("malignancy") + titles()
    ]
    assert rated_by({**entries[0], "code": concept((LOCAL, "X1"), display="Gout")}) == ["variant-1"]
    assert [e["code"] for e in entries if rated_by(e)] == []


NEW_FRACTURE = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))


def local(words, number=0, **options):
    """A Condition in a code system that nobody knows, with words."""
    made = condition((LOCAL, f"x{number}"), **options)
    made["code"]["coding"][0]["display"] = words
    return made


def is_asked(words):
    """Whether a problem with these words leads to the question, which quotes it, and no rating."""
    answer = ask(NEW_FRACTURE, conditions=[local(words)])
    (decision,) = answer.decisions
    ratings = (decision.rating, decision.facts["malignancy"].value)
    buttons = ["answer:malignancy", "answer:malignancy"]
    quotes = [e.display for e in decision.facts["malignancy"].evidence]
    return ratings == (None, None) and suggested(decision) == buttons and quotes == [words[:200]]


def sample(words, number):
    return words[:: max(1, len(words) // number)]


def test_without_the_words_the_study_is_rated_by_variant_1():
    """Guard: the question below is the doing of the words."""
    (decision,) = ask(NEW_FRACTURE, conditions=[local("Arthrosis")]).decisions
    assert decision.rating == "not-appropriate"


@pytest.mark.parametrize(
    "words",
    [sample(displays("malignancy"), 200), sample(titles(), 160), GERMAN + SPANISH],
    ids=["shipped", "ICD-10-CM", "German and Spanish"],
)
def test_an_unknown_code_worded_like_a_malignancy_is_asked_about_and_never_rated(words):
    assert [w for w in words if not is_asked(w)] == []


def test_200_displays_in_no_map_are_among_them():
    shipped = set(displays("malignancy"))
    foreign = [*sample(titles(), 160), *GERMAN, *SPANISH]
    assert len(set(foreign) - shipped) >= 200


def test_the_card_quotes_the_entry():
    card = card_of(ask(NEW_FRACTURE, conditions=[local("Prostatakarzinom T2")]))
    assert "Prostatakarzinom T2" in card["detail"]


def test_the_words_of_the_concept_count_too():
    problem = condition((LOCAL, "x"))
    problem["code"]["text"] = "Brustkrebs"
    assert fact("malignancy", FRACTURE, PAIN, conditions=[problem]) is None


def test_a_reason_counts_by_its_words():
    draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN, (LOCAL, "x")))
    draft["reasonCode"][2]["text"] = "Metastasierung"
    (decision,) = ask(draft).decisions
    assert decision.facts["malignancy"].value is None


def test_a_known_code_is_read_by_its_code_whatever_its_words_say():
    look_alike = condition(("http://hl7.org/fhir/sid/icd-10-cm", "Z80.3"))
    look_alike["code"]["text"] = "Breast cancer"
    assert fact("malignancy", FRACTURE, PAIN, conditions=[look_alike]) is False


def test_a_refuted_entry_is_not_heard():
    refuted = local("Breast cancer", verification="refuted")
    assert fact("malignancy", FRACTURE, PAIN, conditions=[refuted]) is False


@pytest.mark.parametrize("verification", ["provisional", "differential", "unconfirmed"])
def test_an_uncertain_entry_softens_and_leaves_the_fact(verification):
    """Like a coded one: section 6, softer red flags."""
    uncertain = local("Breast cancer", verification=verification)
    (decision,) = ask(NEW_FRACTURE, conditions=[uncertain]).decisions
    assert decision.facts["malignancy"].value is False
    assert decision.rating == "not-appropriate"
    assert "softer-red-flags" in spoken(decision)
    assert decision.indicator == "info"


# --- What cannot be read --------------------------------------------------------------------------

ILLEGIBLE = ["乳腺癌", "рак молочной железы", "рак T2N0", "سرطان الثدي", "", "C̄ 乳腺癌术后"]
LEGIBLE = ["Arthrose", "Coxartrosis", "β-Thalassämie minor", "高血压 hypertension", "Æ øvre smerte"]


@pytest.mark.parametrize("words", ILLEGIBLE)
def test_a_problem_that_cannot_be_read_proves_no_absence(words):
    for name in ("malignancy", "prior_vcf"):
        assert fact(name, FRACTURE, PAIN, conditions=[local(words)]) is None


@pytest.mark.parametrize("words", LEGIBLE)
def test_a_problem_in_latin_letters_without_a_stem_leaves_the_data_complete(words):
    for name in ("malignancy", "prior_vcf"):
        assert fact(name, FRACTURE, PAIN, conditions=[local(words)]) is False


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error"])
def test_a_refuted_problem_need_not_be_read(verification):
    refuted = local("乳腺癌", verification=verification)
    assert fact("malignancy", FRACTURE, PAIN, conditions=[refuted]) is False


def test_a_code_of_a_known_system_can_be_read_whatever_its_words_are():
    problem = condition(HYPERTENSION)
    problem["code"]["text"] = "高血压"
    assert fact("malignancy", FRACTURE, PAIN, conditions=[problem]) is False
