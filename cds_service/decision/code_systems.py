"""How code systems are called, and how CPT codes are written; `icd.py` has ICD."""

import re

SNOMED_CT = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
# A CPT code, and modifiers of two characters: 72149-26, 72149 26, 72149TC.
WITH_MODIFIERS = re.compile(r"(\d{4}[0-9A-Z])((?:[\s,-]*[0-9A-Z]{2})*)", re.ASCII)
MODIFIER = re.compile(r"[0-9A-Z]{2}")
BROKEN_OFF = frozenset({"53", "73", "74"})


def plain_system(system: str) -> str:
    """Common misspellings undone: https for http, a trailing slash, capitals; and the edition of
    SNOMED CT, and a version, dropped.
    """
    plain = system.strip().lower().partition("|")[0]
    plain = plain.replace("https://", "http://", 1).rstrip("/")
    return SNOMED_CT if plain.startswith(SNOMED_CT + "/") else plain


def without_modifier(code: str) -> str:
    """A CPT code without its modifiers (72149-26, 72149TC), unless one says that the procedure was
    broken off: then it stays as it is, and no map knows it.
    """
    written = WITH_MODIFIERS.fullmatch(code.strip().upper())
    if written is None or BROKEN_OFF.intersection(MODIFIER.findall(written[2])):
        return code.strip()
    return written[1]
