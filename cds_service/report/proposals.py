"""What an order's words clearly name: a row of a site's map, for a person to confirm.

Nothing is proposed where a word may mean something else, or where one that decides is missing.
"""

import re

REGIONS = {
    "cervical": r"cervical|c[ -]?spine|hws",
    "thoracic": r"thoracic|dorsal|t[ -]?spine|bws",
    "lumbar": r"lumbar|lumbosacral|l[ -]?spine|lws",
}
MODALITIES = {"mri": r"mri?|magnetic resonance", "ct": r"ct|computed tomography"}
OTHER_STUDIES = {
    "bone-scan-whole-body": r"bone scan.*whole body|whole body.*bone scan",
    "vertebral-augmentation": r"vertebroplasty|kyphoplasty|vertebral augmentation",
}
# In the order in which they are looked for: the first that is found is meant.
CONTRAST = {
    "wo-w": r"w/?o (and|&|\+|then) w|without (and|then|followed by) with|w/?o ?[&+/] ?w\b"
    r"|w ?/?wo\b",
    "wo": r"\bw/?o\b|without|nativ\b|ohne",
    "w": r"\bw\b|w/|\bwith\b|\bmit\b",
}
# With these words it is another study.
NOT_THESE = r"angio|mra|cta|myelo|biops|guid|spectro|fluoro|perfusion|3d|upright"


def proposal(words: str) -> tuple[str, str]:
    """Procedure and region of an order in words; empty where they do not name them clearly."""
    text = " ".join(words.lower().split())
    other = _only(OTHER_STUDIES, text)
    if other:
        return other, ""
    modality, region = _only(MODALITIES, text), _only(REGIONS, text)
    contrast = next((name for name, wanted in CONTRAST.items() if re.search(wanted, text)), "")
    if not modality or not region or not contrast or re.search(NOT_THESE, text):
        return "", ""
    return f"{modality}-spine-{contrast}", region


def _only(choices: dict[str, str], text: str) -> str:
    """The one choice whose words are there."""
    found = [name for name, words in choices.items() if re.search(rf"\b({words})\b", text)]
    return found[0] if len(found) == 1 else ""
