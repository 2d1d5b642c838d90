"""Section 7: the relative radiation levels, for an adult and for a child."""

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
    """Procedure label to radiation cell, of the table on the card; and the cells' heading."""
    detail = card_in(variant, coding, **options)["detail"]
    rows = [line[1:-1].split("|") for line in detail.split("\n") if line.startswith("|")]
    cells = {row[0].strip(): row[-1].strip() for row in rows}
    return cells, cells.pop("Procedure")


AGES = {
    "a newborn": (0, 1, "Radiation (child)"),
    "17 years": (17, 1, "Radiation (child)"),
    "18 years": (18, 0, "Radiation (adult)"),
    "70 years": (70, 0, "Radiation (adult)"),
    "age not known": (None, 0, "Radiation (adult)"),
}


@pytest.mark.parametrize(("age", "column", "heading"), AGES.values(), ids=AGES.keys())
def test_the_card_shows_the_level_for_the_age(age, column, heading):
    """Adult / child under 18, beside each rating."""
    cells, shown_heading = shown(1, CT_LUMBAR_W, patient=patient(age))
    assert shown_heading == heading
    variant = topic().guideline.variant("variant-1")
    labels = {p: topic().guideline.procedure[p].label for p in variant.ratings}
    assert cells.pop("---") == "---"
    assert cells == {labels[p]: LEVELS[p][column] for p in labels}


def test_treatments_have_an_empty_cell():
    """Treatments: empty."""
    cells, _ = shown(9, RADIONUCLIDE_THERAPY)
    del cells["---"]
    assert set(cells.values()) == {""}
