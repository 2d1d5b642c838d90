"""Section 7: the relative radiation levels, for an adult and for a child."""

import re

import pytest

from tests.small_world import CT_LUMBAR_W, RADIONUCLIDE_THERAPY, card_in, patient, topic

# Procedure: adult, child under 18.
LEVELS = {
    "mri-spine-wo": ("O 0 mSv", "O 0 mSv"),
    "mri-spine-w": ("O 0 mSv", "O 0 mSv"),
    "mri-spine-wo-w": ("O 0 mSv", "O 0 mSv"),
    "mri-spine-unspecified": ("O 0 mSv", "O 0 mSv"),
    "ct-spine-wo": ("varies", "varies"),
    "ct-spine-w": ("varies", "varies"),
    "ct-spine-wo-w": ("varies", "varies"),
    "ct-spine-unspecified": ("varies", "varies"),
    "bone-scan-whole-body": ("☢☢☢ 1–10 mSv", "☢☢☢☢ 3–10 mSv"),
    "spect-spine": ("☢☢☢ 1–10 mSv", "☢☢☢☢ 3–10 mSv"),
    "fdg-pet-ct-skull-base-mid-thigh": ("☢☢☢☢ 10–30 mSv", ""),
    "ct-myelography-spine": ("", ""),
    "image-guided-biopsy-spine": ("", ""),
    "medical-management": ("", ""),
    "vertebral-augmentation": ("", ""),
    "percutaneous-ablation-spine": ("", ""),
    "surgical-consultation": ("", ""),
    "radiation-oncology-consultation": ("", ""),
    "systemic-radionuclide-therapy": ("", ""),
}


def test_every_procedure_has_a_row():
    assert LEVELS.keys() == topic().guideline.procedure.keys()


@pytest.mark.parametrize(("procedure", "levels"), LEVELS.items(), ids=LEVELS.keys())
def test_level(procedure, levels):
    """The symbols and ranges of the ACR; where nothing is known the cell stays empty."""
    radiation = topic().guideline.procedure[procedure].radiation
    assert (radiation.adult, radiation.child) == levels


def shown(variant, coding, **options):
    """The levels beside the suggestions, by the name of the study."""
    detail = card_in(variant, coding, **options)["detail"]
    return dict(re.findall(r"^- \*\*(.+?)\*\* \((.+?)\)", detail, re.MULTILINE))


AGES = {
    "a newborn": (0, 1, "child: radiation "),
    "17 years": (17, 1, "child: radiation "),
    "18 years": (18, 0, "radiation "),
    "70 years": (70, 0, "radiation "),
    "age not known": (None, 0, "radiation "),
}


@pytest.mark.parametrize(("age", "column", "words"), AGES.values(), ids=AGES.keys())
def test_the_card_shows_the_level_for_the_age(age, column, words):
    """Adult / child under 18, beside each suggestion."""
    procedures = topic().guideline.procedure
    offered = ("mri-spine-wo", "ct-spine-wo")
    assert shown(1, CT_LUMBAR_W, patient=patient(age)) == {
        procedures[p].short: words + LEVELS[p][column] for p in offered
    }


def test_treatments_have_no_level():
    """Treatments: empty."""
    assert shown(9, RADIONUCLIDE_THERAPY) == {}
    assert "- **Vertebral augmentation**" in card_in(9, RADIONUCLIDE_THERAPY)["detail"]
