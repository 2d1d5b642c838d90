"""Names of orders as hospitals write them (invented): what `suggest` proposes, and what it does
not; and which of them are listed at all where their code is in no map.
"""

import pytest

from cds_service.fhir.unmapped import is_worded_like
from cds_service.report.proposals import proposal
from tests.small_world import topic

NOTHING = ("", "")
MRI, CT = "mri-spine-", "ct-spine-"
PROPOSED = {
    # English
    "MRI LUMBAR SPINE W/O CONTRAST": (f"{MRI}wo", "lumbar"),
    "MRI LUMBAR SPINE WITHOUT": (f"{MRI}wo", "lumbar"),
    "MR L-Spine WO": (f"{MRI}wo", "lumbar"),
    "MRI L-SP WO CONTRAST": (f"{MRI}wo", "lumbar"),
    "MRI T SPINE W/O IV CON": (f"{MRI}wo", "thoracic"),
    "MRI SPINE LUMBAR W/O CONT": (f"{MRI}wo", "lumbar"),
    "MRI - SPINE - CERVICAL - W/O CONTRAST": (f"{MRI}wo", "cervical"),
    "IMG MRI LUMBOSACRAL SPINE WO CONTRAST": (f"{MRI}wo", "lumbar"),
    "MRI LS SPINE NON-CONTRAST": (f"{MRI}wo", "lumbar"),
    "MRI_LUMBAR_SPINE_W_CONTRAST": (f"{MRI}w", "lumbar"),
    "MRI thoracic spine with contrast": (f"{MRI}w", "thoracic"),
    "MRI C-SPINE W/ IV CONTRAST": (f"{MRI}w", "cervical"),
    "MRI LUMBAR W/O & W": (f"{MRI}wo-w", "lumbar"),
    "MRI LUMBAR SPINE W AND WO IV CONTRAST": (f"{MRI}wo-w", "lumbar"),
    "MRI LUMBAR SPINE WO/W CONTRAST": (f"{MRI}wo-w", "lumbar"),
    "MRI LUMBAR SPINE W/WO CONTRAST": (f"{MRI}wo-w", "lumbar"),
    "MRI T-SPINE WWO": (f"{MRI}wo-w", "thoracic"),
    "MRI C-SPINE W WO CONTRAST": (f"{MRI}wo-w", "cervical"),
    "MRI LUMBAR SPINE W/CON": (f"{MRI}w", "lumbar"),
    "MRI LUMBAR SPINE W/O + W/ CONTRAST": (f"{MRI}wo-w", "lumbar"),
    "MRI LUMBAR SPINE W/O CON, W/ CON": (f"{MRI}wo-w", "lumbar"),
    "MRI lumbar spine without and with contrast": (f"{MRI}wo-w", "lumbar"),
    "Magnetic resonance imaging, thoracic spine, with and without IV contrast": (
        f"{MRI}wo-w",
        "thoracic",
    ),
    "MRI LUMBAR SPINE PRE/POST CONTRAST": (f"{MRI}wo-w", "lumbar"),
    "CT LUMBAR SPINE WITHOUT CONTRAST": (f"{CT}wo", "lumbar"),
    "HC CT SCAN CERVICAL SPINE W/O CON": (f"{CT}wo", "cervical"),
    "CT T-spine w contrast": (f"{CT}w", "thoracic"),
    "CT DORSAL SPINE W/O CONTRAST": (f"{CT}wo", "thoracic"),
    "CT THORACIC SPINE W WO CONTRAST": (f"{CT}wo-w", "thoracic"),
    "NM BONE SCAN WHOLE BODY": ("bone-scan-whole-body", ""),
    "WHOLE BODY BONE SCAN": ("bone-scan-whole-body", ""),
    "FDG PET/CT SKULL BASE TO MID-THIGH": ("fdg-pet-ct-skull-base-mid-thigh", ""),
    "IR KYPHOPLASTY LUMBAR": ("vertebral-augmentation", "lumbar"),
    "KYPHOPLASTY THORACIC": ("vertebral-augmentation", "thoracic"),
    "THORACIC VERTEBROPLASTY": ("vertebral-augmentation", "thoracic"),
    "IR PERCUTANEOUS VERTEBROPLASTY T-SPINE": ("vertebral-augmentation", "thoracic"),
    "KYPHOPLASTY": ("vertebral-augmentation", ""),
    # German
    "MRT LWS nativ": (f"{MRI}wo", "lumbar"),
    "MRT der LWS ohne KM": (f"{MRI}wo", "lumbar"),
    "MRT BWS o. KM": (f"{MRI}wo", "thoracic"),
    "Kernspintomographie Lendenwirbelsäule ohne Kontrastmittel": (f"{MRI}wo", "lumbar"),
    "MRT BWS mit KM": (f"{MRI}w", "thoracic"),
    "MRT HWS mit i.v. KM": (f"{MRI}w", "cervical"),
    "MRT LWS ohne und mit KM": (f"{MRI}wo-w", "lumbar"),
    "MRT LWS mit und ohne KM": (f"{MRI}wo-w", "lumbar"),
    "MRT Brustwirbelsaeule nativ und mit Kontrastmittel": (f"{MRI}wo-w", "thoracic"),
    "MRT LWS nativ + KM": (f"{MRI}wo-w", "lumbar"),
    "CT HWS ohne KM": (f"{CT}wo", "cervical"),
    "CT BWS nativ": (f"{CT}wo", "thoracic"),
    "Computertomographie LWS m. KM": (f"{CT}w", "lumbar"),
    "Ganzkörper-Skelettszintigraphie": ("bone-scan-whole-body", ""),
    "Knochenszintigrafie Ganzkörper": ("bone-scan-whole-body", ""),
    "Kyphoplastie LWS": ("vertebral-augmentation", "lumbar"),
    # Spanish
    "RM columna lumbar sin contraste": (f"{MRI}wo", "lumbar"),
    "RMN DE COLUMNA DORSAL SIN CONTRASTE": (f"{MRI}wo", "thoracic"),
    "RM lumbar sin contraste": (f"{MRI}wo", "lumbar"),
    "Resonancia magnética de columna cervical con contraste IV": (f"{MRI}w", "cervical"),
    "RM columna lumbar sin y con contraste": (f"{MRI}wo-w", "lumbar"),
    "RM columna dorsal con y sin contraste": (f"{MRI}wo-w", "thoracic"),
    "TC columna dorsal con contraste": (f"{CT}w", "thoracic"),
    "TAC de columna lumbar sin contraste": (f"{CT}wo", "lumbar"),
    "Gammagrafía ósea de cuerpo entero": ("bone-scan-whole-body", ""),
    "GAMMAGRAFIA OSEA CUERPO COMPLETO": ("bone-scan-whole-body", ""),
    "Vertebroplastia columna lumbar": ("vertebral-augmentation", "lumbar"),
}
NOT_PROPOSED = {
    # Contrast is not stated, or may be either.
    "MRI LUMBAR SPINE", "MRI L-SP", "MRT LWS", "RM columna lumbar", "MRT LWS KM",
    "MRI LUMBAR SPINE WITH OR WITHOUT CONTRAST", "MRI LUMBAR SPINE W OR W/O CONTRAST",
    "MRT LWS mit/ohne KM", "MRT LWS, KM bei Bedarf", "MRT LWS nativ, ggf. mit KM",
    "RM columna lumbar con/sin contraste", "RM columna lumbar con o sin contraste",
    "MRI LUMBAR SPINE W/O CONTRAST, W IF NEEDED",
    "MRI LUMBAR SPINE WITH",  # perhaps cut off
    # The region is not stated, or is not that of a spine, or there are two.
    "MRI SPINE W CONTRAST", "MRI CERVICAL W/O CONTRAST", "CT THORACIC W CONTRAST",
    "RM dorsal sin contraste", "RM cervical sin contraste", "MRI TOTAL SPINE W/O CONTRAST",
    "MRI THORACIC AND LUMBAR SPINE W/O", "MRT BWS/LWS nativ", "KYPHOPLASTY THORACIC LUMBAR SPINE",
    # Another part of the body.
    "MRI LUMBAR PLEXUS W/O CONTRAST", "MRI LUMBOSACRAL PLEXUS W WO CONTRAST",
    "MRI LUMBAR SPINE AND PELVIS W/O", "CT CERVICAL SPINE SOFT TISSUE W CONTRAST",
    "MRT LWS und ISG nativ", "RM plexo lumbar sin contraste", "MRI BRAIN W WO CONTRAST",
    # Another study, or one more beside it.
    "MRI AND CT LUMBAR SPINE W/O", "CT MYELOGRAM LUMBAR SPINE WITH CONTRAST",
    "MRA CERVICAL SPINE WITHOUT CONTRAST", "CT GUIDED BIOPSY LUMBAR SPINE W/O",
    "CT LUMBAR SPINE W/O 3D", "MRI LUMBAR SPINE UPRIGHT W/O", "PET/CT LUMBAR SPINE W/O",
    "SPECT/CT LUMBAR SPINE WO", "MRI LUMBAR SPINE WITHOUT CONTRAST WITH SEDATION",
    "MRI LUMBAR SPINE WITH ANESTHESIA", "XR LUMBAR SPINE 2 VIEWS", "PHYSICAL THERAPY LUMBAR",
    "Röntgen LWS in 2 Ebenen", "Radiografía simple de columna lumbar", "CT LUMBAR PUNCTURE W/O",
    "MRT LWS nativ, Zweitbefundung", "IR KYPHOPLASTY LUMBAR EACH ADDITIONAL LEVEL",
    "KYPHOPLASTY CONSULT",
    # A bone scan that may be of a part, a PET of any tracer.
    "NM BONE SCAN", "NM BONE SCAN 3 PHASE WHOLE BODY", "BONE SCAN LIMITED", "Knochenszintigraphie",
    "3-Phasen-Skelettszintigraphie", "Gammagrafía ósea", "BONE SCAN WHOLE BODY LUMBAR SPINE",
    "PET/CT SKULL BASE TO MID-THIGH", "PSMA PET/CT SKULL BASE TO MID-THIGH",
    # Referrals.
    "AMB REF TO SPINE SURGERY", "Überweisung Neurochirurgie", "REFERRAL TO RADIATION ONCOLOGY",
    "",
}  # fmt: skip
LISTED = (
    "NM BONE SCAN", "WHOLE BODY BONE SCINTIGRAPHY", "Knochenszintigraphie", "Skelettszintigrafie",
    "Gammagrafía ósea", "GAMMAGRAFIA OSEA", "PET/CT SKULL BASE TO MID-THIGH", "FDG-PET",
    "NM SPECT CT", "MRT LWS nativ", "CT HWS ohne KM", "MRI L-SP", "CT TSPINE W",
    "RM columna dorsal", "Kyphoplastie", "CIFOPLASTIA", "CT GUIDED BONE BIOPSY",
    "Knochenbiopsie CT-gesteuert",
    "RFA ablation bone tumor", "AMB REF TO NEUROSURGERY", "REFERRAL TO ORTHOPEDIC SURGERY",
    "Consult to Radiation Oncology", "Radiotherapy consultation", "Überweisung Neurochirurgie",
    "Konsil Strahlentherapie", "Interconsulta a traumatología", "Interconsulta neurocirugía",
    "RADIUM-223 THERAPY",
)  # fmt: skip
NOT_LISTED = (
    "XR CHEST PA", "CT HEAD W/O", "MRI BRAIN W WO", "CBC WITH DIFFERENTIAL", "TSP SERUM",
    "REFERENCE LAB SURGICAL PATHOLOGY", "REFERRAL TO DERMATOLOGY", "Consult nutrition",
    "SKIN BIOPSY", "CARPET", "Röntgen Thorax", "COLONOSCOPY", "",
)  # fmt: skip


@pytest.fixture(scope="module")
def words():
    return topic().order_words


@pytest.mark.parametrize(("said", "named"), PROPOSED.items())
def test_what_the_words_name_clearly_is_proposed(said, named, words):
    assert proposal(said, [words]) == named
    assert proposal(said.lower(), [words]) == proposal(said.upper(), [words]) == named
    assert named[0] in topic().guideline.procedure


@pytest.mark.parametrize("said", sorted(NOT_PROPOSED))
def test_nothing_is_proposed_where_a_word_may_mean_something_else(said, words):
    assert proposal(said, [words]) == NOTHING


@pytest.mark.parametrize("said", PROPOSED)
def test_one_word_more_that_is_not_understood_and_nothing_is_proposed(said, words):
    assert proposal(f"{said} plexus", [words]) == NOTHING
    assert proposal(f"plexus {said}", [words]) == NOTHING


@pytest.mark.parametrize("said", [*PROPOSED, *LISTED])
def test_orders_that_may_be_ours_are_listed(said, words):
    assert is_worded_like({"code": {"text": said}}, words.similar)


@pytest.mark.parametrize("said", NOT_LISTED)
def test_others_are_not(said, words):
    assert not is_worded_like({"code": {"text": said}}, words.similar)
