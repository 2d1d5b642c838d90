"""Proposes a procedure and a region for an order by its words, for a person to confirm.

Nothing is proposed where the words are ambiguous, or do not state modality, region and contrast.
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
# The first that matches counts.
CONTRAST = {
    "wo-w": r"w/?o (and|&|\+|then) w|without (and|then|followed by) with|w/?o ?[&+/] ?w\b"
    r"|w ?/?wo\b",
    "wo": r"\bw/?o\b|without|nativ\b|ohne",
    "w": r"\bw\b|w/|\bwith\b|\bmit\b",
}
# Words of other studies.
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
    """The choice that matches, if it is the only one."""
    found = [name for name, words in choices.items() if re.search(rf"\b({words})\b", text)]
    return found[0] if len(found) == 1 else ""
